"""What fits a quota, when somebody is near it, and how a limit is written."""

from __future__ import annotations

import pytest

from sft.model.quotas import NO_LIMIT, Quota, Usage, limit_of, limit_text, parse_limit

TEN = Quota(files=10, size_bytes=1000)


@pytest.mark.parametrize(
    ("used", "more", "refused"),
    [
        (Usage(9, 900), Usage(1, 100), (False, False)),  # to the last byte and file
        (Usage(9, 900), Usage(1, 101), (True, False)),
        (Usage(10, 0), Usage(1, 0), (False, True)),
        (Usage(12, 2000), Usage(0, 1), (True, False)),
        (Usage(12, 2000), Usage(0, 0), (False, False)),  # whoever is over it can still do what adds nothing
        (Usage(12, 2000), Usage(-1, -9), (False, False)),
    ],
)
def test_what_fits(used: Usage, more: Usage, refused: tuple[bool, bool]) -> None:
    assert (TEN.refuses_bytes(used, more), TEN.refuses_files(used, more)) == refused


def test_without_a_limit_all_fits() -> None:
    assert not Quota().limits
    assert not Quota().refuses_bytes(Usage(1, 1), Usage(1, 1 << 60))
    assert Quota().reached(Usage(), Usage(1, 1 << 60)) == 0
    assert Quota(files=0).limits
    assert Quota(size_bytes=0).limits


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        (Usage(0, 799), Usage(0, 800), 80),
        (Usage(0, 800), Usage(0, 949), 0),  # said once
        (Usage(0, 949), Usage(0, 950), 95),
        (Usage(0, 0), Usage(0, 1000), 95),  # the highest alone
        (Usage(7, 0), Usage(8, 1), 80),
        (Usage(7, 949), Usage(8, 950), 95),
        (Usage(0, 990), Usage(0, 900), 0),  # on the way down nothing is said
    ],
)
def test_who_comes_near_is_told_once(before: Usage, after: Usage, reached: int) -> None:
    assert TEN.reached(before, after) == reached


@pytest.mark.parametrize(
    ("own", "everybodys", "limit"), [(None, None, None), (None, 5, 5), (7, 5, 7), (NO_LIMIT, 5, None), (0, 5, 0)]
)
def test_what_was_set_for_one_person_goes_first(own: int | None, everybodys: int | None, limit: int | None) -> None:
    assert limit_of(own, everybodys) == limit


@pytest.mark.parametrize(("own", "text"), [(None, "default"), (NO_LIMIT, "none"), (0, "0"), (50, "50")])
def test_a_limit_has_one_spelling(own: int | None, text: str) -> None:
    assert limit_text(own) == text
    assert parse_limit(text) == own


@pytest.mark.parametrize("text", ["", "-1", "-2", "007", " 7", "1_000", "NONE", "seven", "٣"])
def test_another_spelling_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"limit|invalid literal"):
        parse_limit(text)


@pytest.mark.parametrize(
    ("quota", "used", "percent"),
    [
        (TEN, Usage(1, 829), 82),
        (TEN, Usage(9, 829), 90),
        (TEN, Usage(12, 0), 120),
        (Quota(), Usage(9, 9), 0),
        (Quota(size_bytes=0), Usage(), 100),
    ],
)
def test_how_much_of_it_is_owned(quota: Quota, used: Usage, percent: int) -> None:
    assert quota.percent(used) == percent

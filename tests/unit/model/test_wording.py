"""Words for people, one line each."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest

from sft import errors
from sft.model import wording
from sft.model.access import Role

# Sunday 3 May 2026, 14:02:11 UTC
NOW = 1_777_816_931
PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (NOW, "3 May 14:02"),
        (NOW - 365 * 86400, "3 May 2025 14:02"),
        (0, "1 Jan 1970 00:00"),
        (-86400, "31 Dec 1969 00:00"),
        (NOW + 30 * 86400, "2 June 14:02"),
        (1 << 62, "a time out of range"),
        (-(1 << 62), "a time out of range"),
    ],
)
def test_times(seconds: int, text: str) -> None:
    assert wording.local_time(seconds, now=NOW, zone=UTC) == text


def test_times_are_those_of_the_reader() -> None:
    assert wording.local_time(NOW, now=NOW, zone=PARIS) == "3 May 16:02"
    assert wording.local_time(NOW, now=NOW, zone=UTC, weekday=True) == "Sun 3 May 14:02"
    new_year = 1_798_761_600  # 1 January 2027, 00:00 UTC
    assert wording.local_time(new_year, now=new_year - 1, zone=PARIS) == "1 Jan 02:00"
    assert wording.local_time(new_year, now=new_year - 1, zone=UTC) == "1 Jan 2027 00:00"


def test_times_for_programs() -> None:
    assert wording.utc_time(NOW) == "2026-05-03T14:02:11Z"
    assert wording.utc_time(NOW + 0.9) == "2026-05-03T14:02:11Z"
    assert wording.utc_time(1 << 62) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (12, "12 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12288, "12 KiB"),
        (890 * 1024, "890 KiB"),
        (10189, "10 KiB"),
        (10188, "9.9 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (4_300_000, "4.1 MiB"),
        (2 << 30, "2.0 GiB"),
        (64 << 40, "64 TiB"),
        (5000 << 60, "5,000 EiB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert wording.size_text(size_bytes) == text


def test_rates() -> None:
    assert wording.rate_text(208 << 20, 1) == "208 MiB/s"
    assert wording.rate_text(1 << 20, 0) == "0 B/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.84, "9.8 s"),
        (9.96, "10 s"),
        (35.4, "35 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3900, "1 h 5 min"),
        (-1, "0.0 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4, "0:04"), (61, "1:01"), (3729, "1:02:09"), (-1, "0:00")]
)
def test_time_left(seconds: float, text: str) -> None:
    assert wording.left_text(seconds) == text


@pytest.mark.parametrize(
    ("name", "shown", "typed"),
    [
        ("plan.pdf", "plan.pdf", "plan.pdf"),
        ("finance/2026/plan.pdf", "finance/2026/plan.pdf", "finance/2026/plan.pdf"),
        ("old plan.pdf", '"old plan.pdf"', "'old plan.pdf'"),
        ("a\u202eb", '"a\\u{202e}b"', "'a\\u{202e}b'"),
        ("$(reboot)", "$(reboot)", "'$(reboot)'"),
        ("it's", "it's", "'it'\"'\"'s'"),
        ("-rf", "-rf", "/-rf"),
        ("größe.txt", "größe.txt", "größe.txt"),
        ("", '""', "''"),
    ],
)
def test_names_in_sentences_and_commands(name: str, shown: str, typed: str) -> None:
    assert wording.shown_name(name) == shown
    assert wording.shell_name(name) == typed


def test_values_are_told_by_their_names() -> None:
    error = errors.ExistsError(path="a b.xlsx", version=3, author="max", stored_at=NOW)
    assert wording.sentence(error, now=NOW, zone=UTC) == (
        '"a b.xlsx" exists: version 3 by max, 3 May 14:02.'
    )
    full = errors.ServerFullError(size_bytes=2 << 30)
    assert wording.sentence(full, now=NOW) == (
        "The server has no room for 2.0 GiB. Getting and deleting still work."
    )


def test_a_role_in_the_plural_begins_a_sentence() -> None:
    error = errors.RoleForbidsError(
        role=Role.GUEST, act="store files", name="gus", needed="maintainer", admins="ada, eva"
    )
    assert wording.error_lines(error, now=NOW) == [
        "sft: Guests do not store files [ROLE_FORBIDS]",
        "     An admin can: sft role gus maintainer. Admins here: ada, eva",
    ]


def test_names_of_peers_keep_their_case_at_the_beginning() -> None:
    error = errors.NotYoursError(
        path="plan.pdf", owner="ivo", act="delete", admins="ada, eva", ref="7F3K-29QD"
    )
    assert wording.error_lines(error, now=NOW) == [
        "sft: plan.pdf belongs to ivo: only they or an admin may delete it [NOT_YOURS]",
        "     Ask ivo, or an admin (ada, eva) (ref 7F3K-29QD)",
    ]


def test_a_template_that_quotes_is_not_quoted_twice() -> None:
    error = errors.NameNotAllowedError(name="a b:c", problem='":"', safer="a b_c")
    assert wording.sentence(error, now=NOW) == '"a b:c" has ":".'
    assert wording.next_step(error, now=NOW).endswith("--safe-names stores 'a b_c'")


def test_what_peers_say_cannot_touch_the_terminal() -> None:
    error = errors.NotFoundError(
        what="file\x1b]0;x\x07", name="a\u202e", see="sft\nls", ref="\x1b[2J"
    )
    for line in wording.error_lines(error, now=NOW):
        assert line.isprintable()
    document = wording.error_json(error, now=NOW)
    assert all(str(value).isprintable() for value in document.values())
    unknown = errors.UnknownRefusalError(code="\x1b[2JNEW")
    assert wording.error_lines(unknown, now=NOW)[0].isprintable()


def test_templates_in_values_are_not_filled_again() -> None:
    error = errors.NotFoundError(what="file", name="{see}", see="sft ls")
    assert wording.sentence(error, now=NOW) == "There is no file {see}."


def test_errors_for_programs() -> None:
    error = errors.NotFoundError(what="file", name="x", see="sft ls", ref="7F3K-29QD")
    assert wording.error_json(error, now=NOW) == {
        "code": "NOT_FOUND",
        "exit": 3,
        "message": "There is no file x.",
        "next": "See what there is: sft ls",
        "ref": "7F3K-29QD",
    }
    assert wording.error_json(errors.NotJoinedError(), now=NOW)["ref"] is None


def test_an_unknown_code_is_shown_by_its_name() -> None:
    error = errors.RequestError.from_wire("SUN_SPOTS", {}, "7F3K-29QD")
    assert wording.error_json(error, now=NOW)["code"] == "SUN_SPOTS"


def test_every_role_has_words() -> None:
    assert set(wording.ROLE_WORDS) == set(Role)

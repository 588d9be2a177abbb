"""Every kind of question that a search may be asked, of the home that ``population`` makes."""

from __future__ import annotations

from typing import Final

from sft.model.file_criteria import FileCriteria
from tests.campaigns.population import DAY, Shape

LARGE: Final = 10_000  # bytes: what lies in the vault, where a shape has such files
NOBODY_HAS: Final = 10**12

Question = tuple[str, tuple[str, ...], FileCriteria | None]
"""What it is, words, criteria."""


def questions(shape: Shape) -> list[Question]:
    """Return them, each with what it is for."""
    last, lately, about = shape.big - 1, shape.moment - DAY, FileCriteria
    return [
        ("a letter of every name", ("f",), None),
        ("the beginning of some names", ("d000",), None),
        ("a word within many names", ("00012",), None),
        ("the one name of a file stored first", ("f0000007",), None),
        ("the one name of a file stored in the middle", (f"f{last:07}",), None),
        ("two words", ("only", "txt"), None),
        ("two letters of no name", ("zq",), None),
        ("a word of no name", ("zebra",), None),
        ("from: who signed half", (), about(author="olga")),
        ("from: who signed few", (), about(author=f"person_{shape.people // 2}")),
        ("from: who signed nothing", (), about(author="max")),
        ("since: all of it", (), about(since=lately)),
        ("since: nothing yet", (), about(since=shape.moment + 40 * DAY)),
        ("until: nothing so early", (), about(until=lately)),
        ("larger: what some are", (), about(smallest=LARGE)),
        ("larger: what none is", (), about(smallest=NOBODY_HAS)),
        ("smaller: what none is", (), about(largest=1)),
        ("larger: and since:", (), about(smallest=LARGE, since=lately)),
        ("a word, larger: and since:", ("only",), about(smallest=LARGE, since=lately)),
        ("a rare word and from: who signed none of it", ("f0000",), about(author="olga")),
        ("a word of no name and from: who signed half", ("zebra",), about(author="olga")),
        ("a word of every folder, from: and larger:, nothing", ("f000",), about(author="olga", smallest=LARGE)),
    ]

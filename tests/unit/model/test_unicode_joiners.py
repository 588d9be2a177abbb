"""The tables of joining letters and emoji, against two other sources of the same data."""

from __future__ import annotations

import unicodedata

import idna.idnadata
import pytest
from rich._emoji_codes import EMOJI

from sft.model import unicode_joiners
from sft.model.unicode_joiners import joiner_fits


@pytest.mark.parametrize(
    ("letter", "table"),
    [("D", unicode_joiners._DUAL), ("R", unicode_joiners._RIGHT), ("L", unicode_joiners._LEFT)],
)
def test_joining_types_are_those_of_the_unicode_database(
    letter: str, table: frozenset[int]
) -> None:
    ranges = [(packed >> 32, packed & 0xFFFFFFFF) for packed in idna.idnadata.joining_types[letter]]
    theirs = {point for first, end in ranges for point in range(first, end)}
    # Either side may know letters that the other's Unicode version does not have yet.
    assigned = {p for p in theirs | table if unicodedata.category(chr(p)) != "Cn"}
    assert assigned & theirs == assigned & table
    assert len(assigned & table) > 3 or letter == "L"


def test_every_joined_emoji_of_a_common_list_is_allowed() -> None:
    joined = [text for text in EMOJI.values() if unicode_joiners.JOINER in text]
    assert len(joined) > 100
    for text in joined:
        for index, character in enumerate(text):
            if character == unicode_joiners.JOINER:
                assert joiner_fits(text, index), ascii(text)


def test_a_joiner_between_latin_letters_never_fits() -> None:
    assert not joiner_fits("a\u200cb", 1)
    assert not joiner_fits("a\u200db", 1)


def test_a_joiner_at_either_end_never_fits() -> None:
    for joiner in unicode_joiners.JOINERS:
        for text in (joiner, f"م{joiner}", f"{joiner}م", f"{joiner}👩", f"👩{joiner}"):
            assert not joiner_fits(text, text.index(joiner))

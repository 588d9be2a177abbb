"""Where joiners fit, against a common list of emoji."""

from __future__ import annotations

from rich._emoji_codes import EMOJI

from sft.model import unicode_joiners
from sft.model.unicode_joiners import joiner_fits


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


def test_joiners_fit_between_letters_that_join_and_behind_a_virama() -> None:
    assert joiner_fits("\u0645\u06cc\u200c\u0634\u0648\u062f", 2)
    assert joiner_fits("\u0645\u064e\u200c\u0634", 2)
    assert joiner_fits("\u0915\u094d\u200d\u0937", 2)
    assert not joiner_fits("\u0627\u200c\u0634", 1)


def test_a_joiner_beside_a_joiner_or_what_is_no_character_never_fits() -> None:
    assert not joiner_fits("\u0645\u200c\u200c\u0634", 1)
    assert not joiner_fits("\u0378\u200d\u0645", 1)
    assert not joiner_fits("a" * 5000 + "\u200c" + "b" * 5000, 5000)
    assert joiner_fits("a" * 5000 + "\u0645\u200c\u0645" + "b" * 5000, 5001)

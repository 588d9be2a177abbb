"""Characters as they are said by voice: the spelling alphabet of radio and aviation (ICAO), digits, and the signs of a link."""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
    alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec
    romeo sierra tango uniform victor whiskey xray yankee zulu
"""
_LETTERS: Final = {word[0]: word for word in _WORDS.split()}
_DIGITS: Final = dict(enumerate("zero one two three four five six seven eight nine".split()))  # noqa: SIM905 - as it is read
_SIGNS: Final = {
    "-": "hyphen", "_": "underscore", ".": "dot", ":": "colon", "/": "slash", "#": "hash", "[": "bracket",
    "]": "bracket closed", "%": "percent",
}  # fmt: skip


def spelled(text: str) -> str:
    """Say a text character by character; a capital letter is said to be one, and what has no name here stands for itself."""
    return ", ".join(_said(each) for each in text)


def _said(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    if character.lower() in _LETTERS:
        return f"capital {_LETTERS[character.lower()].upper()}"
    if character in "0123456789":
        return _DIGITS[int(character)]
    return _SIGNS.get(character, character)


def groups(text: str, size: int = 4) -> list[str]:
    """Divide a text into groups of so many characters, the last with what is left."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def link_groups(link: str) -> list[str]:
    """Divide a link as it is read out: what stands up to the ``#`` whole, then groups of four."""
    begin, sign, rest = link.partition("#")
    return [f"{begin}{sign}", *groups(rest)]

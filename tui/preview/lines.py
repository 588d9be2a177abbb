"""Bytes as lines of text: decoded, harmless, and no more than a person looks at.

Rules. A line ends where editors end it (LF, CRLF, CR); any other character that moves text is shown by its number. What is no
text has no lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from tui.text import harmless

LINES_SHOWN: Final = 200
SHOWN_CHARACTERS: Final = 20_000  # of all lines: what is laid out keeps the screen from keys, 5 µs a character
_LINE_CHARACTERS: Final = 1000
_TAB: Final = 8
_LOOKED_AT: Final = 64 * 1024
_ODD_SHARE: Final = 10  # one of so many may be a control character: logs have some
_ENDS: Final = re.compile(r"\r\n|\r|\n")
_CONTROLS: Final = bytes({*range(32)} - {9, 10, 12, 13, 27})
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip


def text_of(content: bytes) -> str | None:
    """Decode what is text: as its mark says, else as UTF-8, what is not that by its number; None for what is none."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "backslashreplace" if encoding == "utf-8" else "replace")
    beginning = content[:_LOOKED_AT]
    if b"\0" in content:
        return None
    odd = len(beginning) - len(beginning.translate(None, _CONTROLS))
    text = content.decode("utf-8", "backslashreplace")
    odd += beginning.decode("utf-8", "replace").count("\ufffd")
    return None if odd * _ODD_SHARE > len(beginning) else text


def lines_of(text: str) -> list[str]:
    """Break a text into its lines, without their ends; a last one that is empty is none."""
    lines = _ENDS.split(text)
    return lines[:-1] if lines and not lines[-1] else lines


def shown_line(line: str) -> str:
    """Make one line harmless, and cut what is too long for a person."""
    kept = line[:_LINE_CHARACTERS]
    shown = harmless(kept.expandtabs(_TAB))[:_LINE_CHARACTERS]  # what is odd takes eight times its room
    left = len(line) - len(kept)
    return f"{shown} … {left:,} more" if left else shown


def shown_lines(lines: Iterable[str]) -> Iterator[str]:
    """Give lines as they are shown, as many as a person looks at and a screen lays out at once."""
    room = SHOWN_CHARACTERS
    for line in islice(lines, LINES_SHOWN):
        shown = shown_line(line)
        room -= len(shown)
        if room < 0:
            return
        yield shown

"""Text in columns: how wide it is on a terminal, cut and aligned."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

_GAP: Final = "  "


def cells(text: str) -> int:
    """Count the columns that a text takes; color codes take none."""
    width = 0
    in_code = False
    for character in text:
        if in_code:
            in_code = character != "m"
        elif character == "\x1b":
            in_code = True
        elif not unicodedata.combining(character):
            width += 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
    return width


def cut(text: str, most: int, ellipsis: str = "…") -> str:
    """Cut a text to so many columns; what was cut is told by the ellipsis."""
    if cells(text) <= most:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > most - len(ellipsis):
            break
        kept += character
    return kept + ellipsis if most >= len(ellipsis) else ""


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Write rows as lines with columns two blanks apart.

    Args:
        rows: cells; a shorter row ends early.
        right: columns whose text stands at their right edge.
    """
    widths: list[int] = []
    for row in rows:
        widths.extend([0] * (len(row) - len(widths)))
        # The last cell of a short row is a remark and widens nothing.
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], cells(cell))
    lines = []
    for row in rows:
        padded = []
        for index, cell in enumerate(row):
            blanks = " " * (widths[index] - cells(cell))
            padded.append(blanks + cell if index in right else cell + blanks)
        lines.append(_GAP.join(padded).rstrip())
    return lines

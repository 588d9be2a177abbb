"""A QR code in text: two modules to a character, upper and lower half, dark on light whatever the theme.

Rules. ``matrix_of`` asks the library; the rest is pure. Phones want dark on light, and a light margin around it: the standard
has four modules, phones take two, and the code fits on two lines fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.style import Style
from rich.text import Text

MARGIN: Final = 2  # modules
STYLE: Final = Style(color="#000000", bgcolor="#ffffff")
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}

Matrix = Sequence[Sequence[int]]
"""Rows of modules, 1 for a dark one; without the margin."""


def matrix_of(text: str) -> Matrix:
    """Return the code of a text, as small as it can be."""
    import segno  # 20 ms that no other screen needs

    return segno.make_qr(text, error="l", boost_error=False).matrix


def lines_of(matrix: Matrix) -> list[str]:
    """Draw a code with its margin, each line as wide as all."""
    side = len(matrix) + 2 * MARGIN

    def is_dark(row: int, column: int) -> bool:
        row, column = row - MARGIN, column - MARGIN
        return 0 <= row < len(matrix) and 0 <= column < len(matrix) and bool(matrix[row][column])

    return [
        "".join(_HALVES[is_dark(row, column), is_dark(row + 1, column)] for column in range(side))
        for row in range(0, side, 2)
    ]


def code_text(lines: Sequence[str]) -> Text:
    """Return lines of a code as they are shown."""
    return Text("\n".join(lines), style=STYLE, no_wrap=True, end="")

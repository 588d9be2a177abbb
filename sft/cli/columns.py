"""Text in columns: how wide it is on a terminal, cut and aligned.

Rules. Widths are those of ``rich.cells``, which is loaded for the first text that is not Latin or a mark of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_GAP: Final = "  "
# One column each, without asking: what is most of any list, so that most lists load no tables.
_NARROW: Final = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff✓✗●○⊘→…━─]*")
_COLOR: Final = re.compile("\x1b\\[[0-9;]*m")


def cells(text: str) -> int:
    """Return the columns that a text takes; color codes take none."""
    plain = _COLOR.sub("", text)
    if _NARROW.fullmatch(plain):
        return len(plain)
    from rich.cells import cell_len

    return cell_len(plain)


def cut(text: str, most: int, ellipsis: str = "…") -> str:
    """Cut a text without color to so many columns; the ellipsis says that it was cut."""
    if cells(text) <= most:
        return text
    if most < len(ellipsis):
        return ""
    from rich.cells import set_cell_size

    return set_cell_size(text, most - len(ellipsis)).rstrip() + ellipsis


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines with columns two blanks apart.

    Args:
        rows: cells; a shorter row ends early, and its last cell is a remark that widens nothing.
        right: columns whose text stands at their right edge.
    """
    widths: list[int] = []
    for row in rows:
        widths.extend([0] * (len(row) - len(widths)))
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

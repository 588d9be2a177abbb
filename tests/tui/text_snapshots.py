"""What stands on the screen, as text that a person can read and compare: the lines first, then the style of every cell.

Rules. A portrait is made of what is drawn alone, and is the same on every machine. The style of a row is told by its runs:
how many cells, the color of the text, that of the ground, and signs: ``*`` bold, ``_`` underlined, ``~`` reversed and so on.
Colors of the theme have a letter of their own, those that are mixed of others a number. The text color of a blank is
not told: nobody sees it. Nor is what lies behind a dialog: it has a portrait of its own.
"""

from __future__ import annotations

import difflib
import os
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme

from tui.app import SftApp

FOLDER: Final = Path(__file__).parent / "snapshots"
RENEWING: Final = "SFT_RENEW_SNAPSHOTS"

_LETTERS: Final = {
    "foreground": "f",
    "quiet": "q",
    "accent": "a",
    "second": "s",
    "good": "g",
    "doubt": "d",
    "bad": "b",
    "chosen": "c",
    "line": "l",
    "border": "o",
    "on-accent": "n",
    "background": "B",
    "surface": "S",
    "panel": "P",
    "field": "F",
    "field-focus": "U",
}
_SIGNS: Final = {"bold": "*", "underline": "_", "reverse": "~", "dim": "-", "italic": "/", "strike": "=", "blink": "!"}
_Cell = tuple[str, str, str, str]  # what is drawn, color, ground, signs


def portrait(app: SftApp, title: str) -> str:
    """Describe what is drawn now."""
    screen = app.screen
    rows = [_cells(strip) for strip in screen._compositor.render_strips()]
    (front,) = [child.region for child in screen.children if child.display]
    styled = [row[front.x : front.right] for row in rows[front.y : front.bottom]]
    letters = _letters_of(app.current_theme, styled)
    return "\n".join(
        [
            f"{title}: {type(screen).__name__} over {app.frame.screen_id}",
            "",
            *("".join(cell[0] for cell in row).rstrip() for row in rows),
            "",
            f"styles from column {front.x + 1} on",
            *(f"{letter} {name}" for name, letter in letters.values()),
            *_styles(styled, front.y + 1, {color: letter for color, (_, letter) in letters.items()}),
            "",
        ]
    )


def shown_in(text: str) -> tuple[str, str]:
    """Give the screen's class and the place that a portrait is of."""
    first = text.partition("\n")[0]
    screen, _, place = first.rpartition(": ")[2].partition(" over ")
    return screen, place


def difference_from_kept(name: str, found: str) -> str:
    """Compare a portrait with the one that is kept; empty if they are equal. When renewing, keep this one."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get(RENEWING):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return ""
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if kept == found:
        return ""
    lines = difflib.unified_diff(
        kept.splitlines(), found.splitlines(), f"kept {path.name}", "drawn now", n=1, lineterm=""
    )
    return "\n".join([*lines, "", "If this is as it should be: make snapshots"])


# -- inside ---------------------------------------------------------------------------------------------------


def _cells(strip: Strip) -> list[_Cell]:
    cells: list[_Cell] = []
    for segment in strip:
        color, ground, signs = _style(segment.style or Style.null())
        for character in segment.text:
            width = cell_len(character)
            if not width and cells:  # it belongs to the one before it
                cells[-1] = (cells[-1][0] + character, *cells[-1][1:])
                continue
            cells.append((character, color, ground, signs))
            cells += [("", color, ground, signs)] * (width - 1)
    return cells


def _style(style: Style) -> tuple[str, str, str]:
    color = "" if style.color is None else style.color.get_truecolor().hex
    ground = "" if style.bgcolor is None else style.bgcolor.get_truecolor(foreground=False).hex
    signs = "".join(sign for name, sign in _SIGNS.items() if getattr(style, name))
    return color, ground, signs


def _letters_of(theme: Theme, rows: list[list[_Cell]]) -> dict[str, tuple[str, str]]:
    """Give every color that is to be seen its name and its letter."""
    named: dict[str, str] = {}
    for name in _LETTERS:
        color = theme.variables.get(name) or getattr(theme, name)
        named.setdefault(color, name)
    seen = {cell[2] for row in rows for cell in row}
    seen |= {cell[1] for row in rows for cell in row if not _is_blank(cell)}
    known = {color: (name, _LETTERS[name]) for color, name in named.items() if color in seen}
    mixed = sorted(seen - known.keys())
    return known | {color: (color, f"({number})") for number, color in enumerate(mixed, 1)}


def _is_blank(cell: _Cell) -> bool:
    return cell[0] == " " and not cell[3].strip("*/")


def _styles(rows: list[list[_Cell]], top: int, letters: dict[str, str]) -> list[str]:
    lines = []
    for told, alike in groupby(enumerate(_runs(row, letters) for row in rows), itemgetter(1)):
        numbers = [top + number for number, _ in alike]
        place = f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
        lines.append(f"{place:>5}  {told}")
    return lines


def _runs(row: list[_Cell], letters: dict[str, str]) -> str:
    runs: list[tuple[int, str, str, str]] = []  # cells, color, ground, signs
    for cell in row:
        _, color, ground, signs = cell
        blank = _is_blank(cell)
        if runs and ground == runs[-1][2] and (blank or (color, signs) == runs[-1][1::2]):
            runs[-1] = (runs[-1][0] + 1, *runs[-1][1:])
        else:
            runs.append((1, "", ground, "") if blank else (1, color, ground, signs))
    return " ".join(
        f"{count}×{letters.get(color, '.')}{letters[ground]}{signs}" for count, color, ground, signs in runs
    )

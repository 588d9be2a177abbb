"""Lines of the Activity screen, from leaves to cells; and the state of proof in words.

Rules. Every text of a peer is harmless here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from rich.cells import cell_len

from sft.client.log_document import Names
from sft.client.logged import LogLine
from sft.ledger.leaves import LeafKind
from sft.model.names import fold
from sft.model.text import count_text, local_time
from tui.gateway import LogProof
from tui.glyphs import Glyphs
from tui.log_words import grade_of, object_of, who_of
from tui.widgets.rows import Column, ListRow, Placed, layout

_WIDE: Final = 106  # cells of a list
_NARROW: Final = (
    Column("number", "", 7, right=True),
    Column("time", "when", 12),
    Column("who", "who", 9),
    Column("what", "what", 14),
    Column("path", "what it was done to", is_path=True),
    Column("grade", "", 10),
)
_BROAD: Final = (
    Column("number", "", 9, right=True),
    Column("time", "when", 20, gap=2),
    Column("who", "who", 14, gap=2),
    Column("what", "what", 24, gap=2),
    Column("path", "what it was done to", gap=2, is_path=True),
    Column("grade", "", 26, gap=2),
)


def place_columns(width: int, rows: Sequence[ListRow[Any]]) -> Placed:
    """Give paths the room that the texts in sight leave: a column is as wide as they are, up to its bound."""
    placed = []
    for column in _BROAD if width >= _WIDE else _NARROW:
        cells = max((cell_len(row.cells.get(column.key, "")) for row in rows), default=0)
        if column.is_path or not rows:
            placed.append(column)
        elif cells:
            placed.append(dataclasses.replace(column, width=min(max(cells, len(column.title)), column.width)))
    return layout(placed, width)


def log_row(line: LogLine, names: Names, glyphs: Glyphs, now: float, *, broad: bool) -> ListRow[LogLine]:
    who = who_of(line, names)
    cells = {
        "number": count_text(line.number),
        "time": local_time(line.time, now=now, weekday=broad),
        "who": who,
        "what": "verified" if line.kind is LeafKind.DOWNLOAD_RECEIVED else line.words,  # what, stands beside it
        "path": object_of(line, names, glyphs),
        "grade": grade_of(line, who, glyphs, broad=broad),
    }
    tones = {
        "number": "muted",
        "time": "muted",
        "what": "strong",
        "grade": "good" if line.grade == "verified" else "muted",
    }
    if line.record is None:
        tones |= {"path": "muted"}
    return ListRow(str(line.number), line, cells, tones)


def text_of(line: LogLine, names: Names, glyphs: Glyphs) -> str:
    """Write what a line shows, folded, for free words to be looked for."""
    return fold(f"{who_of(line, names)} {line.words} {object_of(line, names, glyphs)}")


def proof_text(proof: LogProof | None, glyphs: Glyphs, now: float, *, online: bool, broad: bool) -> tuple[str, str]:
    """Write the state of proof, and its tone."""
    if proof is None:
        return ("This server has shown no log: nothing here is proved.", "doubt") if online else ("", "muted")
    seconds = max(now - proof.told_at, 0)
    ago = "just now" if seconds < 60 else f"at {local_time(proof.told_at, now=now)}"  # noqa: PLR2004 - a minute
    since = local_time(proof.since, now=now).rpartition(" ")[0]
    if not broad:
        return (
            f"proof {glyphs.verified} checked to {count_text(proof.size)} {ago}; heads kept here since {since}",
            "good",
        )
    heads = {0: "no head seen by others yet", 1: "1 head seen by others agrees"}.get(
        proof.agreeing, f"{count_text(proof.agreeing)} heads seen by others agree"
    )
    words = f"checked to {count_text(proof.size)} {ago}; this computer keeps heads since {since}; {heads}"
    return (f"proof {glyphs.verified} {words}", "good")

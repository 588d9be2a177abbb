"""What the Status screen shows of a server: from records to texts.

Rules. Every text of a peer is harmless here. Facts are those of ``sft status``, in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace
from rich.cells import cell_len
from textual.content import Content

from sft.model.access import OPERATOR
from sft.model.status import LastRefusal, LiveStatus, ServerStatus, SessionRates
from sft.model.status_words import StatusFact, request_text, status_facts, status_head
from sft.model.text import count_text, local_time, size_text
from tui.glyphs import Glyphs
from tui.next_steps import next_step
from tui.text import shown
from tui.widgets.rows import Column, ListRow
from tui.widgets.sparkline import sparkline

BUSY_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 15, is_name=True),
    Column("in", "to server", 11, right=True),
    Column("out", "from server", 11, right=True),
    Column("doing", "doing", gap=2, is_name=True),
    Column("role", "role", 10, from_width=100),
    Column("address", "from", 21, from_width=100),
    Column("since", "since", 12, from_width=70),
)
REFUSAL_COLUMNS: Final = (
    Column("when", "when", 12),
    Column("who", "who", 15, is_name=True),
    Column("request", "asked for", 13),
    Column("about", "about", is_path=True),
    Column("code", "refused as", 16),
    Column("times", "times", 6, right=True, from_width=90),
)
_GAP: Final = 3
_RATE_CELLS: Final = 11
_WAY_CELLS: Final = 12


def rate_lines(live: LiveStatus, width: int, glyphs: Glyphs) -> Content:
    """Draw what the network carries, both ways, each to its own highest."""
    lines = []
    seconds = live.sample_seconds * max(len(live.received_rates), 1)
    span = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 - a minute is short of two
    for way, rates in (("to server", live.received_rates), ("from server", live.sent_rates)):
        now, most = rates[-1] if rates else 0, max(rates, default=0)
        tail = f"  most {size_text(most)}/s in {span}"
        room = width - _WAY_CELLS - _RATE_CELLS - 2 - len(tail)
        bars = sparkline(rates, room, plain=glyphs.plain)
        rate = f"{size_text(now)}/s".rjust(_RATE_CELLS)
        lines.append(
            Content.assemble(
                (way.ljust(_WAY_CELLS), "$quiet"), (rate, "bold"), "  ", (bars, "$second"), (tail, "$quiet")
            )
        )
    return Content("\n").join(lines)


def packed(facts: Sequence[StatusFact], width: int) -> list[list[StatusFact]]:
    """Put facts on lines, each on the first that has room for it."""
    lines: list[list[StatusFact]] = []
    for fact in facts:
        fit = (line for line in lines if sum(map(_cells, [*line, fact])) + _GAP * len(line) <= width)
        line = next(fit, None)
        if line is None:
            lines.append([fact])
        else:
            line.append(fact)
    return lines


def fact_lines(status: ServerStatus, link: str, now: float, width: int, glyphs: Glyphs) -> Content:
    """Write what is known of a server; what wants attention is marked.

    Args:
        link: address and words of its key, as they are read out.
    """
    facts = [
        fact if fact.error is None else replace(fact, text=f"{fact.text}. {next_step(fact.error, now=now)}")
        for fact in status_facts(status, now)
    ]
    facts.append(StatusFact("link", link))
    lines = [Content.styled(status_head(status), "bold")]
    for line in packed(facts, width):
        parts: list[tuple[str, str] | str] = []
        for fact in line:
            if parts:
                parts.append(" " * _GAP)
            sign = f"{glyphs.doubt} " if fact.is_doubtful else ""
            parts += [(f"{fact.title} ", "$quiet"), (f"{sign}{fact.text}", "$doubt" if fact.is_doubtful else "")]
        lines.append(Content.assemble(*parts))
    return Content("\n").join(lines)


def _cells(fact: StatusFact) -> int:
    return cell_len(fact.title) + 1 + cell_len(fact.text) + 2 * fact.is_doubtful


def busy_row(one: SessionRates, glyphs: Glyphs, now: float) -> ListRow[SessionRates]:
    session = one.session
    moves = one.received_rate or one.sent_rate
    cells = {
        "mark": glyphs.online,
        "name": shown(session.user),
        "in": f"{size_text(one.received_rate)}/s" if one.received_rate else glyphs.dash,
        "out": f"{size_text(one.sent_rate)}/s" if one.sent_rate else glyphs.dash,
        "doing": shown(session.doing),
        "role": shown(session.role),
        "address": shown(session.address),
        "since": local_time(session.since_at, now=now),
    }
    tones = {"mark": "good" if moves else "muted", "role": "muted", "address": "muted", "since": "muted"}
    if session.role == OPERATOR:
        tones["name"] = "second"
    return ListRow(str(session.id), one, cells, tones)


def refusal_row(one: LastRefusal, now: float) -> ListRow[LastRefusal]:
    key = f"{one.who}\n{one.request}\n{one.code}\n{one.is_person}"
    cells = {
        "when": local_time(one.at, now=now),
        "who": shown(one.who),
        "request": request_text(one.request),
        "about": shown(one.about),
        "code": shown(one.code),
        "times": count_text(one.times),
    }
    tones = {"when": "muted"} if one.is_person else dict.fromkeys(cells, "muted")
    if one.code == "INTERNAL":
        tones["code"] = "bad"
    return ListRow(key, one, cells, tones)

"""Progress on standard error while a transfer runs: a bar that redraws itself, a line now and then, or events.

Rules. A bar is drawn only for a terminal that can (``Console.may_draw``), at most ten times a second; the other two styles only
when asked for; nothing of either with ``--quiet``. At the end no trace of a bar is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Final, Self

from sft.cli.console import Console
from sft.cli.invocation import Invocation
from sft.cli.meter import Meter
from sft.client.concurrency import ticking
from sft.client.transfers.progress import Progress, TransferStage
from sft.limits import KEPT_SECONDS, SEGMENT_BYTES
from sft.model.names import safe
from sft.model.text import day_text, size_text

BAR_SECONDS: Final = 0.1
PLAIN_SECONDS: Final = 10.0
EVENT_SECONDS: Final = 0.5
_TOLD: Final = frozenset({TransferStage.RESUMED, TransferStage.RESTARTED})


class ProgressShown:
    """Shows a meter while the block runs.

    Args:
        console: where.
        meter: what.
        style: ``bar``, ``plain``, ``json``, or None for what fits.
        reactor: times the drawing.
    """

    def __init__(self, console: Console, meter: Meter, style: str | None, reactor: Any) -> None:
        if style in {None, "bar"}:
            style = "bar" if console.may_draw else None
        self._console = console
        self._meter = meter
        self._style = style
        self._reactor = reactor
        self._ticking = ExitStack()
        self._stages: dict[int, TransferStage] = {}
        self._began = 0.0
        self.seconds = 0.0

    def report(self, progress: Progress) -> None:
        self._meter.report(progress)
        if self._style != "json" and progress.stage in _TOLD:
            self._console.note(_going_on(progress))
        if self._style == "json" and self._stages.get(progress.index) is not progress.stage:
            self._stages[progress.index] = progress.stage
            self._event(
                event="item", index=progress.index, name=progress.name, stage=progress.stage.value,
                done_bytes=progress.done_bytes, total_bytes=progress.total_bytes,
            )  # fmt: skip

    def __enter__(self) -> Self:
        self._began = self._reactor.seconds()
        if self._style is not None:
            seconds = {"bar": BAR_SECONDS, "plain": PLAIN_SECONDS, "json": EVENT_SECONDS}[self._style]
            self._meter.sample(self._reactor.seconds())
            self._ticking.enter_context(ticking(self._reactor, seconds, self._tick, now=False))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticking.close()
        self.seconds = self._reactor.seconds() - self._began
        self._console.draw("")

    def _tick(self) -> None:
        meter, console = self._meter, self._console
        meter.sample(self._reactor.seconds())
        if self._style == "bar":
            console.draw(meter.line(console.width, console.glyph("━"), console.glyph("─")))
        elif self._style == "plain":
            console.note("  ".join([safe(meter.title), *(part.strip() for part in meter.parts())]))
        else:
            self._event(
                event="progress", done_files=meter.done_files, files=meter.files, done_bytes=meter.settled_bytes,
                total_bytes=meter.total_bytes, rate=round(meter.rate()), seconds_left=_rounded(meter.seconds_left()),
                stalled=meter.stalled(),
            )  # fmt: skip

    def _event(self, **fields: object) -> None:
        self._console.note(json.dumps(fields, ensure_ascii=True))


def _going_on(progress: Progress) -> str:
    """Say where an item goes on, or why it begins again."""
    name, done = safe(progress.name), progress.done_bytes
    if progress.stage is TransferStage.RESTARTED:
        return f"{name} begins again: {safe(progress.why)}."
    percent = 100 * done // progress.total_bytes if progress.total_bytes else 0
    return f"{name} goes on from {percent} %: {size_text(done)} there, which is proved first."


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


@contextmanager
def showing(
    invocation: Invocation, title: str, totals: Sequence[int | None], *, keeps: bool = True
) -> Iterator[ProgressShown]:
    """Show the progress of a transfer while the block runs, and have an interrupt tell how far it came.

    Args:
        keeps: what is not finished is gone on with by the same command.
    """
    meter = Meter(title, totals)
    shown = ProgressShown(invocation.console, meter, invocation.progress, invocation.reactor)

    def stopped() -> str:
        percent = meter.percent
        at = "" if percent is None else f" at {percent} %"
        stays = keeps and any(size is not None and size > SEGMENT_BYTES for size in totals)
        until = day_text(invocation.now + KEPT_SECONDS, invocation.now)
        again = f"goes on from there (kept until {until})" if stays else "again starts over"
        return f"Stopped{at}. Nobody sees a partial file. The same command {again}."

    invocation.stopped = stopped
    with shown:
        yield shown

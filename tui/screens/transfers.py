"""Transfers: the whole queue, what each does or why it stopped; pause, cancel, retry, order, and what needs a decision."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.client.transfers.queue.job import Job, JobState
from sft.model.text import count_text, local_time, size_text
from tui.dialogs.failures import FailuresDialog
from tui.dialogs.moved import MovedDialog
from tui.dialogs.resolve_conflicts import ResolveConflicts
from tui.glyphs import Glyphs
from tui.keys import Action, acts_of, bindings_of
from tui.messages import ActsChanged, Severity, TransfersMoved
from tui.text import error_text, shown
from tui.view import View
from tui.widgets.job_words import (
    bar,
    conflict_words,
    counts_of,
    is_settling,
    part_of,
    rate_of,
    sign_of,
    title_of,
    way_of,
)
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows
from tui.workers import start_worker

_KEPT = "The queue is kept on this computer: quit, crash, lost line, and it goes on."
_KEPT_AT_LENGTH = (
    "The queue is kept on this computer. After a quit, a crash or a lost connection it goes on when sft runs."
)
_BAR_CELLS = 18
_ROOMY = 108  # of the list: from here on it says where from and where to
_ROOMY_BAR_CELLS = 15
_VAST = 150
_VAST_BAR_CELLS = 32
_WAY_CELLS = 28
_VAST_WAY_CELLS = 44


def _columns(glyphs: Glyphs) -> tuple[Column, ...]:
    return (
        Column("sign", width=1),
        Column("what", "what", width=22, is_name=True, roomy=(_VAST, 32)),
        Column("way", f"from {glyphs.arrow} to", _WAY_CELLS, from_width=_ROOMY, gap=2, roomy=(_VAST, _VAST_WAY_CELLS)),
        Column("state", "state", gap=2),
        Column("part", "size", 13, right=True, from_width=_VAST, gap=2),
        Column("left", "left", 8, right=True, from_width=_ROOMY),
        Column("rate", "rate", 11, right=True, gap=2, roomy=(_ROOMY, 12)),
    )  # fmt: skip


class TransfersView(View):
    """The queue."""

    screen_id = "transfers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("transfers")]

    def compose(self) -> ComposeResult:
        rows = RowList(_columns(self.sft.glyphs), glyphs=self.sft.glyphs, id="transfers-list")
        rows.empty = "Nothing to transfer. In Files, c puts or gets what is selected."
        yield rows
        yield Static(Content(_KEPT), id="transfers-kept", markup=False)

    def on_mount(self) -> None:
        self._list.border_title = Content("transfers")
        self._show()

    def on_resize(self) -> None:
        broad = self.size.width >= _ROOMY
        kept = _KEPT_AT_LENGTH if broad else _KEPT
        self.query_one("#transfers-kept", Static).update(Content(kept))
        self._show()

    def home(self) -> Widget | None:
        return self._list

    def shown(self) -> None:
        if self.is_attached and self._list.is_attached:
            self._show()

    @property
    def _list(self) -> RowList:
        return self.query_one("#transfers-list", RowList)

    @property
    def job(self) -> Job | None:
        row = self._list.current
        return None if row is None else cast("Job", row.value)

    @on(TransfersMoved)
    def _moved(self, event: TransfersMoved) -> None:
        event.stop()
        if self.display:
            self._show()

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        self.post_message(ActsChanged())

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.act_decide()

    def _show(self) -> None:
        queue = self.sft.queue
        self._list.show(ListRows([self._row(job) for job in queue.jobs]))
        message = ", ".join(filter(None, (f"{count_text(len(queue.jobs))} in all", counts_of(queue.jobs))))
        self._list.border_subtitle = Content(message) if queue.jobs else None

    def _row(self, job: Job) -> ListRow[Job]:
        glyphs = self.sft.glyphs
        sign, tone = sign_of(job, glyphs)
        width = self.size.width
        way_cells = _VAST_WAY_CELLS if width >= _VAST else _WAY_CELLS
        cells = {"sign": sign, "what": title_of(job), "way": way_of(job, way_cells, glyphs), "state": self._state(job)}
        tones = {"sign": {"running": "accent", "quiet": "muted"}.get(tone, tone), "way": "muted"}
        if job.state in {JobState.NEEDS_YOU, JobState.FAILED}:
            tones["state"] = tone
        else:
            tones["state"] = "bar" if job.state is JobState.RUNNING else "muted"
        if job.state is JobState.RUNNING:
            cells["part"] = part_of(job)
            cells["rate"], cells["left"] = rate_of(job, self.sft.queue.rate(job.id))
        else:
            cells["part"] = size_text(job.total_bytes) if job.total_bytes else ""
            tones["part"] = "muted"
            if job.ended_at and not job.failures:
                cells["rate"] = local_time(job.ended_at, now=self.now)
                tones["rate"] = "muted"
        return ListRow(str(job.id), job, cells, tones)

    def _state(self, job: Job) -> str:
        if job.state is JobState.RUNNING:
            return self._moving(job)
        if job.state is JobState.WAITING:
            return "waiting" if self.connection.online else "waits for the server"
        if job.state is JobState.PAUSED:
            return f"paused at {job.percent} %: space goes on"
        if not job.failures:
            return job.said or job.state.value
        if job.state is JobState.NEEDS_YOU:
            return f"{conflict_words(job)}: enter decides"
        count = len(job.failures)
        message, _ = error_text(job.failures[0].error, self.now)
        if self.size.width >= _VAST or (count == 1 and not job.is_folder and len(job.names) == 1):
            return message if count == 1 else f"{count_text(count)} not done: {message}"
        return f"{count_text(count)} not done: enter says why"

    def _moving(self, job: Job) -> str:
        """Draw the bar, and as much of the rest as has no column of its own."""
        width = self.size.width
        cells = _BAR_CELLS
        if width >= _ROOMY:
            cells = _VAST_BAR_CELLS if width >= _VAST else _ROOMY_BAR_CELLS
        message = f"{''.join(bar(job.percent, cells, self.sft.glyphs))} {job.percent:>3} %"
        if width >= _VAST:
            return f"{message}  {job.stage}"
        if is_settling(job):
            return f"{message}  {job.stage}{self.sft.glyphs.ellipsis}"
        return f"{message}  {part_of(job)}" if width >= _ROOMY else f"{message}  {self._left(job)}"

    def _left(self, job: Job) -> str:
        return rate_of(job, self.sft.queue.rate(job.id))[1]

    # -- acts ---------------------------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        job = self.job
        acts = acts_of("transfers")
        if job is None:
            return []
        state = job.state
        fitting = {
            "transfers.cancel": state is not JobState.DONE,
            "transfers.pause": state.unfinished,
            "transfers.decide": bool(job.failures or job.moved),
            "transfers.retry": state in {JobState.FAILED, JobState.NEEDS_YOU},
            "transfers.later": state.unfinished and len(self.sft.queue.jobs) > 1,
            "transfers.sooner": state.unfinished and len(self.sft.queue.jobs) > 1,
            "transfers.clear": any(not j.state.unfinished for j in self.sft.queue.jobs),
        }
        return [act for act in acts if fitting.get(act.id, True)]

    def label_of(self, act: Action) -> str:
        job = self.job
        if act.id == "transfers.pause" and job is not None:
            return "Go on" if job.state is JobState.PAUSED else "Pause"
        if act.id == "transfers.decide" and job is not None:
            return "Decide" if job.state is JobState.NEEDS_YOU else "Why" if job.failures else "Names"
        return act.label

    def act_pause(self) -> None:
        job = self.job
        if job is None:
            return
        if job.state is JobState.PAUSED:
            self.sft.queue.go_on(job.id)
        else:
            self.sft.queue.pause(job.id)

    def act_cancel(self) -> None:
        job = self.job
        if job is not None:
            running = job.state is JobState.RUNNING
            self.sft.queue.cancel(job.id)
            kept = " Nothing partial was kept." if running else ""
            self.report(f"{shown(job.title)} is off the queue.{kept}")

    def act_retry(self) -> None:
        job = self.job
        if job is not None:
            self.sft.queue.retry(job.id)

    def act_later(self) -> None:
        self._move(1)

    def act_sooner(self) -> None:
        self._move(-1)

    def _move(self, steps: int) -> None:
        job = self.job
        if job is not None:
            self.sft.queue.move(job.id, steps)
            self._show()

    def act_clear(self) -> None:
        cleared = self.sft.queue.clear_ended()
        self.report(f"{count_text(cleared)} off the list.")

    def act_decide(self) -> None:
        """Decide what waits, or say why it stopped."""
        job = self.job
        if job is None:
            return
        if job.state is JobState.NEEDS_YOU:
            start_worker(self, partial(self._decide, job), group="deciding", exclusive=True)
        elif job.failures:
            start_worker(self, partial(self._explain, job), group="deciding", exclusive=True)
        elif job.moved:
            start_worker(self, partial(self._name_moved, job), group="deciding", exclusive=True)
        else:
            self.report(f"{shown(job.title)}: {job.said or job.state.value}", Severity.INFO)

    async def _decide(self, job: Job) -> None:
        decisions = await self.app.push_screen_wait(ResolveConflicts(job))
        if decisions:
            self.sft.queue.resolve(job.id, decisions)

    async def _name_moved(self, job: Job) -> None:
        await self.app.push_screen_wait(MovedDialog(job))

    async def _explain(self, job: Job) -> None:
        decisions = await self.app.push_screen_wait(FailuresDialog(job))
        if decisions:
            self.sft.queue.resolve(job.id, decisions)

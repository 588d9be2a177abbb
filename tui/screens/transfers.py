"""Transfers: the whole queue, what each does or why it stopped; pause, cancel, retry, order, and what needs a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.client.transfers.queue.job import Direction, Job, JobState
from sft.limits import KEPT_SECONDS, SEGMENT_BYTES
from sft.model.text import count_text, day_text, local_time, size_text
from tui.dialogs.failures import FailuresDialog
from tui.dialogs.moved import MovedDialog
from tui.dialogs.resolve_conflicts import ResolveConflicts
from tui.dialogs.trust import Trust
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
    name_cells,
    part_of,
    rate_of,
    sign_of,
    title_of,
    way_of,
)
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows, Placed
from tui.workers import start_worker

_KEPT = "The queue is kept on this computer: quit, crash, lost line, and it goes on."
_KEPT_AT_LENGTH = (
    "The queue is kept on this computer. After a quit, a crash or a lost connection it goes on when sft runs."
)
_BROAD = 108  # of the screen: what is kept is said at length
_SAID_CELLS = (18, 21)  # beside a bar: without, and with how much has moved
_LEAST_BAR, _MOST_BAR = 4, 32
_WAY_CELLS = 110  # of two lines on 80 columns, with a name
_FRAME = 5  # of the screen, around the list: edges, blanks, a bar to scroll by


@dataclass(frozen=True, slots=True)
class _Room:
    """What a list of so many columns shows; a wider one gives a name no less."""

    width: int

    @property
    def name(self) -> int:
        return name_cells(self.width)

    @property
    def way(self) -> int:
        """Where from and where to; nothing where there is no room for it."""
        return 0 if self.width < 110 else 26 if self.width < 150 else 36 if self.width < 180 else 44  # noqa: PLR2004

    @property
    def part(self) -> int:
        return 13 if self.width >= 150 else 0  # noqa: PLR2004

    @property
    def left(self) -> int:
        return 8 if self.way else 0

    @property
    def rate(self) -> int:
        """How fast it is, or when it ended."""
        return 12 if self.width >= 70 else 0  # noqa: PLR2004

    @property
    def state(self) -> int:
        taken = sum(cells + 2 for cells in (self.name, self.way, self.part, self.rate) if cells)
        return self.width - taken - 2 - (self.left + 1 if self.left else 0)


def place_columns(glyphs: Glyphs, width: int, rows: Sequence[ListRow[Job]]) -> Placed:
    del rows
    room = _Room(width)
    columns = (
        Column("sign", width=1),
        Column("what", "what", room.name, is_name=True),
        Column("way", f"from {glyphs.arrow} to", room.way, gap=2),
        Column("state", "state", max(room.state, 1), gap=2),
        Column("part", "size", room.part, right=True, gap=2),
        Column("left", "left", room.left, right=True),
        Column("rate", "rate", room.rate, right=True, gap=2),
    )
    return [(column, column.width) for column in columns if column.width]


class TransfersView(View):
    """The queue."""

    screen_id = "transfers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("transfers")]

    def compose(self) -> ComposeResult:
        rows = RowList(partial(place_columns, self.sft.glyphs), glyphs=self.sft.glyphs, id="transfers-list")
        rows.empty = "Nothing to transfer. In Files, c puts or gets what is selected."
        yield rows
        yield Static(Content(_KEPT), id="transfers-kept", markup=False)

    def on_mount(self) -> None:
        self._list.border_title = Content("transfers")
        self._show()

    def on_resize(self) -> None:
        broad = self.size.width >= _BROAD
        kept = _KEPT_AT_LENGTH if broad else _KEPT
        self.query_one("#transfers-kept", Static).update(Content(kept))
        self._show()

    def home(self) -> Widget | None:
        return self._list

    def shown(self) -> None:
        if self.is_attached and self._list.is_attached:
            self._show()
            self._land()

    def _land(self) -> None:
        """Stand where something is to be done: on what needs a decision, else on what runs, else on the last."""
        jobs = self.sft.queue.jobs
        for state in (JobState.NEEDS_YOU, JobState.RUNNING):
            if self.job is not None and self.job.state is state:
                return
            found = next((number for number, job in enumerate(jobs) if job.state is state), None)
            if found is not None:
                self._list.move_to(found)
                return
        if jobs:
            self._list.move_to(len(jobs) - 1)

    def status_line(self) -> tuple[str, Severity]:
        """Say whole from where to where the job under the cursor goes."""
        job = self.job if self.is_attached else None
        way = "" if job is None else way_of(job, _WAY_CELLS, self.sft.glyphs)
        return "" if job is None else f"{shown(job.title)}: {way}", Severity.INFO

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

    @property
    def _room(self) -> _Room:
        return _Room((self.size.width or self.app.size.width) - _FRAME)  # none before it was shown once

    def _row(self, job: Job) -> ListRow[Job]:
        glyphs = self.sft.glyphs
        sign, tone = sign_of(job, glyphs)
        way = way_of(job, self._room.way, glyphs) if self._room.way else ""
        cells = {"sign": sign, "what": title_of(job), "way": way, "state": self._state(job)}
        tones = {"sign": tone, "way": "muted"}
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
        if self._room.part or (count == 1 and not job.is_folder and len(job.names) == 1):
            return message if count == 1 else f"{count_text(count)} not done: {message}"
        return f"{count_text(count)} not done: enter says why"

    def _moving(self, job: Job) -> str:
        """Draw the bar, and as much of the rest as has no column of its own."""
        room = self._room
        if room.part:
            said = job.stage
        elif is_settling(job):
            said = f"{job.stage}{self.sft.glyphs.ellipsis}"
        else:
            said = part_of(job) if room.way else self._left(job)
        said = f" {job.percent:>3} %  {said}"
        beside = _SAID_CELLS[bool(room.way) and not room.part]  # so that all bars end at one column
        cells = min(max(room.state - beside, _LEAST_BAR), _MOST_BAR)
        return f"{''.join(bar(job.percent, cells, self.sft.glyphs))}{said}"

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
            "transfers.why": job.account == self.connection.account and file_of(job) is not None,
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
            kept = f" {left_of(job, self.now)}" if running else ""
            self.report(f"{shown(job.title)} {'are' if len(job.names) > 1 else 'is'} off the queue.{kept}")

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
            start_worker(self, partial(self._decide, job), group="deciding", exclusive=True, keys_wait=True)
        elif job.failures:
            start_worker(self, partial(self._explain, job), group="deciding", exclusive=True, keys_wait=True)
        elif job.moved:
            start_worker(self, partial(self._name_moved, job), group="deciding", exclusive=True, keys_wait=True)
        else:
            self.report(f"{shown(job.title)}: {job.said or job.state.value}", Severity.INFO)

    def act_why(self) -> None:
        """Show what makes the one file of a transfer believed."""
        found = None if self.job is None or self.job.account != self.connection.account else file_of(self.job)
        if found is None:
            self.report("It is about more than one file, or another server: 1, then w on a file.", Severity.WARNING)
        else:
            self.app.push_screen(Trust(*found))

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


def file_of(job: Job) -> tuple[str, int] | None:
    """Return path and version of the one file of the server that a transfer is about; 0 is the newest. None for several."""
    if len(job.taken) == 1:
        return job.taken[0].path, job.taken[0].version
    if job.direction is not Direction.PUT and len(job.names) == 1 and job.files == 1:
        return (job.failures[0].path if job.failures else "") or job.names[0], job.version
    return None


def left_of(job: Job, now: float) -> str:
    """Say what stays of a transfer that was taken off in the middle."""
    if job.total_bytes <= SEGMENT_BYTES:
        return "Nobody sees a partial file."
    return (
        f"What it began of a large file is kept until {day_text(now + KEPT_SECONDS, now)}: sft resume goes on with it."
    )

"""What moves, under every screen: absent when nothing does, two lines where there is little room, a box where there is more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.content import Content
from textual.widget import Widget

from sft.client.transfers.progress import SPEEDS_KEPT
from sft.client.transfers.queue.job import Job, JobState
from sft.client.transfers.queue.transfer_queue import TransferQueue
from tui.glyphs import Glyphs
from tui.messages import ActChosen
from tui.text import cut, cut_name
from tui.themes.styles import styles_of
from tui.widgets.job_words import (
    STAGES,
    bar,
    conflict_words,
    counts_of,
    is_settling,
    name_cells,
    part_of,
    rate_of,
    sign_of,
    speeds_text,
    stage_of,
    target_of,
    title_of,
)

_SHOWN_STATES = (JobState.RUNNING, JobState.NEEDS_YOU, JobState.PAUSED, JobState.WAITING)
_MOST_LINES = 5
_WIDE = 110
_TALL = 30
_NARROW = 76  # below it a bar says less beside it
_WHERE_CELLS = 22
_FOR_LAMPS, _FOR_SPEEDS = 14, 32  # cells, so that a bar is left


class Dock(Widget):
    """Running and waiting transfers."""

    def __init__(
        self,
        queue: TransferQueue,
        glyphs: Glyphs,
        now: Callable[[], float],
        *,
        id: str,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._queue = queue
        self._glyphs = glyphs
        self._now = now
        self._height = 0

    def on_mount(self) -> None:
        self.display = False

    def on_resize(self) -> None:
        self._box()

    def moved(self, *, hidden: bool = False) -> None:
        """Show how things stand now, unless the screen of transfers does."""
        jobs = self._jobs()
        self.display = bool(jobs) and not hidden
        self._box()
        self.border_subtitle = Content(counts_of(jobs)) if jobs else None
        height = self._lines(jobs)
        if height != self._height:
            self._height = height
            self.refresh(layout=True)
        self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        del container, viewport, width
        return self._lines(self._jobs())

    def render(self) -> Text:
        jobs = self._jobs()
        text = Text(no_wrap=True, end="", overflow="crop")
        if not jobs:
            return text
        width, styles = self.size.width, styles_of(self.app.theme)
        room = self._lines(jobs)
        shown_jobs = jobs if len(jobs) <= room or self._boxed else jobs[: max(room - 1, 1)]
        for job in shown_jobs[:room]:
            if text:
                text.append("\n")
            text.append_text(job_line(job, self._queue, self._glyphs, width, styles))
        if len(shown_jobs) < len(jobs) and room > 1:
            rest = counts_of(jobs[len(shown_jobs) :])
            text.append(f"\n+ {rest} (t)", styles["muted"])
        return text

    def on_click(self, event: events.Click) -> None:
        del event
        self.post_message(ActChosen("app.transfers"))

    @property
    def _boxed(self) -> bool:
        size = self.screen.size
        return size.width >= _WIDE and size.height >= _TALL

    def _box(self) -> None:
        self.set_class(self._boxed, "-boxed")
        self.border_title = Content("transfers  t opens")

    def _jobs(self) -> list[Job]:
        jobs = [job for job in self._queue.jobs if job.state in _SHOWN_STATES]
        return sorted(jobs, key=lambda job: _SHOWN_STATES.index(job.state))

    def _lines(self, jobs: list[Job]) -> int:
        return min(len(jobs), _MOST_LINES if self.screen.size.height >= _TALL else 2)


def job_line(job: Job, queue: TransferQueue, glyphs: Glyphs, width: int, styles: Mapping[str, Style]) -> Text:
    """Draw one transfer in one line."""
    sign, tone = sign_of(job, glyphs)
    text = Text(no_wrap=True, end="")
    text.append(f"{sign} ", styles[tone])
    cells = name_cells(width)
    name = cut_name(title_of(job), cells, glyphs.ellipsis)
    text.append(name + " " * (cells - cell_len(name)) + "  ")
    if width >= _WIDE:
        where = target_of(job, _WHERE_CELLS, glyphs)
        text.append(where + " " * (_WHERE_CELLS - cell_len(where)) + "  ", styles["muted"])
    if job.state is JobState.RUNNING:
        said = _running_text(job, queue, brief=width < _NARROW)
        room = width - text.cell_len - len(said)
        rate = queue.rate(job.id)
        if room >= _FOR_SPEEDS and not glyphs.plain:
            speeds = speeds_text(() if rate is None else rate.speeds)
            text.append(f"{speeds:>{SPEEDS_KEPT}}  ", styles["second"])
            room -= SPEEDS_KEPT + 2
        if room >= _FOR_LAMPS:
            reached = stage_of(job)
            text.append(glyphs.online * reached, styles["good"])
            text.append(f"{glyphs.away * (STAGES - reached)}  ", styles["track"])
            room -= STAGES + 2
        full, empty = bar(job.percent, max(room, 4), glyphs)
        text.append(full, styles["bar"])
        text.append(empty, styles["track"])
        text.append(said)
        return text
    message, step = {
        JobState.WAITING: ("", "waiting"),
        JobState.PAUSED: ("", f"paused at {job.percent} %"),
        JobState.NEEDS_YOU: (conflict_words(job), "needs you (t)"),
    }.get(job.state, (job.said, ""))
    room = width - text.cell_len
    message = cut(message, max(room - cell_len(step) - 2, 0), glyphs.ellipsis)
    text.append(message + " " * max(room - cell_len(message) - cell_len(step), 0) + step, styles[tone])
    return text


def _running_text(job: Job, queue: TransferQueue, *, brief: bool) -> str:
    """Return how far a running job is, how fast and how long yet; all of them are equally wide."""
    rate, left = rate_of(job, queue.rate(job.id))
    part = "" if brief else f"  {part_of(job):<13}"
    said = f"{job.percent:>4} %{part}{rate:>11}{left:>9}"
    return f"{job.stage + '…':>{len(said)}}" if is_settling(job) else said

"""A transfer in few cells: its sign, its bar, how far it is, where it goes, and what is in its way.

Rules. The dock and the Transfers screen say the same of a job in the same words. Texts are harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from sft.client.transfers.progress import Rate
from sft.client.transfers.queue.job import Direction, Failure, Job, JobState
from sft.model.text import count_text, left_text, part_text, rate_text
from tui.glyphs import Glyphs
from tui.text import cut_path, folder_text, shown

_LEAST_NAME: Final = 24
_MOST_NAME: Final = 60
_NARROW: Final = 76  # a list in 80 columns
STAGES: Final = 3
_SECOND: Final = frozenset({"storing", "verifying"})
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def name_cells(width: int) -> int:
    """Return how wide names of transfers are in a list or dock of so many columns: never less in a wider one."""
    return min(_LEAST_NAME + max(width - _NARROW, 0) // 6, _MOST_NAME)


def sign_of(job: Job, glyphs: Glyphs) -> tuple[str, str]:
    """Return the sign of a job, and the name of its style (``tui.themes.styles``)."""
    if job.state is JobState.DONE and job.moved:
        return glyphs.doubt, "doubt"
    way = {Direction.PUT: glyphs.up, Direction.GET: glyphs.down, Direction.VERIFY: glyphs.verified}
    return {
        JobState.RUNNING: (way[job.direction], "strong"),
        JobState.WAITING: (way[job.direction], "muted"),
        JobState.PAUSED: (glyphs.paused, "muted"),
        JobState.NEEDS_YOU: (glyphs.doubt, "doubt"),
        JobState.FAILED: (glyphs.bad, "bad"),
        JobState.DONE: (glyphs.verified, "good"),
    }[job.state]


def title_of(job: Job) -> str:
    """Name what moves, and how many of its files have."""
    title = shown(job.title)
    if job.is_folder and job.state is not JobState.DONE:
        return f"{title} {count_text(job.done_files)}/{count_text(job.files)}"
    return title


def bar(percent: int, cells: int, glyphs: Glyphs) -> tuple[str, str]:
    """Return the full and the empty part of a bar; it grows by half cells where there is a sign for one."""
    halves = 2 * cells * percent // 100
    full = glyphs.full * (halves // 2)
    if halves % 2 and glyphs.half:
        full += glyphs.half
    return full, glyphs.empty * (cells - len(full))


def part_of(job: Job) -> str:
    """Return how much of it has moved: ``1.2/2.0 GiB``."""
    return part_text(job.done_bytes, job.total_bytes) if job.total_bytes else ""


def rate_of(job: Job, rate: Rate | None) -> tuple[str, str]:
    """Return how fast it is and how long it will take yet."""
    if rate is None:
        return "", ""
    if rate.stalled:
        return "stalled", ""
    seconds = rate.seconds_for(job.total_bytes - job.done_bytes)
    return ("", "") if seconds is None else (rate_text(rate.bytes_per_second, 1), left_text(seconds))


def stage_of(job: Job) -> int:
    """Return how many of its three stages a running job has reached: sending, storing, stored; or receiving and so on."""
    if job.done_files < job.files or not job.files:
        return 2 if job.stage in _SECOND and not job.is_folder else int(bool(job.stage))
    return STAGES


def speeds_text(speeds: Sequence[float]) -> str:
    """Draw how fast it was in each of the last seconds, beside the fastest of them."""
    most = max(speeds, default=0)
    return "".join(_HEIGHTS[round(speed / most * (len(_HEIGHTS) - 1)) if most else 0] for speed in speeds)


def is_settling(job: Job) -> bool:
    """Return whether everything has moved, and the rest takes its time."""
    return job.stage in {"storing", "verifying"} and job.done_bytes >= job.total_bytes


def way_of(job: Job, cells: int, glyphs: Glyphs) -> str:
    """Write from where to where, in so many cells: both ends of it stay in sight."""
    home, there = str(Path.home()), "/"
    first = job.names[0] if job.names else ""
    above = first.rpartition("/")[0]
    if job.direction is Direction.PUT:
        source, target = folder_text(above or "/", home), there + shown(job.to)
    else:
        source = there + shown(above)
        target = folder_text(job.to, home)
        if job.direction is Direction.VERIFY:
            return f"{cut_path(source, max(cells - 10, 4), glyphs.ellipsis)}, not kept"
    arrow = f" {glyphs.arrow} "
    room = max(cells - cell_len(arrow), 2)
    if cell_len(source) + cell_len(target) > room:
        source = cut_path(source, max(room - cell_len(target), room // 2), glyphs.ellipsis)
        target = cut_path(target, room - cell_len(source), glyphs.ellipsis)
    return f"{source}{arrow}{target}"


def target_of(job: Job, cells: int, glyphs: Glyphs) -> str:
    if job.direction is Direction.VERIFY:
        return "not kept"
    to = f"/{job.to}" if job.direction is Direction.PUT else job.to
    return cut_path(folder_text(to, str(Path.home())), cells, glyphs.ellipsis)


def conflict_words(job: Job) -> str:
    """Say in a few words what waits for a decision."""
    conflicts = [failure for failure in job.failures if failure.is_conflict]
    if len(conflicts) != 1:
        return f"{count_text(len(conflicts))} names are taken"
    return _conflict(conflicts[0])


def _conflict(failure: Failure) -> str:
    values = failure.values
    if failure.code in {"EXISTS", "CHANGED_SINCE"}:
        author = shown(str(values.get("author", "")))
        return f"{author} stored version {values.get('version')}"
    return "something has that name"


def counts_of(jobs: list[Job]) -> str:
    """Count them: ``1 running, 2 waiting, 1 needs you``."""
    parts = []
    for state in (JobState.RUNNING, JobState.WAITING, JobState.PAUSED, JobState.NEEDS_YOU):
        count = sum(job.state is state for job in jobs)
        if count:
            verb = "need you" if count > 1 else "needs you"
            parts.append(f"{count_text(count)} {verb if state is JobState.NEEDS_YOU else state.value}")
    return ", ".join(parts)

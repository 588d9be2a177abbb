"""A transfer in few cells: how far on its way it is, and how fast it was; pure."""

from __future__ import annotations

import pytest

from sft.client.transfers.progress import Rate
from sft.client.transfers.queue.job import Direction, Job, JobState
from tui.glyphs import FINE, PLAIN
from tui.panes.drawing import is_aside
from tui.themes.styles import styles_of
from tui.widgets.dock import job_line
from tui.widgets.job_words import speeds_text, stage_of


def job(stage: str, done: int = 0, files: int = 1) -> Job:
    return Job(
        1, "acme", Direction.PUT, ("/x/video.mp4",), "finance", title="video.mp4", state=JobState.RUNNING, files=files,
        done_files=done, total_bytes=100, done_bytes=60, stage=stage,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("transfer", "reached"),
    [
        (job(""), 0),
        (job("sending"), 1),
        (job("receiving"), 1),
        (job("storing"), 2),
        (job("verifying"), 2),
        (job("stored", done=1), 3),
        (job("stored", done=1, files=2), 1),  # the next one is sent
        (job("storing", done=1, files=2), 1),
        (job("verified", done=2, files=2), 3),
    ],
)
def test_a_running_transfer_has_reached_one_of_three_stages(transfer, reached):
    assert stage_of(transfer) == reached


def test_speeds_are_drawn_beside_the_fastest():
    assert speeds_text([]) == ""
    assert speeds_text([0, 0]) == "▁▁"
    assert speeds_text([0, 50, 100, 25]) == "▁▅█▃"


class Rates:
    """As much of a queue as a line of it takes."""

    def rate(self, _: int) -> Rate:
        rate = Rate()
        for second in range(6):
            rate.sample(second, second * 1_000_000)
        return rate


@pytest.mark.parametrize(
    ("width", "glyphs", "there", "missing"),
    [
        (76, FINE, (), ("●", "█")),
        (120, FINE, ("●○○",), ("█",)),
        (160, FINE, ("●○○", "█████"), ()),
        (160, PLAIN, ("*oo",), ("█",)),
    ],
)
def test_lamps_and_speeds_come_in_where_a_bar_is_left_beside_them(width, glyphs, there, missing):
    line = job_line(job("sending"), Rates(), glyphs, width, styles_of("sft-dark"))
    assert line.cell_len == width
    assert all(part in line.plain for part in there)
    assert not any(part in line.plain for part in missing)
    assert glyphs.full * 4 in line.plain


def test_what_is_seldom_looked_for_stands_back():
    assert all(map(is_aside, (".profile", "a.minisig", "A.BAK", "a~", "x.sftproof")))
    assert not any(map(is_aside, ("a.pdf", "minisig", "tmp")))

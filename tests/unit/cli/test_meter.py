from __future__ import annotations

import pytest

from sft.cli.columns import cells
from sft.cli.meter import Meter
from sft.client.transfers.progress import Progress, TransferStage

MIB = 2**20
GIB = 2**30


def step(index: int, stage: TransferStage, done: int, total: int | None) -> Progress:
    return Progress(index, f"item {index}", stage, done, total)


def running_meter() -> Meter:
    """Two gibibytes, of which 1.2 were sent at 212 MiB a second."""
    meter = Meter("video.mp4", [2 * GIB])
    done = int(0.61 * 2 * GIB) + 1
    meter.report(step(0, TransferStage.SENDING, done - 212 * MIB, 2 * GIB))
    meter.sample(10.0)
    meter.report(step(0, TransferStage.SENDING, done, 2 * GIB))
    meter.sample(11.0)
    return meter


def test_one_file_in_the_documented_form():
    line = running_meter().line(76)
    assert line == "video.mp4  ━━━━━━━━━━━━━━─────────  61 %  1.2/2.0 GiB  212 MiB/s  0:04 left"


def test_a_folder_in_the_documented_form():
    meter = Meter("photos", [5 * MIB] * 1203)
    for index in range(214):
        meter.report(step(index, TransferStage.STORED, 5 * MIB, 5 * MIB))
    meter.sample(0.0)
    meter.sample(1.0)
    assert "  17 %  214/1,203 files  1.0/5.9 GiB  " in meter.line(120)


def test_a_line_never_fills_the_terminal():
    meter = running_meter()
    for width in range(20, 200):
        assert cells(meter.line(width)) < width


def test_a_narrow_terminal_goes_without_the_bar():
    assert "━" not in running_meter().line(50)


def test_when_all_is_sent_the_stage_is_told_in_place_of_the_rate():
    meter = running_meter()
    meter.report(step(0, TransferStage.STORING, 2 * GIB, 2 * GIB))
    assert meter.parts() == ["100 %", "2.0/2.0 GiB", "storing"]


def test_what_has_not_moved_for_five_seconds_is_stalled():
    meter = running_meter()
    meter.sample(15.9)
    assert not meter.stalled()
    meter.sample(16.0)
    assert meter.parts()[-1] == "stalled"
    meter.report(step(0, TransferStage.SENDING, int(1.3 * GIB), 2 * GIB))
    meter.sample(16.1)
    assert not meter.stalled()


def test_a_server_that_syncs_is_not_stalled():
    meter = running_meter()
    meter.report(step(0, TransferStage.STORING, 2 * GIB, 2 * GIB))
    meter.sample(60.0)
    meter.sample(90.0)
    assert not meter.stalled()


def test_the_rate_is_that_of_the_last_seconds():
    meter = Meter("x", [GIB])
    for second in range(20):
        moved = second * (100 if second < 10 else 10) * MIB
        meter.report(step(0, TransferStage.SENDING, max(moved, meter.moved_bytes), GIB))
        meter.sample(float(second))
    assert meter.rate() < 100 * MIB


def test_a_pipe_has_no_percentage():
    meter = Meter("-", [None])
    meter.report(step(0, TransferStage.SENDING, 3 * MIB, None))
    assert meter.percent is None
    assert meter.parts()[0] == "3.0 MiB"
    assert "left" not in meter.line(100)


@pytest.mark.parametrize("stage", [TransferStage.FAILED, TransferStage.UNCHANGED])
def test_an_item_that_ended_without_moving_counts_as_done_but_not_as_speed(stage):
    meter = Meter("x", [GIB, GIB])
    meter.report(step(0, stage, 0, GIB))
    assert (meter.percent, meter.done_files, meter.moved_bytes) == (50, 1, 0)
    meter.report(step(0, stage, 0, GIB))
    assert meter.done_files == 1


def test_empty_files_are_done_by_number():
    meter = Meter("x", [0, 0])
    meter.report(step(0, TransferStage.STORED, 0, 0))
    assert meter.percent == 50
    assert Meter("x", []).percent == 100


def test_the_title_is_a_name_of_a_peer():
    assert "\x1b" not in Meter("\x1b]0;pwned\x07", [GIB]).line(80)


def test_what_is_there_already_moves_nothing():
    meter = Meter("a.bin", [1000])
    meter.sample(0.0)
    meter.report(Progress(0, "a.bin", TransferStage.PROVING, 300, 1000))
    assert meter.parts()[-1] == "reading again what is there"
    meter.report(Progress(0, "a.bin", TransferStage.RESUMED, 600, 1000))
    meter.report(Progress(0, "a.bin", TransferStage.SENDING, 700, 1000))
    assert (meter.percent, meter.moved_bytes) == (70, 100)
    meter.report(Progress(0, "a.bin", TransferStage.RESTARTED, 0, 1000))
    meter.report(Progress(0, "a.bin", TransferStage.SENDING, 50, 1000))
    assert (meter.percent, meter.moved_bytes) == (5, 150)

"""A short part of the campaign (``make fuzz``), with the same seed."""

from __future__ import annotations

import pytest

from tests.campaigns import fuzz


@pytest.mark.parametrize("frames", [1000, pytest.param(4000, marks=pytest.mark.long)])
def test_fuzzed_frames_meet_nothing_but_refusals(frames):
    report = fuzz.run(frames=frames)
    assert report.frames == frames
    takes_none = {"judging"} if frames >= 4000 else set(fuzz.State)  # of a thousand, now and then, another place too
    for side, state in fuzz.PLACES:
        place = f"{side} {state}"
        assert report.refused[place] > 10
        assert report.taken[place] > 0 or state in takes_none
        assert not (state == "judging" and report.taken[place])
    assert sum(report.taken.values()) > 50
    assert set(report.faults) >= {"FrameTooLargeError", "HandshakeFailedError", "RemoteProtocolError"}

"""A short part of the campaign (``make fuzz``), with the same seed."""

from __future__ import annotations

from tests.campaigns import fuzz


def test_fuzzed_frames_meet_nothing_but_refusals():
    report = fuzz.run(frames=4000)
    assert report.frames == 4000
    for side, state in fuzz.PLACES:
        place = f"{side} {state}"
        assert report.refused[place] > 10
        assert (report.taken[place] > 0) == (state != "judging")
    assert set(report.faults) >= {"FrameTooLargeError", "HandshakeFailedError", "RemoteProtocolError"}

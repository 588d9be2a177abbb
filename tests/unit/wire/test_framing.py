from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import FrameTooLargeError
from sft.wire.framing import HEADER_BYTES, Framer, frame

LIMIT = 1000


def frames_of(framer: Framer, data: bytes, limit: int = LIMIT) -> list[bytes]:
    framer.feed(data)
    taken = []
    while (payload := framer.next_frame(limit)) is not None:
        taken.append(payload)
    return taken


@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(0, 500), max_size=12))
def test_frames_do_not_depend_on_how_the_stream_is_cut(payloads, cuts):
    stream = b"".join(frame(payload) for payload in payloads)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    framer = Framer()
    taken = []
    for start, end in pairwise(edges):
        taken += frames_of(framer, stream[start:end])
    assert taken == payloads
    assert framer.frames_taken == len(payloads)
    assert framer.bytes_fed == len(stream)
    assert framer.bytes_in_frame == 0


def test_a_frame_of_exactly_the_limit_is_taken():
    assert frames_of(Framer(), frame(bytes(LIMIT))) == [bytes(LIMIT)]


@pytest.mark.parametrize("length", [LIMIT + 1, 2**31, 2**32 - 1])
def test_a_length_over_the_limit_is_refused_with_its_fourth_byte(length):
    framer = Framer()
    header = length.to_bytes(HEADER_BYTES, "big")
    assert frames_of(framer, header[:3]) == []
    with pytest.raises(FrameTooLargeError):
        frames_of(framer, header[3:])
    assert framer.bytes_in_frame == 3


def test_only_what_arrived_is_kept_never_what_was_announced():
    framer = Framer()
    assert frames_of(framer, frame(bytes(LIMIT))[:5]) == []
    assert framer.bytes_in_frame == 5
    assert len(framer._body) == 1


def test_the_limit_is_asked_for_each_frame():
    framer = Framer()
    framer.feed(frame(bytes(10)) + frame(bytes(20)))
    assert framer.next_frame(10) == bytes(10)
    with pytest.raises(FrameTooLargeError):
        framer.next_frame(10)


def test_a_header_in_single_bytes_counts_as_part_of_a_frame():
    framer = Framer()
    for count, byte in enumerate(frame(b"abc")[:-1], start=1):
        assert frames_of(framer, bytes([byte])) == []
        assert framer.bytes_in_frame == count
    assert frames_of(framer, b"c") == [b"abc"]


def test_nothing_is_lost_when_frames_are_taken_late():
    framer = Framer()
    framer.feed(frame(b"one") + frame(b"two"))
    assert framer.next_frame(LIMIT) == b"one"
    framer.feed(frame(b"three"))
    assert framer.has_bytes
    assert framer.next_frame(LIMIT) == b"two"
    assert framer.next_frame(LIMIT) == b"three"
    assert not framer.has_bytes


def test_an_idle_framer_holds_no_segment():
    framer = Framer()
    frames_of(framer, frame(bytes(500)))
    assert framer._data == b""
    assert framer._body == b""


def test_the_work_is_linear_in_a_large_frame_of_small_segments():
    # 8 MiB in segments of 1 KiB: joined anew for each segment it would be 34 GB of copies.
    size, segment = 8 << 20, 1 << 10
    stream = frame(bytes(size))
    framer = Framer()
    began = time.process_time()
    taken = []
    for at in range(0, len(stream), segment):
        taken += frames_of(framer, stream[at : at + segment], size)
    assert taken == [bytes(size)]
    assert time.process_time() - began < 1.5

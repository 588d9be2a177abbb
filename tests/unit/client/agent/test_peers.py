"""The connections of an agent: none keeps another waiting, or the agent beyond a moment."""

from __future__ import annotations

import errno
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.client.agent.messages import FRAME_BYTES, LONGEST, frame_in, frame_of, receive_frame
from sft.client.agent.peers import MOST_PEERS, PAUSE_SECONDS, PEER_SECONDS, Peers


class Answering:
    """Peers over a real socket, with a clock that stands unless it is moved."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self.asked: list[tuple[int, bytes]] = []
        self._path = str(folder / "s")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self._path)
        listening.listen(64)
        self.peers = Peers(listening, self._answer, clock=lambda: self.now)
        self._open: list[socket.socket] = []

    def _answer(self, kind: int, body: bytes) -> bytes:
        self.asked.append((kind, body))
        return frame_of(0, b"yes")

    def connected(self, sent: bytes = b"") -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._path)
        connection.setblocking(False)
        connection.sendall(sent)
        self._open.append(connection)
        return connection

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.peers.serve(0)

    def close(self) -> None:
        self.peers.close()
        for each in self._open:
            each.close()


@pytest.fixture
def answering() -> Iterator[Answering]:
    with tempfile.TemporaryDirectory(prefix="sft-") as folder:
        made = Answering(Path(folder))
        yield made
        made.close()


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_question_is_answered_once_and_its_connection_closed(answering: Answering) -> None:
    asker = answering.connected(frame_of(1, b"what"))
    answering.turn(2)
    assert asker.recv(100) == frame_of(0, b"yes")
    assert is_closed(asker)
    assert answering.asked == [(1, b"what")]


def test_who_drips_bytes_has_one_moment_for_all_of_them(answering: Answering) -> None:
    frame = frame_of(1, b"x" * 20)
    slow = answering.connected()
    answering.turn()
    for number in range(9):
        slow.sendall(frame[number : number + 1])
        answering.turn()
        assert not is_closed(slow)
        answering.now += PEER_SECONDS / 10
    answering.now += PEER_SECONDS / 5
    answering.turn()
    assert is_closed(slow)
    assert not answering.asked


def test_who_says_nothing_keeps_nobody_waiting(answering: Answering) -> None:
    silent = [answering.connected() for _ in range(MOST_PEERS - 1)]
    asker = answering.connected(frame_of(2))
    answering.turn(MOST_PEERS + 1)
    assert asker.recv(100) == frame_of(0, b"yes")
    assert not any(map(is_closed, silent))


def test_beyond_so_many_the_oldest_goes(answering: Answering) -> None:
    silent = []
    for _ in range(MOST_PEERS + 3):
        silent.append(answering.connected())
        answering.turn()
    assert [is_closed(each) for each in silent] == [True] * 3 + [False] * MOST_PEERS
    descriptors = Path("/proc/self/fd")
    before = len(os.listdir(descriptors)) if descriptors.is_dir() else 0
    for _ in range(200):
        answering.connected().close()
        answering.turn(2)
    if before:
        assert len(os.listdir(descriptors)) <= before


def test_one_that_is_none_is_closed_unanswered(answering: Answering) -> None:
    draw = random.Random(13)
    print("seed 13")
    for _ in range(300):
        sent = draw.randbytes(draw.choice((0, 1, 2, 3, 60, LONGEST, LONGEST + 500)))
        length = int.from_bytes(sent[:2])
        broken = len(sent) >= 2 and not 1 <= length <= FRAME_BYTES
        whole = len(sent) >= 2 and not broken and len(sent) - 2 >= length
        answering.asked.clear()
        peer = answering.connected(sent)
        answering.turn(2)
        assert bool(answering.asked) == whole, sent.hex()
        assert len(answering.asked) <= 1
        if whole:
            assert (answering.asked[0][0], answering.asked[0][1]) == (sent[2], sent[3 : 2 + length])
        elif broken:
            assert is_closed(peer)
        answering.now += PEER_SECONDS
        answering.turn()
        peer.close()


def test_frames_are_read_as_they_come() -> None:
    frame = frame_of(3, b"body")
    assert [frame_in(frame[:n]) for n in range(len(frame))] == [None] * len(frame)
    assert frame_in(frame + b"more") == (3, b"body")


def test_who_asks_waits_for_a_whole_answer_and_not_for_each_byte() -> None:
    """Else an agent that is none would hold a command for as long as it likes."""
    one, other = socket.socketpair(socket.AF_UNIX)
    now = [0.0]

    def clock() -> float:
        now[0] += 1
        return now[0]

    with one, other:
        other.sendall(b"\0")
        with pytest.raises(TimeoutError):
            receive_frame(one, 1.5, clock)


def test_a_system_that_has_no_descriptor_is_asked_again_in_a_moment_and_not_without_a_pause(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    def none_left(_socket: socket.socket) -> tuple[socket.socket, str]:
        nonlocal tried
        tried += 1
        raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))

    asker = answering.connected(frame_of(1, b"what"))
    with monkeypatch.context() as full:
        full.setattr(socket.socket, "accept", none_left)
        answering.turn(100)
        assert tried == 1
        answering.now += PAUSE_SECONDS
        answering.turn(100)
        assert tried == 2
    answering.turn(2)
    assert not answering.asked
    answering.now += PAUSE_SECONDS
    answering.turn(2)
    assert asker.recv(100) == frame_of(0, b"yes")

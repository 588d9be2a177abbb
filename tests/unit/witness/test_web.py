"""A witness over HTTP: statuses, types and bounds, on connections in memory and by a clock that the test moves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from sft import limits
from sft.ledger.add_checkpoint import read_answer
from sft.ledger.policy import KnownLog, Policy
from sft.witness.cosigned import CosignedCheckpoints, log_name
from sft.witness.cosigner import Cosigner
from sft.witness.web import WitnessFactory
from tests.unit.ledger.logs import ORIGIN, add_checkpoint_body, checkpoint, cosigners, honest_body, log_key, tree_text

KEYS = [each.public for each in cosigners()]


class Transport(StringTransport):
    """A connection in memory that can be cut."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Here:
    """A pool whose one thread is this one."""

    waiting: list[Callable[[], None]] | None = None

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        if self.waiting is None:
            return maybeDeferred(function, *args)
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: maybeDeferred(function, *args).chainDeferred(later))
        return later


class Web:
    """A witness, and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.fd = os.open(folder, os.O_RDONLY)
        self.faults: list[Failure] = []
        self.pool = Here()
        self.records = CosignedCheckpoints(self.fd, KEYS)
        cosigner = Cosigner(cosigners(), self.records, Policy(logs=(KnownLog(log_key()),)), lambda: 1_800_000_000)
        self.factory = WitnessFactory(self.clock, cosigner, self.pool, on_fault=self.faults.append)  # type: ignore[arg-type]
        self.factory.doStart()

    def connect(self) -> tuple[Any, Transport] | None:
        protocol = self.factory.buildProtocol(None)
        if protocol is None:
            return None
        transport = Transport()
        protocol.makeConnection(transport)
        return protocol, transport

    def send(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own, and give what comes back."""
        protocol, transport = self.connect() or pytest.fail("not connected")
        protocol.dataReceived(data)
        answered = transport.value()
        protocol.connectionLost(Failure(ConnectionDone()))
        return answered

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: witness.example\r\nContent-Length: {len(body)}\r\n\r\n"
        return parsed(self.send(head.encode() + body))

    def post(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        return self.ask("POST", "/add-checkpoint", body)


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), headers, body


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path)
    yield made
    os.close(made.fd)
    assert made.clock.getDelayedCalls() == []


def test_each_status_is_the_documents(web: Web):
    status, headers, body = web.post(honest_body(0, 700))
    assert status == 200
    assert len(read_answer(tree_text(700), body, KEYS)) == 2
    assert headers["Content-Length"] == str(len(body))
    refusals = {
        400: b"old 0\n",
        403: honest_body(700, 1000).replace(b"\n1000\n", b"\n1001\n"),
        404: honest_body(0, 5, origin="another.example"),
        409: honest_body(0, 5),
        422: add_checkpoint_body(700, checkpoint(1000), []),
    }
    for expected, asked in refusals.items():
        status, headers, body = web.post(asked)
        assert status == expected
        if expected == 409:
            assert (headers["Content-Type"], body) == ("text/x.tlog.size", b"700\n")
        else:
            assert headers["Content-Type"].startswith("text/plain")
    assert web.faults == []


def test_the_newest_checkpoint_of_a_log_is_there_for_everybody(web: Web):
    path = f"/{log_name(ORIGIN)}/checkpoint"
    assert web.ask("GET", path)[0] == 404
    web.post(honest_body(0, 700))
    status, _, body = web.ask("GET", path)
    assert status == 200
    assert body.startswith(checkpoint(700).encode())
    assert body.count("—".encode()) == 3
    status, headers, nothing = web.ask("HEAD", path)
    assert (status, nothing, headers["Content-Length"]) == (200, b"", str(len(body)))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", f"/{log_name(ORIGIN)}/checkpoint", 405),
        ("GET", "/", 404),
        ("POST", "/", 404),
        ("POST", "/add-checkpoint/", 404),
        ("POST", "/add-checkpoint?x=1", 404),
        ("POST", "/sign-subtree", 404),
        ("GET", f"/{log_name(ORIGIN).upper()}/checkpoint", 404),
        ("GET", f"/{log_name(ORIGIN)}", 404),
        ("GET", "/../keys", 404),
    ],
)
def test_nothing_else_is_there(web: Web, method: str, path: str, status: int):
    assert web.ask(method, path, honest_body(0, 700))[0] == status
    assert web.records.latest(ORIGIN) is None


def test_a_connection_takes_one_request_after_the_other(web: Web):
    protocol, transport = web.connect() or pytest.fail("not connected")
    for old, size in ((0, 5), (5, 9), (9, 9)):
        body = honest_body(old, size)
        protocol.dataReceived(
            f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        assert parsed(transport.value())[0] == 200
        transport.clear()
    protocol.connectionLost(Failure(ConnectionDone()))


def test_a_body_in_chunks_is_taken_too(web: Web):
    body = honest_body(0, 5)
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parsed(web.send(head + chunks + b"0\r\n\r\n"))[0] == 200


# -- bounds -------------------------------------------------------------------------------------------


def test_a_body_beyond_the_limit_is_refused_unread(web: Web):
    assert web.post(b"x" * (limits.ADD_CHECKPOINT_BYTES + 1))[0] == 413
    assert web.post(b"x" * limits.ADD_CHECKPOINT_BYTES)[0] == 400


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999", b"Transfer-Encoding: chunked"])
def test_a_connection_ends_at_its_bytes_whatever_was_announced(web: Web, head: bytes):
    protocol, transport = web.connect() or pytest.fail("not connected")
    protocol.dataReceived(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n" + head + b"\r\n\r\n")
    piece = b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)
    for _ in range(limits.WITNESS_CONNECTION_BYTES // len(piece)):
        protocol.dataReceived(piece)
    assert not transport.aborted
    protocol.dataReceived(piece)
    assert transport.aborted
    assert web.pool.waiting is None
    protocol.connectionLost(Failure(ConnectionDone()))


def test_a_connection_ends_at_its_time_however_busy_it_keeps_itself(web: Web):
    protocol, transport = web.connect() or pytest.fail("not connected")
    protocol.dataReceived(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(limits.WITNESS_CONNECTION_SECONDS - 1):
        web.clock.advance(1)
        protocol.dataReceived(b"x")
    assert not transport.aborted
    web.clock.advance(1)
    assert transport.aborted
    protocol.connectionLost(Failure(ConnectionDone()))


def test_of_so_many_connections_the_one_that_was_quiet_for_longest_makes_room(web: Web):
    held = [web.connect() or pytest.fail("not connected") for _ in range(limits.WITNESS_CONNECTIONS)]
    held[0][0].dataReceived(b"POST /add-checkpoint HTTP/1.1\r\n")
    assert web.ask("GET", "/add-checkpoint")[0] == 405, "nobody is kept out by who says nothing"
    assert [number for number, (_, transport) in enumerate(held) if transport.aborted] == [1]
    held.append(web.connect() or pytest.fail("no place"))
    assert not any(transport.aborted for number, (_, transport) in enumerate(held) if number != 1), "a place was free"
    web.factory.drop_connections()
    assert all(transport.aborted for _, transport in held)
    for protocol, _ in held:
        protocol.connectionLost(Failure(ConnectionDone()))


def test_whoever_went_away_is_not_answered(web: Web):
    web.pool.waiting = []
    protocol, transport = web.connect() or pytest.fail("not connected")
    body = honest_body(0, 5)
    protocol.dataReceived(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    protocol.connectionLost(Failure(ConnectionDone()))
    web.pool.waiting[0]()
    assert transport.value() == b""
    assert web.records.latest(ORIGIN) is not None


# -- faults -------------------------------------------------------------------------------------------


def test_a_disk_that_does_not_confirm_ends_the_witness_and_says_nothing_of_itself(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_args: object) -> None:
        raise OSError(5, "Input/output error", "/secret/path")

    monkeypatch.setattr(os, "fsync", broken)
    status, _, body = web.post(honest_body(0, 700))
    assert (status, body) == (500, b"a fault of the witness\n")
    assert [failure.type for failure in web.faults] == [OSError]
    monkeypatch.undo()
    assert web.post(honest_body(0, 700))[0] == 500

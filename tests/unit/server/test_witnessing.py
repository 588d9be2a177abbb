"""Heads and the witnesses that are asked for them: what is given out, what is asked again when, and what the event log says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import Logger

from sft import limits
from sft.crypto.note_keys import CosignerKey
from sft.crypto.signed_note import SignedNote
from sft.errors import CheckpointRefusedError
from sft.ledger.add_checkpoint import answer, cosign
from sft.ledger.policy import KnownLog, Policy
from sft.server.event_log import EventLog
from sft.server.witnessing import Witnessing
from sft.transport.http_post import HttpReply
from sft.witness.cosigned import CosignedCheckpoints
from sft.witness.cosigner import Cosigner
from tests.unit.ledger.logs import ORIGIN, checkpoint, cosigners, honest_body, log_key
from tests.unit.ledger.naive import proof

TICK = limits.WITNESS_LOOK_SECONDS


class Head(NamedTuple):
    """The newest head, as a ledger has it."""

    size: int
    note: str


class Log:
    """A ledger of naive proofs."""

    def __init__(self, size: int = 5) -> None:
        self.size = size

    @property
    def head(self) -> Head:
        return Head(self.size, checkpoint(self.size))

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        return proof(old_size, size or self.size)


class Pool:
    """Runs work at once, or when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] | None = None

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        if self.waiting is None:
            return maybeDeferred(function, *args)
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: maybeDeferred(function, *args).chainDeferred(later))
        return later


class Site:
    """A witness at a URL: a real one that can be away, or say what it likes."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir()
        self.url = f"https://w{number}.example"
        self.keys: tuple[CosignerKey, ...] = cosigners(f"w{number}.example", number)
        self.fd = os.open(folder, os.O_RDONLY)
        publics = [each.public for each in self.keys]
        logs = Policy(logs=(KnownLog(log_key()),))
        self.now = 1_800_000_000
        self.cosigner = Cosigner(self.keys, CosignedCheckpoints(self.fd, publics), logs, lambda: self.now)
        self.says: HttpReply | OSError | Exception | None = None
        self.asked = 0

    def answer(self, body: bytes) -> HttpReply:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is not None:
            return self.says
        try:
            return HttpReply(200, self.cosigner.add_checkpoint(body))
        except CheckpointRefusedError as error:
            return HttpReply(error.status, f"{error.said}\n".encode())

    def lines(self) -> str:
        return "".join(
            f"witness {self.url[8:]}-{each.public.kind} {each.public.vkey()} {self.url}\n" for each in self.keys
        )


class Server:
    """A server with three witnesses, and the policy's last lines."""

    def __init__(self, folder: Path, quorum: str = "quorum none\n") -> None:
        self.clock, self.pool, self.log = Clock(), Pool(), Log()
        self.sites = [Site(folder / str(number), number) for number in (1, 2, 3)]
        self.policy = Policy.parse(("".join(site.lines() for site in self.sites) + quorum).encode())
        self.said: list[str] = []
        self.kept: bytes | None = None
        self.begin()

    def begin(self, policy: Policy | None = None) -> None:
        self.witnessing = Witnessing(
            self.clock,
            self.pool,  # type: ignore[arg-type]
            self.log,
            policy or self.policy,
            post=self.post,
            keep=self.keep,
            kept=self.kept,
            event_log=EventLog(Logger(namespace="sft", observer=lambda event: self.said.append(str(event["line"])))),
        )

    def post(self, url: str, body: bytes) -> HttpReply:
        return next(site for site in self.sites if site.url == url).answer(body)

    def keep(self, data: bytes) -> None:
        self.kept = data

    def cosigned(self) -> tuple[int, set[str]]:
        """Give the size that is witnessed, and by whom with both keys."""
        note = self.witnessing.cosigned
        if note is None:
            return 0, set()
        assert self.kept == note.encode().encode()
        by = set(note.verify(self.policy.witness_keys()))
        names = {site.url[8:10] for site in self.sites if by >= {each.public for each in site.keys}}
        assert note.verify([log_key()]) == {log_key(): None}
        return int(note.text.splitlines()[1]), names

    def asked(self) -> list[int]:
        return [site.asked for site in self.sites]


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(quorum: str = "quorum none\n") -> Server:
        made.append(Server(tmp_path, quorum))
        return made[-1]

    yield make
    for server in made:
        server.witnessing.stop()
        assert server.clock.getDelayedCalls() == []
        for site in server.sites:
            os.close(site.fd)


def test_the_newest_head_is_cosigned_by_all_with_both_keys(new_server: Callable[..., Server]):
    server = new_server()
    assert server.cosigned() == (0, set())
    server.witnessing.start()
    assert server.cosigned() == (5, {"w1", "w2", "w3"})
    assert server.asked() == [1, 1, 1]  # once for both keys
    server.clock.advance(TICK)
    assert server.asked() == [1, 1, 1]  # nothing new
    server.log.size = 700
    assert server.cosigned()[0] == 5
    server.clock.advance(TICK)
    assert server.cosigned() == (700, {"w1", "w2", "w3"})
    assert server.asked() == [2, 2, 2]
    assert [line.split()[0] for line in server.said] == []


def test_where_nobody_is_named_nobody_is_asked(new_server: Callable[..., Server]):
    server = new_server()
    for policy in (
        Policy(),
        Policy.parse(server.sites[0].lines().replace(server.sites[0].url, "").encode() + b"quorum none\n"),
    ):
        server.begin(policy)
        server.witnessing.start()
        assert server.clock.getDelayedCalls() == []


def test_a_round_takes_the_newest_head_alone_and_is_one_at_a_time(new_server: Callable[..., Server]):
    server = new_server()
    server.pool.waiting = []
    server.witnessing.start()
    for size in range(6, 20):  # a slow witness, and a busy server
        server.log.size = size
        server.clock.advance(TICK)
    assert len(server.pool.waiting) == 3
    waiting, server.pool.waiting = server.pool.waiting, None
    for work in waiting:
        work()
    assert server.cosigned()[0] == 5
    server.clock.advance(TICK)
    assert server.cosigned()[0] == 19
    assert server.asked() == [2, 2, 2]


def test_a_quorum_of_the_server_says_what_is_given_out(new_server: Callable[..., Server]):
    quorum = "group w1 all w1.example-4 w1.example-6\ngroup w2 all w2.example-4 w2.example-6\n"
    server = new_server(quorum + "group both all w1 w2\nquorum both\n")
    server.sites[1].says = OSError("away")
    server.witnessing.start()
    assert server.cosigned() == (0, set())
    server.sites[1].says = None
    server.clock.advance(TICK)  # the one that failed adds its lines to those of the same head
    assert server.cosigned() == (5, {"w1", "w2", "w3"})
    server.sites[0].says = OSError("away")
    server.log.size = 9
    server.clock.advance(TICK)
    assert server.cosigned() == (5, {"w1", "w2", "w3"})  # an older one with a quorum is worth more
    server.sites[0].says = None
    server.clock.advance(TICK)
    assert server.cosigned() == (9, {"w1", "w2", "w3"})


def test_a_witness_that_fails_is_asked_later_and_later_and_said_once(new_server: Callable[..., Server]):
    server = new_server()
    server.sites[0].says = ConnectionRefusedError(111, "Connection refused")
    server.witnessing.start()
    asked = []
    for tick in range(6 * limits.WITNESS_PAUSE_SECONDS // TICK):
        server.log.size += tick < 9
        before = server.sites[0].asked
        server.clock.advance(TICK)
        if server.sites[0].asked > before:
            asked.append(server.clock.seconds())
    pauses = [round(later - sooner) for sooner, later in pairwise(asked)]
    assert pauses[:5] == [20, 40, 80, 160, 320]
    assert set(pauses[8:]) == {limits.WITNESS_PAUSE_SECONDS}
    assert server.said == ['witness-failed witness=https://w1.example problem="does not answer (Connection refused)"']
    assert server.witnessing.witnesses[0].problem == "does not answer (Connection refused)"
    assert server.cosigned() == (server.log.size, {"w2", "w3"})
    server.sites[0].says = HttpReply(500, b"")
    server.clock.advance(limits.WITNESS_PAUSE_SECONDS)
    server.sites[0].says = None
    server.log.size += 1
    server.clock.advance(limits.WITNESS_PAUSE_SECONDS)
    assert [line.split(" problem")[0] for line in server.said] == [
        "witness-failed witness=https://w1.example",
        "witness-failed witness=https://w1.example",
        f"witness-answers witness=https://w1.example size={server.log.size}",
    ]
    assert server.cosigned() == (server.log.size, {"w1", "w2", "w3"})


def test_a_head_that_stays_is_cosigned_anew(new_server: Callable[..., Server]):
    server = new_server()
    server.witnessing.start()
    for site in server.sites:
        site.now += 1000
    server.clock.advance(limits.COSIGN_AGAIN_SECONDS - TICK)
    assert server.asked() == [1, 1, 1]
    server.clock.advance(TICK)
    assert server.asked() == [2, 2, 2]
    note = server.witnessing.cosigned
    assert note is not None
    assert set(note.verify(server.policy.witness_keys()).values()) == {1_800_001_000}
    assert len(note.signatures) == 7  # the new ones instead of the old


def test_a_witness_that_knows_more_of_the_log_than_the_server_thought_is_asked_again_at_once(
    new_server: Callable[..., Server],
):
    server = new_server()
    server.sites[0].cosigner.add_checkpoint(honest_body(0, 3))  # by the server before its restart
    server.witnessing.start()
    assert server.cosigned() == (5, {"w1", "w2", "w3"})
    assert server.asked() == [2, 1, 1]


LIES = [
    (HttpReply(409, b"7\n"), "has cosigned 7 leaves of this log, which has 5"),
    (HttpReply(409, b"many\n"), "answers another size without saying which"),
    (HttpReply(409, b"4\n"), "answers with status 409"),
    (HttpReply(422, b""), "does not accept the proof: has it seen another log of this name?"),
    (HttpReply(403, b""), "does not know the key that signs this log"),
    (HttpReply(404, b""), "does not know this log"),
    (HttpReply(500, b""), "answers with status 500"),
    (HttpReply(302, b""), "answers with status 302"),
    (HttpReply(200, b""), "gives no cosignature that holds"),
    (HttpReply(200, b"\xff" * 1000), "gives no cosignature that holds"),
    (TimeoutError("timed out"), "does not answer (timed out)"),
    (RuntimeError("a bug"), "a fault of this server"),
]


@pytest.mark.parametrize(("says", "problem"), LIES, ids=range(len(LIES)))
def test_a_witness_that_lies_is_not_believed_and_others_are(new_server: Callable[..., Server], says: Any, problem: str):
    server = new_server()
    server.sites[0].says = says
    server.witnessing.start()
    assert server.cosigned() == (5, {"w2", "w3"})
    assert problem in server.witnessing.witnesses[0].problem
    assert server.witnessing.witnesses[1].problem == ""
    if not isinstance(says, RuntimeError):
        assert len(server.said) == 1


def test_the_cosignature_of_another_checkpoint_is_not_taken(new_server: Callable[..., Server]):
    server = new_server()
    other = cosigners("w1.example", 1)
    made = cosign(SignedNote.parse(checkpoint(4)), other, timestamp=5)
    server.sites[0].says = HttpReply(200, answer(made.signatures[1:]))
    server.witnessing.start()
    assert server.cosigned() == (5, {"w2", "w3"})


def test_what_a_stop_cuts_is_said_to_be_nobodys_fault(new_server: Callable[..., Server]):
    server = new_server()
    for site in server.sites:
        site.says = OSError("the server stops")
    server.pool.waiting = []
    server.witnessing.start()
    server.witnessing.stop()
    for work in server.pool.waiting:
        work()
    assert server.said == []


# -- over a start ---------------------------------------------------------------------------------------


def test_what_was_witnessed_is_still_given_out_after_a_start(new_server: Callable[..., Server]):
    server = new_server()
    server.witnessing.start()
    server.witnessing.stop()
    server.log.size = 700
    server.begin()
    assert server.cosigned() == (5, {"w1", "w2", "w3"})
    server.witnessing.start()
    assert server.cosigned()[0] == 700


@pytest.mark.parametrize("what", ["nothing", "damaged", "no text", "another log", "beyond the head", "strangers"])
def test_what_is_not_of_this_log_and_these_witnesses_is_not_given_out(new_server: Callable[..., Server], what: str):
    server = new_server()
    server.witnessing.start()
    server.witnessing.stop()
    assert server.kept is not None
    changed = {
        "nothing": b"",
        "damaged": server.kept.replace(b"\n5\n", b"\n4\n"),
        "no text": b"\xff",
        "another log": server.kept.replace(ORIGIN.encode(), b"another.example"),
        "beyond the head": server.kept,
        "strangers": server.kept,
    }
    server.kept = changed[what]
    server.log.size = 4 if what == "beyond the head" else 5
    server.begin(Policy() if what == "strangers" else None)
    assert server.witnessing.cosigned is None

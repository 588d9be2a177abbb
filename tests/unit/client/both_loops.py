"""A client over either loop, against a server that is a script: real sockets, and time that passes where the script lets it.

The far end runs in a thread of its own with a blocking socket: what it has sent lies in the client's socket before it lets time
pass, so neither waits for a clock.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.client.loop.poll import PollLoop
from sft.errors import ProtocolError
from sft.model.access import Role
from sft.wire.connection import Connection
from sft.wire.events import LoginRequested, MessageReceived, PeerClosed
from sft.wire.login import Welcome
from tests.loop import LOOP, Timed
from tests.unit.client.log_in_memory import LogInMemory
from tests.unit.client.memory_server import SERVER, SERVER_KEY

PATIENCE_SECONDS = 30


class FarEnd:
    """One accepted connection, as its script uses it."""

    def __init__(self, peer: Peer, handle: socket.socket) -> None:
        self.handle = handle
        self.peer = peer
        self.key = SERVER_KEY
        self.wire = Connection.server(SERVER_KEY)
        self.info = SERVER
        self.events: list[Any] = []

    def next(self, kind: type) -> Any:
        """Read until an event of this kind comes."""
        while True:
            for event in self.events:
                if isinstance(event, kind):
                    self.events.remove(event)
                    return event
            data = self.handle.recv(65_536)
            assert data, f"the client went away before {kind.__name__}"
            self.events += self.wire.receive(data)
            self._flush()

    def log_in(self, role: str = "maintainer") -> None:
        claim = self.next(LoginRequested).claim
        self._flush()
        log = LogInMemory(SERVER_KEY)
        log.user(7, claim.user_name, claim.public_key, role=Role(role))
        log.key = self.key
        welcome = Welcome(
            7, claim.user_name, role, self.info,
            head=log.note(), consistency=tuple(map(log.consistency, claim.log_sizes)), evidence=log.evidence_of_user(7),
        )  # fmt: skip
        self.handle.sendall(self.wire.welcome(welcome))

    def asked(self) -> Any:
        """Read the next request."""
        return self.next(MessageReceived).message

    def send(self, message: Any) -> None:
        self.handle.sendall(self.wire.send(message))

    def let_pass(self, seconds: float) -> None:
        """Let so much time pass for the client, when it has taken what was sent."""
        self.peer.grant(seconds)

    def reset(self) -> None:
        """Cut the connection."""
        self.handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handle.close()

    def farewell(self) -> bool:
        """Read to the end; return whether the client closed as one that leaves does."""
        try:
            while data := self.handle.recv(65_536):
                self.events += self.wire.receive(data)
        except (ConnectionError, ProtocolError):
            return False
        return any(isinstance(event, PeerClosed) for event in self.events)

    def _flush(self) -> None:
        if not self.wire.dead:
            self.handle.sendall(self.wire.data_to_send())


class Peer:
    """A listening server whose connections meet these scripts, one after another; what a script returns is kept."""

    def __init__(self, *scripts: Callable[[FarEnd], Any]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.results: list[Any] = []
        self.clock = PassingClock()
        self._scripts = scripts
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def met(self) -> int:
        return len(self.results)

    def grant(self, seconds: float) -> None:
        self.clock.grant(seconds)

    def end(self) -> None:
        """Wait for the scripts; the rest of them meets nobody."""
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        self.listener.close()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                handle, _ = self.listener.accept()
            except OSError:
                return
            handle.settimeout(PATIENCE_SECONDS)
            with handle:
                try:
                    self.results.append(script(FarEnd(self, handle)))
                except Exception as fault:  # noqa: BLE001 - the test looks at it
                    self.results.append(fault)


class PassingClock:
    """Seconds that pass only so far as they are granted."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.left = 0.0
        self.told: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def seconds(self) -> float:
        return self.now

    def grant(self, seconds: float) -> None:
        with self._lock:
            self.left += seconds
        for tell in self.told:
            tell()

    def take(self, seconds: float) -> float:
        """Let at most so much of what is granted pass."""
        with self._lock:
            passed = min(seconds, self.left)
            self.left -= passed
            self.now += passed
            return passed


class PassingPoller:
    """``select.poll`` that lets granted time pass where it would wait."""

    def __init__(self, clock: PassingClock) -> None:
        self._poll = select.poll()
        self.register, self.unregister = self._poll.register, self._poll.unregister
        self._clock = clock
        reading, self._granted = socket.socketpair()
        self._reading = reading
        self.register(reading, select.POLLIN)
        clock.told.append(lambda: self._granted.send(b"\0"))

    def poll(self, milliseconds: float | None) -> list[tuple[int, int]]:
        ready = self._ready(0)
        if ready or milliseconds == 0:
            return ready
        if milliseconds is not None and self._clock.left:
            # What was sent before it was granted comes first.
            ready = self._ready(0)
            if not ready:
                self._clock.take(milliseconds / 1000)
            return ready
        ready = self._ready(PATIENCE_SECONDS * 1000)
        assert ready or self._clock.left, "it waits for ever"
        return ready

    def close(self) -> None:
        self._reading.close()
        self._granted.close()

    def _ready(self, milliseconds: float) -> list[tuple[int, int]]:
        ready = []
        for descriptor, events in self._poll.poll(milliseconds):
            if descriptor == self._reading.fileno():
                self._reading.recv(4096)
            else:
                ready.append((descriptor, events))
        return ready


Run = Callable[[Callable[[Any], Coroutine[Any, Any, Any]], PassingClock], Any]
"""Runs a coroutine function, which is given its reactor, by a clock."""


def run_on_poll(act: Callable[[Any], Coroutine[Any, Any, Any]], clock: PassingClock) -> Any:
    poller = PassingPoller(clock)
    try:
        with PollLoop(clock.seconds, poller) as loop:
            return loop.run(act(loop))
    finally:
        poller.close()


def run_on_twisted(act: Callable[[Any], Coroutine[Any, Any, Any]], clock: PassingClock) -> Any:
    reactor = Timed()
    reactor.clock.rightNow = clock.now
    ended: list[Any] = []
    something = asyncio.Event()
    clock.told.append(lambda: LOOP.call_soon_threadsafe(something.set))

    def call_later(seconds: float, call: Any, *args: Any) -> Any:
        something.set()
        return reactor.clock.callLater(seconds, call, *args)

    reactor.callLater = call_later

    def end(outcome: Any) -> None:
        ended.append(outcome)
        something.set()

    async def drive() -> None:
        Deferred.fromCoroutine(act(reactor)).addBoth(end)
        while not ended:
            if not clock.left:
                await something.wait()
            something.clear()
            while clock.left and not ended:
                for _ in range(5):  # what was sent before it was granted comes first
                    await asyncio.sleep(0)
                if ended:
                    break
                due = min((call.getTime() for call in reactor.clock.getDelayedCalls()), default=None)
                if due is None:
                    await something.wait()
                    break
                reactor.clock.advance(clock.take(max(0.0, due - reactor.clock.seconds())))

    LOOP.run_until_complete(asyncio.wait_for(drive(), PATIENCE_SECONDS))
    if isinstance(ended[0], Failure):
        ended[0].raiseException()
    return ended[0]


LOOPS: dict[str, Run] = {"twisted": run_on_twisted, "poll": run_on_poll}

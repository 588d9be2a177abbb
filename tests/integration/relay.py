"""A relay between client and server that records, and at a chosen byte changes, drops, repeats, swaps or cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol

UP, DOWN = "client to server", "server to client"
# A damage that leaves one side waiting for bytes ends here, not at a deadline of minutes.
STILL_SECONDS = 0.15

Damage = Callable[[bytes, int], bytes]


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def drop(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + 1 :]


def repeat(data: bytes, at: int) -> bytes:
    return data[: at + 1] + data[at:]


def swap(data: bytes, at: int) -> bytes:
    """Put the byte at a place behind the nearest one that differs from it."""
    for other in [*range(at + 1, len(data)), *range(at - 1, -1, -1)]:
        if data[other] != data[at]:
            changed = bytearray(data)
            changed[at], changed[other] = changed[other], changed[at]
            return bytes(changed)
    return flip(data, at)


class _End(Protocol):
    def __init__(self, pair: _Pair, way: str) -> None:
        self.pair = pair
        self.way = way

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        self.pair.passed(self.way, data)

    def connectionLost(self, reason: Any = None) -> None:
        self.pair.hang_up(self)


class _Pair:
    """One connection through the relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.client = _End(self, UP)
        self.server = _End(self, DOWN)
        self.early: list[bytes] = []
        self.still: Any = None
        self.stranded = False

    def passed(self, way: str, data: bytes) -> None:
        relay = self.relay
        relay.seen[way] += data
        if relay.keeps(self, way, data):
            return
        self.pass_on(way, data)

    def pass_on(self, way: str, data: bytes) -> None:
        relay = self.relay
        data, cut = relay.damaged(way, data)
        other = self.server if way is UP else self.client
        if other.transport is None:
            self.early.append(data)
        else:
            other.transport.write(data)
        if cut:
            self.end()
        elif relay.done:
            self._watch()

    def _watch(self) -> None:
        if self.still is not None and self.still.active():
            self.still.cancel()
        self.still = self.relay.reactor.callLater(STILL_SECONDS, self.end)

    def end(self) -> None:
        for side in (self.client, self.server):
            if side.transport is not None:
                side.transport.loseConnection()

    def hang_up(self, side: _End) -> None:
        if self.still is not None and self.still.active():
            self.still.cancel()
        other = self.server if side is self.client else self.client
        if other.transport is not None:
            other.transport.loseConnection()


class Relay(Factory):
    """Listens beside a server; ``port`` is where clients go."""

    noisy = False

    def __init__(self, reactor: Any, server_port: int) -> None:
        self.reactor = reactor
        self.seen = {UP: bytearray(), DOWN: bytearray()}
        self.connections = 0
        self.done = False
        self.port = 0
        self._server_port = server_port
        self._listening: Any = None
        self.frozen = False
        self._pairs: list[_Pair] = []
        self._freezes: tuple[str | None, int] | None = None
        self._kept: list[tuple[_Pair, str, bytes]] = []
        self._each: tuple[str, Damage | None, int] | None = None
        self._armed: tuple[str, Damage | None, int] | None = None

    async def start(self, port: int = 0) -> Relay:
        endpoint = TCP4ServerEndpoint(self.reactor, port, interface="127.0.0.1")
        self._listening = await endpoint.listen(self)
        self.port = self._listening.getHost().port
        return self

    async def stop(self) -> None:
        """Let nobody in any more."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.stopListening()

    def freeze(self, way: str | None = None, *, after: int = 0) -> None:
        """Keep what comes, in one way or in both, once so many more bytes have come that way: as a server that hangs."""
        self._freezes = (way, after)
        self.frozen = after == 0

    def thaw(self) -> None:
        """Pass on what was kept, and everything again."""
        self._freezes, self.frozen = None, False
        kept, self._kept = self._kept, []
        for pair, way, data in kept:
            pair.pass_on(way, data)

    def drop(self) -> None:
        """Let what was kept be lost, with its connections; those that come find the way free."""
        self._freezes, self.frozen = None, False
        kept, self._kept = self._kept, []
        for pair, _, _ in kept:
            pair.end()

    def strand(self) -> None:
        """Let the connections that are there hang for good; those that come find the way free."""
        self._freezes, self.frozen = None, False
        self._kept.clear()
        for pair in self._pairs:
            pair.stranded = True

    def cut(self) -> None:
        """Break every connection that is there."""
        for pair in self._pairs:
            pair.end()

    def keeps(self, pair: _Pair, way: str, data: bytes) -> bool:
        """Keep data if the relay is frozen."""
        if pair.stranded:
            return True
        if self._freezes is None or self._freezes[0] not in {None, way}:
            return False
        if not self.frozen:
            self._freezes = (way, self._freezes[1] - len(data))
            self.frozen = self._freezes[1] <= 0
            return False
        self._kept.append((pair, way, data))
        return True

    def arm(self, way: str, damage: Damage | None, after: int) -> None:
        """Do a damage once, so many bytes from now; None cuts the connection there."""
        self._armed = (way, damage, after)
        self.done = False

    def arm_each(self, way: str, damage: Damage | None, after: int) -> None:
        """Do a damage to every connection that is made from now on: a client tries again."""
        self._each = (way, damage, after)
        self.done = False

    def disarm(self) -> bool:
        """Damage nothing more, and watch no connection for what comes after a damage; gives whether one was done."""
        self._each = self._armed = None
        done, self.done = self.done, False
        return done

    def damaged(self, way: str, data: bytes) -> tuple[bytes, bool]:
        if self._armed is None or self._armed[0] is not way:
            return data, False
        _, damage, after = self._armed
        if after >= len(data):
            self._armed = (way, damage, after - len(data))
            return data, False
        self._armed, self.done = None, True
        return (data[:after], True) if damage is None else (damage(data, after), False)

    def buildProtocol(self, addr: Any) -> Protocol:
        self.connections += 1
        if self._each is not None:
            self._armed = self._each
        pair = _Pair(self)
        self._pairs.append(pair)
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self._server_port)

        def connected(_: Any) -> None:
            for data in pair.early:
                pair.server.transport.write(data)

        connectProtocol(endpoint, pair.server).addCallbacks(connected, lambda _: pair.end())
        return pair.client

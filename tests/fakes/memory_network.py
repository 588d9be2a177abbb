"""A network in memory, and what of a reactor is needed to use it: real protocols at both ends, no socket and no thread.

Rules. Everything happens in turns of the running event loop, in the order in which it was asked for, and by its clock. Hosts
are names; who listens is asked when somebody connects. ``cut`` breaks what stands and lets nobody connect.
"""

from __future__ import annotations

import asyncio

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, execute
from twisted.internet.error import AlreadyCalled, AlreadyCancelled, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IHostnameResolver, IReactorPluggableNameResolver, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

_BUFFER_BYTES = 256 * 1024  # of one direction; a producer of more has to wait

_WORK_SECONDS = 0.001  # whoever asked has come to its end by then, as with a thread


class InlinePool:
    """A pool without threads: what blocks is done on the loop, a moment later."""

    crypto_in_pool = False
    threads = 1

    def __init__(self, reactor: LoopReactor) -> None:
        self._reactor = reactor
        self.busy = 0

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""

    deferred = staticmethod(Deferred)

    def run(self, function, *args, **kwargs) -> Deferred:
        """Call a function a moment later."""
        done: Deferred = Deferred()
        self.busy += 1

        def work() -> None:
            execute(function, *args, **kwargs).addBoth(self._returned).chainDeferred(done)

        self._reactor.callLater(_WORK_SECONDS, work)
        return done

    compute = run

    def _returned(self, outcome):
        self.busy -= 1
        return outcome


@implementer(IDelayedCall)
class _DelayedCall:
    def __init__(self, loop, seconds, call) -> None:
        self._loop = loop
        self._call = call
        self._called = False
        self._handle = loop.call_later(seconds, self._run)

    def _run(self) -> None:
        self._called = True
        self._call()

    def getTime(self) -> float:
        return self._handle.when()

    def active(self) -> bool:
        return not self._called and not self._handle.cancelled()

    def cancel(self) -> None:
        if self._called:
            raise AlreadyCalled
        if self._handle.cancelled():
            raise AlreadyCancelled
        self._handle.cancel()

    def reset(self, seconds: float) -> None:
        self.cancel()
        self._handle = self._loop.call_later(seconds, self._run)

    def delay(self, seconds: float) -> None:
        self.reset(self._handle.when() + seconds - self._loop.time())


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class LoopReactor:
    """The reactor of a program that runs on the event loop and connects to a network in memory."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._loop = asyncio.get_running_loop()
        self.nameResolver = self

    def seconds(self) -> float:
        return self._loop.time()

    def callLater(self, seconds, function, *args, **kwargs) -> _DelayedCall:
        return _DelayedCall(self._loop, seconds, lambda: function(*args, **kwargs))

    def callFromThread(self, function, *args) -> None:
        self._loop.call_soon(function, *args)

    def resolveHostName(
        self,
        receiver,
        hostName,  # noqa: N803 - Twisted's form
        portNumber=0,  # noqa: N803
        addressTypes=None,  # noqa: N803
        transportSemantics="TCP",  # noqa: N803
    ):
        receiver.resolutionBegan(None)
        if self._network.knows(hostName):
            receiver.addressResolved(IPv4Address("TCP", hostName, portNumber))
        receiver.resolutionComplete()
        return receiver

    def connectTCP(self, host, port, factory, timeout=30, bindAddress=None) -> None:  # noqa: N803
        factory.doStart()
        factory.startedConnecting(self)
        self._loop.call_soon(self._network.connect, host, port, factory)

    def stopConnecting(self) -> None:
        """There is no moment between: it connects in one turn."""


@implementer(ITransport)
class MemoryTransport:
    """One end of a connection."""

    def __init__(self, loop, host: IPv4Address, peer: IPv4Address) -> None:
        self._loop = loop
        self._host, self._peer_address = host, peer
        self.peer: MemoryTransport
        self.protocol = None
        self.connected = True
        self._buffer = bytearray()
        self._producer = None
        self._paused = False  # the producer was told to wait
        self._reading = True
        self._closing = False
        self._moving = False

    def getHost(self):
        return self._host

    def getPeer(self):
        return self._peer_address

    def write(self, data: bytes) -> None:
        if self.connected and data:
            self._buffer += data
            if len(self._buffer) > _BUFFER_BYTES and self._producer and not self._paused:
                self._paused = True
                self._producer.pauseProducing()
            self._move_soon()

    def writeSequence(self, pieces) -> None:
        self.write(b"".join(pieces))

    def registerProducer(self, producer, streaming) -> None:
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None
        self._move_soon()

    def pauseProducing(self) -> None:
        self._reading = False

    def resumeProducing(self) -> None:
        self._reading = True
        self.peer._move_soon()

    def loseConnection(self) -> None:
        self._closing = True
        self._move_soon()

    def abortConnection(self) -> None:
        self._buffer.clear()
        self._loop.call_soon(self.lose)

    def lose(self, reason: type[Exception] = ConnectionLost) -> None:
        """Break it, at both ends."""
        for end in (self, self.peer):
            if end.connected:
                end.connected = False
                end.protocol.connectionLost(Failure(reason()))

    def _move_soon(self) -> None:
        if not self._moving:
            self._moving = True
            self._loop.call_soon(self._move)

    def _move(self) -> None:
        """Give the peer what lies here, then let the producer go on, or close."""
        self._moving = False
        if not self.connected:
            return
        if self._buffer and self.peer._reading:
            data = bytes(self._buffer)
            self._buffer.clear()
            self.peer.protocol.dataReceived(data)
        if not self._buffer:
            if self._paused and self._producer:
                self._paused = False
                self._producer.resumeProducing()
            if self._closing and not self._producer and not self._buffer:
                self.lose(ConnectionDone)


class Network:
    """Who listens where, and what is connected.

    Args:
        client: the address that whoever connects seems to come from.
    """

    def __init__(self, client: IPv4Address) -> None:
        self._client = client
        self._listeners: dict[tuple[str, int], object] = {}
        self._ends: list[MemoryTransport] = []
        self.is_cut = False

    def listen(self, host: str, port: int, factory) -> None:
        self._listeners[host, port] = factory

    def unlisten(self, host: str, port: int) -> None:
        del self._listeners[host, port]

    def knows(self, host: str) -> bool:
        return any(host == known for known, _ in self._listeners) or host[:1].isdigit()

    def connect(self, host: str, port: int, factory) -> None:
        """Connect, or tell the factory that nobody listens there."""
        listener = None if self.is_cut else self._listeners.get((host, port))
        there = IPv4Address("TCP", host, port)
        server = None if listener is None else listener.buildProtocol(self._client)
        if server is None:
            factory.clientConnectionFailed(self, Failure(error.ConnectionRefusedError()))
            return
        loop = asyncio.get_running_loop()
        near, far = (MemoryTransport(loop, self._client, there), MemoryTransport(loop, there, self._client))
        near.peer, far.peer = far, near
        near.protocol, far.protocol = factory.buildProtocol(there), server
        self._ends = [end for end in self._ends if end.connected] + [near]
        server.makeConnection(far)
        near.protocol.makeConnection(near)

    def break_all(self) -> None:
        """Break every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            end.lose()

    def cut(self) -> None:
        """Break every connection, and let nobody connect until ``mend``."""
        self.is_cut = True
        self.break_all()

    def mend(self) -> None:
        """Let people connect again."""
        self.is_cut = False

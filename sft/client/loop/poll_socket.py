"""Connections of the small loop, in the form of Twisted's transports.

Rules. As RFC 8305 has it, the next address of a host is tried a moment after the one before, and the first that answers is
taken. A close leaves when all is sent; an abort leaves at once, and the peer is told by a reset.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

_NEXT_SECONDS: Final = 0.3  # Twisted's; RFC 8305 §5 recommends a quarter of a second
_LINGER: Final = struct.pack("ii", 1, 0)
# Windows has no poll, nor names for these: there this is loaded and never run.
_POLLS: Final = hasattr(select, "poll")
_READABLE: Final = select.POLLIN | select.POLLHUP | select.POLLERR if _POLLS else 0
_WRITABLE: Final = select.POLLOUT | select.POLLHUP | select.POLLERR if _POLLS else 0

_Address = tuple[int, Any]
"""Family, and the address in it."""


class Watcher(Protocol):
    """The loop, as far as its sockets know it."""

    def waiting(self) -> Any: ...

    def callLater(self, seconds: float, call: Callable[..., object], *args: Any) -> Any: ...

    def in_thread(self, work: Callable[[], Any]) -> Any: ...

    def watch(self, descriptor: int, events: int, ready: Callable[[int], object]) -> None: ...

    def unwatch(self, descriptor: int) -> None: ...


async def connect_tcp(loop: Watcher, protocol: Any, host: str, port: int, seconds: float) -> None:
    """Connect a protocol to a host, at the first of its addresses that answers; each is given so many seconds.

    Raises:
        OSError: none answers; gaierror if there is none.
    """
    handle = await _Race(loop, await _addresses(loop, host, port), seconds).winner()
    PollTransport(loop, handle, protocol).begin()


async def connect_unix(loop: Watcher, protocol: Any, path: str, seconds: float) -> None:
    """Connect a protocol to a socket of this computer."""
    handle = await _Race(loop, [(socket.AF_UNIX, path)], seconds).winner()
    PollTransport(loop, handle, protocol).begin()


async def _addresses(loop: Watcher, host: str, port: int) -> list[_Address]:
    def look_up(flags: int = 0) -> list[_Address]:
        # As bytes: for text, also for a plain one, Python loads the tables of IDNA.
        name = host.encode() if host.isascii() else host
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
        return [(family, address) for family, _, _, _, address in found]

    try:
        return look_up(socket.AI_NUMERICHOST)
    except socket.gaierror:
        found: list[_Address] = await loop.in_thread(look_up)
        return found
    except UnicodeError as fault:  # no name that a host can have
        raise socket.gaierror(socket.EAI_NONAME, str(fault)) from fault


class _Race:
    """Tries to connect to several addresses of one host."""

    def __init__(self, loop: Watcher, addresses: list[_Address], seconds: float) -> None:
        self._loop = loop
        self._left = deque(addresses)
        self._seconds = seconds
        self._tried: dict[socket.socket, Any] = {}  # with the timer that ends the attempt
        self._next: Any = None
        self._won = loop.waiting()

    async def winner(self) -> socket.socket:
        """Return the first connected socket; OSError, the last one's, if there is none."""
        self._begin()
        try:
            connected: socket.socket = await self._won
        finally:
            self._cancel_next()
            for handle in list(self._tried):
                self._take(handle)
                handle.close()
        return connected

    def _begin(self) -> None:
        self._cancel_next()
        family, address = self._left.popleft()
        if self._left:
            self._next = self._loop.callLater(_NEXT_SECONDS, self._begin)
        try:
            handle = socket.socket(family, socket.SOCK_STREAM)
            handle.setblocking(False)
        except OSError as fault:
            self._failed(fault)
            return
        number = handle.connect_ex(address)
        if number not in {0, errno.EINPROGRESS}:
            handle.close()
            self._failed(OSError(number, os.strerror(number)))
            return
        late = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self._tried[handle] = self._loop.callLater(self._seconds, self._ended, handle, late)
        self._loop.watch(handle.fileno(), select.POLLOUT, lambda _events: self._ready(handle))

    def _ready(self, handle: socket.socket) -> None:
        number = handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._ended(handle, OSError(number, os.strerror(number)))
        elif not self._won.called:
            self._take(handle)
            self._won.callback(handle)

    def _ended(self, handle: socket.socket, fault: OSError) -> None:
        self._take(handle)
        handle.close()
        self._failed(fault)

    def _failed(self, fault: OSError) -> None:
        if self._left:
            self._begin()
        elif not self._tried and not self._won.called:
            self._won.errback(fault)

    def _take(self, handle: socket.socket) -> None:
        self._tried.pop(handle).cancel()
        self._loop.unwatch(handle.fileno())

    def _cancel_next(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None


class PollTransport:
    """A connected socket, and the protocol that it feeds."""

    def __init__(self, loop: Watcher, handle: socket.socket, protocol: Any) -> None:
        self.bufferSize = 65_536
        self._loop = loop
        self._handle = handle
        self._descriptor = handle.fileno()
        self._protocol = protocol
        self._unsent = bytearray()
        self._producer: Any = None
        self._paused = False
        self._pulls = False  # the producer is told whenever nothing is left, and never to pause
        self._reading = True
        self._closing = False
        self._over = False

    def begin(self) -> None:
        self._protocol.makeConnection(self)
        self._watch()

    def getHandle(self) -> socket.socket:
        return self._handle

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: FBT001 - Twisted's form
        if self._handle.family != socket.AF_UNIX:
            self._handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: FBT001 - Twisted's form
        self._producer = producer
        self._pulls = not streaming

    def unregisterProducer(self) -> None:
        self._producer = None

    def write(self, data: bytes) -> None:
        """Send, now if the system takes it; more than ``bufferSize`` unsent pauses a producer that does not pull."""
        if self._over or self._closing:
            return
        self._unsent += data
        self._send()
        if self._producer is not None:
            if self._pulls and not (self._unsent or self._closing):
                self._producer.resumeProducing()
            elif len(self._unsent) > self.bufferSize and not (self._pulls or self._paused):
                self._paused = True
                self._producer.pauseProducing()
        self._watch()

    def pauseProducing(self) -> None:
        """Read nothing."""
        self._reading = False
        self._watch()

    def resumeProducing(self) -> None:
        """Read again."""
        self._reading = not self._closing
        self._watch()

    def loseConnection(self) -> None:
        """Close when all is sent; nothing is read any more."""
        if self._over or self._closing:
            return
        self._closing, self._reading = True, False
        if not self._unsent:
            self._loop.callLater(0, self._lost)
        self._watch()

    def abortConnection(self) -> None:
        """Reset, now."""
        if self._over:
            return
        self._handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._end()
        self._loop.callLater(0, self._protocol.connectionLost)

    # -- inside ---------------------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._over:
            return
        events = (select.POLLIN if self._reading else 0) | (select.POLLOUT if self._unsent else 0)
        if events:
            self._loop.watch(self._descriptor, events, self._ready)
        else:  # poll tells of an end even where nobody asks
            self._loop.unwatch(self._descriptor)

    def _ready(self, events: int) -> None:
        if self._unsent and events & _WRITABLE:
            self._send()
            self._all_sent()
        if self._reading and not self._over and events & _READABLE:
            self._read()
        self._watch()

    def _read(self) -> None:
        try:
            data = self._handle.recv(self.bufferSize)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._protocol.dataReceived(data)
        else:
            self._lost()

    def _send(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._handle.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:  # the peer is gone; not from within whoever writes, who has nothing more to write
            self._closing = True
            self._unsent.clear()
            self._loop.callLater(0, self._lost)

    def _all_sent(self) -> None:
        if self._unsent or self._over:
            return
        if self._closing:
            self._loop.callLater(0, self._lost)
        elif self._paused or self._pulls:
            self._paused = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def _lost(self) -> None:
        if not self._over:
            self._end()
            self._protocol.connectionLost()

    def _end(self) -> None:
        self._over = True
        self._unsent.clear()
        self._loop.unwatch(self._descriptor)
        self._handle.close()

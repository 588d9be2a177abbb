"""A connection's side towards its transport, alike at both ends: bytes in and out of the wire's Connection, and its deadlines.

Rules. Nothing here decides anything about users or files: events go to the owner. After a fatal
error nothing is delivered and the transport is aborted. Every deadline runs on the reactor's clock,
which is monotonic. It is what Twisted calls a protocol, and loads nothing of Twisted: a command
would wait for those imports longer than for its server.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol

from sft.errors import ProtocolError, RemoteProtocolError, SftError, StreamTruncatedError
from sft.limits import (
    IDLE_SECONDS,
    LOGIN_SECONDS,
    REKEY_SECONDS,
    SESSION_BUFFER_BYTES,
    SESSION_SECONDS,
    SLOW_FRAME_BYTES,
    SLOW_FRAME_SECONDS,
)
from sft.transport.outbox import Outbox
from sft.wire.connection import DATA_FRAME_BYTES, Connection
from sft.wire.events import Event, PeerClosed
from sft.wire.messages import Message

try:
    import fcntl
    import termios
except ModuleNotFoundError:  # Windows, which does not tell either
    fcntl = None  # type: ignore[assignment]

# A quarter of a megabyte. A frame at a time costs 5 % more of the processor on a put: more turns of the reactor, smaller
# batches, and memory that the allocator returns to the system and asks for again.
READ_BYTES = 262_144
# How long an authenticated close may take to leave before the transport is aborted.
CLOSE_SECONDS = 5
# A minute of silence, then a question every ten seconds: a peer that is gone is noticed within two minutes. macOS calls the
# first of them TCP_KEEPALIVE.
INTERNET = (socket.AF_INET, socket.AF_INET6)
KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))


class Owner(Protocol):
    """Whoever owns this end of a connection."""

    def connected(self) -> None: ...

    def received(self, event: Event) -> None:
        """Take one event, in order."""

    def ended(self, reason: SftError | None) -> None:
        """Note the end, once; None where the peer closed with the authenticated close or we did."""

    def busy(self) -> bool:
        """Return whether a request waits for its answer: the idle deadline then waits. Transfers count by their data."""


class WireProtocol:
    """One connection.

    Args:
        reactor: its clock and timers, as Twisted's IReactorTime.
    """

    outbox: Outbox
    transport: Any = None  # as Twisted's ITCPTransport

    def __init__(self, reactor: Any, connection: Connection, owner: Owner) -> None:
        self._reactor = reactor
        self.connection = connection
        self._owner = owner
        self._dead = False
        self._closing = False
        self._ended = False
        self._timers: dict[str, Any] = {}
        self._held_for: set[str] = set()
        self.received_bytes = 0
        self.failure: SftError | None = None
        self.late = False
        self.on_unsent: Callable[[], None] = lambda: None  # called when more or less is unread by the peer
        self.session_ends = True  # not at the operator's socket, where a check may take days
        self._last_used = 0.0
        self._data_frames = 0
        self._rekey_allowed_at = 0.0
        self._frame_bytes_before = 0

    # -- the transport calls these --------------------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """Begin, with the transport that was connected."""
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        transport = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
            _keep_alive(transport)
        direct = _socket(transport)
        if direct is not None:
            transport.bufferSize = READ_BYTES
        self.outbox = Outbox(self.connection, transport, self._unsent_changed, direct=direct)
        transport.registerProducer(self.outbox, direct is None)
        self._rekey_allowed_at = self._reactor.seconds()
        self._set_timer("login", LOGIN_SECONDS, self._login_late)
        self._owner.connected()
        self.outbox.write(self.connection.data_to_send())

    def dataReceived(self, data: bytes) -> None:
        if self._dead:
            return
        now = self._reactor.seconds()
        self.received_bytes += len(data)
        if now - self._rekey_allowed_at >= 1:
            self._rekey_allowed_at = now
            self.connection.allow_rekey()
        self._note_use()
        try:
            events = self.connection.receive(data)
            self.outbox.write(self.connection.data_to_send())
            if not self.connection.may_speak:
                # The server's close may lie in one segment with what came before it: nothing of that is answered any more.
                self._closing = True
                self.outbox.stopProducing()
            for event in events:
                if not self._deliver(event):
                    return
            self._note_use()
        except ProtocolError as error:
            self.fail(error)
            return
        self._watch_frame()

    def connectionLost(self, reason: object = None) -> None:  # noqa: ARG002 - Twisted's form; ours is the better reason
        """Tell the owner, once, how it ended."""
        self._dead = True
        self.outbox.stopProducing()  # whoever is told of the end may give room or credit to others
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        error: SftError | None = None
        if not self._closing:
            try:
                self.connection.receive_eof()
            except ProtocolError as truncated:
                error = truncated
        self._tell_end(error)

    # -- the owner calls these -------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Send a control message; nothing after the end."""
        if not self._dead and not self._closing:
            self._note_use()
            self.outbox.send(message)

    def logged_in(self) -> None:
        """Replace the login deadline by those of a session."""
        self._stop_timer("login")
        self._last_used = self._reactor.seconds()
        self._set_timer("idle", IDLE_SECONDS, self._idle_check)
        self._set_timer("rekey", REKEY_SECONDS, self._rekey)
        if self.session_ends:
            self._set_timer("session", SESSION_SECONDS, self.close)

    def close(self) -> None:
        if self._dead or self._closing:
            return
        if self.connection.established:
            self.outbox.write(self.connection.close())
        self._hang_up()

    def hang_up_after(self, sealed: bytes) -> None:
        """Write last bytes that the connection sealed (a refusal), then end."""
        if not self._dead and not self._closing:
            self.outbox.write(sealed)
            self._hang_up()

    @property
    def unsent_bytes(self) -> int:
        """How much the peer has left unread: nothing is said of a frame or less, which leave in the reactor's next turn."""
        waiting = self.outbox.waiting_bytes
        return waiting if waiting >= DATA_FRAME_BYTES else 0

    def unconfirmed_bytes(self) -> int:
        """Ask our system how much of what it took from us the peer's has not confirmed; 0 where it does not tell."""
        handle = _internet_socket(self.transport)
        if handle is None or fcntl is None:
            return 0
        try:
            told = fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4))
        except OSError:
            return 0
        return int.from_bytes(told, sys.byteorder)

    def fail(self, error: SftError) -> None:
        """End at once; nothing more is delivered or sent."""
        if self._dead:
            return
        self._dead = True
        self.failure = error
        self.outbox.stopProducing()
        self.transport.abortConnection()
        self._tell_end(error)

    def pause_reading(self, reason: str) -> None:
        """Read nothing more from the peer until every reason is withdrawn: its own TCP then slows it down (backpressure)."""
        if not self._held_for and not self._dead:
            self.transport.pauseProducing()
        self._held_for.add(reason)

    def resume_reading(self, reason: str) -> None:
        """Withdraw a reason to pause."""
        if reason in self._held_for:
            self._held_for.discard(reason)
            if not self._held_for and not self._dead:
                if "frame" in self._timers:
                    self._stop_timer("frame")
                    self._watch_frame()
                self.transport.resumeProducing()

    @property
    def alive(self) -> bool:
        return not self._dead and not self._closing

    # -- inside ------------------------------------------------------------------------------------------

    def _deliver(self, event: Event) -> bool:
        """Pass an event to the owner; False if nothing more is to be delivered."""
        if isinstance(event, PeerClosed):
            self._closing = True
            self._hang_up()
            self._tell_end(None)
        else:
            self._owner.received(event)
        return not self._dead

    def _hang_up(self) -> None:
        self._closing = True
        for name in list(self._timers):
            self._stop_timer(name)
        transport = self.transport
        # loseConnection never closes while a producer is registered.
        transport.unregisterProducer()
        self.outbox.stopProducing()
        transport.loseConnection()
        self._set_timer("close", CLOSE_SECONDS, transport.abortConnection)

    def _tell_end(self, error: SftError | None) -> None:
        if not self._ended:
            self._ended = True
            self._owner.ended(error)

    def _unsent_changed(self) -> None:
        if self.outbox.waiting_bytes > SESSION_BUFFER_BYTES:
            self.pause_reading("congestion")
        else:
            self.resume_reading("congestion")
        self.on_unsent()

    def _set_timer(self, name: str, seconds: float, call: Any) -> None:
        self._stop_timer(name)
        self._timers[name] = self._reactor.callLater(seconds, call)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()

    def _login_late(self) -> None:
        self.late = True
        self.fail(RemoteProtocolError("no login within the deadline"))

    def _idle_check(self) -> None:
        data_frames = self.connection.data_frames
        if data_frames != self._data_frames:  # an open transfer is in use while it goes on
            self._data_frames = data_frames
            self._last_used = self._reactor.seconds()
        silent = self._reactor.seconds() - self._last_used
        if silent >= IDLE_SECONDS and not self._owner.busy():
            self.close()
            return
        left = IDLE_SECONDS - silent if silent < IDLE_SECONDS else IDLE_SECONDS
        self._set_timer("idle", left, self._idle_check)

    def _note_use(self) -> None:
        """Begin the idle time anew while something is in flight: neither a rekey nor a credit of what is over is."""
        if self._owner.busy():
            self._last_used = self._reactor.seconds()

    def _rekey(self) -> None:
        if not self.alive:  # the day is over with the hour: the close has left, nothing follows it
            return
        self.outbox.write(self.connection.rekey())
        self._set_timer("rekey", REKEY_SECONDS, self._rekey)

    def _watch_frame(self) -> None:
        """Hold a peer that is within a frame to the slowest rate; before login the login deadline does."""
        if not self.connection.in_frame:
            self._stop_timer("frame")
        elif "frame" not in self._timers:
            self._frame_bytes_before = self.connection.bytes_received
            self._set_timer("frame", SLOW_FRAME_SECONDS, self._frame_check)

    def _frame_check(self) -> None:
        self._timers.pop("frame", None)
        if not self.connection.in_frame:
            return
        if self._held_for:  # we do not read: the peer cannot be told to be slow
            self._watch_frame()
        elif self.connection.bytes_received - self._frame_bytes_before < SLOW_FRAME_BYTES:
            self.fail(StreamTruncatedError("slower than the slowest rate within a frame"))
        else:
            self._watch_frame()


def _socket(transport: Any) -> socket.socket | None:
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    return handle if isinstance(handle, socket.socket) else None


def _internet_socket(transport: Any) -> socket.socket | None:
    handle = _socket(transport)
    return handle if handle is not None and handle.family in INTERNET else None


def _keep_alive(transport: Any) -> None:
    """Turn TCP keep-alive on: a peer that lost its power says nothing by itself."""
    handle = _internet_socket(transport)
    if handle is None:
        return  # the control socket: its peer cannot vanish without the kernel knowing
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEP_ALIVE:
        if hasattr(socket, option):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

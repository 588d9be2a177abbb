"""What a connection sends, in order of urgency: a connection's only producer.

Control messages leave at once. Data leave by turns, a chunk from each transfer that has one ready, as long as the system takes
them: so a listing stays quick beside a full-speed transfer, and no peer that reads slowly makes memory grow. A chunk goes from
here into the socket; what the socket does not take waits in the transport, and no data follow until that has left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import Any, Protocol

from sft.transport.rate import RateLimit
from sft.wire.connection import DATA_FRAME_BYTES, Connection
from sft.wire.messages import Message


class FrameSource(Protocol):
    """A transfer that has chunks to send."""

    def next_chunk(self) -> tuple[int, bytes, bool] | None:
        """Return request id, chunk and whether it is the last; None while nothing is ready or allowed."""

    def sent(self, *, last: bool) -> None: ...


class Outbox:
    """Seals and writes, as a producer of Twisted's.

    Args:
        changed: called when more or less is unread by the peer than before.
        direct: the transport's socket: a chunk that it takes needs neither joining nor a turn of the reactor. The transport
            then resumes whenever it has nothing left.
            None where it is no socket (TLS, tests): all goes through it, and it pauses and resumes.

    Attributes:
        waiting_bytes: that the transport holds, at most; without ``direct`` 0 until it is full.
        sent_bytes: that were given to the transport or the system.
        rate: how fast data may leave; None for as fast as can be.
    """

    def __init__(
        self, connection: Connection, transport: Any, changed: Callable[[], None], *, direct: socket | None = None
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._direct = direct
        self._sources: deque[FrameSource] = deque()
        self._changed = changed
        self._stopped = False
        self.waiting_bytes = 0
        self.sent_bytes = 0
        self.rate: RateLimit | None = None
        self._waits_for_rate = False
        self._has_turn = False

    def send(self, message: Message) -> None:
        """Send a control message now, ahead of all data."""
        if not self._stopped:
            self._write(self._connection.send(message))

    def write(self, sealed: bytes) -> None:
        """Write what the connection has sealed already."""
        if sealed and not self._stopped:
            self._write(sealed)

    def attach(self, source: FrameSource) -> None:
        self._sources.append(source)

    def detach(self, source: FrameSource) -> None:
        """Take a transfer out of the turns; idempotent."""
        if source in self._sources:
            self._sources.remove(source)

    def wake(self) -> None:
        """Send what is ready while nothing waits in the transport: one chunk a turn."""
        idle = 0
        while not self.waiting_bytes and not self._stopped and idle < len(self._sources) and self._may_leave():
            source = self._sources[0]
            self._sources.rotate(-1)
            chunk = source.next_chunk()
            if chunk is None:
                idle += 1
                continue
            idle = 0
            self._write_data(self._connection.send_data(*chunk))
            if self.rate is not None:
                self.rate.spend(len(chunk[1]))
                self._has_turn = False
            source.sent(last=chunk[2])

    def _may_leave(self) -> bool:
        """Return whether the rate allows data now; else be woken when it does."""
        if self.rate is None or self._has_turn or self.rate.ready:
            return True
        if not self._waits_for_rate:
            self._waits_for_rate = True
            self.rate.when_ready(self._rate_allows)
        return False

    def _rate_allows(self) -> None:
        self._waits_for_rate = False
        self._has_turn = True  # whoever else waits is behind us
        self.wake()
        self._has_turn = False

    def pauseProducing(self) -> None:
        """Send no data: the transport's buffer is full."""
        self.waiting_bytes += DATA_FRAME_BYTES
        self._changed()

    def resumeProducing(self) -> None:
        """Go on: the transport holds nothing."""
        if self.waiting_bytes:
            self.waiting_bytes = 0
            self._changed()
        self.wake()

    def stopProducing(self) -> None:
        """Send nothing more: the connection is gone."""
        self._stopped = True
        self._sources.clear()

    def _write(self, sealed: bytes) -> None:
        self.sent_bytes += len(sealed)
        if self._direct is not None or self.waiting_bytes:
            self.waiting_bytes += len(sealed)
        self._transport.write(sealed)
        if self.waiting_bytes >= DATA_FRAME_BYTES:
            self._changed()

    def _write_data(self, sealed: bytes) -> None:
        """Write a frame while nothing waits."""
        taken = 0
        if self._direct is not None:
            with suppress(OSError):  # full, or broken: then the transport meets it too, and says so
                taken = self._direct.send(sealed)
            self.sent_bytes += taken
        if taken < len(sealed):
            self._write(sealed[taken:])

"""Whether a server still says something while it is asked, and sends what is under way at a rate that is of any use.

Rules. Only while something is asked is anything expected, and what is late ends the connection: nobody waits for ever.
What the peer's system confirms of what we send is heard of it too, where ours tells: a slow line is no silence. TCP's own
keep-alive notices a host that is gone; this notices one that is there, or a box between, and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from sft.errors import ConnectionLostError
from sft.limits import SLOW_FRAME_BYTES, SLOW_FRAME_SECONDS
from sft.transport.protocol import WireProtocol

LOOK_SECONDS: Final = 2.0
FOR_EVER: Final = float("inf")  # of a job of the operator, which may take hours and says nothing meanwhile


class Awaited(Protocol):
    """Something that was asked for."""

    @property
    def patience_seconds(self) -> float:
        """How long its server may say nothing."""

    @property
    def owed(self) -> bool:
        """Whether the server may send more of it, and has more."""


class PeerWatch:
    """Watches one connection.

    Args:
        awaited: everything that is asked for and has not come whole.
    """

    def __init__(self, reactor: Any, protocol: WireProtocol, awaited: Callable[[], Iterable[Awaited]]) -> None:
        self._reactor = reactor
        self._protocol = protocol
        self._awaited = awaited
        self._timer: Any = None
        self._heard_at = 0.0
        self._received = 0
        self._unconfirmed = 0
        self._owed_since: tuple[float, int] | None = None

    @property
    def quiet_seconds(self) -> float:
        """How long nothing has been heard of what is asked; 0 where nothing is."""
        return 0.0 if self._timer is None else float(self._reactor.seconds()) - self._heard_at

    def begin(self) -> None:
        """Note that something was asked."""
        if self._timer is None:
            self._heard_at = self._reactor.seconds()
            self._received = self._protocol.connection.bytes_received
            self._unconfirmed = self._protocol.unconfirmed_bytes()
            self._owed_since = None
            self._timer = self._reactor.callLater(LOOK_SECONDS, self._look)

    def end(self) -> None:
        """Expect nothing more."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _look(self) -> None:
        awaited = list(self._awaited())
        if not awaited:
            self._timer = None
            return
        now = self._reactor.seconds()
        received, unconfirmed = self._protocol.connection.bytes_received, self._protocol.unconfirmed_bytes()
        if received > self._received or unconfirmed < self._unconfirmed:
            self._heard_at = now
        self._received, self._unconfirmed = received, unconfirmed
        self._timer = self._reactor.callLater(LOOK_SECONDS, self._look)
        if now - self._heard_at >= max(each.patience_seconds for each in awaited):
            self._protocol.fail(ConnectionLostError(f"nothing was heard for {round(now - self._heard_at)} s"))
        elif not any(each.owed for each in awaited):
            self._owed_since = None
        elif self._owed_since is None:
            self._owed_since = now, received
        elif now - self._owed_since[0] >= SLOW_FRAME_SECONDS:
            if received - self._owed_since[1] < SLOW_FRAME_BYTES:
                self._protocol.fail(ConnectionLostError("slower than the slowest rate"))
            self._owed_since = now, received

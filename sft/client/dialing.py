"""From an address to a logged-in connection: connect, handshake, and why not.

Rules. Only where the connection closes before the server's first answer (a server at its limit lets the oldest go) it is tried
again, three times, after a wait that grows and is random, so that many clients do not come back together. A server with another
key than the pinned one is never tried again.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from socket import gaierror
from typing import Any, Final, cast

from sft.client.concurrency import pause
from sft.client.connection import ServerConnection
from sft.errors import (
    ConnectionLostError,
    FrameTooLargeError,
    NotAServerError,
    ProtocolError,
    RemoteProtocolError,
    ServerKeyChangedError,
    ServerKeyMismatchError,
    SftError,
    StreamTruncatedError,
    UnreachableError,
)
from sft.transport.protocol import WireProtocol
from sft.wire.connection import Connection

CONNECT_SECONDS: Final = 20  # of each address
_MORE_TRIES: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.25
_NO_WAY: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH})

Connect = Callable[[WireProtocol], Awaitable[None]]
"""Connects a protocol to where the server listens; OSError if nobody answers."""


class Dialer:
    """Makes connections to one server.

    Args:
        connect: connects to where it listens.
        address: that place, as people write it.
        profile: how this computer calls it, for the next step of an error.
        new_wire: makes the sans-IO side of each try: its ephemeral keys serve once.
        new_connection: makes the connection around it.
        random: returns 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        connect: Connect,
        *,
        address: str,
        profile: str,
        new_wire: Callable[[], Connection],
        new_connection: Callable[[Connection], ServerConnection],
        random: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._connect = connect
        self._address = address
        self._profile = profile
        self._new_wire = new_wire
        self._new_connection = new_connection
        self._random = random

    async def dial(self) -> ServerConnection:
        """Connect and log in.

        Raises:
            UnreachableError: nobody answers there.
            ServerKeyChangedError: somebody else does.
            VersionUnknownError: no protocol in common.
            RequestError: the server does not let us in, and says why.
            ConnectionLostError: the connection broke after the server's key was proved.
        """
        wait_seconds = _FIRST_WAIT_SECONDS
        for _ in range(_MORE_TRIES):
            connection = await self._try()
            if connection is not None:
                return connection
            await pause(self._reactor, wait_seconds * (0.5 + self._random()))
            wait_seconds *= 2
        connection = await self._try()
        if connection is None:
            raise self._unreachable(
                "it closes the connection at once; perhaps it speaks another protocol: pipx upgrade sft"
            )
        return connection

    async def _try(self) -> ServerConnection | None:
        """Try once; None if the connection closed before the server's first answer."""
        wire = self._new_wire()
        connection = self._new_connection(wire)
        try:
            await self._connect(connection.protocol)
        except OSError as fault:
            raise self._unreachable(_reason(fault)) from fault
        try:
            await connection.welcomed
        except StreamTruncatedError as fault:
            if not wire.frames_received:
                return None
            raise ConnectionLostError(fault.detail) from fault
        except ProtocolError as fault:
            connection.abort()
            raise self._explained(fault, silent=not wire.frames_received) from fault
        except BaseException:
            connection.abort()
            raise
        return connection

    def _explained(self, fault: ProtocolError, *, silent: bool) -> SftError:
        if isinstance(fault, ServerKeyMismatchError):
            return ServerKeyChangedError(fault.detail, server=self._profile, **cast("dict[str, Any]", fault.values))
        if type(fault) is RemoteProtocolError and silent:  # the login deadline
            return self._unreachable("it accepts the connection and says nothing")
        if isinstance(fault, FrameTooLargeError) and silent:  # what begins another protocol is no length of ours
            return NotAServerError(fault.detail, address=self._address)
        return fault

    def _unreachable(self, reason: str) -> UnreachableError:
        return UnreachableError(address=self._address, reason=reason, profile=self._profile)


def _reason(fault: OSError) -> str:
    if isinstance(fault, ConnectionRefusedError):
        return "connection refused"
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    if isinstance(fault, gaierror):
        return "no such host"
    return "no way to it" if fault.errno in _NO_WAY else "no connection"

"""Twisted's reactor, as a client needs it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, connectProtocol
from twisted.python.failure import Failure

from sft.transport.threads import Pool

_ERRNO: Final[tuple[tuple[type[Exception], int], ...]] = (
    (error.ConnectionRefusedError, errno.ECONNREFUSED),
    (error.TimeoutError, errno.ETIMEDOUT),
    (error.NoRouteError, errno.ENETUNREACH),
)


class TwistedTasks:
    """Coroutines that Deferreds wake."""

    cancelled = CancelledError

    @staticmethod
    def waiting() -> Deferred[Any]:
        return Deferred()

    @staticmethod
    def spawn(
        coroutine: Coroutine[Any, Any, object], ended: Callable[[BaseException | None], object]
    ) -> Callable[[], None]:
        deferred = Deferred.fromCoroutine(coroutine)

        def failed(failure: Failure) -> None:
            ended(failure.value)

        deferred.addCallbacks(lambda _: ended(None), failed)
        return deferred.cancel


class TwistedLoop(TwistedTasks):
    """A reactor."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    async def connect_tcp(self, protocol: Any, host: str, port: int, seconds: float) -> None:
        await _connect(HostnameEndpoint(self._reactor, host, port, timeout=seconds), protocol)

    async def connect_unix(self, protocol: Any, path: str, seconds: float) -> None:
        await _connect(UNIXClientEndpoint(self._reactor, path, timeout=seconds), protocol)

    def new_pool(self) -> Pool:
        return Pool(self._reactor)


async def _connect(endpoint: Any, protocol: Any) -> None:
    """Connect as Twisted does, and raise what the system raises."""
    try:
        await connectProtocol(endpoint, protocol)
    except (
        error.DNSLookupError,
        error.UnknownHostError,
        ValueError,
    ) as fault:  # a host that cannot be looked up is the last
        raise socket.gaierror(socket.EAI_NONAME, str(fault)) from fault
    except error.ConnectError as fault:
        number = next((number for kind, number in _ERRNO if isinstance(fault, kind)), fault.osError or errno.EIO)
        raise OSError(number, os.strerror(number)) from fault

"""HTTP for strangers and for programs of the same computer: Twisted's, within bounds, and silent.

Rules. Nobody is known who asks: a connection has a bound of bytes and of seconds, and there are so many at most. The one that
was quiet for longest makes room for who comes: whoever opens all of them and says nothing keeps nobody out. A body stays in
memory, for it is as short as that. Nothing is logged of a request: it would grow with what others ask. What is answered is
whoever makes the requests'.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from twisted.python.failure import Failure
from twisted.web import http

TEXT_TYPE: Final = "text/plain; charset=utf-8"


class BoundedFactory(http.HTTPFactory):
    """Makes connections.

    Args:
        connections: so many at once; for whoever else comes the one that was quiet for longest is ended.
        seconds: of one connection, absolute, so that nobody holds one by a byte a minute.
        received_bytes: on one connection.
    """

    noisy = False

    def __init__(self, reactor: Any, *, connections: int, seconds: int, received_bytes: int) -> None:
        super().__init__(timeout=seconds, reactor=reactor)
        self.most_connections = connections
        self.connection_seconds = seconds
        self.received_bytes = received_bytes
        self.connections: dict[BoundedConnection, None] = {}  # the one that was quiet for longest first

    def heard(self, connection: BoundedConnection) -> None:
        """Have a connection be the one that was heard last."""
        self.connections.pop(connection, None)
        self.connections[connection] = None
        if len(self.connections) > self.most_connections:
            quiet = next(iter(self.connections))
            del self.connections[quiet]
            quiet.abort()

    def startFactory(self) -> None:
        """Write no access log, and tick for none."""

    def stopFactory(self) -> None:
        """Close nothing, likewise."""

    def log(self, request: Any) -> None:
        """Say nothing of a request."""

    def drop_connections(self) -> None:
        for connection in tuple(self.connections):
            connection.abort()


class BoundedRequest(http.Request):
    """One request; ``process`` is its maker's."""

    channel: Any

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002 - Twisted's name
        # Twisted's own writes long bodies to the disk.
        self.content = BytesIO()

    def body(self) -> bytes:
        return self.content.getvalue() if isinstance(self.content, BytesIO) else b""

    def say(self, status: int, body: bytes, kind: str = TEXT_TYPE) -> None:
        """Answer, and end the request; nothing where it is over."""
        if self._disconnected or self.finished:
            return
        reply: Any = self  # Twisted has no types for it
        reply.setResponseCode(status)
        reply.setHeader("Content-Type", kind)
        reply.setHeader("Content-Length", str(len(body)))
        if self.method != b"HEAD":
            reply.write(body)
        reply.finish()


class BoundedConnection(http.HTTPChannel):
    """One connection: HTTP/1.1 as Twisted reads it, within its bounds."""

    factory: BoundedFactory
    transport: Any

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._received = 0
        self._end: Any = None

    def connectionMade(self) -> None:
        self.factory.heard(self)
        self._end = self.factory.reactor.callLater(self.factory.connection_seconds, self.abort)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self.factory.received_bytes:
            self.abort()
        else:
            if self in self.factory.connections:
                self.factory.heard(self)
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.factory.connections.pop(self, None)
        if self._end is not None and self._end.active():
            self._end.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """End it now, whatever is not sent yet."""
        if self.transport is not None:
            self.transport.abortConnection()

"""HTTP of a witness (C2SP tlog-witness): what a request may cost, and which answer is which status.

    POST /add-checkpoint                        200 signature lines, or what ``sft.ledger.add_checkpoint`` refuses with
    GET  /<SHA-256 of an origin>/checkpoint     200 the newest checkpoint that was cosigned, or 404

Rules. Nobody is known who asks: a connection has a bound of bytes and of seconds, and there are so many at most. Work with
keys and disk is one thread's. Nothing of a fault goes to who asked. TLS is a reverse proxy's, or the endpoint's that the
operator names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import http

from sft import limits
from sft.errors import CheckpointRefusedError
from sft.ledger.add_checkpoint import ANOTHER_SIZE, SIZE_TYPE
from sft.transport.threads import Pool
from sft.witness.cosigner import Cosigner

_ADD: Final = b"/add-checkpoint"
_CHECKPOINT: Final = rb"/([0-9a-f]{64})/checkpoint"
_TEXT: Final = "text/plain; charset=utf-8"


class WitnessFactory(http.HTTPFactory):
    """Makes the connections of a witness.

    Args:
        on_fault: told of what is no refusal; of an OSError, after which nothing more is cosigned: the process must end.
    """

    noisy = False

    def __init__(self, reactor: Any, cosigner: Cosigner, pool: Pool, *, on_fault: Callable[[Failure], None]) -> None:
        super().__init__(timeout=limits.WITNESS_CONNECTION_SECONDS, reactor=reactor)
        self.cosigner = cosigner
        self.pool = pool
        self.on_fault = on_fault
        self.connections: set[WitnessConnection] = set()

    def buildProtocol(self, addr: Any) -> Any:
        if len(self.connections) >= limits.WITNESS_CONNECTIONS:
            return None
        return super().buildProtocol(addr)

    def startFactory(self) -> None:
        """Write no access log, and tick for none: it would grow with what strangers ask."""

    def stopFactory(self) -> None:
        """Close nothing, likewise."""

    def log(self, request: Any) -> None:
        """Say nothing of a request, likewise."""

    def drop_connections(self) -> None:
        for connection in tuple(self.connections):
            connection.abort()


class _Request(http.Request):
    """One request."""

    channel: Any
    _factory: WitnessFactory

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002 - Twisted's name
        # Twisted's own writes long bodies to the disk.
        self.content = BytesIO()

    def process(self) -> None:
        self._factory = self.channel.factory  # a connection that was lost takes its channel with it
        method, path = self.method, self.uri
        found = re.fullmatch(_CHECKPOINT, path)
        if path == _ADD and method == b"POST":
            self._add_checkpoint(self.content.getvalue() if isinstance(self.content, BytesIO) else b"")
        elif found is not None and method in {b"GET", b"HEAD"}:
            self._answer_with(self._factory.pool.run(self._factory.cosigner.newest, found[1].decode("ascii")))
        elif path == _ADD or found is not None:
            self.responseHeaders.setRawHeaders("Allow", ["POST" if path == _ADD else "GET"])
            self._say(http.NOT_ALLOWED, b"another method\n")
        else:
            self._say(http.NOT_FOUND, b"nothing is here\n")

    def _add_checkpoint(self, body: bytes) -> None:
        if len(body) > limits.ADD_CHECKPOINT_BYTES:
            self._say(http.REQUEST_ENTITY_TOO_LARGE, b"more than a checkpoint takes\n")
            return
        self._answer_with(self._factory.pool.run(self._factory.cosigner.add_checkpoint, body))

    def _answer_with(self, answering: Deferred[Any]) -> None:
        answering.addCallbacks(self._answered, self._failed)

    def _answered(self, body: bytes | None) -> None:
        if body is None:
            self._say(http.NOT_FOUND, b"no checkpoint of such a log\n")
        else:
            self._say(http.OK, body)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CheckpointRefusedError):
            kind = SIZE_TYPE if error.status == ANOTHER_SIZE else _TEXT
            self._say(error.status, error.said.encode("utf-8") + b"\n", kind)
            return
        self._say(http.INTERNAL_SERVER_ERROR, b"a fault of the witness\n")
        self._factory.on_fault(failure)

    def _say(self, status: int, body: bytes, kind: str = _TEXT) -> None:
        if self._disconnected or self.finished:
            return
        reply: Any = self  # Twisted has no types for it
        reply.setResponseCode(status)
        reply.setHeader("Content-Type", kind)
        reply.setHeader("Content-Length", str(len(body)))
        if self.method != b"HEAD":
            reply.write(body)
        reply.finish()


class WitnessConnection(http.HTTPChannel):
    """One connection: HTTP/1.1 as Twisted reads it, within its bounds."""

    requestFactory = _Request
    factory: WitnessFactory
    transport: Any

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._received = 0
        self._end: Any = None

    def connectionMade(self) -> None:
        self.factory.connections.add(self)
        self._end = self.factory.reactor.callLater(limits.WITNESS_CONNECTION_SECONDS, self.abort)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > limits.WITNESS_CONNECTION_BYTES:
            self.abort()
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.factory.connections.discard(self)
        if self._end is not None and self._end.active():
            self._end.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """End it now, whatever is not sent yet."""
        if self.transport is not None:
            self.transport.abortConnection()


WitnessFactory.protocol = WitnessConnection  # type: ignore[assignment]

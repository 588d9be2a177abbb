"""HTTP of a witness (C2SP tlog-witness): what a request may cost, and which answer is which status.

    POST /add-checkpoint                        200 signature lines, or what ``sft.ledger.add_checkpoint`` refuses with
    GET  /<SHA-256 of an origin>/checkpoint     200 the newest checkpoint that was cosigned, or 404

Rules. Nobody is known who asks. Work with keys and disk is one thread's. Nothing of a fault goes to who asked. TLS is a reverse
proxy's, or the endpoint's that the operator names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import http

from sft import limits
from sft.errors import CheckpointRefusedError
from sft.ledger.add_checkpoint import ANOTHER_SIZE, SIZE_TYPE
from sft.transport.http import TEXT_TYPE, BoundedConnection, BoundedFactory, BoundedRequest
from sft.transport.threads import Pool
from sft.witness.cosigner import Cosigner

_ADD: Final = b"/add-checkpoint"
_CHECKPOINT: Final = rb"/([0-9a-f]{64})/checkpoint"


class WitnessFactory(BoundedFactory):
    """Makes the connections of a witness.

    Args:
        on_fault: told of what is no refusal; of an OSError, after which nothing more is cosigned: the process must end.
    """

    def __init__(self, reactor: Any, cosigner: Cosigner, pool: Pool, *, on_fault: Callable[[Failure], None]) -> None:
        super().__init__(
            reactor,
            connections=limits.WITNESS_CONNECTIONS,
            seconds=limits.WITNESS_CONNECTION_SECONDS,
            received_bytes=limits.WITNESS_CONNECTION_BYTES,
        )
        self.cosigner = cosigner
        self.pool = pool
        self.on_fault = on_fault


class _Request(BoundedRequest):
    """One request."""

    _factory: WitnessFactory

    def process(self) -> None:
        self._factory = self.channel.factory  # a connection that was lost takes its channel with it
        method, path = self.method, self.uri
        found = re.fullmatch(_CHECKPOINT, path)
        if path == _ADD and method == b"POST":
            self._add_checkpoint(self.body())
        elif found is not None and method in {b"GET", b"HEAD"}:
            self._answer_with(self._factory.pool.run(self._factory.cosigner.newest, found[1].decode("ascii")))
        elif path == _ADD or found is not None:
            self.responseHeaders.setRawHeaders("Allow", ["POST" if path == _ADD else "GET"])
            self.say(http.NOT_ALLOWED, b"another method\n")
        else:
            self.say(http.NOT_FOUND, b"nothing is here\n")

    def _add_checkpoint(self, body: bytes) -> None:
        if len(body) > limits.ADD_CHECKPOINT_BYTES:
            self.say(http.REQUEST_ENTITY_TOO_LARGE, b"more than a checkpoint takes\n")
            return
        self._answer_with(self._factory.pool.run(self._factory.cosigner.add_checkpoint, body))

    def _answer_with(self, answering: Deferred[Any]) -> None:
        answering.addCallbacks(self._answered, self._failed)

    def _answered(self, body: bytes | None) -> None:
        if body is None:
            self.say(http.NOT_FOUND, b"no checkpoint of such a log\n")
        else:
            self.say(http.OK, body)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CheckpointRefusedError):
            kind = SIZE_TYPE if error.status == ANOTHER_SIZE else TEXT_TYPE
            self.say(error.status, error.said.encode("utf-8") + b"\n", kind)
            return
        self.say(http.INTERNAL_SERVER_ERROR, b"a fault of the witness\n")
        self._factory.on_fault(failure)


class WitnessConnection(BoundedConnection):
    """One connection of a witness."""

    requestFactory = _Request


WitnessFactory.protocol = WitnessConnection  # type: ignore[assignment]

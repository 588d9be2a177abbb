"""What programs of the same computer ask of a server over HTTP: is it well, and its metrics.

    GET /health     200 a JSON document; 503 while it starts, when it stops, and where its database cannot be read
    GET /metrics    200 as Prometheus reads it

Rules. It is asked without a login: so nothing of it names a file or a person, it listens on loopback alone, and a page of
another host that a browser was led to (DNS rebinding) is refused by its Host. A server that can answer is up, whatever is wrong
with it: that is told apart, for whoever watches would restart it otherwise, and mend nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import http

from sft import limits
from sft.model.status import ServerStatus
from sft.server.context import ServerContext
from sft.server.metrics import metrics_text
from sft.server.server_status import status_of
from sft.service.status import stored_status
from sft.transport.http import BoundedConnection, BoundedFactory, BoundedRequest

HEALTH: Final = b"/health"
METRICS: Final = b"/metrics"
JSON_TYPE: Final = "application/json"


class HealthFactory(BoundedFactory):
    """Makes the connections of the page.

    Attributes:
        context: of the server; None while it starts.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(
            reactor,
            connections=limits.HEALTH_CONNECTIONS,
            seconds=limits.HEALTH_CONNECTION_SECONDS,
            received_bytes=limits.HEALTH_CONNECTION_BYTES,
        )
        self.context: ServerContext | None = None


class _Request(BoundedRequest):
    """One request."""

    def process(self) -> None:
        factory: HealthFactory = self.channel.factory
        path = self.path
        if not _is_local(self.requestHeaders.getRawHeaders(b"host", [])):
            self.say(http.FORBIDDEN, b"this page is for its own computer\n")
        elif path not in {HEALTH, METRICS}:
            self.say(http.NOT_FOUND, b"/health or /metrics\n")
        elif self.method not in {b"GET", b"HEAD"}:
            self.responseHeaders.setRawHeaders("Allow", ["GET"])
            self.say(http.NOT_ALLOWED, b"another method\n")
        elif factory.context is None:
            self._say_not("starting")
        elif factory.context.stopping:
            self._say_not("stopping")
        else:
            asked = Deferred.fromCoroutine(self._answer(factory.context))
            asked.addErrback(self._failed, factory.context)

    async def _answer(self, context: ServerContext) -> None:
        status = status_of(context, await context.read_apart(stored_status, master_keys=context.master_keys))
        if self.path == METRICS:
            self.say(http.OK, metrics_text(status, context.counts), CONTENT_TYPE_LATEST)
        else:
            self.say(http.OK, _written(health_document(status)), JSON_TYPE)

    def _failed(self, failure: Failure, context: ServerContext) -> None:
        context.event_log.fault("health-fault", failure)
        self._say_not("failing")

    def _say_not(self, why: str) -> None:
        self.say(http.SERVICE_UNAVAILABLE, _written({"status": why}), JSON_TYPE)


class HealthConnection(BoundedConnection):
    """One connection of the page."""

    requestFactory = _Request


HealthFactory.protocol = HealthConnection  # type: ignore[assignment]


def health_document(status: ServerStatus) -> dict[str, object]:
    """Return what the page says of a server that is up."""
    free = status.free_bytes
    problems = {
        "clock-doubted": status.clock_sound_at is not None,
        "damage": status.damages > 0,
        "full": free == 0,
        "hook-fails": any(each.failures >= limits.HOOK_FAILURES_SAID for each in status.hooks),
        "master-key-gone": status.key_unreadable,
        "room-low": free is not None and 0 < free < limits.LOW_ROOM_BYTES,
        "restart-waits": bool(status.waiting),
    }
    return {
        "status": "ok",
        "problems": [name for name, there in problems.items() if there],
        "version": status.version,
        "uptime_seconds": status.now - status.started_at,
        "sessions": status.sessions,
        "free_bytes": free,
        "damages": status.damages,
    }


def _written(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode("ascii") + b"\n"


def _is_local(hosts: Sequence[bytes]) -> bool:
    """Return whether the Host names this computer, by loopback; one that is not there is no browser's, nor are several one."""
    if not hosts:
        return True
    host = hosts[0].decode("ascii", "replace")
    bare = host.rpartition(":")[0] if host.rpartition("]")[2].count(":") else host
    try:
        return len(hosts) == 1 and (bare.lower() == "localhost" or ip_address(bare.strip("[]")).is_loopback)
    except ValueError:
        return False

"""What a server has counted since its start: for its status and its metrics.

Rules. Plain numbers, by words of which there are a few dozen: names of events, requests and error codes, never of files,
people or addresses. The reactor's thread alone counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sft.model.events import DomainEvent
from sft.server.event_log import event_name


@dataclass(slots=True)
class Counts:
    """Counts of one server.

    Attributes:
        started_at: Unix seconds.
        received_bytes: of connections that have ended; as ``sent_bytes``, as the network carried them.
        free_bytes: what could be stored when that was looked at last; None before.
        requests: answered ones by their kind, refused ones too; ``request_seconds`` is how long all of them took.
        refusals: by the error's code; INTERNAL are faults of the server's own.
    """

    started_at: int
    received_bytes: int = 0
    sent_bytes: int = 0
    free_bytes: int | None = None
    events: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    request_seconds: dict[str, float] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    logins: int = 0
    logins_refused: int = 0

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Count what acts did."""
        for event in events:
            self.events[event_name(type(event))] += 1

    def answered(self, request: str, seconds: float) -> None:
        """Count a request that was answered, and how long that took."""
        self.requests[request] += 1
        self.request_seconds[request] = self.request_seconds.get(request, 0.0) + seconds

    def connection_over(self, received_bytes: int, sent_bytes: int) -> None:
        """Count what a connection moved that is gone."""
        self.received_bytes += received_bytes
        self.sent_bytes += sent_bytes

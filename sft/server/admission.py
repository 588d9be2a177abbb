"""Who may connect before having proved anything: bounds on open connections, and penalties per source.

Rules. Pure: the clock's seconds come as arguments. A source is a /32, or a /64 of IPv6. At the
limit the oldest connection of the source that has most goes, never the new one: so a flood from one
place cannot keep others out. Penalties touch new connections only, never a live session behind the
same address; loopback and listed sources are exempt from what is counted per source.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from sft.limits import (
    PENALTY_COUNTS_SECONDS,
    PENALTY_CRASH_SECONDS,
    PENALTY_LOGIN_SECONDS,
    PENALTY_MOST_SECONDS,
    PENALTY_SILENT_SECONDS,
    PENALTY_SOURCES,
    UNAUTHENTICATED,
    UNAUTHENTICATED_PER_SOURCE,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Offense(Enum):
    """How a connection ended that never logged in; the value is its penalty in seconds."""

    BROKE_PROTOCOL = PENALTY_CRASH_SECONDS
    BAD_LOGIN = PENALTY_LOGIN_SECONDS
    NO_LOGIN = PENALTY_SILENT_SECONDS


LOCAL: Final = "local"


def source_of(host: str) -> str:
    """Name the source of an address; loopback and whatever is no IP address (a socket file) are local."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return LOCAL
    if address.is_loopback:
        return LOCAL
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


@dataclass(slots=True)
class _Source:
    open: OrderedDict[Hashable, None] = field(default_factory=OrderedDict)


class Admission:
    """Counts unauthenticated connections and remembers penalties.

    Args:
        exempt: networks that no per-source limit touches, besides loopback.
        total: unauthenticated connections in all.
        per_source: unauthenticated connections of one source.
    """

    def __init__(
        self,
        exempt: Collection[Network] = (),
        *,
        total: int = UNAUTHENTICATED,
        per_source: int = UNAUTHENTICATED_PER_SOURCE,
    ) -> None:
        self._exempt = tuple(exempt)
        self._total = total
        self._per_source = per_source
        self._sources: dict[str, _Source] = {}
        self._where: dict[Hashable, str] = {}
        self._penalties: OrderedDict[str, float] = OrderedDict()  # source → when it has served its penalties

    def change_exempt(self, exempt: Collection[Network]) -> None:
        """Have other networks be touched by no per-source limit, from now on."""
        self._exempt = tuple(exempt)

    def is_exempt(self, source: str) -> bool:
        """Return whether per-source limits leave this source alone."""
        if source == LOCAL:
            return True
        network = ipaddress.ip_network(source)
        if network.is_loopback:
            return True
        return any(network.version == exempt.version and network.overlaps(exempt) for exempt in self._exempt)

    def refused_for(self, source: str, now: float) -> float:
        """Return for how many seconds a source is refused still; 0 if it may connect."""
        if self.is_exempt(source):
            return 0.0
        left = self._penalties.get(source, 0.0) - now
        return left if left >= PENALTY_COUNTS_SECONDS else 0.0

    def admit(self, connection: Hashable, source: str) -> Hashable | None:
        """Count a new connection; returns the one that has to go for it, if any."""
        victim: Hashable | None = None
        held = self._sources.setdefault(source, _Source())
        if len(held.open) >= self._per_source and not self.is_exempt(source):
            victim = next(iter(held.open))
        elif len(self._where) >= self._total:
            fullest = max(self._sources.values(), key=lambda each: len(each.open))
            victim = next(iter(fullest.open))
        held.open[connection] = None
        self._where[connection] = source
        if victim is not None:
            self.release(victim)
        return victim

    def release(self, connection: Hashable) -> None:
        """Stop counting a connection: it logged in, or is gone. Idempotent."""
        source = self._where.pop(connection, None)
        if source is None:
            return
        held = self._sources[source]
        held.open.pop(connection, None)
        if not held.open:
            del self._sources[source]

    def penalize(self, source: str, offense: Offense, now: float) -> None:
        """Add an offense's penalty to what a source still serves."""
        if self.is_exempt(source):
            return
        until = max(self._penalties.pop(source, now), now) + offense.value
        self._penalties[source] = min(until, now + PENALTY_MOST_SECONDS)
        while len(self._penalties) > PENALTY_SOURCES:
            self._forget_one(now)

    def _forget_one(self, now: float) -> None:
        """Drop the penalty that ends soonest among the oldest few: bounded work, bounded memory."""
        oldest = [source for source, _ in zip(self._penalties, range(16), strict=False)]
        self._penalties.pop(min(oldest, key=lambda source: self._penalties[source] - now))

    def connections(self) -> list[Hashable]:
        return list(self._where)

    @property
    def waiting(self) -> int:
        return len(self._where)

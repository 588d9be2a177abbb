"""Who is connected to the world in memory: visitors that a scene put there, and the lines of gateways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Visit:
    """One session.

    Args:
        doing: what it transfers, as the real server says it.
        ended: told who ended it.
    """

    user_id: int
    address: str
    since_at: int
    doing: str = ""
    ended: Callable[[str], None] = lambda _by: None


@dataclass
class Door:
    """The sessions of a world, by number."""

    visits: dict[int, Visit] = field(default_factory=dict)
    _last: int = 0

    def enter(self, visit: Visit) -> int:
        """Let somebody in; gives the number of the session."""
        self._last += 1
        self.visits[self._last] = visit
        return self._last

    def leave(self, number: int) -> None:
        """Note that a session is over."""
        self.visits.pop(number, None)

    def kick(self, number: int, by: str) -> bool:
        """End a session; False if there is none of that number."""
        visit = self.visits.pop(number, None)
        if visit is not None:
            visit.ended(by)
        return visit is not None

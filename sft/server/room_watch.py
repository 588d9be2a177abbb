"""How much room is left: said at the start, and a warning when it gets low, again at each half of that, and when it is gone.

Rules. Room is what can be stored: what the file system has above the floor that is kept for the database.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.limits import LOW_ROOM_BYTES, ROOM_SECONDS
from sft.model.text import size_text
from sft.server.context import ServerContext


class RoomWatch:
    """Looks at the room of one server, each minute.

    Args:
        reactor: whose timer it takes; the server's own where none is given.
    """

    def __init__(self, context: ServerContext, *, reactor: Any = None) -> None:
        self._context = context
        self._told = 0  # how far below, see _level
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor or context.reactor

    async def start(self) -> None:
        """Say what there is."""
        self._tell(await self._free_bytes(), first=True)
        self._looking.start(ROOM_SECONDS, now=False).addErrback(self._context.event_log.failed, "room-fault")

    def stop(self) -> None:
        """Look no more; idempotent."""
        if self._looking.running:
            self._looking.stop()

    def _free_bytes(self) -> Deferred[int]:
        return self._context.pool.run(self._context.storage.vault.free_bytes)

    def _look(self) -> Deferred[None]:
        return self._free_bytes().addCallbacks(self._tell, self._context.event_log.failed, errbackArgs=("room-fault",))

    def _tell(self, free_bytes: int, *, first: bool = False) -> None:
        event_log = self._context.event_log
        values = {"free": size_text(free_bytes), "free_bytes": free_bytes}
        self._context.counts.free_bytes = free_bytes
        level = _level(free_bytes)
        if level > self._told:
            event_log.warn("room-low", **values)
        elif first or (self._told and not level):
            event_log.note("room", **values)
        self._told = max(self._told, level) if level else 0


def _level(free_bytes: int) -> int:
    """Return 0 for enough, 1 below LOW_ROOM_BYTES, 2 below half of that, and so on."""
    return 0 if free_bytes >= LOW_ROOM_BYTES else (LOW_ROOM_BYTES // max(free_bytes, 1)).bit_length()

"""Room on a disk: what is free, less a floor, less what open sinks were promised.

Rules. What a sink wrote is no longer promised but used, and the file system counts it. Without promises the sum of many
uploads that each fit would fill the disk to the last byte, and the database with it. One owner is promised at most half of what
there is, or one step: who lets promises stand keeps nobody else out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sft.errors import VaultFullError
from sft.limits import SPACE_STEP_BYTES


class Capacity:
    """The room of one file system; any thread may ask.

    Args:
        free: tells how many bytes the file system has.
        floor_bytes: that are never promised.
    """

    __slots__ = ("_floor_bytes", "_free", "_lock", "_promised_bytes", "_shares")

    def __init__(self, free: Callable[[], int], floor_bytes: int) -> None:
        self._free = free
        self._floor_bytes = floor_bytes
        self._promised_bytes = 0
        self._shares: dict[int, int] = {}  # promised bytes of each owner
        self._lock = threading.Lock()

    def free_bytes(self) -> int:
        """Return what can still be promised."""
        return max(0, self._free() - self._floor_bytes - self._promised_bytes)

    def promise(self, count: int, owner: int | None = None) -> Reservation:
        """Promise room to an owner, or to the server itself; VaultFullError if there is less."""
        promised = Reservation(self, owner)
        promised.extend(count)
        return promised

    def take(self, count: int, owner: int | None) -> None:
        """Count so much as promised, or raise VaultFullError."""
        with self._lock:
            free = self.free_bytes()
            share = self._shares.get(owner, 0) if owner is not None else 0
            if count > free:
                raise VaultFullError(
                    f"{count} bytes wanted, {free} free above the floor",
                    problem="there is no room left above the floor that is kept free",
                )
            if owner is not None and share + count > max(SPACE_STEP_BYTES, (free + share) // 2):
                raise VaultFullError(
                    f"{count} bytes wanted by user {owner}, to whom {share} are promised; {free} free above the floor",
                    problem="one person's uploads may not take all the room that is left",
                )
            self._promised_bytes += count
            if owner is not None:
                self._shares[owner] = share + count

    def give(self, count: int, owner: int | None) -> None:
        """Count so much as promised no more."""
        with self._lock:
            self._promised_bytes -= count
            if owner is not None:
                self._shares[owner] = self._shares.get(owner, 0) - count
                if not self._shares[owner]:
                    del self._shares[owner]


class Reservation:
    """The room that one sink may still use."""

    __slots__ = ("_left_bytes", "_owner", "_room")

    def __init__(self, room: Capacity, owner: int | None = None) -> None:
        self._room = room
        self._owner = owner
        self._left_bytes = 0

    def extend(self, count: int) -> None:
        """Promise more, or raise VaultFullError."""
        self._room.take(count, self._owner)
        self._left_bytes += count

    def require(self, count: int) -> None:
        """See to it that so much is promised before it is written, or raise VaultFullError."""
        if count > self._left_bytes:
            self.extend(count - self._left_bytes)

    def used(self, count: int) -> None:
        """Count written bytes against the reservation."""
        self._left_bytes -= count
        self._room.give(count, self._owner)

    def end(self) -> None:
        """Release what was not used; idempotent."""
        left, self._left_bytes = self._left_bytes, 0
        self._room.give(left, self._owner)

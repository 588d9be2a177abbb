"""Room on a disk: what is free, less a floor, less what open sinks were promised.

Rules. What a sink wrote is no longer promised but used, and the file system counts it. Without promises the sum of many
uploads that each fit would fill the disk to the last byte, and the database with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sft.errors import VaultFullError


class Capacity:
    """The room of one file system; any thread may ask.

    Args:
        free: tells how many bytes the file system has.
        floor_bytes: that are never promised.
    """

    __slots__ = ("_floor_bytes", "_free", "_lock", "_promised_bytes")

    def __init__(self, free: Callable[[], int], floor_bytes: int) -> None:
        self._free = free
        self._floor_bytes = floor_bytes
        self._promised_bytes = 0
        self._lock = threading.Lock()

    def free_bytes(self) -> int:
        """Return what can still be promised."""
        return max(0, self._free() - self._floor_bytes - self._promised_bytes)

    def promise(self, count: int) -> Reservation:
        """Promise room; VaultFullError if there is less."""
        promised = Reservation(self)
        promised.extend(count)
        return promised

    def take(self, count: int) -> None:
        """Count so much as promised, or raise VaultFullError."""
        with self._lock:
            if count > self.free_bytes():
                raise VaultFullError(
                    f"{count} bytes wanted, {self.free_bytes()} free above the floor",
                    problem="there is no room left above the floor that is kept free",
                )
            self._promised_bytes += count

    def give(self, count: int) -> None:
        """Count so much as promised no more."""
        with self._lock:
            self._promised_bytes -= count


class Reservation:
    """The room that one sink may still use."""

    __slots__ = ("_left_bytes", "_room")

    def __init__(self, room: Capacity) -> None:
        self._room = room
        self._left_bytes = 0

    def extend(self, count: int) -> None:
        """Promise more, or raise VaultFullError."""
        self._room.take(count)
        self._left_bytes += count

    def require(self, count: int) -> None:
        """See to it that so much is promised before it is written, or raise VaultFullError."""
        if count > self._left_bytes:
            self.extend(count - self._left_bytes)

    def used(self, count: int) -> None:
        """Count written bytes against the reservation."""
        self._left_bytes -= count
        self._room.give(count)

    def end(self) -> None:
        """Release what was not used; idempotent."""
        left, self._left_bytes = self._left_bytes, 0
        self._room.give(left)

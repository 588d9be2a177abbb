"""Objects in memory: the backend of tests, under the same contract as the disk's.

Rules. Room is counted as on a disk, so that a full vault can be tried. Nothing survives the process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sft.errors import VaultError
from sft.vault.backend import ObjectSink, ObjectSource, missing, taken
from sft.vault.capacity import Capacity, Reservation
from sft.vault.layout import corrupt, require_object_id


@dataclass(slots=True)
class Shelf:
    """Objects and sidecars by id."""

    objects: dict[bytes, bytes] = field(default_factory=dict)
    sidecars: dict[bytes, bytes] = field(default_factory=dict)

    def all(self) -> tuple[dict[bytes, bytes], ...]:
        """Return the two places, in the order in which a removal empties them."""
        return self.sidecars, self.objects


class MemoryBackend:
    """Objects in dictionaries; ``shelf``, ``incoming`` and ``quarantined`` may be read and changed by tests."""

    def __init__(self, *, capacity_bytes: int = 1 << 40, floor_bytes: int = 0) -> None:
        self.shelf = Shelf()
        self.quarantined = Shelf()
        self._capacity_bytes = capacity_bytes
        self.incoming: dict[bytes, list[bytes]] = {}
        self.lock = threading.Lock()
        self._room = Capacity(self._free, floor_bytes)

    def _free(self) -> int:
        # Copies, since another thread may add while this one counts.
        written = [*self.shelf.objects.values()]
        for pieces in [*self.incoming.values()]:
            written += pieces
        return self._capacity_bytes - sum(map(len, written))

    def create(self, object_id: bytes, reserve_bytes: int, owner: int | None = None) -> ObjectSink:
        require_object_id(object_id)
        with self.lock:
            if object_id in self.shelf.objects or object_id in self.incoming:
                raise taken(object_id)
            promise = self._room.promise(reserve_bytes, owner)
            self.incoming[object_id] = []
        return _MemorySink(self, object_id, promise)

    def open(self, object_id: bytes) -> ObjectSource:
        require_object_id(object_id)
        try:
            return _MemorySource(object_id, self.shelf.objects[object_id])
        except KeyError:
            raise missing(object_id) from None

    def remove(self, object_id: bytes) -> None:
        require_object_id(object_id)
        with self.lock:
            for place in self.shelf.all():
                place.pop(object_id, None)

    def quarantine_figures(self) -> tuple[int, int]:
        with self.lock:
            sizes = [len(data) for place in self.quarantined.all() for data in place.values()]
        return len(sizes), sum(sizes)

    def quarantine(self, object_id: bytes) -> None:
        require_object_id(object_id)
        with self.lock:
            found = [
                (place, aside)
                for place, aside in zip(self.shelf.all(), self.quarantined.all(), strict=True)
                if object_id in place
            ]
            if not found:
                raise missing(object_id)
            for place, aside in found:
                aside[object_id] = place.pop(object_id)

    def ids(self) -> Iterator[bytes]:
        return iter(sorted({object_id for place in self.shelf.all() for object_id in place}))

    def read_sidecar(self, object_id: bytes) -> bytes | None:
        require_object_id(object_id)
        return self.shelf.sidecars.get(object_id)

    def leftovers(self) -> Iterator[bytes]:
        return iter(sorted(self.incoming))

    def discard(self, object_id: bytes) -> None:
        require_object_id(object_id)
        self.incoming.pop(object_id, None)

    def free_bytes(self) -> int:
        return self._room.free_bytes()

    def close(self) -> None:
        """Hold nothing open, and so let nothing go."""


class _MemorySink:
    __slots__ = ("_backend", "_object_id", "_open", "_promise")

    def __init__(self, backend: MemoryBackend, object_id: bytes, promise: Reservation) -> None:
        self._backend = backend
        self._object_id = object_id
        self._promise = promise
        self._open = True

    def write(self, pieces: Sequence[bytes]) -> None:
        self._require_open()
        count = sum(map(len, pieces))
        try:
            self._promise.require(count)
        except VaultError:
            self.abort()
            raise
        self._backend.incoming[self._object_id].extend(pieces)
        self._promise.used(count)

    def reserve(self, more_bytes: int) -> None:
        self._require_open()
        self._promise.extend(more_bytes)

    def finish(self, sidecar: bytes | None = None) -> None:
        self._require_open()
        shelf = self._backend.shelf
        with self._backend.lock:
            if sidecar is not None:
                shelf.sidecars[self._object_id] = sidecar
            pieces = self._backend.incoming.pop(self._object_id)
            shelf.objects[self._object_id] = b"".join(pieces)
        self._end()

    def abort(self) -> None:
        if self._open:
            self._backend.incoming.pop(self._object_id, None)
            self._end()

    def _end(self) -> None:
        self._open = False
        self._promise.end()

    def _require_open(self) -> None:
        if not self._open:
            raise VaultError(problem=f"object {self._object_id.hex()} is not being written")


class _MemorySource:
    __slots__ = ("_content", "_object_id", "size")

    def __init__(self, object_id: bytes, content: bytes) -> None:
        self._object_id = object_id
        self._content = content
        self.size = len(content)

    def read(self, offset: int, lengths: Sequence[int]) -> list[bytes]:
        pieces = []
        for length in lengths:
            pieces.append(self._content[offset : offset + length])
            offset += length
        if offset > self.size:
            raise corrupt(self._object_id, "is shorter than it was")
        return pieces

    def rest(self) -> None:
        """Hold nothing open: there is nothing to hold."""

    def close(self) -> None:
        self._content = b""

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
    """Objects, or their first segments, and sidecars by id; later segments by id and number."""

    objects: dict[bytes, bytes] = field(default_factory=dict)
    segments: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    sidecars: dict[bytes, bytes] = field(default_factory=dict)

    def put(self, object_id: bytes, segment: int, data: bytes) -> None:
        if segment:
            self.segments[object_id, segment] = data
        else:
            self.objects[object_id] = data

    def get(self, object_id: bytes, segment: int) -> bytes | None:
        return self.segments.get((object_id, segment)) if segment else self.objects.get(object_id)

    def numbers(self, object_id: bytes) -> list[int]:
        first = [0] if object_id in self.objects else []
        return first + sorted(number for found, number in self.segments if found == object_id)

    def take(self, object_id: bytes, first_segment: int) -> Shelf:
        """Take out the sidecar and the segments from a number on."""
        taken = Shelf()
        if object_id in self.sidecars:
            taken.sidecars[object_id] = self.sidecars.pop(object_id)
        for number in self.numbers(object_id):
            if number >= first_segment:
                data = self.segments.pop((object_id, number)) if number else self.objects.pop(object_id)
                taken.put(object_id, number, data)
        return taken

    def sizes(self) -> list[int]:
        # Copies, since another thread may add while this one counts.
        places = ([*self.objects.values()], [*self.segments.values()], [*self.sidecars.values()])
        return [len(data) for place in places for data in place]


class MemoryBackend:
    """Objects in dictionaries; ``shelf``, ``incoming`` and ``quarantined`` may be read and changed by tests."""

    def __init__(self, *, capacity_bytes: int = 1 << 40, floor_bytes: int = 0) -> None:
        self.shelf = Shelf()
        self.quarantined = Shelf()
        self._capacity_bytes = capacity_bytes
        self.incoming: dict[tuple[bytes, int], list[bytes]] = {}
        self.lock = threading.Lock()
        self._room = Capacity(self._free, floor_bytes)

    def _free(self) -> int:
        written = [len(piece) for pieces in [*self.incoming.values()] for piece in pieces]
        return (
            self._capacity_bytes - sum(self.shelf.sizes()) + sum(map(len, self.shelf.sidecars.values())) - sum(written)
        )

    def create(self, object_id: bytes, reserve_bytes: int, owner: int | None = None, *, segment: int = 0) -> ObjectSink:
        require_object_id(object_id)
        with self.lock:
            if self.shelf.get(object_id, segment) is not None or (object_id, segment) in self.incoming:
                raise taken(object_id, segment)
            promise = self._room.promise(reserve_bytes, owner)
            self.incoming[object_id, segment] = []
        return _MemorySink(self, object_id, segment, promise)

    def open(self, object_id: bytes, segment: int = 0) -> ObjectSource:
        require_object_id(object_id)
        found = self.shelf.get(object_id, segment)
        if found is None:
            raise missing(object_id, segment)
        return _MemorySource(object_id, found)

    def segments(self, object_id: bytes) -> list[int]:
        require_object_id(object_id)
        return self.shelf.numbers(object_id)

    def remove(self, object_id: bytes, first_segment: int = 0) -> None:
        require_object_id(object_id)
        with self.lock:
            self.shelf.take(object_id, first_segment)

    def quarantine_figures(self) -> tuple[int, int]:
        with self.lock:
            sizes = self.quarantined.sizes()
        return len(sizes), sum(sizes)

    def quarantine(self, object_id: bytes) -> None:
        require_object_id(object_id)
        with self.lock:
            found = self.shelf.take(object_id, 0)
            if not found.sizes():
                raise missing(object_id)
            self.quarantined.objects |= found.objects
            self.quarantined.segments |= found.segments
            self.quarantined.sidecars |= found.sidecars

    def ids(self) -> Iterator[bytes]:
        later = {object_id for object_id, _ in self.shelf.segments}
        return iter(sorted({*self.shelf.objects, *later, *self.shelf.sidecars}))

    def read_sidecar(self, object_id: bytes) -> bytes | None:
        require_object_id(object_id)
        return self.shelf.sidecars.get(object_id)

    def write_sidecar(self, object_id: bytes, sidecar: bytes) -> None:
        require_object_id(object_id)
        self.shelf.sidecars[object_id] = sidecar

    def leftovers(self) -> Iterator[bytes]:
        return iter(sorted({object_id for object_id, _ in self.incoming}))

    def discard_leftovers(self) -> None:
        self.incoming.clear()

    def free_bytes(self) -> int:
        return self._room.free_bytes()

    def close(self) -> None:
        """Hold nothing open, and so let nothing go."""


class _MemorySink:
    __slots__ = ("_backend", "_key", "_open", "_promise")

    def __init__(self, backend: MemoryBackend, object_id: bytes, segment: int, promise: Reservation) -> None:
        self._backend = backend
        self._key = object_id, segment
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
        self._backend.incoming[self._key].extend(pieces)
        self._promise.used(count)

    def reserve(self, more_bytes: int) -> None:
        self._require_open()
        self._promise.extend(more_bytes)

    def rest(self) -> None:
        self._require_open()
        self._promise.end()

    def finish(self, sidecar: bytes | None = None) -> None:
        self._require_open()
        object_id, segment = self._key
        shelf = self._backend.shelf
        with self._backend.lock:
            if sidecar is not None:
                shelf.sidecars[object_id] = sidecar
            shelf.put(object_id, segment, b"".join(self._backend.incoming.pop(self._key)))
        self._end()

    def abort(self) -> None:
        if self._open:
            self._backend.incoming.pop(self._key, None)
            self._end()

    def _end(self) -> None:
        self._open = False
        self._promise.end()

    def _require_open(self) -> None:
        if not self._open:
            raise VaultError(problem=f"object {self._key[0].hex()} is not being written")


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

"""What a place that keeps objects must do (FORMAT.md §7).

``local`` and ``memory`` keep it, and whatever comes later must pass the same suite, tests/unit/vault/backend_contract.py.

Rules. A backend moves bytes and decides nothing: it knows no key, and reads no field. An object is a row of segments, numbered
from 0, and most have one. A segment is written once, after the one before it was finished. It is there under its id and
number completely or not at all, and ``Sink.finish`` returns only when a power cut cannot take it back. Every call may
come from any thread; a sink or source has one owner at a time. Faults are ``VaultError`` and its children, never ``OSError``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sft.errors import ObjectMissingError, VaultError


class ObjectSink(Protocol):
    """A segment that is being written; nobody can see it before ``finish``."""

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append the pieces, by one gathered write.

        Raises:
            VaultFullError: no room. Any fault ends the sink: only ``abort`` is left.
        """

    def reserve(self, more_bytes: int) -> None:
        """Promise room for more than ``create`` did; VaultFullError if less is free above the floor."""

    def rest(self) -> None:
        """Hold nothing open and nothing promised until the next write."""

    def finish(self, sidecar: bytes | None = None) -> None:
        """Make the segment durable and visible: sync, rename over nothing, sync of the folder.

        Args:
            sidecar: lies beside the object before this segment is seen, which is its last.

        Raises:
            VaultError: a failed sync is final: the system may have dropped the bytes, and a second one would say that all
                is well. Nothing is left behind, and only ``abort`` may follow.
        """

    def abort(self) -> None:
        """Leave nothing behind; harmless after ``finish`` and when repeated."""


class ObjectSource(Protocol):
    """A segment that is being read."""

    size: int

    def read(self, offset: int, lengths: Sequence[int]) -> list[bytes]:
        """Read pieces that follow one another, by one scattered read.

        Raises:
            ObjectCorruptError: the object ends.
            ObjectMissingError: it was removed while the source rested.
        """

    def rest(self) -> None:
        """Hold nothing open until the next read: an object keeps its bytes, so it goes on where it was."""

    def close(self) -> None:
        """Let the object go; harmless when repeated."""


class Backend(Protocol):
    """Objects by id, each of segments by number, and with at most one sidecar beside it."""

    def create(self, object_id: bytes, reserve_bytes: int, owner: int | None = None, *, segment: int = 0) -> ObjectSink:
        """Begin a segment.

        Raises:
            VaultFullError: less than ``reserve_bytes`` is free above the floor.
            VaultError: it is there already, or is being written.
        """

    def open(self, object_id: bytes, segment: int = 0) -> ObjectSource:
        """Begin to read a segment; ObjectMissingError if it is not there."""

    def segments(self, object_id: bytes) -> list[int]:
        """Name the segments that lie under an id, in order."""

    def remove(self, object_id: bytes, first_segment: int = 0) -> None:
        """Destroy an object for good, or its segments from a number on: sidecar, segments, sync of the folder.

        The sidecar goes first, for its key: a power cut leaves at worst an object that nobody can open. What is not there
        is not an error: recovery finishes a removal that was cut.
        """

    def quarantine(self, object_id: bytes) -> None:
        """Move all that lies under an id out of the way, deleting nothing and replacing nothing.

        Raises:
            ObjectMissingError: nothing lies under this id.
        """

    def quarantine_figures(self) -> tuple[int, int]:
        """Count the files that were moved out of the way, and their bytes."""

    def ids(self) -> Iterator[bytes]:
        """Name every id under which a segment or sidecar lies, in order, each once."""

    def read_sidecar(self, object_id: bytes) -> bytes | None:
        """Read the sidecar beside an object; None where there is none."""

    def write_sidecar(self, object_id: bytes, sidecar: bytes) -> None:
        """Put a sidecar beside an object that is there, durably, in the place of one that does not hold.

        Raises:
            VaultError: no room, or another fault: the one that lay there may be gone, and none is half written.
        """

    def leftovers(self) -> Iterator[bytes]:
        """Name the ids of what was being written when a process died."""

    def discard_leftovers(self) -> None:
        """Remove all of that; call it only while nobody writes."""

    def free_bytes(self) -> int:
        """Return the room above the floor that is promised to nobody; never below 0."""

    def close(self) -> None:
        """Let go of what the backend holds open; harmless when repeated."""


def missing(object_id: bytes, segment: int = 0) -> ObjectMissingError:
    """Make the one error for a segment that is not there."""
    return ObjectMissingError(problem=f"{name_of(object_id, segment)} is missing")


def taken(object_id: bytes, segment: int = 0) -> VaultError:
    """Make the one error for a segment that cannot be begun."""
    return VaultError(problem=f"{name_of(object_id, segment)} is there already")


def name_of(object_id: bytes, segment: int = 0) -> str:
    """Name a segment for people: that most objects have but one is no news."""
    return f"segment {segment} of object {object_id.hex()}" if segment else f"object {object_id.hex()}"

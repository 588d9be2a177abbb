"""Copying objects from one vault's folder to another's, as they lie there (FORMAT.md §7).

Rules. A file is copied, never linked: a sidecar is overwritten in place when its object is destroyed. An object's first segment
gets its name last. What is copied has the length and the header that its row gives it, or is named as lacking and not taken;
that its bytes are those that were sealed is for who has the keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from sft import durable
from sft.errors import ObjectCorruptError, ObjectMissingError
from sft.limits import KIB
from sft.operator.backups.incoming import Incoming, open_below
from sft.vault.backend import missing
from sft.vault.layout import HEADER_BYTES, SIDECAR_MOST_BYTES, corrupt, require_header, segment_count
from sft.vault.object_directory import (
    OBJECTS,
    SEGMENTS_SUFFIX,
    SIDECAR_SUFFIX,
    ids_in,
    incoming_name,
    names_in,
    open_regular,
    reading,
)
from sft.vault.objects import require_length

_STEP_BYTES: Final = 256 * KIB
_ID: Final = re.compile("[0-9a-f]{32}")


class ObjectCopying:
    """Copies into one vault; for one thread.

    Args:
        source: the vault that is copied from.
        incoming: at the root of the vault that is copied to.
        each: told of the bytes of each step after it was written; may pause, or raise to end the copying.
    """

    def __init__(self, source: Path, incoming: Incoming, *, each: Callable[[int], None] = lambda _: None) -> None:
        self._source = source
        self._incoming = incoming
        self._each = each
        self.bytes = 0

    def copy(self, object_id: bytes, size: int) -> None:
        """Copy an object of a content of so many bytes; its files have their names with the batch.

        Raises:
            ObjectMissingError, ObjectCorruptError: it is not there, or not as its row says; nothing of it is taken.
            OSError: reading or writing failed.
        """
        name, fan = object_id.hex(), (OBJECTS, object_id.hex()[:2])
        segments = range(segment_count(size))
        sidecar = self._sidecar(object_id)
        # All of them before the first is written: what is not whole leaves nothing behind.
        for segment in segments:
            with self._opened(object_id, segment) as file:
                require_length(object_id, os.fstat(file).st_size, size, segment)
                require_header(os.pread(file, HEADER_BYTES, 0), object_id, segment)
        if sidecar is not None:
            with self._incoming.writing(f"{name}{SIDECAR_SUFFIX}", fan, f"{name}{SIDECAR_SUFFIX}") as file:
                self._incoming.write(file, sidecar)
                self._count(len(sidecar))
        for segment in reversed(segments):
            below = (*fan, f"{name}{SEGMENTS_SUFFIX}") if segment else fan
            final = str(segment) if segment else name
            with (
                self._opened(object_id, segment) as source,
                self._incoming.writing(incoming_name(object_id, segment), below, final) as file,
            ):
                while data := _read(source, object_id):
                    self._incoming.write(file, data)
                    self._count(len(data))
            self._incoming.settle()

    def _count(self, count: int) -> None:
        self.bytes += count
        self._each(count)

    def is_whole(self, folder: Path, object_id: bytes, size: int) -> bool:
        """Return whether another vault has every file of an object in the length that it has here."""
        return lengths(folder, object_id, size) == lengths(self._source, object_id, size)

    def _sidecar(self, object_id: bytes) -> bytes | None:
        with _opened_fan(self._source, object_id) as fan:
            if fan is None:
                return None
            file = open_regular(fan, object_id, object_id.hex() + SIDECAR_SUFFIX)
            if file is None:
                return None
            try:
                with reading(object_id):
                    return os.pread(file, SIDECAR_MOST_BYTES + 1, 0)
            finally:
                os.close(file)

    @contextmanager
    def _opened(self, object_id: bytes, segment: int) -> Iterator[int]:
        file = _open(self._source, object_id, segment)
        if file is None:
            raise missing(object_id, segment)
        try:
            yield file
        finally:
            os.close(file)


def _read(source: int, object_id: bytes) -> bytes:
    with reading(object_id):
        return os.read(source, _STEP_BYTES)


@contextmanager
def _opened_fan(vault: Path, object_id: bytes) -> Iterator[int | None]:
    """Open the folder in which an object would lie; None where that is gone."""
    try:
        folder = durable.open_folder(vault, OBJECTS, object_id.hex()[:2])
    except FileNotFoundError:
        yield None
        return
    try:
        yield folder
    finally:
        os.close(folder)


def _open(vault: Path, object_id: bytes, segment: int) -> int | None:
    name = object_id.hex()
    below = (f"{name}{SEGMENTS_SUFFIX}",) if segment else ()
    try:
        with reading(object_id), durable.opened_folder(vault, OBJECTS, name[:2], *below) as folder:
            return open_regular(folder, object_id, str(segment) if segment else name)
    except FileNotFoundError:
        return None
    except NotADirectoryError as fault:
        raise corrupt(object_id, "has segments in what is no folder") from fault


def lengths(vault: Path, object_id: bytes, size: int) -> list[int | None]:
    """Return the length of each file of an object, the sidecar's first; None for one that is not there."""
    folder, name = vault / OBJECTS / object_id.hex()[:2], object_id.hex()
    names = [name + SIDECAR_SUFFIX, name]
    names += [f"{name}{SEGMENTS_SUFFIX}/{segment}" for segment in range(1, segment_count(size))]
    found: list[int | None] = []
    for each in names:
        try:
            found.append((folder / each).lstat().st_size)
        except FileNotFoundError:
            found.append(None)
    return found


class FoundObjects(NamedTuple):
    """What lies in a vault's folder of objects: those of which anything is there, and those whose first segment is."""

    any_part: set[bytes]
    first_segment: set[bytes]


def objects_beginning_with(vault: int, first: int) -> FoundObjects:
    """Read which objects a vault's folder has whose id begins with a byte."""
    try:
        folder = open_below(vault, OBJECTS, f"{first:02x}")
    except FileNotFoundError:
        return FoundObjects(set(), set())
    try:
        return FoundObjects(ids_in(folder), {bytes.fromhex(name) for name in names_in(folder) if _ID.fullmatch(name)})
    finally:
        os.close(folder)


DAMAGED: Final = (ObjectMissingError, ObjectCorruptError)

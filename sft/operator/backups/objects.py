"""Copying objects from one vault's folder to another's, as they lie there (FORMAT.md §7).

Rules. A file is copied, never linked: a sidecar is overwritten in place when its object is destroyed. An object's first segment
gets its name last. What is copied has the length and the header that its row gives it, or is named as lacking and not taken;
that its bytes are those that were sealed is for who has the keys. What the disk or the system does not let be read is of one
object as well; a fault of writing is of all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sft import durable
from sft.errors import ObjectCorruptError, ObjectMissingError, ObjectUnreadableError
from sft.limits import KIB, SEGMENT_BYTES
from sft.operator.backups.incoming import Incoming, open_below
from sft.vault.backend import missing
from sft.vault.layout import (
    HEADER_BYTES,
    SIDECAR_HEADER_BYTES,
    SIDECAR_KEYS,
    SIDECAR_MAGIC,
    SIDECAR_MOST_BYTES,
    TAG_BYTES,
    VERSION,
    corrupt,
    require_header,
    segment_count,
    segment_size,
)
from sft.vault.object_directory import OBJECTS, SEGMENTS_SUFFIX, SIDECAR_SUFFIX, incoming_name, open_regular, reading
from sft.vault.objects import require_length

DAMAGED: Final = (ObjectMissingError, ObjectCorruptError, ObjectUnreadableError)

_STEP_BYTES: Final = 256 * KIB
# That its box opens is for who has the keys.
_SIDECAR_BEGINS: Final = SIDECAR_MAGIC + bytes([VERSION, 0])
_SIDECAR_LENGTHS: Final = range(SIDECAR_HEADER_BYTES + SIDECAR_KEYS.size + TAG_BYTES, SIDECAR_MOST_BYTES + 1)
_NAME: Final = re.compile(rf"([0-9a-f]{{32}})(|{re.escape(SIDECAR_SUFFIX)}|{re.escape(SEGMENTS_SUFFIX)})")


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

    def require(self, object_id: bytes, size: int) -> None:
        """Look whether an object can be copied; raises as ``copy``, and nothing is read but headers."""
        for segment in range(segment_count(size)):
            with self._opened(object_id, segment) as file:
                require_length(object_id, os.fstat(file).st_size, size, segment)
                with reading(object_id):
                    header = os.pread(file, HEADER_BYTES, 0)
                require_header(header, object_id, segment)

    def copy(self, object_id: bytes, size: int) -> bool:
        """Copy an object of a content of so many bytes; its files have their names with the batch.

        Returns:
            Whether it has a sidecar.

        Raises:
            ObjectMissingError, ObjectCorruptError, ObjectUnreadableError: it is not there, not as its row says, or not to be
                read; nothing of it is taken.
            OSError: writing failed, or the reading of anything would.
        """
        name, fan = object_id.hex(), (OBJECTS, object_id.hex()[:2])
        segments = range(segment_count(size))
        # All of them before the first is written: what is not whole leaves nothing behind.
        self.require(object_id, size)
        has_sidecar = self._write_sidecar(object_id)
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
        return has_sidecar

    def copy_sidecar(self, object_id: bytes) -> bool:
        """Copy what lies beside an object alone, where that has none; return whether there is one. Raises as ``copy``."""
        written = self._write_sidecar(object_id)
        self._incoming.settle()
        return written

    def _write_sidecar(self, object_id: bytes) -> bool:
        sidecar, name = self._sidecar(object_id), f"{object_id.hex()}{SIDECAR_SUFFIX}"
        if sidecar is None:
            return False
        with self._incoming.writing(name, (OBJECTS, object_id.hex()[:2]), name) as file:
            self._incoming.write(file, sidecar)
        self._count(len(sidecar))
        return True

    def _count(self, count: int) -> None:
        self.bytes += count
        self._each(count)

    def is_whole(self, folder: Path, object_id: bytes, size: int) -> bool:
        """Return whether another vault has every file of an object in the length that it has here; raises as ``copy``."""
        there = lengths(folder, object_id, size)
        with reading(object_id):
            return there == lengths(self._source, object_id, size)

    def _sidecar(self, object_id: bytes) -> bytes | None:
        """Read a sidecar; None where none that could be one can be read: a check writes it anew."""
        with suppress(*DAMAGED), reading(object_id), _opened_fan(self._source, object_id) as fan:
            file = None if fan is None else open_regular(fan, object_id, object_id.hex() + SIDECAR_SUFFIX)
            if file is None:
                return None
            try:
                sidecar = os.pread(file, SIDECAR_MOST_BYTES + 1, 0)
            finally:
                os.close(file)
            if sidecar.startswith(_SIDECAR_BEGINS) and len(sidecar) in _SIDECAR_LENGTHS:
                return sidecar
        return None

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
        except (FileNotFoundError, NotADirectoryError):
            found.append(None)
    return found


class FoundObjects:
    """The files of objects that lie in a part of a vault, each with its length: what can be known of them without a key.

    Attributes:
        ids: of which anything is there.
    """

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        self._lengths: dict[str, int] = {}  # of a sidecar it is not known

    def add(self, object_id: bytes, name: str, length: int) -> None:
        self.ids.add(object_id)
        self._lengths[name] = length

    def fits(self, object_id: bytes, size: int) -> bool:
        """Return whether every segment of a content of so many bytes is there, in its length."""
        name, lengths = object_id.hex(), self._lengths
        return lengths.get(name) == segment_size(0, size) and (
            size <= SEGMENT_BYTES
            or all(
                lengths.get(f"{name}{SEGMENTS_SUFFIX}/{segment}") == segment_size(segment, size)
                for segment in range(1, segment_count(size))
            )
        )

    def has_sidecar(self, object_id: bytes) -> bool:
        return f"{object_id.hex()}{SIDECAR_SUFFIX}" in self._lengths


def objects_beginning_with(vault: int, first: int) -> FoundObjects:
    """Look which objects a vault's folder has whose id begins with a byte; of 140,000 that takes 0.9 s of a processor."""
    found = FoundObjects()
    try:
        folder = open_below(vault, OBJECTS, f"{first:02x}")
    except FileNotFoundError:
        return found
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                named = _NAME.fullmatch(entry.name)
                if named is None:
                    continue
                object_id, suffix = bytes.fromhex(named[1]), named[2]
                if suffix == SEGMENTS_SUFFIX:
                    _add_segments(found, object_id, folder, entry.name)
                elif entry.is_file(follow_symlinks=False):
                    # Beside it only the name counts: how long it is, the list of objects does not say.
                    length = -1 if suffix else entry.stat(follow_symlinks=False).st_size
                    found.add(object_id, entry.name, length)
                else:
                    found.ids.add(object_id)
    finally:
        os.close(folder)
    return found


def _add_segments(found: FoundObjects, object_id: bytes, fan: int, name: str) -> None:
    found.ids.add(object_id)
    with suppress(NotADirectoryError):
        folder = durable.sub_folder(fan, name)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        found.add(object_id, f"{name}/{entry.name}", entry.stat(follow_symlinks=False).st_size)
        finally:
            os.close(folder)

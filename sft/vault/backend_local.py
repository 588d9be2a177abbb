"""Objects as files: the backend of a server's own disk (FORMAT.md §7).

Rules. An object is written under a temporary name, synced, given its name over nothing, and its folder synced; only then
is it there. Nothing is ever replaced but a sidecar that does not hold. A failed sync is final: it is not repeated, since the
system may have dropped the bytes and would then say that all is well.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sft import durable
from sft.errors import VaultError
from sft.limits import FLOOR_BYTES
from sft.vault.backend import ObjectSink, ObjectSource, missing, taken
from sft.vault.capacity import Capacity, Reservation
from sft.vault.disk import Disk, RealDisk
from sft.vault.layout import SIDECAR_MOST_BYTES, corrupt
from sft.vault.object_directory import (
    FAN,
    SEGMENTS_SUFFIX,
    SIDECAR_SUFFIX,
    ObjectDirectory,
    faults,
    files_below,
    ids_in,
    incoming_name,
    is_there,
    make_object_directory,
    open_regular,
    reading,
    segments_folder,
    segments_in,
)


class LocalBackend:
    """Objects below one folder of a local file system.

    Args:
        root: a folder that ``create_at`` made.
        floor_bytes: room that stays free, for the database.
        disk: the steps on files; tests give one that records or fails.
        writes: whether anything may be changed there; where not, the folder may be anybody's and need not be complete.

    Raises:
        VaultError: the folder is not a vault, or is open to others.
    """

    def __init__(
        self, root: Path, *, floor_bytes: int = FLOOR_BYTES, disk: Disk | None = None, writes: bool = True
    ) -> None:
        try:
            self._tree = ObjectDirectory(root, (disk or RealDisk()) if writes else None)
        except OSError as fault:
            problem = f"{root} is not a vault that is ours alone"
            raise VaultError(str(fault), problem=problem) from fault
        self._room = Capacity(lambda: durable.free_bytes(self._tree.root), floor_bytes)

    @classmethod
    def create_at(cls, root: Path, *, floor_bytes: int = FLOOR_BYTES, disk: Disk | None = None) -> LocalBackend:
        try:
            make_object_directory(root, disk or RealDisk())
        except OSError as fault:
            raise VaultError(str(fault), problem=f"no vault can be made at {root}") from fault
        return cls(root, floor_bytes=floor_bytes, disk=disk)

    def create(self, object_id: bytes, reserve_bytes: int, owner: int | None = None, *, segment: int = 0) -> ObjectSink:
        with _acting(object_id, "begun"), self._tree.place(object_id, segment) as place:
            if place is not None and is_there(*place):
                raise taken(object_id, segment)
            promise = self._room.promise(reserve_bytes, owner)
            try:
                file = self._tree.disk.create(self._tree.incoming, incoming_name(object_id, segment))
            except FileExistsError:
                promise.end()
                raise taken(object_id, segment) from None
            except OSError:
                promise.end()
                raise
        return _LocalSink(self._tree, object_id, segment, file, promise)

    def open(self, object_id: bytes, segment: int = 0) -> ObjectSource:
        return _LocalSource(object_id, partial(self._open_file, object_id, segment))

    def _open_file(self, object_id: bytes, segment: int) -> int:
        with _reading(object_id, "opened"), self._tree.place(object_id, segment) as place:
            file = None if place is None else open_regular(place[0], object_id, place[1])
        if file is None:
            raise missing(object_id, segment)
        return file

    def segments(self, object_id: bytes) -> list[int]:
        with _reading(object_id, "listed"), self._tree.fan(object_id) as fan:
            first = [0] if is_there(fan, object_id.hex()) else []
            folder = segments_folder(fan, object_id)
            if folder is None:
                return first
            try:
                return first + segments_in(folder)
            finally:
                os.close(folder)

    def remove(self, object_id: bytes, first_segment: int = 0) -> None:
        name, tree, disk = object_id.hex(), self._tree, self._tree.disk
        with _acting(object_id, "removed"), tree.fan(object_id) as fan:
            # The sidecar's bytes hold the data key: an undelete of both files must open nothing. Best effort: on file systems
            # that copy on write it may want room, and destroys nothing there.
            with contextlib.suppress(OSError):
                disk.overwrite(fan, name + SIDECAR_SUFFIX)
            with contextlib.suppress(FileNotFoundError):
                disk.unlink(fan, name + SIDECAR_SUFFIX)
            tree.remove_segments(fan, object_id, max(1, first_segment))
            if not first_segment:
                with contextlib.suppress(FileNotFoundError):
                    disk.unlink(fan, name)
            disk.sync_folder(fan)

    def quarantine(self, object_id: bytes) -> None:
        tree, name = self._tree, object_id.hex()
        with _acting(object_id, "moved to the quarantine"), tree.fan(object_id) as folder:
            names = [name + suffix for suffix in ("", SEGMENTS_SUFFIX, SIDECAR_SUFFIX)]
            there = [name for name in names if is_there(folder, name)]
            if not there:
                raise missing(object_id)
            for found in there:
                tree.set_aside(folder, found)
            tree.disk.sync_folder(tree.quarantine)
            tree.disk.sync_folder(folder)

    def quarantine_figures(self) -> tuple[int, int]:
        with faults("the quarantine", "listed"):
            sizes = [size for _, size, _ in files_below(self._tree.quarantine)]
        return len(sizes), sum(sizes)

    def ids(self) -> Iterator[bytes]:
        for first in FAN:
            with faults("the vault", "listed"):
                try:
                    folder = durable.sub_folder(self._tree.objects, first)
                except FileNotFoundError:  # what was in it is missed where it is named
                    continue
                try:
                    found = ids_in(folder)
                finally:
                    os.close(folder)
            yield from sorted(object_id for object_id in found if object_id.hex()[:2] == first)

    def read_sidecar(self, object_id: bytes) -> bytes | None:
        with _reading(object_id, "read"):
            return self._tree.read_beside(object_id, SIDECAR_SUFFIX, SIDECAR_MOST_BYTES)

    def write_sidecar(self, object_id: bytes, sidecar: bytes) -> None:
        tree, disk, name = self._tree, self._tree.disk, object_id.hex() + SIDECAR_SUFFIX
        with _acting(object_id, "given a sidecar"), tree.fan(object_id) as fan:
            tree.write_incoming(name, sidecar)
            try:
                with contextlib.suppress(FileNotFoundError):
                    disk.unlink(fan, name)
                disk.rename(tree.incoming, name, fan, name)
                disk.sync_folder(fan)
            except OSError:
                tree.forget(name)
                raise

    def leftovers(self) -> Iterator[bytes]:
        with faults("the vault", "listed"):
            return iter(sorted(ids_in(self._tree.incoming)))

    def discard_leftovers(self) -> None:
        with faults("what was being written", "discarded"):
            self._tree.discard_all()

    def free_bytes(self) -> int:
        return self._room.free_bytes()

    def close(self) -> None:
        self._tree.close()


def _acting(object_id: bytes, act: str) -> contextlib.AbstractContextManager[None]:
    return faults(f"object {object_id.hex()}", act)


@contextlib.contextmanager
def _reading(object_id: bytes, act: str) -> Iterator[None]:
    with _acting(object_id, act), reading(object_id):
        try:
            yield
        except FileNotFoundError:  # the folder in which it would lie is gone
            raise missing(object_id) from None


class _LocalSink:
    """One file of ``incoming``; it ends as a segment or as nothing."""

    __slots__ = ("_ended", "_file", "_object_id", "_promise", "_segment", "_tree")

    def __init__(self, tree: ObjectDirectory, object_id: bytes, segment: int, file: int, promise: Reservation) -> None:
        self._tree = tree
        self._object_id = object_id
        self._segment = segment
        self._file: int | None = file
        self._promise = promise
        self._ended = False

    def write(self, pieces: Sequence[bytes]) -> None:
        self._require_open()
        count = sum(map(len, pieces))
        try:
            self._promise.require(count)
            with _acting(self._object_id, "written"):
                self._tree.disk.write(self._opened(), pieces)
        except VaultError:
            self.abort()
            raise
        self._promise.used(count)

    def reserve(self, more_bytes: int) -> None:
        self._require_open()
        self._promise.extend(more_bytes)

    def rest(self) -> None:
        self._require_open()
        try:
            with _acting(self._object_id, "stored"):
                # Of a fault while the bytes go to the disk nobody hears who does not hold the file open.
                self._tree.disk.sync_file(self._opened())
        except VaultError:
            self.abort()
            raise
        self._close()
        self._promise.end()

    def finish(self, sidecar: bytes | None = None) -> None:
        self._require_open()
        tree, name = self._tree, self._object_id.hex()
        try:
            with _acting(self._object_id, "stored"):
                tree.disk.sync_file(self._opened())
                self._close()
                if sidecar is not None:
                    tree.write_incoming(name + SIDECAR_SUFFIX, sidecar)
                with tree.fan(self._object_id) as fan:
                    self._place(fan, has_sidecar=sidecar is not None)
        except VaultError:
            self.abort()
            raise
        self._end()

    def _place(self, fan: int, *, has_sidecar: bool) -> None:
        tree, disk, name = self._tree, self._tree.disk, self._object_id.hex()
        folder = disk.make_folder(fan, name + SEGMENTS_SUFFIX) if self._segment else fan
        names = [(incoming_name(self._object_id, self._segment), folder, str(self._segment) if self._segment else name)]
        if has_sidecar:
            # The segment last: whoever sees it, sees what belongs beside it.
            names.insert(0, (name + SIDECAR_SUFFIX, fan, name + SIDECAR_SUFFIX))
        placed: list[tuple[int, str]] = []
        try:
            for temporary, place, final in names:
                disk.rename(tree.incoming, temporary, place, final)
                placed.append((place, final))
            disk.sync_folder(folder)
            # The first one that lies in the folder made it: later ones only need its own names.
            if folder != fan and (self._segment == 1 or has_sidecar):
                disk.sync_folder(fan)
        except OSError:
            for place, final in reversed(placed):
                with contextlib.suppress(OSError):
                    disk.unlink(place, final)
            raise
        finally:
            if folder != fan:
                os.close(folder)

    def abort(self) -> None:
        if not self._ended:
            self._end()
            # What cannot be removed now is a leftover, and goes at the next start.
            with contextlib.suppress(OSError):
                self._tree.discard(self._object_id, self._segment)

    def _end(self) -> None:
        self._ended = True
        self._close()
        self._promise.end()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _opened(self) -> int:
        if self._file is None:
            self._file = self._tree.disk.reopen(self._tree.incoming, incoming_name(self._object_id, self._segment))
        return self._file

    def _require_open(self) -> None:
        if self._ended:
            raise VaultError(problem=f"object {self._object_id.hex()} is not being written")


class _Buffers(threading.local):
    """What one thread reads into, again and again: fresh ones cost page faults, one's own of each source a quarter of a MiB."""

    def __init__(self) -> None:
        self._buffers: list[bytearray] = []

    def views(self, lengths: Sequence[int]) -> list[memoryview]:
        """Lend buffers of these lengths until the next call in this thread."""
        while len(self._buffers) < len(lengths):
            self._buffers.append(bytearray())
        for number, length in enumerate(lengths):
            if len(self._buffers[number]) < length:
                self._buffers[number] = bytearray(length)
        return [memoryview(buffer)[:length] for buffer, length in zip(self._buffers, lengths, strict=False)]


_BUFFERS: Final = _Buffers()


class _LocalSource:
    """One open file."""

    __slots__ = ("_at", "_closed", "_file", "_object_id", "_open", "size")

    def __init__(self, object_id: bytes, open_file: Callable[[], int]) -> None:
        self._object_id = object_id
        self._open = open_file
        self._file: int | None = open_file()
        self._closed = False
        self._at = 0
        with _reading(object_id, "opened"):
            self.size = os.fstat(self._file).st_size

    def read(self, offset: int, lengths: Sequence[int]) -> list[bytes]:
        if self._closed:
            raise ValueError("the source is closed")
        file = self._file
        if file is None:
            file = self._file = self._open()
            self._at = 0
        with _reading(self._object_id, "read"):
            if offset != self._at:
                self._at = os.lseek(file, offset, os.SEEK_SET)
            views = _BUFFERS.views(lengths)
            found = os.readv(file, views)
            self._at += found
            if found != sum(lengths):
                self._read_rest(file, views, found)
        return [bytes(view) for view in views]

    def _read_rest(self, file: int, views: Sequence[memoryview], found: int) -> None:
        for view in views:
            rest = view[min(found, len(view)) :]
            found -= len(view) - len(rest)
            while rest:
                more = os.readv(file, [rest])
                if more == 0:
                    raise corrupt(self._object_id, "is shorter than it was")
                rest = rest[more:]
                self._at += more

    def rest(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def close(self) -> None:
        self._closed = True
        self.rest()

"""The folders of the local backend, and what is done to names in them.

    objects/ab/<id>              an object, or its segment 0; ab are the first two digits of its id
    objects/ab/<id>.segments/1   its segment 1, and so on
    objects/ab/<id>.meta         the sidecar
    incoming/<id>.object         being written; likewise .1.object and .meta
    quarantine/<id>…             what nobody knew, kept for a person to look at

Rules. Folders are 0700 and files 0600, whatever the umask. Folders are held open and names looked up in them; no link is
followed. Every fault here is an OSError, which ``faults`` turns into ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sft import durable
from sft.errors import ObjectUnreadableError, VaultError, VaultFullError
from sft.vault.disk import Disk, UnwritableDisk, unwritable
from sft.vault.layout import corrupt, require_object_id

OBJECTS: Final = "objects"
INCOMING: Final = "incoming"
QUARANTINE: Final = "quarantine"
SIDECAR_SUFFIX: Final = ".meta"
SEGMENTS_SUFFIX: Final = ".segments"
OBJECT_SUFFIX: Final = ".object"  # in incoming alone: nothing there may look finished
FAN: Final = tuple(f"{n:02x}" for n in range(256))

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_FOLDER: Final = (errno.ENOTDIR, errno.ELOOP)
_NO_FILE: Final = (errno.EINVAL, errno.ELOOP, errno.EISDIR, errno.ENXIO)
_LOST: Final = frozenset(
    getattr(errno, name) for name in ("EIO", "EREMOTEIO", "EBADMSG", "EUCLEAN") if hasattr(errno, name)
)
_SHUT: Final = (errno.EACCES, errno.EPERM)
_QUARANTINED_MOST: Final = 1000
_NAME: Final = re.compile(r"([0-9a-f]{32})(?:\.meta|\.segments|(?:\.[1-9][0-9]*)?\.object)?")
_SEGMENT: Final = re.compile(r"[1-9][0-9]{0,9}")


@contextlib.contextmanager
def faults(name: str, act: str) -> Iterator[None]:
    """Turn the system's faults into ours; its words are for the log alone."""
    try:
        yield
    except OSError as fault:
        if fault.errno in _FULL:
            problem = "the file system has no room left"
            raise VaultFullError(f"{name}: {fault}", problem=problem) from fault
        raise VaultError(f"{name}: {fault}", problem=f"{name} could not be {act}") from fault


@contextlib.contextmanager
def reading(object_id: bytes) -> Iterator[None]:
    """Say of one object what is no fault of all: its disk has lost what is read, as a sector, or it is another user's."""
    try:
        yield
    except OSError as fault:
        if fault.errno in _LOST:
            raise corrupt(object_id, "cannot be read from its disk") from fault
        if fault.errno in _SHUT:
            problem = f"object {object_id.hex()} could not be read: the system does not permit it"
            raise ObjectUnreadableError(str(fault), problem=problem) from fault
        raise


class ObjectDirectory:
    """The open folders of one vault.

    Args:
        root: a folder that ``make_object_directory`` made.
        disk: the steps on files; None for a folder that is only read. Such a one may be anybody's, and need not have all of its
            folders.

    Raises:
        OSError: the folder is not a vault, or is open to others.
    """

    def __init__(self, root: Path, disk: Disk | None) -> None:
        self.disk: Disk = disk or UnwritableDisk()
        self._incoming: int | None = None
        self._quarantine: int | None = None
        self._held = contextlib.ExitStack()
        try:
            self.root = self._hold(durable.open_folder(root))
            self.objects = self._hold(durable.sub_folder(self.root, OBJECTS))
            if disk is None:
                return
            _require_private(self.root)
            self._incoming = self._hold(durable.sub_folder(self.root, INCOMING))
            self._quarantine = self._hold(durable.sub_folder(self.root, QUARANTINE))
            self._make_fan()
        except BaseException:
            self._held.close()
            raise

    @property
    def incoming(self) -> int:
        return _of_writer(self._incoming)

    @property
    def quarantine(self) -> int:
        return _of_writer(self._quarantine)

    def _hold(self, folder: int) -> int:
        self._held.callback(os.close, folder)
        return folder

    def _make_fan(self) -> None:
        """Make all folders beforehand, so that a new object needs one folder synced and not two."""
        absent = sorted(set(FAN).difference(names_in(self.objects)))
        for name in absent:
            os.close(self.disk.make_folder(self.objects, name))
        if absent:
            self.disk.sync_folder(self.objects)

    def close(self) -> None:
        """Let the folders go; harmless when repeated."""
        self._held.close()

    @contextlib.contextmanager
    def fan(self, object_id: bytes) -> Iterator[int]:
        require_object_id(object_id)
        folder = durable.sub_folder(self.objects, object_id.hex()[:2])
        try:
            yield folder
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def place(self, object_id: bytes, segment: int) -> Iterator[tuple[int, str] | None]:
        """Open the folder in which a segment lies, or would; with its name there. None where that folder is not."""
        with self.fan(object_id) as fan:
            if not segment:
                yield fan, object_id.hex()
                return
            folder = segments_folder(fan, object_id)
            if folder is None:
                yield None
                return
            try:
                yield folder, str(segment)
            finally:
                os.close(folder)

    def write_incoming(self, name: str, data: bytes) -> None:
        """Write a small file durably under a temporary name, or leave nothing."""
        file = self.disk.create(self.incoming, name)
        try:
            try:
                self.disk.write(file, [data])
                self.disk.sync_file(file)
            finally:
                os.close(file)
        except OSError:
            self.forget(name)
            raise

    def read_beside(self, object_id: bytes, suffix: str, at_most: int) -> bytes | None:
        """Read a small file beside an object; None where there is none."""
        with self.fan(object_id) as folder:
            file = open_regular(folder, object_id, object_id.hex() + suffix)
            if file is None:
                return None
            try:
                # One byte more than there may be: a longer one must be seen to be longer.
                return os.pread(file, at_most + 1, 0)
            finally:
                os.close(file)

    def set_aside(self, folder: int, name: str) -> None:
        """Move a name into the quarantine, over nothing."""
        for attempt in range(_QUARANTINED_MOST):
            with contextlib.suppress(FileExistsError):
                aside = f"{name}.{attempt}" if attempt else name
                self.disk.rename(folder, name, self.quarantine, aside)
                return
        raise VaultError(problem=f"the quarantine holds {name} too often")

    def discard(self, object_id: bytes, segment: int) -> None:
        """Remove a segment that was being written."""
        for name in (incoming_name(object_id, segment), object_id.hex() + SIDECAR_SUFFIX):
            with contextlib.suppress(FileNotFoundError):
                self.disk.unlink(self.incoming, name)

    def discard_all(self) -> None:
        """Remove all that was being written; names that this backend never makes are passed over."""
        for name in names_in(self.incoming):
            if _id_of(name):
                self.disk.unlink(self.incoming, name)

    def remove_segments(self, fan: int, object_id: bytes, first: int) -> None:
        """Remove the segments from a number on that lie in a folder of their own, and that folder with the last of them."""
        folder = segments_folder(fan, object_id)
        if folder is None:
            return
        try:
            found = segments_in(folder)
            for segment in reversed(found):
                if segment >= first:
                    self.disk.unlink(folder, str(segment))
            if any(segment < first for segment in found):
                self.disk.sync_folder(folder)
                return
        finally:
            os.close(folder)
        self.disk.remove_folder(fan, object_id.hex() + SEGMENTS_SUFFIX)

    def forget(self, name: str) -> None:
        """Remove what was being written under a temporary name, as far as the disk lets it."""
        with contextlib.suppress(OSError):
            self.disk.unlink(self.incoming, name)


def make_object_directory(root: Path, disk: Disk) -> None:
    """Make the folders of a new vault; again is harmless."""
    durable.make_private_folder(root)
    with durable.opened_folder(root) as folder:
        for name in (OBJECTS, INCOMING, QUARANTINE):
            os.close(disk.make_folder(folder, name))
        disk.sync_folder(folder)


def _require_private(folder: int) -> None:
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(errno.EPERM, "open to others")


def _of_writer(folder: int | None) -> int:
    if folder is None:
        raise unwritable()
    return folder


def names_in(folder: int) -> list[str]:
    return os.listdir(folder)


def files_below(folder: int, *, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Name the files in a folder and in the folders of segments in it: path, bytes, and when it was last written (Unix s)."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    for name, status in found:
        if not stat.S_ISDIR(status.st_mode):
            yield prefix + name, status.st_size, int(status.st_mtime)
            continue
        below = durable.sub_folder(folder, name)
        try:
            yield from files_below(below, prefix=f"{prefix}{name}/")
        finally:
            os.close(below)


def is_there(folder: int, name: str) -> bool:
    """Return whether anything has this name, be it a link that leads nowhere."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def open_regular(folder: int, object_id: bytes, name: str) -> int | None:
    """Open a file of an object for reading; None where there is none, ObjectCorruptError if something else has the name."""
    try:
        return durable.open_regular(folder, name)
    except FileNotFoundError:
        return None
    except OSError as fault:
        if fault.errno in _NO_FILE:
            raise corrupt(object_id, "is not a regular file") from fault
        raise


def segments_folder(fan: int, object_id: bytes) -> int | None:
    """Open the folder of an object's further segments; None where there is none, ObjectCorruptError if it is no folder."""
    try:
        return durable.sub_folder(fan, object_id.hex() + SEGMENTS_SUFFIX)
    except FileNotFoundError:
        return None
    except OSError as fault:
        if fault.errno in _NO_FOLDER:
            raise corrupt(object_id, "has segments in what is no folder") from fault
        raise


def segments_in(folder: int) -> list[int]:
    """Read the numbers of segments out of a folder's names, in order."""
    return sorted(int(name) for name in names_in(folder) if _SEGMENT.fullmatch(name))


def incoming_name(object_id: bytes, segment: int) -> str:
    """Name a segment that is being written."""
    number = f".{segment}" if segment else ""
    return object_id.hex() + number + OBJECT_SUFFIX


def ids_in(folder: int) -> set[bytes]:
    """Read the ids out of a folder's names; those that this backend never makes are passed over."""
    return {object_id for name in names_in(folder) if (object_id := _id_of(name))}


def _id_of(name: str) -> bytes | None:
    found = _NAME.fullmatch(name)
    return bytes.fromhex(found[1]) if found else None

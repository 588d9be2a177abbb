"""A download's way onto this computer's disk: nothing has the final name before everything was verified.

Rules. Everything here blocks and runs on the pool. The destination is opened once; every folder below it is walked without
following links; content goes to an exclusive ``.part`` of mode 0600 beside the final name, is synced, dated, and renamed
without replacing unless that was asked for; then a regular file alone is replaced. One that fails leaves nothing. What has its
name has the mode that the umask leaves it, open to nobody to whom what it replaces was closed, and may be run if its author
signed that, and only then. A part that was left here is the one that was noted, a regular file of ours with one name, or it is
not touched.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from sft import durable
from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.client.transfers.destination import Folders
from sft.client.transfers.local_file import LocalFile, is_as_seen
from sft.client.transfers.part_names import is_ours, new_part_id, part_names
from sft.errors import LocalChangedError, LocalExistsError, LocalFileError
from sft.limits import NAME_BYTES
from sft.model.names import local_name

SIGNATURE_ENDING: Final = ".minisig"
_RESERVED_SHARE: Final = 4  # of what is free: large files run four at a time
_MOST_COPIES: Final = 10_000
_ENDING_CHARACTERS: Final = 16  # what follows the last dot of a longer one is no ending
_FILE: Final = 0o666  # less what the umask says
_EXECUTABLE: Final = 0o111
_READ: Final = 0o444
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_REOPEN_FLAGS: Final = os.O_RDWR | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))


class ConflictPolicy(StrEnum):
    """What becomes of a file that has the name already."""

    REFUSE = "refuse"
    FORCE = "force"
    KEEP_BOTH = "keep-both"


class LeftPart(NamedTuple):
    """A part that was left, as it was noted.

    Args:
        identity: device and inode.
        done: bytes that are to stay.
    """

    id: str
    identity: tuple[int, int]
    done: int


class PartUnfitError(Exception):
    """What has the name of a part that was left is not that part."""


class PartFile:
    """One file on its way to the disk.

    Args:
        parts: where below the destination, folders first; each is checked again here.
        size: bytes of the whole; None if they are here already: then nothing is looked at before they are written.
        listed_size: as they were announced before; room for so many is taken at once.
        replaces: with force, what alone is replaced.
        with_signature: NAME.minisig is written beside it.
        left: the part to go on with; its content is still to be proved, with ``read``, then ``cut``.

    Raises:
        PartUnfitError: it is not the part that was left; nothing was touched.
        LocalExistsError: the name is taken, and neither force nor keep-both was asked for.
        LocalDiskFullError, LocalFileError: the folder cannot take it.
        NameNotAllowedError: a part is no name for this computer.
    """

    def __init__(
        self,
        destination: Folders,
        parts: Sequence[str],
        *,
        size: int | None,
        listed_size: int = 0,
        existing: ConflictPolicy,
        with_signature: bool,
        replaces: LocalFile | None = None,
        left: LeftPart | None = None,
    ) -> None:
        *above, leaf = [local_name(part) for part in parts]
        self._name = leaf
        self._existing = existing
        self._replaces = replaces
        self._with_signature = with_signature
        self._where = destination.path.joinpath(*above)
        self._local = self._where / leaf
        if left is not None:
            self.id = left.id
        else:
            self.id = secrets.token_hex(8) if size is None else new_part_id(str(self.local))
        self._part, self._signature_part = part_names(self.id)
        self._file = -1
        self._release = destination.release
        self._mask = ~destination.umask
        self._folder = destination.folder(above)
        try:
            if existing is ConflictPolicy.REFUSE and size is not None:
                self._refuse_existing()
            with translating_os_errors(self._local):
                if left is None:
                    self._file = durable.create_new(self._folder, self._part)
                else:
                    self._file = _reopened(self._folder, self._part, left)
                    self._drop(self._signature_part)
                if size is not None:
                    self._reserve(size, listed_size, 0 if left is None else left.done)
        except BaseException:
            if left is None:
                self.discard()
            self._close()
            raise

    def _reserve(self, size: int, listed_size: int, there: int) -> None:
        """Refuse what has no room here; take at once no more than was listed, and a share of what is free.

        A size is the server's word: what never arrives would hold the disk for as long as the server likes.
        """
        free = durable.free_bytes(self._file)
        if size - there > free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        durable.reserve(self._file, min(size, listed_size, there + free // _RESERVED_SHARE))

    @property
    def local(self) -> Path:
        """The name that it shall have, absolute."""
        return self._where.absolute() / self._name

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        found = os.fstat(self._file)
        return found.st_dev, found.st_ino

    @property
    def intact(self) -> bool:
        """Whether it still has its one name."""
        return os.fstat(self._file).st_nlink == 1

    def read(self, size: int) -> bytes:
        """Read on in a part that was left; fewer bytes at its end."""
        with translating_os_errors(self._local):
            return os.read(self._file, size)

    def cut(self, size: int) -> int:
        """Drop what lies beyond so many bytes, go on after them, and return how many were dropped."""
        with translating_os_errors(self._local):
            beyond = os.fstat(self._file).st_size - size
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
        return beyond

    def write(self, chunks: Sequence[bytes]) -> None:
        with translating_os_errors(self._local):
            for chunk in chunks:
                durable.write_all(self._file, chunk)

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Keep no mark."""

    def date(self, dated_at: int) -> None:
        """Give it the date of its version; one that this file system cannot hold is no reason to lose the file."""
        with contextlib.suppress(OverflowError, OSError):
            os.utime(self._file, ns=(time.time_ns(), dated_at * 10**9))

    def sync(self, signature: bytes | None = None) -> None:
        """Wait until what was written is on the disk, and a signature beside it if one is wanted there."""
        with translating_os_errors(self._local):
            durable.sync_file(self._file)
            if signature is not None and self._with_signature:
                durable.write_new(self._folder, self._signature_part, signature, _FILE & self._mask)

    def finish(self, *, dated_at: int, executable: bool, signature: bytes) -> tuple[Path, Path | None]:
        """Date and sync verified content, and ``place`` it."""
        self.date(dated_at)
        self.sync(signature)
        return self.place(executable=executable)

    def place(self, *, executable: bool, sync_folder: bool = True) -> tuple[Path, Path | None]:
        """Give verified content that is synced its final name, and return the paths of file and signature.

        Args:
            executable: it may be run, as far as the umask allows.
            sync_folder: without, the caller syncs it: once for several.

        Raises:
            LocalExistsError: somebody took the name meanwhile.
            LocalChangedError: what has it is not what it may replace.
            LocalDiskFullError, LocalFileError: the disk did not take it, or what has the name is no regular file.
        """
        with translating_os_errors(self._local):
            for name in self._candidates():
                try:
                    placed = self._named(name)
                    break
                except FileExistsError:
                    continue
            else:
                raise LocalExistsError(path=str(self._local))
            # Not before it has its name: what is left for a later run is for its owner alone.
            with contextlib.suppress(PermissionError):  # a file system without modes
                os.fchmod(self._file, (_FILE | _EXECUTABLE * executable) & self._mask)
            if sync_folder:
                durable.sync_folder(self._folder)
        self._close()
        return placed

    def discard(self) -> None:
        """Remove what was written; idempotent, and without effect after ``finish``."""
        if self._folder < 0:
            return
        self._drop(self._part)
        self._drop(self._signature_part)
        self._close()

    def leave(self) -> None:
        """Leave it as it is, to go on with later; idempotent."""
        if self._folder >= 0:
            self._drop(self._signature_part)  # another run may want none, or has another one
        self._close()

    def _drop(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._folder)

    def _named(self, name: str) -> tuple[Path, Path | None]:
        if self._existing is ConflictPolicy.FORCE:
            self._require_replaceable(name)
        self._rename(self._part, name)
        if not self._with_signature:
            return self._local if name == self._name else self._where / name, None
        try:
            self._rename(self._signature_part, name + SIGNATURE_ENDING)
        except FileExistsError:
            # Both or neither: under another name both may fit.
            os.rename(name, self._part, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            raise
        return self._where / name, self._where / (name + SIGNATURE_ENDING)

    def _rename(self, part: str, name: str) -> None:
        if self._existing is ConflictPolicy.FORCE and (part != self._part or self._may_replace(name)):
            os.replace(part, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        else:
            durable.rename_no_replace(self._folder, part, self._folder, name)

    def _require_replaceable(self, leaf: str) -> None:
        for name in (leaf, leaf + SIGNATURE_ENDING) if self._with_signature else (leaf,):
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
                if (refusal := refusal_to_replace(found, self._where / name)) is not None:
                    raise refusal
                if name == leaf:  # who could read it may run it, if anybody may
                    self._mask &= stat.S_IRWXU | (found.st_mode & _FILE) | (found.st_mode & _READ) >> 2

    def _may_replace(self, name: str) -> bool:
        """Refuse to replace another file than the one that was seen; where that is gone, nothing is replaced."""
        if self._replaces is None:
            return True
        try:
            found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if not is_as_seen(self._replaces, found):
            raise LocalChangedError(path=str(self._where / name))
        return True

    def _candidates(self) -> Iterator[str]:
        yield self._name
        if self._existing is ConflictPolicy.KEEP_BOTH:
            for number in range(2, _MOST_COPIES):
                yield numbered(self._name, number)

    def _refuse_existing(self) -> None:
        names = [self._name]
        if self._with_signature:
            names.append(self._name + SIGNATURE_ENDING)
        for name in names:
            try:
                os.stat(name, dir_fd=self._folder, follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise describe_os_error(error, self._where / name) from error
            raise LocalExistsError(path=str(self._where / name))

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        if self._folder >= 0:
            self._release(self._folder)
        self._file = self._folder = -1


class NullSink:
    """The sink of content that is verified and not kept."""

    def write(self, chunks: Sequence[bytes]) -> None:
        """Keep nothing."""

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Keep no mark."""

    def finish(self, *, dated_at: int, executable: bool, signature: bytes) -> tuple[None, None]:
        del dated_at, executable, signature
        return None, None

    def discard(self) -> None:
        """Remove nothing."""


def refusal_to_replace(found: os.stat_result, path: Path) -> LocalFileError | None:
    """Return why what has a name is not replaced by a download, whatever was asked for; None for a regular file."""
    if stat.S_ISREG(found.st_mode):
        return None
    problem = "is a folder" if stat.S_ISDIR(found.st_mode) else "is not a regular file"
    return LocalFileError(path=str(path), problem=problem, remedy="Move it aside, then the same command again")


def _reopened(folder: int, name: str, left: LeftPart) -> int:
    """Open a part that was left; PartUnfitError if it is gone, or something else."""
    try:
        file = os.open(name, _REOPEN_FLAGS, dir_fd=folder)
    except OSError as error:
        raise PartUnfitError from error
    found = os.fstat(file)
    is_fit = is_ours(found) and not found.st_mode & _OTHERS_WRITE  # they could write after it was proved
    if not is_fit or (found.st_dev, found.st_ino) != left.identity or found.st_size < left.done:
        os.close(file)
        raise PartUnfitError
    if stat.S_IMODE(found.st_mode) != durable.PRIVATE_FILE:
        os.fchmod(file, durable.PRIVATE_FILE)
    return file


def numbered(name: str, number: int) -> str:
    """Name a copy: ``plan (2).pdf``, cut so that it still is a name."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > _ENDING_CHARACTERS:
        stem, dot, ending = name, "", ""
    tail = f" ({number}){dot}{ending}"
    room = NAME_BYTES - len(tail.encode())
    while len(stem.encode()) > room:
        stem = stem[:-1]
    return f"{stem}{tail}"

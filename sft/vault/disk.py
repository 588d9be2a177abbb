"""The few calls by which the local backend changes a file system, and nothing else.

They stand apart so that tests can record them, enumerate what a power cut may leave of them, and let any of them fail.

Rules. Each is one step that either happened or raised OSError. Files are made exclusively and for us alone, whatever the
umask. Names are looked up in open folders, and no link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from typing import Final, Protocol

from sft import durable

_PIECES_AT_ONCE: Final = 512  # the least that systems allow in one gathered write is 1,024


class Disk(Protocol):
    """Steps on files; folders and files are descriptors, names are within their folder."""

    def make_folder(self, folder: int, name: str) -> int:
        """Open a folder, made 0700 if it is not there."""

    def create(self, folder: int, name: str) -> int:
        """Make a file, 0600, that was not there."""

    def reopen(self, folder: int, name: str) -> int:
        """Open a file that ``create`` made, to go on at its end."""

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        """Append all pieces."""

    def overwrite(self, folder: int, name: str) -> None:
        """Write zeros over all of a small file that is there, and sync it."""

    def sync_file(self, file: int) -> None:
        """Return when the file's bytes survive a power cut."""

    def sync_folder(self, folder: int) -> None:
        """Return when the folder's names survive a power cut."""

    def rename(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        """Rename, never over something."""

    def unlink(self, folder: int, name: str) -> None:
        """Remove a name."""

    def remove_folder(self, folder: int, name: str) -> None:
        """Remove an empty folder."""


class RealDisk:
    """The steps as system calls."""

    def make_folder(self, folder: int, name: str) -> int:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, durable.PRIVATE_FOLDER, dir_fd=folder)
        return durable.sub_folder(folder, name)

    def create(self, folder: int, name: str) -> int:
        return durable.create_new(folder, name)

    def reopen(self, folder: int, name: str) -> int:
        return os.open(name, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        for start in range(0, len(pieces), _PIECES_AT_ONCE):
            batch = pieces[start : start + _PIECES_AT_ONCE]
            written = os.writev(file, batch)
            for piece in batch:
                if written < len(piece):
                    durable.write_all(file, piece[max(0, written) :])
                written -= len(piece)

    def overwrite(self, folder: int, name: str) -> None:
        file = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            durable.write_all(file, bytes(os.fstat(file).st_size))
            durable.sync_file(file)
        finally:
            os.close(file)

    def sync_file(self, file: int) -> None:
        durable.sync_file(file)

    def sync_folder(self, folder: int) -> None:
        durable.sync_folder(folder)

    def rename(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        durable.rename_no_replace(folder, name, to_folder, to_name)

    def unlink(self, folder: int, name: str) -> None:
        os.unlink(name, dir_fd=folder)

    def remove_folder(self, folder: int, name: str) -> None:
        os.rmdir(name, dir_fd=folder)


class UnwritableDisk:
    """The steps where nothing may be changed: each fails, as on a medium that is only read."""

    def make_folder(self, _folder: int, _name: str) -> int:
        raise unwritable()

    def create(self, _folder: int, _name: str) -> int:
        raise unwritable()

    def reopen(self, _folder: int, _name: str) -> int:
        raise unwritable()

    def write(self, _file: int, _pieces: Sequence[bytes]) -> None:
        raise unwritable()

    def overwrite(self, _folder: int, _name: str) -> None:
        raise unwritable()

    def sync_file(self, _file: int) -> None:
        raise unwritable()

    def sync_folder(self, _folder: int) -> None:
        raise unwritable()

    def rename(self, _folder: int, _name: str, _to_folder: int, _to_name: str) -> None:
        raise unwritable()

    def unlink(self, _folder: int, _name: str) -> None:
        raise unwritable()

    def remove_folder(self, _folder: int, _name: str) -> None:
        raise unwritable()


def unwritable() -> OSError:
    """Make the fault of who would write there."""
    return OSError(errno.EROFS, os.strerror(errno.EROFS))

"""Where this computer keeps what it knows, and how several processes write there at once.

    profiles.json  the joined servers        keys/      secret keys, minisign's own files
    pins/          people's keys             receipts/  what servers acknowledged
    versions/      the newest files seen     evidence/  what servers with another key have shown

Rules. Folders are 0700 and files 0600, whatever the umask; a file is replaced whole and durably, never written in place.
Who changes what is there reads and writes within ``locked()``. Everything here blocks.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sft import durable
from sft.client.os_errors import translating_os_errors
from sft.limits import MIB

_LOCK: Final = "lock"
_MOST_BYTES: Final = 16 * MIB  # pins of ten thousand people stay below it


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The state of one person on this computer.

    Args:
        data: keys, pins, receipts, joined servers.
        config: preferences.
    """

    data: Path
    config: Path

    def path(self, name: str) -> Path:
        return self.data / name

    def read(self, name: str) -> bytes | None:
        """Read a file of the state, named as ``pins/1f.json``; None if there is none, LocalFileError if unreadable."""
        folders, leaf = _split(name)
        with translating_os_errors(self.path(name)), suppress(FileNotFoundError), self._folder(folders) as folder:
            return durable.read_regular(folder, leaf, _MOST_BYTES)
        return None

    def write(self, name: str, data: bytes, *, sync: bool = True) -> Path:
        """Replace one file of the state, whole; folders are made as needed.

        Args:
            sync: durably; without, for what nothing rests on.

        Raises:
            LocalFileError: it cannot be written.
            LocalDiskFullError: no room.
        """
        folders, leaf = _split(name)
        with translating_os_errors(self.path(name)):
            durable.make_private_folder(self.data)
            with self._folder(folders, make=True) as folder:
                durable.replace_file(folder, leaf, data, sync=sync)
        return self.path(name)

    def append(self, name: str, records: bytes, *, record_bytes: int) -> int:
        """Add records of one length at the end of a file of the state, which is not synced; to be called within ``locked()``.

        What a crash left of a record is cut away first. Return how long the file is.
        """
        folders, leaf = _split(name)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with translating_os_errors(self.path(name)), self._folder(folders, make=True) as folder:
            file = os.open(leaf, flags, durable.PRIVATE_FILE, dir_fd=folder)
            try:
                size = os.fstat(file).st_size
                if size % record_bytes:
                    os.ftruncate(file, size - size % record_bytes)
                durable.write_all(file, records)
                return os.fstat(file).st_size
            finally:
                os.close(file)

    def move(self, name: str, to: str) -> None:
        """Rename a file of the state, replacing nothing."""
        (folders, leaf), (to_folders, to_leaf) = _split(name), _split(to)
        with (
            translating_os_errors(self.path(name)),
            self._folder(folders) as folder,
            self._folder(to_folders, make=True) as to_folder,
        ):
            durable.rename_no_replace(folder, leaf, to_folder, to_leaf)
            durable.sync_folder(to_folder)
            durable.sync_folder(folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the advisory lock of the state while the block runs; waits for other processes."""
        lock = self._open_lock(_LOCK)
        try:
            with translating_os_errors(self.path(_LOCK)):
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def hold(self, name: str) -> int | None:
        """Take an advisory lock of a name, for as long as the returned file is open; None if another process holds it.

        Raises:
            LocalFileError: the state cannot be written.
        """
        lock = self._open_lock(f"{name}.lock")
        try:
            with translating_os_errors(self.path(f"{name}.lock")), suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
        return None

    @contextmanager
    def _folder(self, names: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
        folder = durable.open_folder(self.data, *names, make=make)
        try:
            yield folder
        finally:
            os.close(folder)

    def _open_lock(self, name: str) -> int:
        with translating_os_errors(self.path(name)):
            durable.make_private_folder(self.data)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(self.data / name, flags, durable.PRIVATE_FILE)


def state_from(environ: Mapping[str, str]) -> StateFolder:
    """Find the state: ``SFT_HOME`` moves all of it, else it lies in the platform's user folders."""
    home = environ.get("SFT_HOME")
    if home:
        folder = Path(home).expanduser().absolute()
        return StateFolder(data=folder, config=folder)
    from platformdirs import PlatformDirs

    platform = PlatformDirs("sft", appauthor=False)
    return StateFolder(data=Path(platform.user_data_dir), config=Path(platform.user_config_dir))


def _split(name: str) -> tuple[tuple[str, ...], str]:
    path = PurePosixPath(name)
    return path.parts[:-1], path.name

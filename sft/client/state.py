"""Where this computer keeps what it knows, and how several processes write there at once.

    profiles.json  the joined servers        keys/      secret keys, minisign's own files
    pins/          people's keys             receipts/  what servers acknowledged
    versions/      the newest files seen     evidence/  what servers have shown that they must not
    heads/         of servers' logs          stopped/   servers that are not used any more
    digests/       of files here, compared   policies/  whose cosignatures make a server's log witnessed
    downloads/     what was not finished     uploads/   likewise

Rules. Folders are 0700 and files 0600, whatever the umask; a file is replaced whole and durably, never written in place. What
others may write is not read, nor a secret key that others may read.
Who changes what is there reads and writes within ``locked()``. Everything here blocks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from sft import durable
from sft.client.agent.place import runtime_folder
from sft.client.os_errors import translating_os_errors
from sft.errors import LocalFileError
from sft.limits import MIB
from sft.model.text import shell_path

with suppress(ModuleNotFoundError):  # on Windows, where ``durable`` opens no state that could be locked
    import fcntl

_LOCK: Final = "lock"
_SERVER_DIGITS: Final = 32
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 16 * MIB  # pins of ten thousand people stay below it


def name_of_server(server_id: bytes) -> str:
    """Return what is called after a server within the state, by its id: half of it is more than anybody can aim at."""
    return server_id.hex()[:_SERVER_DIGITS]


class StateFolder(Struct, frozen=True):
    """The state of one person on this computer.

    Args:
        data: keys, pins, receipts, joined servers.
        config: preferences.
        runtime: sockets of this login, which may not be there; None for a state without any.
    """

    data: Path
    config: Path
    runtime: Path | None = None

    def path(self, name: str) -> Path:
        return self.data / name

    def read(self, name: str) -> bytes | None:
        """Read a file of the state, named as ``pins/1f.json``; None if there is none, LocalFileError if unreadable."""
        folders, leaf = _split(name)
        with translating_os_errors(self.path(name)), suppress(FileNotFoundError), self._folder(folders) as folder:
            return durable.read_regular(folder, leaf, _MOST_BYTES)
        return None

    def inode_and_size(self, name: str) -> tuple[int, int] | None:
        """Return which file of the system a file of the state is, and its bytes; zeros where there is none.

        Returns:
            None where the system does not say it.
        """
        try:
            found = self.path(name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return 0, 0
        except OSError:
            return None
        return found.st_ino, found.st_size

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

    def write_under(self, names: Sequence[str], data: bytes) -> list[Path]:
        """Replace several files of one folder of the state by the same content, not durably: for what nothing rests on.

        Raises:
            LocalFileError, LocalDiskFullError: as ``write``.
        """
        folders, _ = _split(names[0])
        with translating_os_errors(self.path(names[0])):
            if not self.data.exists():  # making it waits for the disk, twice
                durable.make_private_folder(self.data)
            with self._folder(folders, make=True) as folder:
                leaves = [name.rpartition("/")[2] for name in names]
                durable.replace_files(folder, leaves, data)
        where = self.data.joinpath(*folders)
        return [where / leaf for leaf in leaves]

    def read_secret(self, name: str) -> bytes | None:
        """Read a file of the state that is nobody else's to read; None where there is none.

        Raises:
            LocalFileError: it cannot be read, or others may read it.
        """
        path = self.path(name)
        data = self.read(name)
        with translating_os_errors(path):
            if data is not None and path.stat().st_mode & _OTHERS_READ:
                raise LocalFileError(
                    path=str(path),
                    problem="may be read by others, and is a secret key",
                    remedy=f"Did nobody? Then chmod 600 {shell_path(str(path))}; else ask an admin for a new invitation",
                )
        return data

    def append(self, name: str, records: bytes, *, record_bytes: int, head: bytes = b"") -> int:
        """Add records of one length at the end of a file of the state, which is not synced; to be called within ``locked()``.

        What a crash left of a record is cut away first; a new file begins with ``head``. Return how long the file is.
        """
        folders, leaf = _split(name)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with translating_os_errors(self.path(name)), self._folder(folders, make=True) as folder:
            file = os.open(leaf, flags, durable.PRIVATE_FILE, dir_fd=folder)
            try:
                size = os.fstat(file).st_size
                if size % record_bytes:
                    os.ftruncate(file, size - size % record_bytes)
                durable.write_all(file, records if size >= record_bytes else head + records)
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

    def names(self, folder: str) -> list[str]:
        """Name what lies in a folder of the state, sorted; nothing where it is not there."""
        with (
            translating_os_errors(self.path(folder)),
            suppress(FileNotFoundError),
            self._folder(PurePosixPath(folder).parts) as opened,
        ):
            return sorted(os.listdir(opened))
        return []

    def remove(self, name: str) -> None:
        """Remove a file of the state, which may be gone already; it is not synced."""
        folders, leaf = _split(name)
        with translating_os_errors(self.path(name)), suppress(FileNotFoundError), self._folder(folders) as folder:
            os.unlink(leaf, dir_fd=folder)

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
        """Take an advisory lock of a name, for as long as the returned file is open; None if it is held already.

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
        folder = durable.open_folder(self.data)
        try:
            self._require_ours(folder, self.data)
            for number, name in enumerate(names, start=1):
                above, folder = folder, durable.sub_folder(folder, name, make=make)
                os.close(above)
                self._require_ours(folder, self.data.joinpath(*names[:number]))
            yield folder
        finally:
            os.close(folder)

    @staticmethod
    def _require_ours(folder: int, path: Path) -> None:
        """Refuse a folder that others may write: whoever does gives us another pinned key."""
        found = os.fstat(folder)
        theirs = found.st_uid not in {0, os.geteuid()} or found.st_mode & _OTHERS_WRITE
        if theirs and os.listdir(folder):  # one that is new, as a person's umask made it, is closed by the first write
            raise LocalFileError(
                path=str(path),
                problem="may be written by others, and what it holds is trusted",
                remedy=f"Look at what is in it, then chmod 700 {shell_path(str(path))}",
            )

    def _open_lock(self, name: str) -> int:
        with translating_os_errors(self.path(name)):
            durable.make_private_folder(self.data)
            folders, leaf = _split(name)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            with self._folder(folders, make=True) as folder:
                return os.open(leaf, flags, durable.PRIVATE_FILE, dir_fd=folder)


def state_from(environ: Mapping[str, str]) -> StateFolder:
    """Find the state: ``SFT_HOME`` moves all of it, else it lies in the platform's user folders.

    Raises:
        LocalFileError: on this system no state can be kept as it must be.
    """
    if not durable.OPENS_FOLDERS:
        raise LocalFileError(
            path="What is kept on this computer",
            problem="cannot be kept safe on this system, which opens no folder by descriptor",
            remedy="Use Linux or macOS; on Windows WSL",
        )
    home = environ.get("SFT_HOME")
    if home:
        folder = Path(home).expanduser().absolute()
        return StateFolder(data=folder, config=folder, runtime=runtime_folder(environ))
    from platformdirs import PlatformDirs

    platform = PlatformDirs("sft", appauthor=False)
    data, config = Path(platform.user_data_dir), Path(platform.user_config_dir)
    return StateFolder(data=data, config=config, runtime=runtime_folder(environ))


def _split(name: str) -> tuple[tuple[str, ...], str]:
    path = PurePosixPath(name)
    return path.parts[:-1], path.name

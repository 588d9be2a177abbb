"""A server's home: what lies where, the lock that makes it one process's, and its first start.

    HOME/                 0700
      master.key          0600: the master key, outside the folder that it protects (or elsewhere, see ``sft.toml``)
      master.parameters   what makes it out of a passphrase, where it comes from one; no secret
      sft.toml            what the server runs with: every option, explained (``sft.operator.options``)
      lock                held by the process that serves
      control             the operator's socket while something serves
      server.pub          the server's public key, which operator commands demand of whoever answers at the socket
      policy, cosigned    whose cosignatures the log's heads have, and the newest of them (``sft.operator.witnesses``)
      witness/            a witness of other logs, which needs nothing else of the home (``sft.operator.witness``)
      first-admin.link    0600: the first invitation, where no terminal could show it
      serve.pid, serve.log  of a server that twistd put into the background; of a witness, witness.pid and witness.log
      data/               0700: keyring, database, vault, last head of the log (or in DIR, by ``--data DIR``); what
                          copies it while it is served is ``sftd backup``
      data/reserve        room that is given up where the disk is full
      data.new/           a first start under way, or one that was cut; the next one begins it anew
      data.restoring/     a backup that is being put back, or the cut one of it: nothing starts before that has been done

Rules. A home is made only where none is: ``data`` appears whole, by one rename. A home that has
some of its parts but not all is refused, never completed: what is missing may be lying elsewhere. What a start finds open to
others it closes. On a full disk a start writes nothing that is so already. Every fault of the disk is a HomeError.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn

from sft import durable
from sft.errors import ConfigurationError, HomeError
from sft.limits import FLOOR_BYTES, MIB
from sft.model.text import shell_path
from sft.operator import configuration_file
from sft.operator.configuration import DEFAULTS, Configuration, Configured, configured, written
from sft.operator.head_file import HeadFile
from sft.operator.options import BY_NAME, Flag

# A longer path makes Twisted's connect hang for ever: the kernel's own limit.
SOCKET_PATH_BYTES: Final = 107
SERVER_KEY: Final = "server.pub"
KEY_BYTES: Final = 32


RESERVE_BYTES: Final = 4 * MIB  # the database's index of its log, and a log of some thousands of deletions
_RESERVE: Final = "reserve"
_LOCKED: Final = (errno.EWOULDBLOCK, errno.EACCES)  # of an advisory lock that another process has
_BLOCK_BYTES: Final = 512  # what st_blocks counts, whatever the file system's own
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
# Of a ``durable.replace_file``, a ``StagedFile`` or a copy before an upgrade that was killed.
_UNFINISHED: Final = re.compile(r"\.[0-9a-f]{16}\.part|master\.(key|parameters)\.part|sft\.sqlite\..*\.part")
_SERVERS: Final = b"server\n"
_FILE_MOST_BYTES: Final = 64 * 1024
# What tells a home from any other folder; and what a start that was cut before it had any of them may have left.
_MARKS: Final = frozenset({configuration_file.NAME, "master.key", "master.parameters", SERVER_KEY, "witness"})
_OURS: Final = re.compile(r"lock|control|data(\.new|\.restoring)?|(serve|witness)\.(pid|log)|lost\+found|.*\.part")


class HomeState(Enum):
    """State of the home directory."""

    NEW = "new"
    WHOLE = "whole"


class Home:
    """The paths of a home: see above what lies at each.

    Args:
        path: where it is.
        data_in: the folder that ``data`` lies in, if another; what ``sft.toml`` says, unless given.
        environment: what may have values of options beside that file.
        data: another folder in the place of ``data``: one that is not published yet.
    """

    def __init__(
        self,
        path: Path,
        data_in: Path | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        data: Path | None = None,
    ) -> None:
        self.path = path
        self.configuration_file = path / configuration_file.NAME
        self._environment = environment
        # What is wrong in the file is for ``configured`` to say.
        self.data_in = data_in or Path(self.configured().configuration.data or path)
        self.data = data or self.data_in / "data"
        self.unfinished = self.data_in / "data.new"
        self.restoring = self.data_in / "data.restoring"
        self.keyring = self.data / "keyring"
        self.database = self.data / "sft.sqlite"
        self.vault = self.data / "vault"
        self.log_head = self.data / "log-head"
        self.master_key = path / "master.key"
        self.parameters = path / "master.parameters"
        self.control = path / "control"
        self.first_admin = path / "first-admin.link"

    def state(self) -> HomeState:
        """Return what is there; HomeError for some parts but not all, or a path that no socket can have."""
        if len(os.fsencode(self.control)) > SOCKET_PATH_BYTES:
            self._refuse("its path is too long for a socket", "Choose a shorter --home")
        parts = {part.name: part.exists() for part in (self.keyring, self.database, self.vault, self.log_head)}
        if all(parts.values()):
            return HomeState.WHOLE
        missing = ", ".join(name for name, there in parts.items() if not there)
        if any(parts.values()):
            self._refuse(f"it has no {missing}", "Put back what is missing, or restore a backup")
        if self.restoring.exists():
            self._refuse("a backup is being put back, or that was cut", "Again: sftd restore DIR")
        # An empty mount point in the place of ``data`` must not become a second, empty server.
        traces = [part.name for part in (self.master_key, self.parameters, self.path / SERVER_KEY) if part.exists()]
        if traces and not self.unfinished.exists():
            self._refuse(f"it has {traces[0]} but no data", f"Put back {self.data}, or choose an empty home")
        return HomeState.NEW

    def make(self) -> None:
        """Make the folder, closed to others; close what is in it, and remove what a killed write has left.

        Raises:
            HomeError: it cannot be made, or is somebody else's.
        """
        with self._acting("it cannot be made", "Choose another --home, or make it yours"):
            self._require_ours()
            durable.make_private_folder(self.path)
        # What else lies where --data says is somebody else's: nothing of ours is without keyring and database.
        data = (self.data, self.vault) if self.keyring.exists() or self.database.exists() else ()
        for folder in data:
            if folder.is_dir() and not folder.is_symlink():
                with self._acting(f"{folder} cannot be closed to others", "Make it yours: chown, then chmod 700"):
                    durable.make_private_folder(folder)

    def _require_ours(self) -> None:
        """Refuse a folder that is in use for something else, before anything of it is changed: it might be ``/``."""
        if not self.path.is_dir():
            return
        found = {name for name in os.listdir(self.path) if not name.startswith(".")}
        strange = sorted(name for name in found if not _OURS.fullmatch(name))
        if strange and found.isdisjoint(_MARKS):
            self._refuse(f"it holds {strange[0]}, and no server", "Name an empty folder, with another --home")

    def remove_unfinished(self) -> None:
        """Remove what killed writes of small files have left; under the lock."""
        for folder in (self.path, self.data):
            with self._acting(f"{folder} cannot be put in order"):
                for left in folder.iterdir() if folder.is_dir() else ():
                    if _UNFINISHED.fullmatch(left.name):
                        left.unlink(missing_ok=True)

    def open_log_head(self) -> HeadFile:
        """Open the file of the log's last head; HomeError where that cannot be."""
        with self._acting(f"{self.log_head} cannot be opened"):
            return HeadFile(self.log_head)

    def hold_reserve(self) -> None:
        """Keep a little room of the disk, or give it up where the disk is full: to open a database and to delete needs some.

        Best effort: some file systems promise nothing.
        """
        with suppress(OSError), durable.opened_folder(self.data) as folder:
            free = durable.free_bytes(folder)
            held = False
            with suppress(FileNotFoundError):
                # A copy of a home has the name, and none of the room.
                held = os.stat(_RESERVE, dir_fd=folder).st_blocks * _BLOCK_BYTES >= RESERVE_BYTES
                if free < RESERVE_BYTES or not held:
                    durable.remove_file(folder, _RESERVE)
            if not held and free > FLOOR_BYTES:
                file = durable.create_new(folder, _RESERVE)
                try:
                    durable.reserve(file, RESERVE_BYTES)
                finally:
                    os.close(file)

    def give_reserve(self) -> bool:
        """Give up the room that is held, where the disk became full while the server runs; return whether there was any."""
        with suppress(OSError), durable.opened_folder(self.data) as folder:
            durable.remove_file(folder, _RESERVE)
            return True
        return False

    def begin_unfinished(self) -> None:
        """Make the folder of a first start, empty: nothing was ever acknowledged from one that was cut.

        It is emptied, never absent: it tells the next start that a master key beside it is of a first start that was cut.
        """
        self._begin(self.unfinished)

    def require_empty(self) -> None:
        """Refuse a home that has data, or the beginning of some, with HomeError."""
        for taken in (self.data, self.unfinished):
            if taken.exists():
                self._refuse(f"{taken} is there", "Name a home without data, with another --home")

    def begin_restoring(self) -> Home:
        """Make the folder of a backup that is put back, empty; return the home with it. As ``require_empty``."""
        self.require_empty()
        self._begin(self.restoring)
        return Home(self.path, self.data_in, self._environment, data=self.restoring)

    def again(self, data_in: Path | None = None) -> Home:
        """Return the home as its files say now, with its data in another folder if one is given."""
        return Home(self.path, data_in, self._environment)

    def _begin(self, folder: Path) -> None:
        with self._acting(f"{folder} cannot be made"):
            durable.make_private_folder(folder)
            for left in folder.iterdir():
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left)
                else:
                    left.unlink()

    def publish(self, finished: Path | None = None) -> None:
        """Rename a finished data folder to its final name, durably; that of a first start, unless another is given."""
        finished = finished or self.unfinished
        with self._acting(f"{self.data} cannot be made"), durable.opened_folder(self.data_in) as folder:
            durable.rename_no_replace(folder, finished.name, folder, self.data.name)
            durable.sync_folder(folder)

    def configured(self, flags: Mapping[str, Any] = MappingProxyType({})) -> Configured:
        """Read what the server runs with, and what is wrong with it.

        Args:
            flags: what ``sftd serve`` was given, by name of the option.
        """
        return configured(self.configuration_file, self._environment, flags)

    def filed(self) -> Configured:
        """Read what ``sft.toml`` alone says, and what is wrong with it."""
        return configured(self.configuration_file, {}, {})

    def configured_again(self, flags: Mapping[str, Any]) -> Configured:
        """Read it for a server that runs: what a start wrote into ``sft.toml`` rules unless it was changed there since.

        Args:
            flags: what ``sftd serve`` was given at that start.
        """
        there = written(self.configuration_file)
        still = {
            name: value
            for name, value in flags.items()
            if BY_NAME[name].flag is not Flag.KEPT or there.get(name, getattr(DEFAULTS, name)) == value
        }
        return self.configured(still)

    def configuration(self) -> Configuration:
        """Read what the server runs with; ConfigurationError where something is wrong."""
        return self.configured().required()

    def remember(self, flags: Mapping[str, Any]) -> None:
        """Have ``sft.toml`` say what ``sftd serve`` was given, of the options that it keeps; it is made where none is.

        Raises:
            ConfigurationError: a line for it cannot be put in without changing what stands there.
        """
        file = self.configuration_file
        there = written(file)
        news = {
            name: value
            for name, value in flags.items()
            if BY_NAME[name].flag is Flag.KEPT and there.get(name, getattr(DEFAULTS, name)) != value
        }
        if not news and file.exists():
            return
        lines = "; ".join(f"{name} = {BY_NAME[name].kind.toml(value)}" for name, value in news.items())
        refusal = ConfigurationError(
            place=str(file), problem="no option can be written into it", remedy=f"Write there: {lines}"
        )
        if file.is_symlink():
            raise refusal
        try:
            text = file.read_text(encoding="utf-8") if file.exists() else _documented()
            text = configuration_file.with_values(text, news)
        except (ValueError, OSError) as error:
            raise refusal from error
        self.write_private(file.name, text.encode("utf-8"))

    def is_being_made(self) -> bool:
        """Whether a first start of another process is under way: its server's public key comes last."""
        return self.path.is_dir() and not (self.path / SERVER_KEY).exists() and HomeLock(self).is_held()

    def is_served(self) -> bool:
        """Whether something that serves the home can be asked: it has the lock, and its socket is there."""
        return self.control.exists() and HomeLock(self).is_held()

    def server_key(self) -> bytes:
        """Read the server's public key (32 bytes), as the last start wrote it."""
        try:
            key = bytes.fromhex((self.path / SERVER_KEY).read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            self._refuse(
                f"it has no {SERVER_KEY}", f"Start the server once: sftd --home {shell_path(str(self.path))} serve"
            )
        return key

    def keep_server_key(self, point: bytes) -> None:
        self.write_private(SERVER_KEY, point.hex().encode("ascii") + b"\n")

    def write_private(self, name: str, data: bytes) -> None:
        """Have a small file of the home say this, 0600 and durable; one that says so already is left as it is."""
        with self._acting(f"{self.path / name} cannot be written"), durable.opened_folder(self.path) as folder:
            if _content(folder, name) != data:
                durable.replace_file(folder, name, data)

    def drop_first_admin(self) -> None:
        """Remove the first invitation, if it is there: it is spent, or not needed."""
        with (
            self._acting(f"{self.first_admin} cannot be removed"),
            suppress(FileNotFoundError),
            durable.opened_folder(self.path) as folder,
        ):
            durable.remove_file(folder, self.first_admin.name)

    @contextmanager
    def _acting(self, problem: str, remedy: str = "Look at its disk and at whose it is, then again") -> Iterator[None]:
        """Turn the system's faults into ours."""
        try:
            yield
        except OSError as error:
            self._refuse(f"{problem} ({error.strerror})", remedy_of(error, remedy))

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise HomeError(home=str(self.path), problem=problem, remedy=remedy)


def remedy_of(error: OSError, remedy: str) -> str:
    """Return what is to be done about a fault of the disk: what it says itself, else another remedy."""
    if error.errno in _FULL:
        return "Make room on its disk, then again"
    return "Mount its disk so that it can be written, then again" if error.errno == errno.EROFS else remedy


def _documented() -> str:
    return configuration_file.template({name: getattr(DEFAULTS, name) for name in BY_NAME})


def _content(folder: int, name: str) -> bytes | None:
    """Read a small file that is closed to others; None for any other, or for none."""
    try:
        file = durable.open_regular(folder, name)
    except OSError:
        return None
    try:
        closed = os.fstat(file).st_mode & 0o077 == 0
        return os.read(file, _FILE_MOST_BYTES) if closed else None
    finally:
        os.close(file)


class HomeLock:
    """The right to serve a home; the kernel drops it when the process ends, however it ends.

    The file says whose it is, and can be removed by somebody who takes it for a leftover: so the folder is locked as well,
    where its file system can. Two servers on one home would each go on with the log as they know it.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file: int | None = None
        self._folder: int | None = None

    def take(self) -> bool:
        """Try to take the lock; False where another process has it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(self._home.path / "lock", flags, 0o600)
        except OSError as error:
            raise HomeError(
                home=str(self._home.path),
                problem=f"it cannot be locked ({error.strerror})",
                remedy="Run this as the user that owns it",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = self._locked_folder()
        except OSError as error:
            os.close(file)
            if error.errno in _LOCKED:
                return False
            raise
        self._file, self._folder = file, folder
        with suppress(OSError):
            os.ftruncate(file, 0)
        return True

    def _locked_folder(self, how: int = fcntl.LOCK_EX) -> int:
        """Lock the folder, and return it open; BlockingIOError where another process has it."""
        folder = os.open(self._home.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, how | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _LOCKED:
                os.close(folder)
                raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK)) from error
            # A network's file system may lock no folders: the lock of the file has to do.
        return folder

    @property
    def is_taken(self) -> bool:
        return self._file is not None

    def is_at_home(self) -> bool:
        """Whether the folder that is locked still lies where the home is: nobody moved it, or put another there."""
        if self._folder is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._folder), self._home.path.stat())
        except OSError:
            return False

    def say_server(self) -> None:
        """Have others know, best effort, that it is a server's now, and not a command's that ends soon."""
        if self._file is not None:
            with suppress(OSError):  # of a full disk
                os.pwrite(self._file, _SERVERS, 0)

    def is_servers(self) -> bool:
        """Whether whoever has or had the lock last said that they are a server."""
        with suppress(OSError):
            file = os.open(self._home.path / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return os.read(file, len(_SERVERS)) == _SERVERS
            finally:
                os.close(file)
        return False

    def is_held(self) -> bool:
        """Whether another process has the lock; makes no file, and takes nothing but for a moment."""
        try:
            with suppress(FileNotFoundError):
                file = os.open(self._home.path / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return True
                finally:
                    os.close(file)
            os.close(self._locked_folder(fcntl.LOCK_SH))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def drop(self) -> None:
        held, self._file, self._folder = (self._file, self._folder), None, None
        for each in held:
            if each is not None:
                os.close(each)

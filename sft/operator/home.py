"""A server's home: what lies where, the lock that makes it one process's, and its first start.

    HOME/                 0700
      master.key          0600: the master key, outside the folder that it protects (or elsewhere, see ``home.json``)
      master.parameters   what makes it out of a passphrase, where it comes from one; no secret
      home.json           where the master key comes from, the public address, who may join
      lock                held by the process that serves
      control             the operator's socket while something serves
      server.pub          the server's public key, which operator commands demand of whoever answers at the socket
      first-admin.link    0600: the first invitation, where no terminal could show it
      data/               0700: keyring, database, vault: what a backup holds
      data.new/           a first start under way, or one that was cut; the next one begins it anew

Rules. A home is made only where none is: ``data`` appears whole, by one rename. A home that has
some of its parts but not all is refused, never completed: what is missing may be lying elsewhere.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from sft import durable
from sft.errors import HomeError

Network = IPv4Network | IPv6Network

# A longer path makes Twisted's connect hang for ever: the kernel's own limit.
SOCKET_PATH_BYTES: Final = 107
SERVER_KEY: Final = "server.pub"
KEY_BYTES: Final = 32


class HomeSettings(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What ``home.json`` keeps between starts."""

    master_key: str = "file"
    public: str = ""
    registration: str = "invite"
    name: str = ""
    exempt: str = ""

    def exempt_networks(self) -> list[Network]:
        """Read the networks that no per-source limit touches; ValueError for what is none."""
        return [ip_network(part.strip(), strict=False) for part in self.exempt.split(",") if part.strip()]


class HomeState(Enum):
    """State of the home directory."""

    NEW = "new"
    WHOLE = "whole"


class Home:
    """The paths of a home: see above what lies at each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.unfinished = path / "data.new"
        self.keyring = self.data / "keyring"
        self.database = self.data / "sft.sqlite"
        self.vault = self.data / "vault"
        self.master_key = path / "master.key"
        self.parameters = path / "master.parameters"
        self.kept = path / "home.json"
        self.control = path / "control"
        self.first_admin = path / "first-admin.link"

    def state(self) -> HomeState:
        """Return what is there; HomeError for some parts but not all, or a path that no socket can have."""
        if len(os.fsencode(self.control)) > SOCKET_PATH_BYTES:
            self._refuse("its path is too long for a socket", "Choose a shorter --home")
        parts = {part.name: part.exists() for part in (self.keyring, self.database, self.vault)}
        if all(parts.values()):
            return HomeState.WHOLE
        missing = ", ".join(name for name, there in parts.items() if not there)
        if any(parts.values()):
            self._refuse(f"it has no {missing}", "Put back what is missing, or restore a backup")
        # An empty mount point in the place of ``data`` must not become a second, empty server.
        kept = [part.name for part in (self.master_key, self.parameters, self.kept) if part.exists()]
        if kept and not self.unfinished.exists():
            self._refuse(f"it has {kept[0]} but no data", f"Put back {self.data}, or choose an empty home")
        return HomeState.NEW

    def make(self) -> None:
        """Make the folder, closed to others; HomeError if it cannot be made, or is somebody else's."""
        try:
            durable.make_private_folder(self.path)
        except OSError as error:
            self._refuse(f"it cannot be made ({error.strerror})", "Choose another --home, or make it yours")

    def begin_unfinished(self) -> None:
        """Make the folder of a first start, empty: nothing was ever acknowledged from one that was cut.

        It is emptied, never absent: it tells the next start that a master key beside it is of a first start that was cut.
        """
        durable.make_private_folder(self.unfinished)
        for left in self.unfinished.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()

    def publish(self) -> None:
        """Rename a finished data folder to its final name, durably."""
        folder = durable.open_folder(self.path)
        try:
            durable.rename_no_replace(folder, self.unfinished.name, folder, self.data.name)
            durable.sync_folder(folder)
        finally:
            os.close(folder)

    def settings(self) -> HomeSettings:
        """Read ``home.json``; its defaults where there is none."""
        try:
            return msgspec.json.decode(self.kept.read_bytes(), type=HomeSettings)
        except FileNotFoundError:
            return HomeSettings()
        except (msgspec.DecodeError, UnicodeDecodeError, OSError):
            self._refuse("its home.json cannot be read", "Mend home.json, or remove it and give the options again")

    def keep_settings(self, settings: HomeSettings) -> None:
        self.write_private(self.kept.name, msgspec.json.format(msgspec.json.encode(settings)) + b"\n")

    def server_key(self) -> bytes:
        """Read the server's public key (32 bytes), as the last start wrote it."""
        try:
            key = bytes.fromhex((self.path / SERVER_KEY).read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            self._refuse(f"it has no {SERVER_KEY}", "Start the server once: twistd -n sft --home DIR")
        return key

    def keep_server_key(self, point: bytes) -> None:
        self.write_private(SERVER_KEY, point.hex().encode("ascii") + b"\n")

    def write_private(self, name: str, data: bytes) -> None:
        """Write a small file of the home, 0600 and durable."""
        folder = durable.open_folder(self.path)
        try:
            durable.replace_file(folder, name, data)
        finally:
            os.close(folder)

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise HomeError(home=str(self.path), problem=problem, remedy=remedy)


class HomeLock:
    """The right to serve a home; the kernel drops it when the process ends, however it ends."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file: int | None = None

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
        except OSError as error:
            os.close(file)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        self._file = file
        return True

    def drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

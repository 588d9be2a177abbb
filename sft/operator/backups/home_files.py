"""The small files of a home in a backup, its settings among them, and the MAC by which they are its own.

    taken        read, and their digest given to the server, which answers with its MAC over it
    put back     where that MAC holds, and the home has none of its own

Rules. Settings name programs that run and folders that are written, and say who may join: out of a folder that somebody else
can write they are nobody's word until the MAC says whose. Its key lies in the keyring, which the master key opens: where that
comes from is another module's (``restored_key``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from sft import durable
from sft.crypto.row_mac import backup_mac
from sft.operator.backups.manifest import Manifest
from sft.operator.home import Home
from sft.operator.witnesses import POLICY
from sft.vault.keyring import Keyring

_MOST_BYTES: Final = 1 << 20  # as much as ``sft.toml`` may have


class HomeFiles(Struct, frozen=True):
    """The files by name, and the server's MAC over their digest."""

    files: dict[str, bytes]
    mac: bytes


def read_home_files(home: Home) -> dict[str, bytes]:
    """Read the small files without which this would be another server, or could not be opened; OSError."""
    found: dict[str, bytes] = {}
    for path in (home.configuration_file, home.parameters, home.path / POLICY):
        if path.exists():
            with durable.opened_folder(path.parent) as folder:
                found[path.name] = durable.read_regular(folder, path.name, _MOST_BYTES)
    return found


def files_digest(files: Mapping[str, bytes], *, server: str, taken_at: int) -> bytes:
    """Return what the server makes its MAC over (32 bytes): the files, what the server was called, and when that was."""
    return hashlib.sha256(msgspec.msgpack.encode([server, taken_at, sorted(files.items())])).digest()


def are_its_own(manifest: Manifest, keyring: Keyring) -> bool:
    """Return whether the files of a backup are those that the server with this keyring had then."""
    digest = files_digest(manifest.files, server=manifest.server, taken_at=manifest.taken_at)
    return hmac.compare_digest(backup_mac(keyring.row_key, keyring.server_id, digest), manifest.files_mac)


def put_files(home: Home, files: Mapping[str, bytes]) -> None:
    """Write those that the home has not."""
    for path in (home.configuration_file, home.parameters, home.path / POLICY):
        if path.name in files and not path.exists() and not path.is_symlink():
            home.write_private(path.name, files[path.name])

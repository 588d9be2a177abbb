"""The small files of a home in a backup: its settings, and what makes a master key out of a passphrase.

    taken        read, and their digest given to the server, which answers with its MAC over it
    put back     where that MAC holds, and the home has none of its own

Rules. Settings name programs that run and folders that are written, and say who may join: out of a folder that somebody else
can write they are nobody's word until the MAC says whose. Its key lies in the keyring, which the master key opens; so where
that comes from is never taken from settings that are not proved yet, but for places that they cannot choose.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from msgspec import Struct

from sft import durable
from sft.crypto.row_mac import backup_mac
from sft.model.names import safe
from sft.operator import configuration_file
from sft.operator.backups.folder import BackupFolder
from sft.operator.backups.manifest import Manifest
from sft.operator.home import Home
from sft.operator.witnesses import POLICY
from sft.vault.keyring import Keyring

_MOST_BYTES: Final = 1 << 20  # as much as ``sft.toml`` may have
# Of these the settings choose nothing: the home's own file, who sits at the terminal, what systemd gives.
_SAFE_SOURCE: Final = re.compile(r"file|passphrase|credential:[A-Za-z0-9_.-]+")


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


@contextmanager
def parameters_put(home: Home, files: Mapping[str, bytes]) -> Iterator[None]:
    """Have the parameters of a passphrase in the home within the block; they go again where it fails, and were not there.

    They are no secret, and choose nothing but how long it takes: within bounds (``sft.crypto.passphrase``).
    """
    name = home.parameters.name
    put = name in files and not home.parameters.exists()
    if put:
        home.write_private(name, files[name])
    try:
        yield
    except BaseException:
        if put:
            home.parameters.unlink(missing_ok=True)
        raise


def master_key_source(home: Home, folder: BackupFolder, files: Mapping[str, bytes], flags: Mapping[str, Any]) -> str:
    """Return where the master key comes from: as a flag, the environment or the home's own settings say; else as these do.

    Raises:
        BackupError: only the settings in the backup say it, and they would choose a file or a program.
        ConfigurationError: the home's own settings are wrong.
    """
    given = home.configured(flags)
    if "master_key" in given.sources or home.configuration_file.exists():
        return given.required().master_key
    try:
        said = tomllib.loads(files.get(configuration_file.NAME, b"").decode("utf-8")).get("master_key", "file")
    except (ValueError, RecursionError):
        said = "file"
    if isinstance(said, str) and not _SAFE_SOURCE.fullmatch(said):
        folder.refuse(
            f"its settings take the master key from elsewhere ({safe(said)}), and nobody vouches for them yet",
            "Say yourself where it is: sftd restore DIR --master-key file:PATH, or another source",
        )
    return str(said)

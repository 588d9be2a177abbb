"""The keyring's file: read whole, made once, replaced as a whole.

Rules. The old keyring or the new one is there at any moment, never a part, and never none: without it every stored object
is lost. Making one never replaces one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sft import durable
from sft.errors import VaultError
from sft.vault.keyring import KEYRING_MOST_BYTES


def load_keyring(path: Path) -> bytes:
    with _folder(path, "read") as folder:
        return durable.read_regular(folder, path.name, KEYRING_MOST_BYTES)


def create_keyring(path: Path, sealed: bytes) -> None:
    """Keep the keyring of a new home, durably, where none is."""
    with _folder(path, "created") as folder:
        durable.write_new(folder, path.name, sealed)
        durable.sync_folder(folder)


def replace_keyring(path: Path, sealed: bytes) -> None:
    """Put the next keyring in the place of the one before, durably."""
    with _folder(path, "replaced") as folder:
        durable.replace_file(folder, path.name, sealed)


@contextlib.contextmanager
def _folder(path: Path, act: str) -> Iterator[int]:
    try:
        with durable.opened_folder(path.parent) as folder:
            yield folder
    except OSError as fault:
        raise VaultError(str(fault), problem=f"the keyring {path} cannot be {act}") from fault

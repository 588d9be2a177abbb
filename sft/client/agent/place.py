"""Where an agent's socket lies, and whether who is at the other end of it is the same person.

Rules. The folder is this person's own, 0700, else nothing in it is used; the socket is 0600, and both ends ask the system who
is at the other: a name in a folder that others could write decides nothing. The name follows from the public key.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sft.transport.local_peer import peer_uid

if TYPE_CHECKING:
    from sft.crypto.keys import PublicKey

_NAME_DIGITS: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def runtime_folder(environ: Mapping[str, str]) -> Path | None:
    """Return where sockets of this login lie: what the system removes at its end, else a folder of this user's own.

    None where the system has no such sockets, or no users as POSIX has them.
    """
    if not hasattr(socket, "AF_UNIX") or not hasattr(os, "getuid"):
        return None
    given = environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/"):
        return Path(given) / "sft"
    return Path(environ.get("TMPDIR") or tempfile.gettempdir()) / f"sft-{os.getuid()}"


def ends_with_login(environ: Mapping[str, str]) -> bool:
    """Return whether the system removes that folder at logout."""
    return environ.get("XDG_RUNTIME_DIR", "").startswith("/")


def socket_path(folder: Path, public: PublicKey) -> Path:
    return folder / f"{hashlib.sha256(public.encode()).hexdigest()[:_NAME_DIGITS]}.agent"


def is_private(folder: Path) -> bool:
    """Return whether a folder is there, no link, this user's own, and open to nobody else."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS


def is_same_person(connection: socket.socket) -> bool:
    """Return whether the process at the other end of a Unix socket is this user's, as the system says."""
    return peer_uid(connection) == os.getuid()

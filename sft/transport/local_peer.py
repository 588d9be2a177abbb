"""Whose process is at the other end of a socket of this computer, as its system says."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Final

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid


def peer_uid(connection: socket.socket) -> int | None:
    """Ask the system for the user at the other end of a local socket; None where it does not say.

    Raises:
        OSError: the socket is none that has such an end.
    """
    if hasattr(socket, "SO_PEERCRED"):
        _, theirs, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return int(theirs)
    # macOS and the BSDs have a call in its place (getpeereid(3)); the C library of Linux has none.
    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    try:
        failed = ctypes.CDLL(None).getpeereid(connection.fileno(), ctypes.byref(uid), ctypes.byref(gid))
    except (AttributeError, OSError, TypeError):  # no such call; or, on Windows, no such library
        return None
    return None if failed else uid.value

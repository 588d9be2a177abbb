"""A process in which what Linux has and macOS lacks is not there: functions and flags of the system's modules, and of libc.

It is loaded first of all in a process (as its ``sitecustomize``), so that the libraries choose as they do there. It is no
macOS: what Darwin has and Linux lacks is not there either, but for the calls that ours ask for; that which reaches the medium
is refused as by a file system that lacks it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct

OF_OS = (
    "O_DIRECT", "O_LARGEFILE", "O_NOATIME", "O_PATH", "O_TMPFILE", "SCHED_IDLE", "copy_file_range", "eventfd", "fdatasync",
    "getrandom", "getresuid", "getxattr", "listxattr", "memfd_create", "pidfd_open", "pipe2", "posix_fadvise",
    "posix_fallocate", "removexattr", "sched_getaffinity", "sched_setaffinity", "setresuid", "setxattr", "splice",
)  # fmt: skip
OF_SELECT = ("EPOLLERR", "EPOLLET", "EPOLLHUP", "EPOLLIN", "EPOLLOUT", "EPOLLRDHUP", "POLLRDHUP", "epoll")
OF_SIGNAL = ("SIGPOLL", "SIGPWR", "SIGRTMAX", "SIGRTMIN", "SIGSTKFLT", "sigtimedwait", "sigwaitinfo")
OF_SOCKET = (
    "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "MSG_ERRQUEUE", "SOCK_CLOEXEC", "SOCK_NONBLOCK", "SO_BINDTODEVICE", "SO_DOMAIN",
    "SO_PEERCRED", "SO_PROTOCOL", "TCP_CORK", "TCP_DEFER_ACCEPT", "TCP_KEEPIDLE", "TCP_QUICKACK", "TCP_USER_TIMEOUT",
)  # fmt: skip
OF_LIBC = frozenset({"fallocate", "fallocate64", "posix_fallocate", "prctl", "renameat2", "sync_file_range", "syncfs"})

_SO_PEERCRED = socket.SO_PEERCRED  # by which the call of macOS is played
for _module, _names in ((os, OF_OS), (select, OF_SELECT), (signal, OF_SIGNAL), (socket, OF_SOCKET)):
    for _name in _names:
        if hasattr(_module, _name):
            delattr(_module, _name)

fcntl.F_FULLFSYNC = 51  # type: ignore[attr-defined]


def _getpeereid(fd: int, uid: object, gid: object) -> int:
    with socket.socket(fileno=os.dup(fd)) as connection:
        told = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, 12)
    uid._obj.value, gid._obj.value = struct.unpack("4x2i", told)  # type: ignore[attr-defined]
    return 0


class _Libc(ctypes.CDLL):
    """A library without what Linux's has alone."""

    def __getattr__(self, name: str) -> object:
        if name == "getpeereid":
            return _getpeereid
        if name in OF_LIBC:
            raise AttributeError(name)
        return super().__getattr__(name)


ctypes.CDLL = _Libc  # type: ignore[misc]

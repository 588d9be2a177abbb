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

for _module, _names in ((os, OF_OS), (select, OF_SELECT), (signal, OF_SIGNAL), (socket, OF_SOCKET)):
    for _name in _names:
        if hasattr(_module, _name):
            delattr(_module, _name)

fcntl.F_FULLFSYNC = 51  # type: ignore[attr-defined]


class _Libc(ctypes.CDLL):
    """A library without what Linux's has alone."""

    def __getattr__(self, name: str) -> object:
        if name in OF_LIBC:
            raise AttributeError(name)
        return super().__getattr__(name)


ctypes.CDLL = _Libc  # type: ignore[misc]


class _Socket(socket.socket):
    """One that tells of its peer as macOS does: LOCAL_PEERCRED of SOL_LOCAL."""

    def getsockopt(self, level: int, option: int, *size: int) -> object:  # type: ignore[override]
        if (level, option, size) == (0, 1, (76,)):
            credentials = super().getsockopt(socket.SOL_SOCKET, 17, 12)
            return bytes(4) + credentials[4:8] + bytes(68)
        return super().getsockopt(level, option, *size)


socket.socket = _Socket  # type: ignore[misc]

"""A process in which what Windows lacks is not there: modules, functions and flags of the system's own modules.

``import tests.fakes.without_posix`` takes them away, before anything of ours is loaded. What Python itself was given by then
stays with it. It is no Windows: paths are POSIX's, and so are the libraries' wheels.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
OF_OS = (
    "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NOCTTY", "O_NONBLOCK", "O_PATH", "chown", "copy_file_range",
    "fchmod", "fchown", "fdatasync", "fork", "fstatvfs", "getegid", "geteuid", "getgid", "getpgrp", "getsid", "getuid",
    "killpg", "mkfifo", "pipe2", "posix_fadvise", "posix_fallocate", "pread", "preadv", "pwrite", "pwritev", "readv",
    "sched_getaffinity", "sendfile", "setsid", "statvfs", "sync", "uname", "writev",
)  # fmt: skip
OF_SELECT = ("EPOLLIN", "POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "epoll", "poll")
OF_SIGNAL = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGWINCH", "setitimer")
OF_SOCKET = ("AF_UNIX", "SOCK_CLOEXEC", "SOCK_NONBLOCK", "SO_PEERCRED", "sendmsg", "socketpair")

for _name in MODULES:
    sys.modules[_name] = None  # type: ignore[assignment]
for _module, _names in ((os, OF_OS), (select, OF_SELECT), (signal, OF_SIGNAL), (socket, OF_SOCKET)):
    for _name in _names:
        if hasattr(_module, _name):
            delattr(_module, _name)
os.supports_dir_fd = frozenset()

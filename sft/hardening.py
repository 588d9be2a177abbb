"""What keeps a process's memory, which holds keys, out of files and of other processes' reach."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def keep_memory_private() -> None:
    """Have no core written, and nobody of this user's attach; Linux, where it says so.

    A limit of 0 alone does not stop a core that the system pipes to a program (core(5)), nor ptrace by the same user.
    """
    if sys.platform == "win32":  # a process writes no core there, and a debugger of the same user is not kept out
        return
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Whatever of Python is missing, what is above is done, and a program goes on.
    try:
        import resource
    except ModuleNotFoundError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

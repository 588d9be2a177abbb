"""The machine's own seconds, for who must not go by a wall clock that somebody can set."""

from __future__ import annotations

import time


def uptime() -> float:
    """Tell seconds by a clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

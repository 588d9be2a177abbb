"""The wall clock, in whole seconds: what stored times are made of."""

from __future__ import annotations

import time


def wall_clock() -> int:
    """Read it."""
    return int(time.time())

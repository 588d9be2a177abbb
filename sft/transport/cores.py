"""How many cores there are to work on, and what is worth doing with them."""

from __future__ import annotations

import os
from typing import Final

# Measured on two cores: crypto on the reactor reaches 0.94 (put) and 0.90 (get) of the bare job, on the pool 0.85 and 0.85.
# Hashing is on the pool whatever the cores: a tenth of a get's time on two.
CORES_FOR_POOL_CRYPTO: Final = 3
MOST_THREADS: Final = 8


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def blocking_threads(cores: int) -> int:
    """Return how many threads are for what waits."""
    return max(4, min(MOST_THREADS, cores // 2))


def computing_threads(cores: int) -> int:
    """Return how many are for what needs the interpreter or a core: beside the one that serves the connections.

    Measured: four threads of short calls wait for the interpreter's lock, and for a core, more than they work.
    """
    return max(1, cores - 1)

"""How many cores there are to work on, and what is worth doing with them."""

from __future__ import annotations

import os
from typing import Final

# Measured on two cores: crypto on the reactor reaches 0.94 (put) and 0.90 (get) of the bare job, on the pool 0.85 and 0.85.
# Hashing is on the pool whatever the cores: a tenth of a get's time on two.
CORES_FOR_POOL_CRYPTO: Final = 3


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

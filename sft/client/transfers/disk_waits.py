"""Waits for the disk, side by side where the disk takes its time: a few threads of the process, which do nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
R = TypeVar("R")

_THREADS: Final = 8
_QUICK_SECONDS: Final = 0.0002  # a file system in memory; another thread costs a tenth of it, a disk several times it


def side_by_side(
    wait: Callable[[T], R], items: Sequence[T], seconds: Callable[[], float] = time.perf_counter
) -> list[R]:
    """Call a function that waits for the disk with each item (blocks); the first alone, which tells how long it takes.

    Args:
        wait: its faults are in what it returns.
        seconds: a monotonic clock.
    """
    if not items:
        return []
    began = seconds()
    first = wait(items[0])
    spread = len(items) > 2 and seconds() - began > _QUICK_SECONDS  # noqa: PLR2004 - one that is left waits here
    return [first, *(_threads().map if spread else map)(wait, items[1:])]


@cache
def _threads() -> ThreadPoolExecutor:
    # Here, for it loads what writes logs: most commands wait for no disk, or for one that is quick.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_THREADS, thread_name_prefix="sft-disk")

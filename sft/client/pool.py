"""A pool of threads for what blocks outside a session: opening a key, writing it anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sft.transport.threads import Pool

__all__ = ["Pool", "running_pool"]


@contextmanager
def running_pool(reactor: Any) -> Iterator[Pool]:
    """Run a pool while the block runs."""
    pool = Pool(reactor)
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()

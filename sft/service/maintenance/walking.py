"""Walking through a table some of whose pages may be damaged: what can be read is read, and the walk goes on behind the rest.

Rules. A page that the database cannot read ends one read, never the walk: smaller reads take what is before the damage, then
the first place behind it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sft.errors import RowForgedError, StoreError

Read = Callable[[int, int], int | None]
"""Takes what follows a key, so many at most; returns the last key taken, None at the end; StoreError where it cannot read."""

_BEFORE_ALL: Final = -(1 << 40)  # a number that was changed may be below 0
_FARTHEST: Final = 1 << 62


def walk(read: Read, limit: int, damaged: Callable[[StoreError], None], *, reads: Callable[[int], object]) -> None:
    """Read a table from its first key to its last.

    Args:
        read: has taken nothing when it raises.
        limit: of one read.
        damaged: told of each damage, once.
        reads: reads the one row that follows a key, and takes nothing.
    """
    after, most = _BEFORE_ALL, limit
    while True:
        try:
            last = read(after, most)
        except RowForgedError:
            raise
        except StoreError as fault:
            if most > 1:
                most //= 2
                continue
            damaged(fault)
            behind = _behind(reads, after)
            if behind is None:
                return
            after, most = behind, limit
            continue
        if last is None:
            return
        after, most = last, min(limit, most * 2)


def _behind(reads: Callable[[int], object], after: int) -> int | None:
    """Find the first key after which one row can be read again; None where there is no more."""
    step = 1
    while not _can(reads, after + step):
        step *= 2
        if step > _FARTHEST:
            return None
    unread, readable = after + step // 2, after + step
    while readable - unread > 1:
        middle = (unread + readable) // 2
        if _can(reads, middle):
            readable = middle
        else:
            unread = middle
    return readable


def _can(reads: Callable[[int], object], after: int) -> bool:
    try:
        reads(after)
    except StoreError:
        return False
    return True

"""Walking through a table some of whose pages may be damaged: what can be read is read, and the walk goes on behind the rest.

Rules. A page that the database cannot read ends one read, never the walk: smaller reads take what is before the damage, then
the first place behind it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sft.errors import RowForgedError, StoreError

Found = TypeVar("Found")
Read = Callable[[int, int], tuple[Found, int | None]]
"""Reads what follows a key, so many at most: what it found, and the last key, None at the end; StoreError where it cannot."""

BEFORE_ALL: Final = -(1 << 40)  # a number that was changed may be below 0
_FARTHEST: Final = 1 << 62


def walk(
    read: Read[Found],
    limit: int,
    take: Callable[[Found], object],
    damaged: Callable[[StoreError], None],
    after: int = BEFORE_ALL,
) -> None:
    """Read a table from its first key, or from what follows one, to its last.

    Args:
        read: is also called to probe, so it changes nothing.
        limit: of one read.
        take: gets what each read found.
        damaged: told of each damage, once.
    """
    most = limit
    while True:
        try:
            found, last = read(after, most)
        except RowForgedError:
            raise
        except StoreError as fault:
            if most > 1:
                most //= 2
                continue
            damaged(fault)
            behind = _behind(read, after)
            if behind is None:
                return
            after, most = behind, limit
            continue
        take(found)
        if last is None:
            return
        after, most = last, min(limit, most * 2)


def _behind(read: Read[Found], after: int) -> int | None:
    """Find the first key after which one row can be read again; None where there is no more."""
    step = 1
    while not _can(read, after + step):
        step *= 2
        if step > _FARTHEST:
            return None
    unread, readable = after + step // 2, after + step
    while readable - unread > 1:
        middle = (unread + readable) // 2
        if _can(read, middle):
            readable = middle
        else:
            unread = middle
    return readable


def _can(read: Read[Found], after: int) -> bool:
    try:
        read(after, 1)
    except StoreError:
        return False
    return True

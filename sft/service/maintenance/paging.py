"""Going through what a query finds page by page, behind the last key of the page before, each in a transaction of its own.

Rules. None is open while a page is worked on. What a query finds by columns that nothing verified is judged again by who works
on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from sft.errors import RowForgedError
from sft.service.maintenance.report import PAGE, BeginRead, sound_rows
from sft.store.rows import ReadTransaction

Key = TypeVar("Key")
R = TypeVar("R")

Query = Callable[[ReadTransaction, Key, int], list[Key]]
"""Finds the keys that follow one, so many at most."""


def keys_by_page(begin_read: BeginRead, query: Query[Key], after: Key, limit: int | None = None) -> Iterator[list[Key]]:
    """Return all keys that a query finds behind one, page by page; of ``PAGE`` keys unless told otherwise."""
    while True:
        with begin_read() as reading:
            page = query(reading, after, PAGE if limit is None else limit)
        if not page:
            return
        yield page
        after = page[-1]


def rows_by_page(
    begin_read: BeginRead, query: Query[Key], load: Callable[[ReadTransaction, Sequence[Key]], list[R]], after: Key
) -> Iterator[tuple[list[R], list[RowForgedError]]]:
    """Return the rows of all keys that a query finds behind one, page by page: those that hold, and which do not."""
    while True:
        with begin_read() as reading:
            page = query(reading, after, PAGE)
            rows, faults = sound_rows(partial(load, reading), page)
        if not page:
            return
        yield rows, faults
        after = page[-1]

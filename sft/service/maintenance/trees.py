"""Walking through all that hangs on a folder: its folders by levels, the files in some, pages of either.

Rules. Each page is read in a transaction of its own, by columns that nothing verified: whoever changes what was found judges it
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sft.service.maintenance.report import PAGE, JobContext
from sft.store.files import file_places_in
from sft.store.folders import folder_ids_in


def levels(context: JobContext, top: int) -> Iterator[list[int]]:
    """Return the ids of a folder, of those directly in it, of those in these, and so on."""
    level = [top]
    while level:
        yield level
        with context.begin_read() as reading:
            # Each has one parent: a circle that a changed row makes can only lead back to where this began.
            level = [folder_id for folder_id in folder_ids_in(reading, level) if folder_id != top]


def files_in(context: JobContext, folder_ids: Sequence[int]) -> Iterator[int]:
    """Return the row ids of the files that lie directly in some folders."""
    for folder_id in folder_ids:
        after, more = "", True
        while more:
            with context.begin_read() as reading:
                page = file_places_in(reading, folder_id, after, PAGE)
            yield from (row_id for _, row_id in page)
            more = len(page) == PAGE
            after = page[-1][0] if more else after


def pages(row_ids: Iterable[int], most: int) -> Iterator[list[int]]:
    ids = iter(row_ids)
    while page := list(islice(ids, most)):
        yield page

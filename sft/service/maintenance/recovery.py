"""Putting in order what a crash left.

Rules. Recovery runs at every start, before anybody is served: it removes what was being written, finishes known purges and
puts orphans aside. It deletes nothing that could be anybody's, and is idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Final

from msgspec import Struct

from sft.service.maintenance.purging import finish_purges
from sft.service.maintenance.report import JobContext
from sft.store.objects import known_objects
from sft.store.rows import ReadTransaction

IDS: Final = 400  # asked for at once


class Recovered(Struct, frozen=True):
    """What recovery found: nothing, after a clean stop.

    Attributes:
        leftovers: unfinished uploads that were removed.
        purged: objects whose destruction was finished.
        quarantined: objects that nobody knew.
        forged: purges that were changed outside the server and not obeyed.
    """

    leftovers: int = 0
    purged: int = 0
    quarantined: tuple[bytes, ...] = ()
    forged: tuple[str, ...] = ()


def recover(context: JobContext) -> Recovered:
    """Put in order what a crash left; at start, under the home's lock, before anybody is served."""
    vault = context.storage.vault
    leftovers = vault.discard_leftovers()
    purged, forged = finish_purges(context)
    strays = strays_of(vault.ids(), context.begin_read)
    for object_id in strays:
        vault.quarantine(object_id)
    return Recovered(leftovers, purged, tuple(strays), tuple(forged))


def strays_of(
    object_ids: Iterable[bytes], begin_read: Callable[[], AbstractContextManager[ReadTransaction]]
) -> list[bytes]:
    """Return the orphans among objects: those that no version and no purge names."""
    strays: list[bytes] = []
    for batch in _batches(object_ids):
        with begin_read() as reading:
            known = known_objects(reading, batch)
        strays.extend(object_id for object_id in batch if object_id not in known)
    return strays


def _batches(object_ids: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    ids = iter(object_ids)
    while batch := list(islice(ids, IDS)):
        yield batch

"""Emptying the trash when its time has come, and putting in order what a crash left.

Rules. Destroying goes rows first, then key section and object, then the purge row, so whoever is interrupted is finished by
the next. Recovery runs at every start, before anybody is served: it removes what was being written, finishes known purges and
puts aside what nobody knows. It deletes nothing that could be anybody's, and a second one does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

from msgspec import Struct

from sft.limits import TRASH_SECONDS
from sft.model.access import Caller, Permission, operator_caller
from sft.model.records import VaultReport
from sft.service.reports import PAGE, Acting, Job, Readings, Report, sound_rows
from sft.service.storage import FileStorage
from sft.service.trash import Destroyed, Purging, end_purges, purge
from sft.service.use_case import query
from sft.store.objects import known_objects
from sft.store.rows import ReadTransaction
from sft.store.trash import purge_ids, purges_by_id

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


@query(Permission.VAULT_MANAGE)
def collect(
    reading: ReadTransaction,
    caller: Caller,
    *,
    storage: FileStorage,
    readings: Readings,
    act: Acting,
    until: int | None = None,
) -> Job:
    """Destroy what has been in the trash for its time.

    Args:
        reading: the transaction that allows it.
        caller: who asks.
        storage: where the objects lie.
        readings: begins transactions for the job.
        act: writes for the job.
        until: what was deleted then or before; None where 30 days have passed.

    Returns:
        The job; its report counts what was destroyed.
    """
    moment = reading.now - TRASH_SECONDS if until is None else until

    def job() -> VaultReport:
        report = Report()
        _finish_purges(caller, storage, readings, act)
        while True:
            done = act(purge, Purging(caller, moment))
            if not done.files:
                return report.finish()
            _destroy(caller, storage, act, done.object_ids)
            report.files += done.files
            report.versions += done.versions
            report.bytes_checked += done.size_bytes

    return job


def recover(*, storage: FileStorage, readings: Readings, act: Acting) -> Recovered:
    """Put in order what a crash left; at start, under the home's lock, before anybody is served."""
    leftovers = storage.vault.discard_leftovers()
    purged, forged = _finish_purges(operator_caller(), storage, readings, act)
    strays = strays_of(storage.vault.ids(), readings)
    for object_id in strays:
        storage.vault.quarantine(object_id)
    return Recovered(leftovers, purged, tuple(strays), tuple(forged))


def strays_of(object_ids: Iterable[bytes], readings: Readings) -> list[bytes]:
    """Tell which objects no version and no purge names."""
    strays: list[bytes] = []
    for batch in _batches(object_ids):
        with readings() as reading:
            known = known_objects(reading, batch)
        strays.extend(object_id for object_id in batch if object_id not in known)
    return strays


def _finish_purges(
    caller: Caller, storage: FileStorage, readings: Readings, act: Acting
) -> tuple[int, list[str]]:
    """Destroy the objects of purges that were interrupted; a forged purge destroys nothing."""
    count, after = 0, b""
    forged: list[str] = []
    while True:
        with readings() as reading:
            page = purge_ids(reading, after, PAGE)
            rows, faults = sound_rows(partial(purges_by_id, reading), page)
        if not page:
            return count, forged
        forged.extend(fault.row for fault in faults)
        _destroy(caller, storage, act, tuple(row.object_id for row in rows))
        count += len(rows)
        after = page[-1]


def _destroy(
    caller: Caller, storage: FileStorage, act: Acting, object_ids: tuple[bytes, ...]
) -> None:
    for object_id in object_ids:
        storage.vault.remove(object_id)
    if object_ids:
        act(end_purges, Destroyed(caller, object_ids))


def _batches(object_ids: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    ids = iter(object_ids)
    while batch := list(islice(ids, IDS)):
        yield batch

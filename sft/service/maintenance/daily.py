"""When the trash was last collected, and giving back to the disk what the database does not use.

Rules. The moment of a collection is kept, for a server may restart each night. Free pages of the database are room for new
contents; beyond some of them they go back to the file system, a few milliseconds of the writer at a time.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.limits import COLLECT_SECONDS, KEPT_PAGES_BYTES
from sft.model.access import Caller, Permission
from sft.model.events import SpaceGivenBack, TrashCollected
from sft.service import use_case
from sft.service.maintenance.report import JobContext
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import COLLECTED_AT, change_setting, setting

PAGES: Final = 500  # given back in one transaction


class Collected(Struct, frozen=True):
    """The trash was collected just now."""

    caller: Caller


class GiveBack(Struct, frozen=True):
    """Free pages beyond so many bytes are to go."""

    caller: Caller
    keep_bytes: int = KEPT_PAGES_BYTES


@use_case.query(Permission.VAULT_MANAGE)
def is_collection_due(reading: ReadTransaction, caller: Caller) -> bool:
    """Return whether the trash was collected a day ago or earlier."""
    del caller
    return reading.now - int(setting(reading, COLLECTED_AT)) >= COLLECT_SECONDS


@use_case.act(Permission.VAULT_MANAGE, logs=(TrashCollected,))
def note_collection(transaction: Transaction, item: Collected) -> bool:
    """Write down that the trash was collected; False where that stands there already."""
    changed = change_setting(transaction, COLLECTED_AT, b"%d" % transaction.now)
    if changed:
        transaction.log(TrashCollected(by=item.caller))
    return changed


@use_case.act(Permission.VAULT_MANAGE, logs=(SpaceGivenBack,))
def give_back(transaction: Transaction, item: GiveBack) -> int:
    """Give some free pages back to the file system; return how many."""
    pages = transaction.rows.shrink(item.keep_bytes, PAGES)
    if pages:
        transaction.log(SpaceGivenBack(by=item.caller, pages=pages))
    return pages


def give_back_all(context: JobContext) -> None:
    """Give back what is free beyond what is kept, step by step; blocks."""
    while context.act(give_back, GiveBack(context.caller)):
        pass

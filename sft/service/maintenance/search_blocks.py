"""Search blocks made of what has none yet, and again of what changed its name or place: a block a transaction.

Rules. A block is made in the transaction that reads what it says, so it never tells what was so before another act. One walk
goes from the log's beginning to its end, and passes what has a block.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission
from sft.model.check_events import SearchBlocksMade
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.report import Job, JobContext, Report
from sft.store.rows import ReadTransaction, Transaction
from sft.store.search_blocks import can_make_block, make_block

_BEGIN: Final = -1  # before the first leaf


class BlockAfter(Struct, frozen=True):
    """The next block that is to be made behind a leaf."""

    caller: Caller
    leaf: int


@use_case.query(Permission.VAULT_MANAGE)
def can_make_blocks(reading: ReadTransaction, caller: Caller) -> bool:
    """Return whether something is to be in a block and is in none."""
    del caller
    return can_make_block(reading, _BEGIN)


@use_case.query(Permission.VAULT_MANAGE)
def make_search_blocks(_reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Make every block that is to be there; the job's report counts them as versions."""
    context = replace(context, caller=caller)

    def job() -> VaultReport:
        report, leaf = Report(), _BEGIN
        while (made := context.act(make_next, BlockAfter(context.caller, leaf))) is not None:
            leaf = made
            report.versions += 1
            context.progress(report.versions, 0)
        return report.finish()

    return job


@use_case.act(Permission.VAULT_MANAGE, logs=(SearchBlocksMade,))
def make_next(transaction: Transaction, item: BlockAfter) -> int | None:
    """Make the next block behind a leaf; return its last leaf, None where none is to be made."""
    made = make_block(transaction, item.leaf)
    if made is not None:
        transaction.log(SearchBlocksMade(by=item.caller, upto=made))
    return made

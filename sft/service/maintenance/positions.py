"""How far a walk through all contents is, kept so that the next one goes on there.

Rules. What was read is noted after so many bytes or versions, so that a stop loses little, and before the walk goes on: of what
is noted everything was read. A walk that was not ended is gone on with, whatever was stored behind its place meanwhile. Where
nothing can be noted, as on a full disk or in a damaged database, reading goes on all the same: ``try_to_note``.
"""

from __future__ import annotations

from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import SftError, TransferEndedError
from sft.limits import GIB
from sft.model.access import Caller, Permission
from sft.model.check_events import CheckAdvanced, CheckEnded
from sft.service import use_case
from sft.service.maintenance.report import PAGE, JobContext
from sft.store.checks import keep_walk, walk_row
from sft.store.files import VersionKey
from sft.store.row_types import CheckRow
from sft.store.rows import Transaction
from sft.store.writer import Act

In = TypeVar("In")
Out = TypeVar("Out")

NOTED_BYTES: Final = GIB // 4  # read again after a stop, at most, beside the content that was being read


class Advance(Struct, frozen=True):
    """How far a walk is; with ``ended`` it has come to its end."""

    caller: Caller
    row: CheckRow
    ended: bool = False


@use_case.act(Permission.VAULT_MANAGE, logs=(CheckAdvanced, CheckEnded))
def advance(transaction: Transaction, item: Advance) -> CheckRow:
    """Note how far a walk is; return its row."""
    row = item.row
    if not item.ended:
        row = row if row.began_at is not None else replace(row, began_at=transaction.now)
        keep_walk(transaction, row)
        transaction.log(CheckAdvanced(by=item.caller, walk=row.name, versions=row.versions, size=row.size_bytes))
        return row
    ended = CheckRow(
        row.name,
        ended_at=transaction.now,
        ended_versions=row.versions,
        ended_bytes=row.size_bytes,
        ended_faults=row.faults,
    )
    keep_walk(transaction, ended)
    transaction.log(
        CheckEnded(by=item.caller, walk=row.name, versions=row.versions, size=row.size_bytes, faults=row.faults)
    )
    return ended


def try_to_note(context: JobContext, act: Act[In, Out], item: In) -> Out | None:
    """Run an act; None where it cannot be done. That the work is to end is raised."""
    try:
        return context.act(act, item)
    except TransferEndedError:
        raise
    except SftError:
        return None


class Walk:
    """A walk that goes on where the one before was stopped; on the job's thread.

    Args:
        afresh: from the first version on, whatever was read before.
    """

    def __init__(self, context: JobContext, name: str, *, afresh: bool = False) -> None:
        self._context = context
        with context.begin_read() as reading:
            row, now = walk_row(reading, name), reading.now
        self.went_on = row.began_at is not None and not afresh
        if not self.went_on:
            row = replace(row, began_at=now, file=0, number=0, versions=0, size_bytes=0, faults=0)
            row = try_to_note(context, advance, Advance(context.caller, row)) or row
        self._noted = row
        # By a clock that was ahead then: no reason to wait for that moment. (Of acts time never goes back.)
        self.row = replace(row, began_at=min(row.began_at or now, now))

    @property
    def place(self) -> VersionKey:
        """The version that was read last."""
        return self.row.file, self.row.number

    def passed(self, key: VersionKey, size: int, *, fault: bool) -> None:
        """Note that a version was read, sometimes durably."""
        row = self.row
        self.row = replace(
            row,
            file=key[0],
            number=key[1],
            versions=row.versions + 1,
            size_bytes=row.size_bytes + size,
            faults=row.faults + int(fault),
        )
        new = self.row
        if new.versions - self._noted.versions >= PAGE or new.size_bytes - self._noted.size_bytes >= NOTED_BYTES:
            self.keep()

    def keep(self) -> None:
        """Make durable how far it is."""
        if self.row != self._noted:
            self._noted = self.row
            try_to_note(self._context, advance, Advance(self._context.caller, self.row))

    def end(self) -> None:
        """Note that all was read."""
        try_to_note(self._context, advance, Advance(self._context.caller, self.row, ended=True))

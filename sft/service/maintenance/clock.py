"""What is kept of the server's clock, and what waits where it is doubted: all that destroys by age.

Rules. ``sft.model.clock`` decides; here its state is a setting, looked at with each start, before each work of the hour, and by
whoever destroys. What ends a doubt early is a moment that a person signed on a computer of theirs, or the operator's word.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.crypto.statement import StatementComment
from sft.errors import ClockDoubtedError, CryptoError
from sft.model.access import Caller, Permission
from sft.model.clock import ClockState, agrees, looked_at
from sft.model.event import DomainEvent, StatedEvent
from sft.model.events import ClockBelieved, ClockDoubted, ClockSeen, FileCommitted, FileReplaced
from sft.service import use_case
from sft.store.files import files_by_file_id, newest_versions
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import CLOCK, change_setting, setting

BY_PERSON: Final = "somebody signed the same moment"
BY_OPERATOR: Final = "the operator says so"
BY_TIME: Final = "it was set right, or served with for a week"


class ClockLook(Struct, frozen=True):
    """What the clock says now, and how many seconds passed since the look before by one that nobody sets (None: a start)."""

    caller: Caller
    now: int
    passed: int | None


class ClockBelief(Struct, frozen=True):
    """That a clock is right which says this, and why."""

    caller: Caller
    now: int
    why: str = BY_OPERATOR


def clock_state(reading: ReadTransaction) -> ClockState:
    """Load what is kept of the clock."""
    return ClockState.decode(setting(reading, CLOCK))


def require_believed(reading: ReadTransaction) -> None:
    """Require that what is old by the clock is old.

    Raises:
        ClockDoubtedError: nobody knows.
    """
    state = clock_state(reading)
    if state.sound_at is not None:
        raise ClockDoubtedError(now_at=state.seen_at, sound_at=state.sound_at)


@use_case.act(Permission.VAULT_MANAGE, logs=(ClockSeen, ClockDoubted, ClockBelieved))
def look_at_clock(transaction: Transaction, item: ClockLook) -> ClockState:
    """Judge the clock anew, and keep what it says."""
    before = clock_state(transaction)
    after = looked_at(before, item.now, item.passed)
    if not change_setting(transaction, CLOCK, after.encode()):
        return after
    if after.sound_at is not None and not before.is_doubted:
        transaction.log(ClockDoubted(by=item.caller, seconds=item.now - after.sound_at, sound_at=after.sound_at))
    elif before.is_doubted and not after.is_doubted:
        transaction.log(ClockBelieved(by=item.caller, why=BY_TIME))
    else:
        transaction.log(ClockSeen(by=item.caller))
    return after


@use_case.act(Permission.VAULT_MANAGE, logs=(ClockBelieved,))
def believe_clock(transaction: Transaction, item: ClockBelief) -> bool:
    """Doubt the clock no more; False where nobody did."""
    doubted = clock_state(transaction).is_doubted
    if doubted:
        change_setting(transaction, CLOCK, ClockState(item.now).encode())
        transaction.log(ClockBelieved(by=item.caller, why=item.why))
    return doubted


@use_case.query(Permission.VAULT_MANAGE)
def is_agreed_with(reading: ReadTransaction, caller: Caller, *, now: int, events: Collection[DomainEvent]) -> bool:
    """Return whether somebody whose act was just logged signed it at this moment, by their own clock."""
    del caller
    people = [event for event in events if not event.by.operator]
    stored = [event.file_id for event in people if isinstance(event, FileCommitted | FileReplaced)]
    files = files_by_file_id(reading, stored).values()
    signatures = [version.signature for version in newest_versions(reading, files).values()]
    signatures += [event.statement for event in people if isinstance(event, StatedEvent)]
    return any(moment is not None and agrees(now, moment) for moment in map(_moment_of, signatures))


def _moment_of(signature: bytes) -> int | None:
    """Read when a signature says that it was made; None where it says nothing."""
    try:
        comment = FileSignature.parse(signature).comment
    except (CryptoError, ValueError):
        return None
    for kind in (StatementComment, FileComment):
        try:
            return kind.parse(comment).ts
        except (CryptoError, ValueError):
            continue
    return None

"""How long the trash keeps things, where that was made shorter: what is past it then is said, and has a day more.

    as before ── fewer days are configured ──▶ told; as before ── a day later ──▶ as configured

Rules. A number that was mistyped destroys nothing at once: the daily work goes by the days before until they were lowered for a
day, over restarts too, and forgets it where they are raised again meanwhile. Who collects by hand means what is configured now.
"""

from __future__ import annotations

from msgspec import Struct

from sft.limits import DAY_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import TrashDaysTaken, TrashTimeShortened
from sft.model.quotas import Usage
from sft.service import use_case
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import TRASH_TIME, change_setting, setting
from sft.store.trash import in_trash_until


class TrashTime(Struct, frozen=True):
    """So many days are configured; ``overdue`` is what has lain there longer."""

    caller: Caller
    days: int
    overdue: Usage = Usage()


def trash_time_text(days: int, shortened_at: int = 0) -> bytes:
    """Write the setting: the days that rule, and since when fewer are configured."""
    return b"%d %d" % (days, shortened_at)


@use_case.query(Permission.VAULT_MANAGE)
def trash_time(reading: ReadTransaction, caller: Caller) -> TrashTime:
    """Say what is configured, and what of the trash is overdue then, where that has not been said yet."""
    days, shortened_at = _kept(reading)
    configured = reading.policy.trash_days
    if configured >= days or shortened_at:
        return TrashTime(caller, configured)
    return TrashTime(caller, configured, in_trash_until(reading, reading.now - configured * DAY_SECONDS))


@use_case.act(Permission.VAULT_MANAGE, logs=(TrashDaysTaken, TrashTimeShortened))
def take_trash_days(transaction: Transaction, item: TrashTime) -> int:
    """Take what is configured, at once or in a day; return the days that rule now."""
    days, shortened_at = _kept(transaction)
    if item.days >= days or (shortened_at and transaction.now - shortened_at >= DAY_SECONDS):
        if change_setting(transaction, TRASH_TIME, trash_time_text(item.days)):
            transaction.log(TrashDaysTaken(by=item.caller, days=item.days))
        return item.days
    if not shortened_at:
        change_setting(transaction, TRASH_TIME, trash_time_text(days, transaction.now))
        transaction.log(
            TrashTimeShortened(
                by=item.caller,
                days=item.days,
                before=days,
                files=item.overdue.files,
                size_bytes=item.overdue.size_bytes,
                destroyed_from=transaction.now + DAY_SECONDS,
            )
        )
    return days


def _kept(reading: ReadTransaction) -> tuple[int, int]:
    days, shortened_at = map(int, setting(reading, TRASH_TIME).split())
    return days, shortened_at

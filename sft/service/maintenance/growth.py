"""How the vault is: what is stored by what it is, what is free, how long that lasts, and when all of it was read last.

Rules. Once a day the sums are noted; how fast the server grows is the slope of a month of them, and of at least two days. A
server that shrinks, or of which nothing is known yet, is never full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sft.limits import DAY_SECONDS
from sft.model.access import Caller, Permission
from sft.model.check_events import GrowthNoted
from sft.model.records import LastCheck, VaultStatus
from sft.service import use_case
from sft.service.maintenance.report import JobContext
from sft.store.checks import CHECK, SCRUB, damage_count, walk_row
from sft.store.growth import RANGE, Sums, growth_since, keep_growth, last_file, sums_in
from sft.store.row_types import CheckRow, GrowthRow
from sft.store.rows import ReadTransaction, Transaction

KEPT_DAYS: Final = 400  # the same month of last year
SLOPE_DAYS: Final = 30


class Growth(Struct, frozen=True):
    """What is stored now."""

    caller: Caller
    sums: Sums
    free_bytes: int


@use_case.query(Permission.VAULT_MANAGE)
def is_growth_due(reading: ReadTransaction, caller: Caller) -> bool:
    """Return whether nothing was noted today."""
    del caller
    today = reading.now // DAY_SECONDS
    return not growth_since(reading, today)


@use_case.act(Permission.VAULT_MANAGE, logs=(GrowthNoted,))
def note_growth(transaction: Transaction, item: Growth) -> GrowthRow:
    """Note what is stored today."""
    today = transaction.now // DAY_SECONDS
    row = GrowthRow(today, *item.sums, item.free_bytes)
    keep_growth(transaction, row, today - KEPT_DAYS)
    transaction.log(GrowthNoted(by=item.caller, size=sum(item.sums), free=item.free_bytes))
    return row


@use_case.query(Permission.VAULT_MANAGE)
def show_vault(reading: ReadTransaction, caller: Caller, *, sums: Sums, free_bytes: int) -> VaultStatus:
    """Say how the vault is, with what ``add_up`` found."""
    del caller
    today = reading.now // DAY_SECONDS
    days = [row for row in growth_since(reading, today - SLOPE_DAYS) if row.day < today]
    days.append(GrowthRow(today, *sums, free_bytes))
    growth = daily_growth(days)
    return VaultStatus(
        current_bytes=sums.current_bytes,
        older_bytes=sums.older_bytes,
        trash_bytes=sums.trash_bytes,
        free_bytes=free_bytes,
        daily_growth_bytes=growth,
        days_until_full=days_until_full(free_bytes, growth),
        damaged=damage_count(reading),
        check=_last(walk_row(reading, CHECK)),
        scrub=_last(walk_row(reading, SCRUB)),
    )


def noted_growth(reading: ReadTransaction) -> int | None:
    """Return by how many bytes the server grew in a day, as far as that was noted; None for fewer than two days."""
    return daily_growth(growth_since(reading, reading.now // DAY_SECONDS - SLOPE_DAYS))


def daily_growth(days: Sequence[GrowthRow]) -> int | None:
    """Return by how many bytes all contents grow in a day: least squares over some days; None for fewer than two."""
    first, last = (days[0].day, days[-1].day) if days else (0, 0)
    if last == first:
        return None
    sizes = [row.current_bytes + row.older_bytes + row.trash_bytes for row in days]
    middle, mean = sum(row.day for row in days) / len(days), sum(sizes) / len(sizes)
    spread = sum((row.day - middle) ** 2 for row in days)
    return round(sum((row.day - middle) * (size - mean) for row, size in zip(days, sizes, strict=True)) / spread)


def days_until_full(free_bytes: int | None, growth: int | None) -> int | None:
    """Return for how many days the room is enough as the server grows; None where that is not known, or it does not grow."""
    return None if free_bytes is None or growth is None or growth <= 0 else free_bytes // growth


def add_up(context: JobContext) -> tuple[Sums, int]:
    """Add up what is stored, range by range, and ask what is free; blocks."""
    with context.begin_read() as reading:
        last = last_file(reading)
    total = Sums()
    for after in range(0, last, RANGE):
        with context.begin_read() as reading:
            found = sums_in(reading, after)
        total = Sums(*(one + other for one, other in zip(total, found, strict=True)))
    return total, context.storage.vault.free_bytes()


def note_today(context: JobContext) -> None:
    """Note what is stored today; blocks."""
    sums, free = add_up(context)
    context.act(note_growth, Growth(context.caller, sums, free))


def _last(row: CheckRow) -> LastCheck:
    return LastCheck(
        began_at=row.began_at,
        versions=row.versions,
        bytes_read=row.size_bytes,
        ended_at=row.ended_at,
        ended_versions=row.ended_versions,
        ended_bytes=row.ended_bytes,
        ended_faults=row.ended_faults,
    )

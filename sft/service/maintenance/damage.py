"""What is known to be damaged of contents: noted when it is met, by whomever, and forgotten when it holds again.

Rules. A damage is said once, in the log and to whoever watches, however often it is met: what is known is asked in the
transaction that notes it. It is no judgment on who may read: the content is refused by what does not hold of it.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.model.access import Caller, Permission, operator_caller
from sft.model.check_events import DamageFound, DamageMended
from sft.service import use_case
from sft.service.maintenance.paging import rows_by_page
from sft.service.maintenance.positions import try_to_note
from sft.service.maintenance.report import JobContext
from sft.service.storage import DamagedContent
from sft.store.checks import damage_count, damage_ids, damages_by_id, objects_of_versions
from sft.store.row_types import DamageRow
from sft.store.rows import ReadTransaction, Transaction

PROBLEM_CHARACTERS: Final = 500


class Damage(Struct, frozen=True):
    """A content that did not hold when it was read."""

    content: DamagedContent
    caller: Caller = operator_caller()


class Mended(Struct, frozen=True):
    """Objects that hold, or that no version names any more."""

    object_ids: tuple[bytes, ...]
    caller: Caller = operator_caller()


@use_case.query(Permission.VAULT_MANAGE)
def count_damages(reading: ReadTransaction, caller: Caller) -> int:
    """Count the contents that are known to be damaged."""
    del caller
    return damage_count(reading)


@use_case.act(Permission.VAULT_MANAGE, logs=(DamageFound,))
def note_damage(transaction: Transaction, item: Damage) -> bool:
    """Note a damage; False where it is known, or where no version has this object any more."""
    found = item.content
    if damages_by_id(transaction, [found.object_id]) or not objects_of_versions(transaction, [found.object_id]):
        return False
    problem = found.problem[:PROBLEM_CHARACTERS]
    row = DamageRow(found.object_id, found.file_id, found.number, found.path, transaction.now, problem)
    transaction.rows.insert([row])
    transaction.log(
        DamageFound(
            by=item.caller,
            file_id=found.file_id,
            path=found.path,
            version=found.number,
            object=found.object_id.hex(),
            problem=problem,
        )
    )
    return True


@use_case.act(Permission.VAULT_MANAGE, logs=(DamageMended,))
def forget_damages(transaction: Transaction, item: Mended) -> int:
    """Forget damages that are none any more; return how many."""
    rows = damages_by_id(transaction, item.object_ids)
    transaction.rows.delete(rows)
    if rows:
        transaction.log(DamageMended(by=item.caller, objects=len(rows)))
    return len(rows)


def known_damages(context: JobContext) -> dict[bytes, DamageRow]:
    """Load what is known to be damaged, and forget what no version names any more; blocks."""
    known: dict[bytes, DamageRow] = {}
    for rows, _ in rows_by_page(context.begin_read, damage_ids, damages_by_id, b""):
        with context.begin_read() as reading:
            named = objects_of_versions(reading, [row.object_id for row in rows])
        gone = tuple(row.object_id for row in rows if row.object_id not in named)
        if gone:
            try_to_note(context, forget_damages, Mended(gone, context.caller))
        known |= {row.object_id: row for row in rows if row.object_id in named}
    return known

"""What hooks are told: leaves of the log, in order, and how far each hook is.

Rules. The log is the outbox: the transaction of an act writes its leaf, and so what every hook is to be told of it; nothing
takes a leaf out. Beside it stands one number for each hook, which only grows. A hook that is new begins with what comes next;
what the operator names no more is forgotten with its number. A position beyond the log is none in it: then the hook begins with
what comes next, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from sft.ledger.leaves import LeafKind
from sft.ledger.records import LeafRecord, RecordPart
from sft.limits import HOOK_PAGE
from sft.model.access import Caller, Permission, operator_caller
from sft.model.hook_events import HookAdvanced, HooksChanged
from sft.service import use_case
from sft.store.hooks import add_hooks, forget_hooks, hook_rows, move_hook
from sft.store.ledger import LeafFilter, leaves_about, leaves_from, ledger_row
from sft.store.row_types import HookRow, LogLeafRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.users import users_by_id


class NamedHooks(Struct, frozen=True):
    """The hooks that there are from now on."""

    names: tuple[str, ...]
    caller: Caller = operator_caller()


class HookPosition(Struct, frozen=True):
    """How far a hook is: the first leaf that may still have to be delivered."""

    name: str
    position: int
    caller: Caller = operator_caller()


class HookLeaf(NamedTuple):
    """A leaf to be delivered.

    Attributes:
        entry: its bytes.
        by: the name of who did it; None for the server and its operator, and where nobody has that id any more.
    """

    number: int
    entry: bytes
    record: LeafRecord
    by: str | None


class HookPage(NamedTuple):
    """Leaves to be delivered, in order; what follows them begins at ``position``."""

    leaves: list[HookLeaf]
    position: int


@use_case.act(Permission.SERVER_MANAGE, logs=(HooksChanged,))
def change_hooks(transaction: Transaction, item: NamedHooks) -> dict[str, int]:
    """Have these hooks and no others; return how far each is."""
    size = ledger_row(transaction).size
    rows = hook_rows(transaction)
    ended = [row for name, row in rows.items() if name not in item.names]
    begun = [HookRow(name, size) for name in item.names if name not in rows]
    beyond = [HookRow(name, size) for name, row in rows.items() if name in item.names and row.position > size]
    forget_hooks(transaction, ended)
    add_hooks(transaction, begun)
    for row in beyond:
        move_hook(transaction, row)
    if ended or begun or beyond:
        names = (tuple(row.name for row in each) for each in (begun + beyond, ended))
        transaction.log(HooksChanged(by=item.caller, begun=next(names), ended=next(names)))
    return {name: min(rows[name].position, size) if name in rows else size for name in item.names}


@use_case.act(Permission.SERVER_MANAGE, logs=(HookAdvanced,))
def advance_hook(transaction: Transaction, item: HookPosition) -> bool:
    """Note how far a hook is; False where it is no hook any more, or was there already."""
    row = hook_rows(transaction).get(item.name)
    if row is None or row.position >= item.position:
        return False
    move_hook(transaction, HookRow(item.name, item.position))
    transaction.log(HookAdvanced(by=item.caller, hook=item.name, position=item.position))
    return True


@use_case.query(Permission.SERVER_MANAGE)
def hook_page(
    reading: ReadTransaction, caller: Caller, *, kinds: Collection[LeafKind], start: int, end: int
) -> HookPage:
    """Show what is to be delivered next.

    Args:
        kinds: of leaves; all where there is none.
        end: leaves before this one, as the newest head has them.

    Raises:
        RowForgedError: a leaf is gone, or was changed.
    """
    del caller
    end = min(end, ledger_row(reading).size)
    if start >= end:
        return HookPage([], start)
    if kinds:
        rows = leaves_about(reading, LeafFilter(kinds=tuple(kinds)), start, end, HOOK_PAGE, newest_first=False)
    else:
        rows = leaves_from(reading, start, min(HOOK_PAGE, end - start))
    return HookPage(_shown(reading, rows), end if len(rows) < HOOK_PAGE and kinds else rows[-1].number + 1)


@use_case.query(Permission.SERVER_MANAGE)
def newest_hook_leaf(reading: ReadTransaction, caller: Caller, *, kinds: Collection[LeafKind], end: int) -> HookLeaf:
    """Show the newest leaf of some kinds, to try a hook with; the newest of any where there is none of them."""
    del caller
    end = min(end, ledger_row(reading).size)
    rows = leaves_about(reading, LeafFilter(kinds=tuple(kinds)), 0, end, 1, newest_first=True)
    return _shown(reading, rows or leaves_from(reading, end - 1, 1))[0]


def _shown(reading: ReadTransaction, rows: Sequence[LogLeafRow]) -> list[HookLeaf]:
    users = users_by_id(reading, {row.user_id for row in rows if row.user_id is not None})
    return [
        HookLeaf(
            row.number,
            row.entry,
            LeafRecord(RecordPart(row.facts_salt, row.facts), _personal(row)),
            users[row.user_id].name if row.user_id in users else None,
        )
        for row in rows
    ]


def _personal(row: LogLeafRow) -> RecordPart | None:
    if row.personal is None or row.personal_salt is None:
        return None
    return RecordPart(row.personal_salt, row.personal)

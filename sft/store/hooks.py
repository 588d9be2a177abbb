"""Queries on hooks: how far in the log each is. There are a few, and all are read at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.store.operation_schema import HookModel
from sft.store.row_types import HookRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.statements import rows_of

_ALL: Final = rows_of(HookRow, order_by=(HookModel.name,))


def hook_rows(reading: ReadTransaction) -> dict[str, HookRow]:
    """Load how far all hooks are, by name."""
    return {row.name: row for row in reading.rows.all(_ALL)}


def add_hooks(transaction: Transaction, rows: Sequence[HookRow]) -> None:
    transaction.rows.insert(rows)


def move_hook(transaction: Transaction, row: HookRow) -> None:
    """Write how far a hook is that has a row."""
    transaction.rows.update([row])


def forget_hooks(transaction: Transaction, rows: Sequence[HookRow]) -> None:
    transaction.rows.delete(rows)

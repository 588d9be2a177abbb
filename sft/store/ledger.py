"""Queries on the ledger: how far it is, leaves by range and by what they are about, tiles, blocks of the state trees.

Rules. Leaves are dense: a range with a gap is refused, for one was taken out. Every leaf is verified as it is loaded; tiles and
blocks are proved by the head alone, so whoever loads them checks them against it. A page is a range of numbers, and time rises
with them, so a moment is asked for once (``first_leaf_since``). Nothing here decides what belongs into the ledger, and nothing
takes a leaf out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, CompoundSelect, literal_column, select, union
from sqlalchemy.orm import InstrumentedAttribute

from sft.errors import RowForgedError
from sft.store.criteria import GROUP_PAIRS, any_of_pairs, groups, halves
from sft.store.row_types import LedgerRow, LogLeafRow, LogTileRow, StateBlockRow
from sft.store.rows import LEDGER_ID, ReadTransaction, Transaction
from sft.store.schema import DownloadModel, LedgerModel, LogLeafModel, LogTileModel, StateBlockModel
from sft.store.statements import RowsOf, any_of, columns_of, rows_of, value
from sft.store.table_specs import table_of

FIRST_EPOCH: Final = 1

TileKey = tuple[int, int]
"""Level and index."""

_LEDGER: Final = rows_of(LedgerRow, LedgerModel.id == LEDGER_ID)
_LEAF: Final = rows_of(LogLeafRow, LogLeafModel.number == value("number"))
_TIME: Final = columns_of(select(LogLeafModel.time).where(LogLeafModel.number == value("number")))
_TILES: Final = rows_of(LogTileRow, *any_of_pairs(LogTileModel.level, LogTileModel.number))
_BLOCKS: Final = rows_of(
    StateBlockRow,
    StateBlockModel.kind == value("kind"),
    StateBlockModel.number >= value("start"),
    order_by=[StateBlockModel.number],
    limit=value("limit"),
)
_BLOCKS_AT: Final = rows_of(StateBlockRow, *any_of_pairs(StateBlockModel.kind, StateBlockModel.number))
# Of a download of several files the leaf names none; each reader's first of each version stands by the file.
_DOWNLOAD_LEAVES: Final[CompoundSelect[Any]] = union(
    select(DownloadModel.begun_leaf).where(DownloadModel.file_id == value("file_id")),
    select(DownloadModel.received_leaf).where(
        DownloadModel.file_id == value("file_id"), DownloadModel.received_leaf.is_not(None)
    ),
)
_NO_USER: Final[tuple[None]] = (None,)
_OF_USER: Final[tuple[InstrumentedAttribute[Any] | None, ...]] = (LogLeafModel.user_id, LogLeafModel.subject_user_id)


class _ByKind(Enum):
    """How leaves are asked for by their kind."""

    NO = auto()
    ONE = auto()  # by the index
    SEVERAL = auto()  # of what another index gives


class LeafFilter(Struct, frozen=True):
    """Which leaves are meant; all that is said must be so.

    Attributes:
        user_id: acted, or had it done to them.
        file_id: of the file that it was done to, or that was downloaded among others: of these the first time that each
            reader had each version so.
        kinds: one of these; any where there is none.
    """

    user_id: int | None = None
    file_id: bytes | None = None
    kinds: tuple[int, ...] = ()


# -- how far it is ------------------------------------------------------------------------------------


def begin_ledger(transaction: Transaction, epoch: int = FIRST_EPOCH) -> None:
    """Write the row of a ledger that is empty."""
    transaction.rows.insert([LedgerRow(LEDGER_ID, epoch, size=0, users=0, files=0, redo=0)])


def ledger_row(reading: ReadTransaction) -> LedgerRow:
    """Read how far the ledger is; RowForgedError if that was changed, or taken away."""
    row = reading.rows.one(_LEDGER)
    if row is None:
        raise RowForgedError(table_of(LedgerRow), str(LEDGER_ID))
    return row


def change_ledger(transaction: Transaction, row: LedgerRow) -> None:
    transaction.rows.update([row])


# -- leaves -------------------------------------------------------------------------------------------


def add_leaves(transaction: Transaction, rows: Sequence[LogLeafRow]) -> None:
    transaction.rows.insert(rows)


def leaf_at(reading: ReadTransaction, number: int) -> LogLeafRow:
    """Load a leaf that the log has; RowForgedError if it is gone."""
    row = reading.rows.one(_LEAF, number=number)
    if row is None:
        raise RowForgedError(table_of(LogLeafRow), str(number))
    return row


def leaves_from(reading: ReadTransaction, start: int, limit: int) -> list[LogLeafRow]:
    """Load so many leaves from one on, fewer at the log's end.

    Raises:
        RowForgedError: one of them is gone.
    """
    size = ledger_row(reading).size
    rows = leaves_about(reading, LeafFilter(), start, size, limit, newest_first=False)
    numbers = {row.number for row in rows}
    for number in range(start, min(start + limit, size)):
        if number not in numbers:
            raise RowForgedError(table_of(LogLeafRow), str(number))
    return rows


def leaves_about(
    reading: ReadTransaction, wanted: LeafFilter, start: int, end: int, limit: int, *, newest_first: bool
) -> list[LogLeafRow]:
    """Load leaves of the range [start, end) that a filter lets through, so many at most.

    Returns:
        The first of them in the order that is asked for; the next page begins behind the last.
    """
    values: dict[str, Any] = {"start": start, "end": end, "limit": limit}
    for name, each in (("user_id", wanted.user_id), ("file_id", wanted.file_id)):
        values |= {} if each is None else {name: each}
    of_file, kinds = wanted.file_id is not None, wanted.kinds
    found: dict[int, LogLeafRow] = {}
    # One statement for each column, or each kind: of OR and IN over an index SQLite would sort all that is found.
    if wanted.user_id is None and not of_file and kinds:
        asked = _leaves(None, _ByKind.ONE, of_file=False, newest_first=newest_first)
        for kind in kinds:
            found.update((row.number, row) for row in reading.rows.all(asked, **values, kind=kind))
    else:
        by_kind = _ByKind.SEVERAL if kinds else _ByKind.NO
        values |= {"kinds": kinds} if kinds else {}
        for column in _NO_USER if wanted.user_id is None else _OF_USER:
            asked = _leaves(column, by_kind, of_file=of_file, newest_first=newest_first)
            found.update((row.number, row) for row in reading.rows.all(asked, **values))
        for column in (_NO_USER if wanted.user_id is None else _OF_USER[:1]) if of_file else ():  # done to nobody
            asked = _leaves(column, by_kind, of_file=True, among_several=True, newest_first=newest_first)
            found.update((row.number, row) for row in reading.rows.all(asked, **values))
    return [found[number] for number in sorted(found, reverse=newest_first)[:limit]]


@cache
def _leaves(
    user: InstrumentedAttribute[Any] | None,
    by_kind: _ByKind,
    *,
    of_file: bool,
    newest_first: bool,
    among_several: bool = False,
) -> RowsOf[LogLeafRow]:
    where: list[ColumnElement[bool]] = []
    # By the narrowest index alone, which gives leaves in order: of two SQLite may take the other.
    if among_several:
        where += [LogLeafModel.number.in_(_DOWNLOAD_LEAVES), LogLeafModel.file_id.is_(None)]
    elif of_file:
        where.append(LogLeafModel.file_id == value("file_id"))
    if user is not None:
        where.append((user + literal_column("0") if of_file else user) == value("user_id"))
    if by_kind is _ByKind.ONE:
        where.append(LogLeafModel.kind == value("kind"))
    elif by_kind is _ByKind.SEVERAL:
        where.append((LogLeafModel.kind + literal_column("0")).in_(any_of("kinds")))
    number = LogLeafModel.number
    return rows_of(
        LogLeafRow,
        *where,
        number >= value("start"),
        number < value("end"),
        order_by=[number.desc() if newest_first else number],
        limit=value("limit"),
    )


def first_leaf_since(reading: ReadTransaction, moment: int, size: int) -> int:
    """Return the number of the first leaf of that moment or later, or ``size``; unverified, for choosing a range."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        found = reading.rows.columns(_TIME, number=middle)
        if not found:
            raise RowForgedError(table_of(LogLeafRow), str(middle))
        if found[0][0] < moment:
            low = middle + 1
        else:
            high = middle
    return low


# -- hashes that the head proves ----------------------------------------------------------------------


def tiles_at(reading: ReadTransaction, keys: Collection[TileKey]) -> dict[TileKey, bytes]:
    """Load the hashes of tiles, as far as they are there; unproved."""
    found: dict[TileKey, bytes] = {}
    for group in groups(keys, GROUP_PAIRS):
        found.update(((row.level, row.number), row.hashes) for row in reading.rows.all(_TILES, **halves(group)))
    return {key: found[key] for key in keys if key in found}


def put_tiles(transaction: Transaction, rows: Sequence[LogTileRow]) -> None:
    """Write tiles, over what there was of them."""
    there = tiles_at(transaction, [(row.level, row.number) for row in rows])
    transaction.rows.insert([row for row in rows if (row.level, row.number) not in there])
    transaction.rows.update([row for row in rows if (row.level, row.number) in there])


def blocks_from(reading: ReadTransaction, kind: int, start: int, limit: int) -> list[StateBlockRow]:
    """Load so many blocks of a state tree from one on, in order; unproved."""
    return reading.rows.all(_BLOCKS, kind=kind, start=start, limit=limit)


def put_blocks(transaction: Transaction, rows: Sequence[StateBlockRow]) -> None:
    """Write blocks, over what there was of them."""
    there: set[tuple[int, int]] = set()
    for group in groups(rows, GROUP_PAIRS):
        asked = halves([(row.kind, row.number) for row in group])
        there |= {(row.kind, row.number) for row in transaction.rows.all(_BLOCKS_AT, **asked)}
    transaction.rows.insert([row for row in rows if (row.kind, row.number) not in there])
    transaction.rows.update([row for row in rows if (row.kind, row.number) in there])

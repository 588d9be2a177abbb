"""Search blocks: what a search asks of some hundred versions that follow one another in the log, in one row.

Rules. A block says of each file whose newest version is among them where it lay and what that was like when the block was made.
Since then some may have been replaced, deleted or handed over: it tells where to look, and whoever shows a file loads its rows
and asks again. But no file is missing: what gives a file another name or folder, or brings it back, drops the block of its
newest version (``drop_blocks``), and what ends a file those of all its versions, whose names go with them. Versions that stand
in no block are asked for one by one, so blocks are made behind what happens, and the newest have none yet. Nothing proves a
block, as nothing proves an index: who may write to the database may hide a file from searches, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from struct import pack, unpack_from
from typing import Final, NamedTuple

from sqlalchemy import and_, case, literal_column, select

from sft.errors import RowForgedError
from sft.store.operation_schema import SearchBlockModel
from sft.store.row_types import SearchBlockRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FileModel, VersionModel
from sft.store.statements import columns_of, value
from sft.store.table_specs import table_of

BLOCK_VERSIONS: Final = 512  # some 35 KB of a row; to make one costs the writer 2 ms

_FIRST_LEAF: Final = 0
_NO_LEAF: Final = 2**62
_NO_SIZE: Final = -1
_RANGES_AT_ONCE: Final = 64
_SEVERAL: Final = 32  # names: beyond, to look at each costs less
_BETWEEN: Final = b"\0"  # names: none has it
_NUMBER_BYTES: Final = 8

_LEAVES: Final = (VersionModel.leaf > value("after"), VersionModel.leaf <= value("upto"))
_LAST_LEAF: Final = columns_of(
    select(VersionModel.leaf).where(*_LEAVES).order_by(VersionModel.leaf).limit(1).offset(value("skipped"))
)
_ENTRIES: Final = columns_of(
    select(
        VersionModel.leaf, VersionModel.file, FileModel.folder_id, VersionModel.size, VersionModel.stored_at,
        VersionModel.author_id, FileModel.folded,
    )
    .join(FileModel, and_(FileModel.id == VersionModel.file, FileModel.newest == VersionModel.number))
    .where(*_LEAVES, FileModel.folder_id.is_not(None))
    .order_by(VersionModel.leaf, VersionModel.file)
)  # fmt: skip
_RANGES: Final = columns_of(
    select(SearchBlockModel.low, SearchBlockModel.high)
    .where(SearchBlockModel.low > value("after"))
    .order_by(SearchBlockModel.low)
    .limit(value("limit"))
)
_AT: Final = columns_of(
    select(SearchBlockModel.low, SearchBlockModel.high)
    .where(SearchBlockModel.low <= value("leaf"))
    .order_by(SearchBlockModel.low.desc())
    .limit(1)
)
_NUMBERS: Final = columns_of(select(SearchBlockModel.entries).where(SearchBlockModel.low == value("low")))
_BEFORE: Final = columns_of(
    select(
        SearchBlockModel.low,
        SearchBlockModel.high,
        SearchBlockModel.last_stored_at,
        case(
            (
                and_(
                    SearchBlockModel.largest >= value("smallest"),
                    SearchBlockModel.smallest <= value("largest"),
                    SearchBlockModel.last_stored_at >= value("since"),
                    SearchBlockModel.first_stored_at < value("until"),
                ),
                case((value("named") == 1, SearchBlockModel.names), else_=literal_column("X''")),
            ),
            else_=None,
        ),
    )
    .where(SearchBlockModel.low <= value("leaf"))
    .order_by(SearchBlockModel.low.desc())
    .limit(value("limit"))
)


class BlockColumn(IntEnum):
    """The numbers of a file in a block: its newest version's leaf, its row, its folder's, what that version is like."""

    LEAF = 0
    FILE = 1
    FOLDER = 2
    SIZE = 3
    STORED_AT = 4
    AUTHOR = 5


class BlockRange(NamedTuple):
    """A block as a search passes it.

    Attributes:
        low, high: its first leaf of the log, and its last.
        last_stored_at: when the newest of its versions was stored, Unix seconds.
        names: all its names, where they were asked for and may be of what is wanted; None where nothing in it is.
    """

    low: int
    high: int
    last_stored_at: int
    names: bytes | None


class SearchBlock(NamedTuple):
    """What a block says, file by file in the order of the log.

    Attributes:
        low: its first leaf of the log.
        names: all folded names; empty where they were not asked for.
        entries: all numbers, column by column.
        files: how many.
    """

    low: int
    names: bytes
    entries: bytes
    files: int

    def column(self, column: BlockColumn) -> tuple[int, ...]:
        """Return a number of each file."""
        return unpack_from(f"<{self.files}q", self.entries, column * self.files * _NUMBER_BYTES)

    def holding(self, words: Sequence[bytes]) -> list[int] | None:
        """Look for the names that hold every word.

        Returns:
            The files' places; None where so many names hold the first that to look at each costs less.

        Raises:
            RowForgedError: it has not as many names as numbers.
        """
        first, *others = words
        found = []
        start = place = seen = 0
        while (at := self.names.find(first, start)) >= 0:
            seen += 1
            if seen > _SEVERAL:
                return None
            place += self.names.count(_BETWEEN, start, at)
            start = self.names.rfind(_BETWEEN, 0, at) + 1
            end = self.names.find(_BETWEEN, at)
            name = self.names[start : len(self.names) if end < 0 else end]
            if first in name and all(word in name for word in others):
                found.append(place)
            if end < 0:
                start = len(self.names)
                break
            start, place = end + 1, place + 1
        if place + self.names.count(_BETWEEN, start) + 1 != self.files:
            raise _forged(self.low)
        return found

    def holding_of(self, words: Sequence[bytes], places: Sequence[int]) -> Sequence[int]:
        """Look at the names at these places; return those that hold every word.

        Raises:
            RowForgedError: it has not as many names as numbers.
        """
        names = self.names.split(_BETWEEN)
        if len(names) != self.files:
            raise _forged(self.low)
        for word in words:
            places = [place for place in places if word in names[place]]
        return places


def blocks_before(
    reading: ReadTransaction, leaf: int, limit: int, *, named: bool, smallest: int, largest: int, since: int, until: int
) -> list[BlockRange]:
    """Return the blocks that begin with a leaf or before it, the last one first.

    Args:
        named: whether their names are wanted.
        smallest, largest, since, until: of what is looked for: bytes, and Unix seconds, the end not among them.
    """
    found = reading.rows.columns(
        _BEFORE, leaf=leaf, limit=limit, named=int(named), smallest=smallest, largest=largest, since=since, until=until
    )
    return [BlockRange(*each) for each in found]


def block_of(reading: ReadTransaction, block: BlockRange) -> SearchBlock:
    """Load what a block says; RowForgedError where its numbers are none of whole files."""
    ((entries,),) = reading.rows.columns(_NUMBERS, low=block.low)
    count, rest = divmod(len(entries), len(BlockColumn) * _NUMBER_BYTES)
    if rest:
        raise _forged(block.low)
    return SearchBlock(block.low, block.names or b"", entries, count)


def _forged(low: int) -> RowForgedError:
    return RowForgedError(table_of(SearchBlockRow), str(low))


def next_gap(reading: ReadTransaction, after: int) -> tuple[int, int | None]:
    """Find the first leaves behind one that are in no block.

    Args:
        after: a leaf; -1 begins.

    Returns:
        The leaf before them, and the last of them; None where no block follows.
    """
    for low, high in _ranges(reading, after):
        if low > after + 1:
            return after, low - 1
        after = high
    return after, None


def can_make_block(reading: ReadTransaction, after: int) -> bool:
    """Return whether something behind a leaf is to be in a block and is in none."""
    after, upto = next_gap(reading, after)
    return upto is not None or _last_leaf(reading, after, _NO_LEAF) is not None


def make_block(transaction: Transaction, after: int) -> int | None:
    """Make the first block that is to be behind a leaf and is not there.

    Returns:
        Its last leaf; None where there is none to be made: the last versions, while they are few, have none.
    """
    after, upto = next_gap(transaction, after)
    high = _last_leaf(transaction, after, _NO_LEAF if upto is None else upto)
    if high is None:
        high = upto
    if high is None:
        return None
    found = transaction.rows.columns(_ENTRIES, after=after, upto=high)
    sizes, times = [each[3] for each in found], [each[4] for each in found]
    names = (name.encode("utf-8", "surrogateescape").replace(_BETWEEN, b"") for *_, name in found)
    columns = [number for column in list(zip(*found, strict=True))[: len(BlockColumn)] for number in column]
    row = SearchBlockRow(
        low=after + 1,
        high=high,
        smallest=min(sizes, default=0),
        largest=max(sizes, default=_NO_SIZE),
        first_stored_at=min(times, default=0),
        last_stored_at=max(times, default=_NO_LEAF),
        names=_BETWEEN.join(names),
        entries=pack(f"<{len(columns)}q", *columns),
    )
    transaction.rows.insert([row])
    return high


def drop_blocks(transaction: Transaction, leaves: Collection[int]) -> None:
    """Drop the blocks in which these leaves are: another one is made of what is so now."""
    lows: set[int] = set()
    for leaf in leaves:
        lows.update(low for low, high in transaction.rows.columns(_AT, leaf=leaf) if high >= leaf)
    transaction.rows.delete([SearchBlockRow(low, 0, 0, 0, 0, 0, b"", b"") for low in sorted(lows)])


def _ranges(reading: ReadTransaction, after: int) -> Iterator[tuple[int, int]]:
    while found := reading.rows.columns(_RANGES, after=after, limit=_RANGES_AT_ONCE):
        yield from found
        after = found[-1][0]


def _last_leaf(reading: ReadTransaction, after: int, upto: int) -> int | None:
    """Return the leaf of the last version of a whole block behind a leaf; None where there are fewer."""
    found = reading.rows.columns(_LAST_LEAF, after=after, upto=upto, skipped=BLOCK_VERSIONS - 1)
    return next((leaf for (leaf,) in found), None)

"""Rows in and out of the database, and the transactions that they are seen in.

Rules. Nothing else turns columns into a row: a row that the server did not write, or that was changed since,
is refused by name (``RowForgedError``) by whatever query finds it. What is asked is a statement that was made once
(``sft.store.statements``); what comes back is always whole rows. Counts and sums (``columns``) carry no MAC and
are for showing: they decide nothing. Whatever adds, changes or removes a row changes the sum of all MACs with it
(``row_sum``). What is changed is also noted, for whoever steps in before the commit: by statement, so a row costs nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, TypeVarTuple, cast

import msgspec
from sqlalchemy import select, text

from sft.crypto.row_mac import RowValue
from sft.errors import RowForgedError, StoreError
from sft.model.events import DomainEvent
from sft.model.policy import ServerPolicy
from sft.store import row_sum
from sft.store.row_sum import MacSum
from sft.store.row_types import LedgerRow, Row, RowSumRow
from sft.store.statements import ColumnsOf, PairsOf, RowsOf, Statement, columns_of, rows_of, value
from sft.store.table_specs import TABLE_SPECS, RawRow, RowMacs, TableSpec, table_of

A = TypeVar("A", bound=Row)
B = TypeVar("B", bound=Row)
Ts = TypeVarTuple("Ts")

SALT_BYTES: Final = 16
LEDGER_ID: Final = 1

_MOST_PROBLEMS: Final = 100
_LEDGER: Final = rows_of(LedgerRow)


class Rows:
    """Loads rows over one connection, inside the transaction that its owner began."""

    __slots__ = ("_connection", "_row_macs")

    def __init__(self, connection: sqlite3.Connection, row_macs: RowMacs) -> None:
        self._connection = connection
        self._row_macs = row_macs

    @property
    def server_id(self) -> bytes:
        """The id of the server whose rows these are: each row's MAC says so."""
        return self._row_macs.server_id

    def backup_mac(self, digest: bytes) -> bytes:
        """Make the MAC over the digest of a backup's settings."""
        return self._row_macs.backup_mac(digest)

    def all(self, asked: RowsOf[A], **values: Any) -> list[A]:
        """Load every row that is asked for; RowForgedError for the first whose MAC does not hold."""
        kind, spec = asked.kind, TABLE_SPECS[asked.kind]
        return [self._row(kind, spec, raw) for raw in self._raw(asked.statement, values)]

    def first(self, asked: RowsOf[A], **values: Any) -> A | None:
        return next(iter(self.all(asked, **values)), None)

    def one(self, asked: RowsOf[A], **values: Any) -> A | None:
        """Load the only row that is asked for, if there is one; StoreError if there are several."""
        found = self.all(asked, **values)
        if len(found) > 1:
            raise StoreError(problem=f"{table_of(asked.kind)} has two rows where one can be")
        return found[0] if found else None

    def pairs(self, asked: PairsOf[A, B], **values: Any) -> list[tuple[A, B]]:
        """Load pairs of rows of two tables; both of each pair are checked."""
        first, second = asked.first, asked.second
        one, two = TABLE_SPECS[first], TABLE_SPECS[second]
        cut = one.width
        return [
            (self._row(first, one, raw[:cut]), self._row(second, two, raw[cut:]))
            for raw in self._raw(asked.statement, values)
        ]

    def columns(self, asked: ColumnsOf[*Ts], **values: Any) -> list[tuple[*Ts]]:
        """Ask for columns, counts and sums: nothing checks them, and nothing may be decided by them."""
        return cast("list[tuple[*Ts]]", self._raw(asked.statement, values))

    def check(
        self, kind: type[Row], after: int | None = None, limit: int = 1000
    ) -> tuple[list[RowForgedError], int | None]:
        """Check some rows of a table without stopping at the first that does not hold.

        Args:
            after: what the call before returned; None begins.
            limit: how many rows to check in this transaction.

        Returns:
            The faults, and where to go on; None at the end.
        """
        spec = TABLE_SPECS[kind]
        found = self._raw(*_by_row_number(kind, after, limit))
        faults = []
        for raw in found:
            try:
                self._row_macs.check(spec, raw[1:])
            except RowForgedError as fault:
                faults.append(fault)
        return faults, cast("int", found[-1][0]) if len(found) == limit else None

    def integrity(self) -> list[str]:
        """Ask SQLite whether its own file is whole, indices too, and whether every row refers to one that is there.

        Returns:
            What is not so, at most a hundred of each.
        """
        found = self._connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})").fetchall()
        lost = self._connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_PROBLEMS)
        return [str(problem) for (problem,) in found if problem != "ok"] + [
            f"row {row} of {table} refers to a row of {parent} that is not there" for table, row, parent, _ in lost
        ]

    def sum_holds(self) -> bool:
        """Return whether all rows are those that the server wrote last: none put back, none taken out.

        Raises:
            RowForgedError: what it is held against was changed.
        """
        return row_sum.holds(self._connection, self._row_macs)

    def _raw(self, statement: Statement, values: dict[str, Any]) -> Sequence[RawRow]:
        asked = statement.lay_out(values)
        return [] if asked is None else self._connection.execute(*asked).fetchall()

    def _row(self, kind: type[A], spec: TableSpec, raw: RawRow) -> A:
        self._row_macs.check(spec, raw)
        return kind(*raw[:-1]) if spec.has_mac else kind(*raw)


class Changed(NamedTuple, Generic[A]):
    """Rows of one kind that a transaction changed.

    Attributes:
        rows: those that are there, as they are now.
        deleted: those that are not, as they were deleted.
    """

    rows: list[A]
    deleted: list[A]


class WritableRows(Rows):
    """Loads and changes rows: the writer's."""

    __slots__ = ("_changes", "_macs", "_sum")

    def __init__(self, connection: sqlite3.Connection, row_macs: RowMacs, now: int) -> None:
        super().__init__(connection, row_macs)
        self._sum = MacSum(connection, row_macs, now)
        self._macs: dict[tuple[str, object], bytes] = {}  # of the rows that were seen here
        self._changes: list[tuple[TableSpec, Sequence[Row], bool]] = []  # by statement; whether it deleted

    @property
    def moment(self) -> int:
        """The transaction's: never before one that was stored."""
        return self._sum.now

    def insert(self, rows: Sequence[Row]) -> None:
        """Add rows of one kind, in one statement."""
        if rows:
            spec = _spec_of(rows)
            values = [self._row_macs.values(spec, row) for row in rows]
            self._connection.executemany(spec.insertion, values)
            self._note(spec, (), values)
            self._changes.append((spec, tuple(rows), False))

    def update(self, rows: Sequence[Row]) -> None:
        """Write rows of one kind over those of their primary keys, in one statement; StoreError if one is missing."""
        if rows:
            spec = _spec_of(rows)
            values = [self._row_macs.values(spec, row) for row in rows]
            removed = [self._mac(spec, row) for row in values]
            changes = [(*_rest(spec, row), *(row[place] for place in spec.key)) for row in values]
            self._demand(len(rows), self._connection.executemany(spec.change, changes).rowcount, spec)
            self._note(spec, removed, values)
            self._changes.append((spec, tuple(rows), False))

    def renew_macs(
        self, kind: type[Row], after: int | None, limit: int
    ) -> tuple[int, list[RowForgedError], int | None]:
        """Write the MACs of some rows anew, under the key in use; those that do not hold are left as they are.

        Returns:
            How many MACs were written, the faults, and where to go on; None at the end.
        """
        spec = TABLE_SPECS[kind]
        if not spec.has_mac:
            return 0, [], None
        if kind is RowSumRow:
            self._sum.change((), ())  # it is written anew, under the key in use
            return 1, [], None
        found = self._raw(*_by_row_number(kind, after, limit))
        faults: list[RowForgedError] = []
        macs, removed, added = [], [], []
        for rowid, *raw in found:
            try:
                row = self._row(kind, spec, raw)
            except RowForgedError as fault:
                faults.append(fault)
                continue
            values = self._row_macs.values(spec, row)
            macs.append((values[-1], rowid))
            removed.append(self._mac(spec, values))
            added.append(values)
        if macs:
            self._connection.executemany(f"UPDATE {spec.name} SET mac = ? WHERE rowid = ?", macs)  # noqa: S608 -- the schema's name
            self._note(spec, removed, added)
        return len(macs), faults, cast("int", found[-1][0]) if len(found) == limit else None

    def delete(self, rows: Sequence[Row]) -> None:
        """Remove rows of one kind; StoreError if one of them is not there."""
        if rows:
            spec = _spec_of(rows)
            removed = [self._mac(spec, msgspec.structs.astuple(row)) for row in rows]
            keys = [tuple(getattr(row, spec.columns[place]) for place in spec.key) for row in rows]
            self._demand(len(rows), self._connection.executemany(spec.deletion, keys).rowcount, spec)
            self._note(spec, removed, ())
            self._changes.append((spec, tuple(rows), True))

    def changed(self, kind: type[A]) -> Changed[A]:
        """Return what this transaction has done to rows of a kind so far, each once, in the order of its first change."""
        last: dict[object, tuple[A, bool]] = {}
        for spec, rows, deleted in self._changes:
            if spec.kind is kind:
                for row in cast("Sequence[A]", rows):
                    last[spec.key_of(msgspec.structs.astuple(row))] = row, deleted
        return Changed(
            [row for row, deleted in last.values() if not deleted], [row for row, deleted in last.values() if deleted]
        )

    def changes(self) -> int:
        """Return how far the notes of changes are, for ``undo_changes``."""
        return len(self._changes)

    def undo_changes(self, upto: int) -> None:
        """Drop the notes behind a place, and read what is needed of rows again: something was undone."""
        del self._changes[upto:]
        self._macs.clear()
        self._sum.forget()

    def free_bytes(self) -> int:
        """Count the room within the database's own file: pages that hold nothing."""
        return self._pragma("freelist_count") * self._pragma("page_size")

    def shrink(self, keep_bytes: int, pages: int) -> int:
        """Give free pages back to the file system, so many at most, while more than ``keep_bytes`` are free.

        Returns:
            How many it gave.
        """
        free, page_bytes = self._pragma("freelist_count"), self._pragma("page_size")
        giving = min(pages, free - keep_bytes // page_bytes)
        if giving <= 0:
            return 0
        for _ in range(giving):  # one a statement: the driver takes no second step of one that returns nothing
            self._connection.execute("PRAGMA incremental_vacuum(1)")
        return free - self._pragma("freelist_count")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _row(self, kind: type[A], spec: TableSpec, raw: RawRow) -> A:
        row = super()._row(kind, spec, raw)
        if spec.has_mac:
            self._macs[_place(spec, raw)] = cast("bytes", raw[-1])
        return row

    def _mac(self, spec: TableSpec, row: RawRow) -> bytes:
        """Return the MAC that a row has in its table; one that is not there has none, and is missed later."""
        if not spec.has_mac:
            return b""
        known = self._macs.pop(_place(spec, row), None)
        if known is not None:
            return known
        found = self._connection.execute(spec.selection, tuple(row[place] for place in spec.key)).fetchone()
        return b"" if found is None else cast("bytes", found[0])

    def _note(self, spec: TableSpec, removed: Sequence[bytes], added: Sequence[RawRow]) -> None:
        if spec.has_mac:
            self._sum.change(removed, [cast("bytes", row[-1]) for row in added])
            self._macs.update((_place(spec, row), cast("bytes", row[-1])) for row in added)

    def next_id(self, kind: type[Row]) -> int:
        """Return the number that a table's next row gets: one more than its last, so numbers are dense.

        Rows at the end that were changed keep nobody from adding more, as long as their own numbers follow those before.

        Raises:
            RowForgedError: the number itself was changed, or too many rows.
        """
        spec = TABLE_SPECS[kind]
        forged: RowForgedError | None = None
        for most in (1, _MOST_PROBLEMS):  # nearly always the first is genuine
            numbers: list[Any] = []
            for raw in self._raw(_last_rows(kind).statement, {"limit": most}):
                numbers.append(raw[spec.columns.index("id")])
                try:
                    self._row(kind, spec, raw)
                except RowForgedError as fault:
                    forged = forged or fault
                    continue
                if numbers == list(range(numbers[-1] + len(numbers) - 1, numbers[-1] - 1, -1)):
                    return cast("int", numbers[0]) + 1
                break
        if forged is not None:
            raise forged
        return 1

    @staticmethod
    def _demand(wanted: int, found: int, spec: TableSpec) -> None:
        if wanted != found:
            raise StoreError(problem=f"{spec.name} lost {wanted - found} rows")


class ReadTransaction:
    """One read transaction: a snapshot of the rows, the moment it was begun (Unix seconds), and the policy that ruled then."""

    __slots__ = ("_rows", "now", "policy")

    def __init__(self, rows: Rows, now: int, policy: ServerPolicy | None = None) -> None:
        self._rows = rows
        self.now = now
        self.policy = policy or ServerPolicy()

    @property
    def rows(self) -> Rows:
        return self._rows


class Transaction(ReadTransaction):
    """One writing transaction; no other is under way, and its moment is never before one that is stored.

    Args:
        entropy: gives so many random bytes.

    Attributes:
        events: what the acts in it have said so far.
        slots_at_leaves: how many slots of files and folders were given out when each of them that is a leaf was said.
    """

    __slots__ = ("_connection", "_entropy", "_next", "_writable", "events", "slots_at_leaves")

    def __init__(
        self,
        connection: sqlite3.Connection,
        row_macs: RowMacs,
        now: int,
        entropy: Callable[[int], bytes] = os.urandom,
        policy: ServerPolicy | None = None,
    ) -> None:
        self._connection = connection
        self._writable = WritableRows(connection, row_macs, now)
        self._entropy = entropy
        self._next: tuple[int, int] | None = None  # leaf and slot; not yet asked for
        self.events: list[DomainEvent] = []
        self.slots_at_leaves: list[int] = []
        super().__init__(self._writable, self._writable.moment, policy)

    @property
    def rows(self) -> WritableRows:
        return self._writable

    def log(self, event: DomainEvent) -> int | None:
        """Note what happened; whoever listens hears of it if and only if this transaction commits.

        Returns:
            The index of the log's leaf that the event will be; None where it will be none.
        """
        self.events.append(event)
        if not event.leaf:
            return None
        leaf, slot = self._next_places()
        self._next = leaf + 1, slot
        self.slots_at_leaves.append(slot)
        return leaf

    @property
    def next_leaf(self) -> int:
        """The index of the leaf that the next event will be: as many are in the log, those to come with this commit too."""
        return self._next_places()[0]

    @property
    def next_slot(self) -> int:
        """The next place in the state tree of files and folders: as many were given out."""
        return self._next_places()[1]

    def take_slot(self) -> int:
        """Return the place that a new file or folder gets in the state tree of both."""
        leaf, slot = self._next_places()
        self._next = leaf, slot + 1
        return slot

    def new_salt(self) -> bytes:
        """Draw what hides a row in the hash of its slot."""
        return self._entropy(SALT_BYTES)

    def _next_places(self) -> tuple[int, int]:
        if self._next is None:
            row = self._writable.one(_LEDGER)
            if row is None:
                raise RowForgedError(table_of(LedgerRow), str(LEDGER_ID))
            self._next = row.size, row.files
        return self._next

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block wrote and said when it raises; for rare acts, for it costs two statements."""
        said, changes, places = len(self.events), self._writable.changes(), self._next
        leaves = len(self.slots_at_leaves)
        self._connection.execute("SAVEPOINT act")
        try:
            yield
        except BaseException as error:
            del self.events[said:], self.slots_at_leaves[leaves:]
            self._writable.undo_changes(changes)
            self._next = places
            try:
                self._connection.execute("ROLLBACK TO act")
                self._connection.execute("RELEASE act")
            except sqlite3.Error:
                # On a full disk SQLite gives up the whole transaction, and knows no savepoint then: what came first says why.
                if not isinstance(error, sqlite3.Error):
                    raise
            raise
        self._connection.execute("RELEASE act")


@cache
def _last_rows(kind: type[Row]) -> RowsOf[Row]:
    return rows_of(kind, order_by=[TABLE_SPECS[kind].table.c.id.desc()], limit=value("limit"))


@cache
def _rows_by_number(kind: type[Row], *, later: bool) -> Statement:
    # By SQLite's own row number: a primary key may itself have been changed, to any type.
    statement = select(text("rowid"), TABLE_SPECS[kind].table).order_by(text("rowid")).limit(value("limit"))
    return columns_of(statement.where(text("rowid > :after")) if later else statement).statement


def _by_row_number(kind: type[Row], after: int | None, limit: int) -> tuple[Statement, dict[str, Any]]:
    values = {"limit": limit} if after is None else {"limit": limit, "after": after}
    return _rows_by_number(kind, later=after is not None), values


def _place(spec: TableSpec, row: RawRow) -> tuple[str, object]:
    return spec.name, spec.key_of(row)


def _rest(spec: TableSpec, row: RawRow) -> Iterator[RowValue]:
    return (value for place, value in enumerate(row) if place not in spec.key)


def _spec_of(rows: Sequence[Row]) -> TableSpec:
    kinds = {type(row) for row in rows}
    if len(kinds) > 1:
        raise TypeError("rows of one kind at a time")
    return TABLE_SPECS[kinds.pop()]

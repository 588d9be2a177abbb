"""The sum of all MACs: what tells that a row was put back as it once was, or taken out.

A MAC says that the server wrote a row, not that this is the row's last state. So one more row keeps the sum of what every
MAC adds (``sft.crypto.row_mac``). Whatever changes rows changes it in the same transaction; ``vault check`` adds all up anew.

Rules. The sum is read from its row in every transaction, for an act may be rolled back. The same row keeps the moment of the
last change, and no transaction is before it: on a clock that was set back, what is deleted now would end too early. A sum that
is missing is refused like a row that was changed, except in a database that holds nothing yet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from sft.crypto.row_mac import ROW_MAC_BYTES, SUM_MODULUS
from sft.errors import RowForgedError
from sft.store.row_types import RowSumRow, SettingRow
from sft.store.table_specs import TABLE_SPECS, RowMacs, table_of

_ID: Final = 1
_SPEC: Final = TABLE_SPECS[RowSumRow]
_SELECT: Final = f"SELECT {', '.join(_SPEC.columns)} FROM {_SPEC.name} WHERE id = {_ID}"  # noqa: S608 -- the schema's names
_UPDATE: Final = f"UPDATE {_SPEC.name} SET sum = ?, changes = ?, moment = ?, mac = ? WHERE id = {_ID}"  # noqa: S608 -- likewise
_ANY_SETTING: Final = f"SELECT 1 FROM {table_of(SettingRow)} LIMIT 1"  # noqa: S608 -- likewise
_AT_ONCE: Final = 10_000  # MACs in memory


class MacSum:
    """The sum within one writing transaction."""

    __slots__ = ("_connection", "_row", "_row_macs", "now")

    def __init__(self, connection: sqlite3.Connection, row_macs: RowMacs, now: int) -> None:
        self._connection = connection
        self._row_macs = row_macs
        self._row: RowSumRow | None = load(connection, row_macs)
        self.now = max(now, self._row.moment)

    def change(self, removed: Iterable[bytes], added: Iterable[bytes]) -> None:
        """Take some MACs out of the sum and others in."""
        row = self._row or load(self._connection, self._row_macs)
        terms = self._row_macs.row_sum
        total = (int.from_bytes(row.sum, "big") + terms.total(added) - terms.total(removed)) % SUM_MODULUS
        self._row = RowSumRow(_ID, total.to_bytes(ROW_MAC_BYTES, "big"), row.changes + 1, self.now)
        values = self._row_macs.values(_SPEC, self._row)
        self._connection.execute(_UPDATE, values[1:])

    def forget(self) -> None:
        """Read the row again: something was undone."""
        self._row = None


def load(connection: sqlite3.Connection, row_macs: RowMacs) -> RowSumRow:
    """Read the kept sum.

    Raises:
        RowForgedError: it was changed, or taken away.
    """
    raw = connection.execute(_SELECT).fetchone()
    if raw is None:
        raise RowForgedError(_SPEC.name, str(_ID))
    row_macs.check(_SPEC, raw)
    return RowSumRow(*raw[:-1])


def require_kept(connection: sqlite3.Connection, row_macs: RowMacs) -> None:
    """Begin the sum of a database that holds nothing yet; any other has one.

    Raises:
        RowForgedError: it was changed, or taken away.
    """
    if connection.execute(_SELECT).fetchone() is None and connection.execute(_ANY_SETTING).fetchone() is None:
        begun = RowSumRow(_ID, bytes(ROW_MAC_BYTES), 0, 0)
        connection.execute(_SPEC.insertion, row_macs.values(_SPEC, begun))
    load(connection, row_macs)


def holds(connection: sqlite3.Connection, row_macs: RowMacs) -> bool:
    """Add up the MACs of all rows, a second for a million, and return whether that is the kept sum.

    Raises:
        RowForgedError: the kept one was changed, or taken away.
    """
    total = 0
    for spec in TABLE_SPECS.values():
        if spec.has_mac and spec is not _SPEC:
            macs = connection.execute(f"SELECT mac FROM {spec.name}")  # noqa: S608 -- the schema's names
            while found := macs.fetchmany(_AT_ONCE):
                total += row_macs.row_sum.total(mac for (mac,) in found if isinstance(mac, bytes))
    return int.from_bytes(load(connection, row_macs).sum, "big") == total % SUM_MODULUS

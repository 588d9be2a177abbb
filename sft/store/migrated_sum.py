"""The sum of all MACs over an upgrade: what a migration changes of MACs is put into it.

Rules. What is put in is the difference between all MACs before and after: a row that was put back as it once was stays as
visible as it was. Tables are known by their names in the database, for their columns belong to a version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from sft.crypto.row_mac import ROW_MAC_BYTES, SUM_MODULUS, RowMac, RowSum
from sft.errors import RowForgedError

_TABLE: Final = "row_sums"
_ID: Final = 1
_AT_ONCE: Final = 10_000  # MACs in memory


class SumBefore:
    """All MACs as they are before a migration.

    Args:
        row_key, server_id: of the MACs that are there.

    Raises:
        RowForgedError: the kept sum was changed outside the server.
    """

    def __init__(self, connection: Connection, row_key: bytes, server_id: bytes) -> None:
        self._connection = connection
        self._server_id = server_id
        self._terms = RowSum(server_id)
        self._kept = self._load(row_key)
        self._total = 0 if self._kept is None else self._add_up()

    def renew(self, row_key: bytes) -> None:
        """Keep the sum with what has changed since."""
        if self._kept is None:
            return
        kept, changes, moment = self._kept
        total = (int.from_bytes(kept, "big") + self._add_up() - self._total) % SUM_MODULUS
        values = (_ID, total.to_bytes(ROW_MAC_BYTES, "big"), changes + 1, moment)
        mac = RowMac(row_key, self._server_id, _TABLE).make(values)
        statement = f"UPDATE {_TABLE} SET sum = ?, changes = ?, mac = ? WHERE id = {_ID}"  # noqa: S608 -- constants
        self._connection.exec_driver_sql(statement, (values[1], values[2], mac))

    def _load(self, row_key: bytes) -> tuple[bytes, int, int] | None:
        """Return sum, number of changes and moment of the last one; None in a database that holds nothing yet."""
        if _TABLE not in self._marked_tables():
            return None
        statement = f"SELECT id, sum, changes, moment, mac FROM {_TABLE}"  # noqa: S608 -- a constant
        row = self._connection.exec_driver_sql(statement).first()
        if row is None:
            return None
        *values, mac = row
        if not RowMac(row_key, self._server_id, _TABLE).holds(values, mac):
            raise RowForgedError(_TABLE, str(_ID))
        _, kept, changes, moment = values
        return kept, changes, moment

    def _add_up(self) -> int:
        total = 0
        for table in self._marked_tables():
            if table != _TABLE:
                macs = self._connection.exec_driver_sql(f'SELECT mac FROM "{table}"')  # noqa: S608 -- the schema's names
                while found := macs.fetchmany(_AT_ONCE):
                    total += self._terms.total(mac for (mac,) in found if isinstance(mac, bytes))
        return total % SUM_MODULUS

    def _marked_tables(self) -> Iterator[str]:
        statement = (
            "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c "
            "WHERE m.type = 'table' AND c.name = 'mac'"
        )
        return (name for (name,) in self._connection.exec_driver_sql(statement).all())

"""How each kind of row lies in its table, and the MAC that makes it one: made and checked here alone.

Rules. A table's last column is the MAC (``mac``), over the table's name and every other column
(``sft.crypto.row_mac``). A table without one holds what is proved otherwise; of it only the types are checked. A MAC cannot
tell that a row was removed, or set back to what it once was: the sum of all MACs does (``row_sum``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, cast

import msgspec
from sqlalchemy import Table, insert
from sqlalchemy.dialects.sqlite import pysqlite

from sft.crypto.row_mac import RowMac, RowSum, RowValue, backup_mac
from sft.errors import RowForgedError
from sft.store import operation_schema, row_types, schema
from sft.store.row_types import Row

RawRow = Sequence[RowValue]

_MAC: Final = "mac"
DIALECT: Final = pysqlite.dialect()


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How one kind of row lies in its table."""

    kind: type[Row]
    name: str
    table: Table
    columns: tuple[str, ...]  # the MAC's too
    key: tuple[int, ...]  # places of the primary key's columns
    key_of: Callable[[RawRow], object]  # what a row has there
    has_mac: bool
    types: tuple[type, ...]  # of the columns
    insertion: str  # the statements, as the driver takes them
    change: str  # of one row, what it is now before its key
    selection: str  # of one row's MAC
    deletion: str  # of one row

    @property
    def width(self) -> int:
        return len(self.columns)

    def name_of(self, raw: RawRow) -> str:
        """Name a row by its primary key, for people."""
        return ", ".join(_shown(raw[place]) for place in self.key)


def _spec(kind: type[Row], model: type[schema.Model]) -> TableSpec:
    table = cast("Table", model.__table__)
    fields = kind.__struct_fields__
    names = tuple(column.name for column in table.columns)
    has_mac = names[-1] == _MAC
    if names[: len(names) - has_mac] != fields:
        raise TypeError(f"{kind.__name__} is not what {table.name} holds")
    places = tuple(fields.index(column.name) for column in table.primary_key.columns)
    insertion = str(insert(table).compile(dialect=DIALECT))
    key = " AND ".join(f"{names[place]} = ?" for place in places)
    selection = f"SELECT {_MAC} FROM {table.name} WHERE {key}"  # noqa: S608 -- the schema's own names
    new = ", ".join(f"{name} = ?" for place, name in enumerate(names) if place not in places)
    change = f"UPDATE {table.name} SET {new} WHERE {key}"  # noqa: S608 -- likewise
    deletion = f"DELETE FROM {table.name} WHERE {key}"  # noqa: S608 -- likewise
    return TableSpec(
        kind=kind,
        name=str(table.name),
        table=table,
        columns=names,
        key=places,
        key_of=itemgetter(*places),
        has_mac=has_mac,
        types=tuple(column.type.python_type for column in table.columns),
        insertion=insertion,
        change=change,
        selection=selection,
        deletion=deletion,
    )


TABLE_SPECS: Final[dict[type[Row], TableSpec]] = {
    kind: _spec(kind, model)
    for kind, model in (
        (row_types.SettingRow, schema.SettingModel),
        (row_types.UserRow, schema.UserModel),
        (row_types.UserRoleRow, schema.UserRoleModel),
        (row_types.UserFiguresRow, schema.UserFiguresModel),
        (row_types.DeviceKeyRow, schema.DeviceKeyModel),
        (row_types.InvitationRow, schema.InvitationModel),
        (row_types.FolderRow, schema.FolderModel),
        (row_types.FolderHandOverRow, schema.FolderHandOverModel),
        (row_types.FileRow, schema.FileModel),
        (row_types.VersionRow, schema.VersionModel),
        (row_types.SmallObjectRow, schema.SmallObjectModel),
        (row_types.UploadRow, schema.UploadModel),
        (row_types.PurgeRow, schema.PurgeModel),
        (row_types.LedgerRow, schema.LedgerModel),
        (row_types.LogLeafRow, schema.LogLeafModel),
        (row_types.DownloadRow, schema.DownloadModel),
        (row_types.LogTileRow, schema.LogTileModel),
        (row_types.StateBlockRow, schema.StateBlockModel),
        (row_types.CheckRow, operation_schema.CheckModel),
        (row_types.DamageRow, operation_schema.DamageModel),
        (row_types.GrowthRow, operation_schema.GrowthModel),
        (row_types.HookRow, operation_schema.HookModel),
        (row_types.SearchBlockRow, operation_schema.SearchBlockModel),
        (row_types.RowSumRow, schema.RowSumModel),
    )
}


def table_of(kind: type[Row]) -> str:
    """Name the table that a kind of row lies in."""
    return TABLE_SPECS[kind].name


class RowMacs:
    """Makes and checks the MACs of every table of one server under one row key; threads may share it.

    Args:
        row_key: 32 bytes.
        server_id: likewise.
        older: the row key before, where rows may still carry its MACs.
    """

    __slots__ = ("_macs", "_older", "_row_key", "_server_id", "row_sum")

    def __init__(self, row_key: bytes, server_id: bytes, older: bytes | None = None) -> None:
        self._server_id = server_id
        self._row_key = row_key
        self._macs = _macs(row_key, server_id)
        self._older = {} if older is None else _macs(older, server_id)
        self.row_sum = RowSum(server_id)  # by what no change of the row key changes

    @property
    def server_id(self) -> bytes:
        return self._server_id

    def renew(self, row_key: bytes) -> None:
        """Make MACs under another key from now on, and take those of the one before as well."""
        older, macs = self._macs, _macs(row_key, self._server_id)
        # In this order: whoever checks meanwhile knows the one before in either place.
        self._older = older
        self._macs = macs
        self._row_key = row_key

    def backup_mac(self, digest: bytes) -> bytes:
        """Make the MAC over the digest of a backup's settings."""
        return backup_mac(self._row_key, self._server_id, digest)

    def values(self, spec: TableSpec, row: Row) -> tuple[RowValue, ...]:
        """Lay out a row for its table, MAC included."""
        values: tuple[RowValue, ...] = msgspec.structs.astuple(row)
        return (*values, self._macs[spec.kind].make(values)) if spec.has_mac else values

    def check(self, spec: TableSpec, raw: RawRow) -> None:
        """Refuse a row whose MAC does not hold: RowForgedError, naming table and row."""
        mac = self._macs.get(spec.kind)
        if mac is None:
            holds = all(type(value) is wanted for value, wanted in zip(raw, spec.types, strict=True))
        else:
            holds = mac.holds(raw[:-1], raw[-1])
            if not holds:
                older = self._older.get(spec.kind)
                holds = older is not None and older.holds(raw[:-1], raw[-1])
        if not holds:
            raise RowForgedError(spec.name, spec.name_of(raw))


def _macs(row_key: bytes, server_id: bytes) -> dict[type[Row], RowMac]:
    return {kind: RowMac(row_key, server_id, spec.name) for kind, spec in TABLE_SPECS.items() if spec.has_mac}


def _shown(value: RowValue) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

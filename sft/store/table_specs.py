"""How each kind of row lies in its table, and the mark that makes it one: made and checked here alone.

Rules. A table's last column is the mark (``mac``), over the table's name and every other column
(``sft.crypto.row_mac``). A table without one holds bytes that authenticate themselves. A mark cannot
tell that a row was removed, or set back to what it once was: that is for the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from sqlalchemy import Table, insert
from sqlalchemy.dialects.sqlite import pysqlite

from sft.crypto.row_mac import RowMac, RowValue
from sft.errors import RowForgedError
from sft.store import row_types, schema
from sft.store.row_types import Row

RawRow = Sequence[RowValue]

_MARK: Final = "mac"
_DIALECT: Final = pysqlite.dialect()


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How one kind of row lies in its table."""

    kind: type[Row]
    table: Table
    columns: tuple[str, ...]  # the mark's too
    key: tuple[int, ...]  # places of the primary key's columns
    marked: bool
    insertion: str  # the statement, as the driver takes it

    @property
    def name(self) -> str:
        """The table's name, as text alone."""
        return str(self.table.name)

    @property
    def width(self) -> int:
        """How many columns the table has."""
        return len(self.columns)

    def name_of(self, raw: RawRow) -> str:
        """Name a row by its primary key, for people."""
        return ", ".join(_shown(raw[place]) for place in self.key)


def _form(kind: type[Row], model: type[schema.Model]) -> TableSpec:
    table = cast("Table", model.__table__)
    fields = kind.__struct_fields__
    names = tuple(column.name for column in table.columns)
    marked = names[-1] == _MARK
    if names[: len(names) - marked] != fields:
        raise TypeError(f"{kind.__name__} is not what {table.name} holds")
    places = tuple(fields.index(column.name) for column in table.primary_key.columns)
    insertion = str(insert(table).compile(dialect=_DIALECT))
    return TableSpec(kind, table, names, places, marked, insertion)


FORMS: Final[dict[type[Row], TableSpec]] = {
    kind: _form(kind, model)
    for kind, model in (
        (row_types.SettingRow, schema.SettingModel),
        (row_types.UserRow, schema.UserModel),
        (row_types.DeviceKeyRow, schema.DeviceKeyModel),
        (row_types.InvitationRow, schema.InvitationModel),
        (row_types.FolderRow, schema.FolderModel),
        (row_types.FileRow, schema.FileModel),
        (row_types.VersionRow, schema.VersionModel),
        (row_types.SmallObjectRow, schema.SmallObjectModel),
        (row_types.PurgeRow, schema.PurgeModel),
    )
}


def table_of(kind: type[Row]) -> str:
    """Name the table that a kind of row lies in."""
    return FORMS[kind].name


class RowMacs:
    """Makes and checks the marks of every table under one row key; threads may share it."""

    __slots__ = ("_macs",)

    def __init__(self, row_key: bytes) -> None:
        self._macs = {
            kind: RowMac(row_key, form.name) for kind, form in FORMS.items() if form.marked
        }

    def values(self, form: TableSpec, row: Row) -> tuple[RowValue, ...]:
        """Lay out a row for its table, mark included."""
        values: tuple[RowValue, ...] = msgspec.structs.astuple(row)
        return (*values, self._macs[form.kind].make(values)) if form.marked else values

    def check(self, form: TableSpec, raw: RawRow) -> None:
        """Refuse a row whose mark does not hold.

        Raises:
            RowForgedError: naming table and row.
        """
        mac = self._macs.get(form.kind)
        # A table without marks holds bytes alone, and they authenticate themselves.
        if not (
            mac.holds(raw[:-1], raw[-1]) if mac else all(type(value) is bytes for value in raw)
        ):
            raise RowForgedError(form.name, form.name_of(raw))


def _shown(value: RowValue) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

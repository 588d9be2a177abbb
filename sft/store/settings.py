"""Queries about settings.

Rules. A setting that is asked for is there: the first start writes all of them. One that is missing
was removed, and is refused like one that was changed, for its absence must not mean a default.
"""

from __future__ import annotations

from typing import Final

from sft.errors import RowForgedError
from sft.store.row_types import SettingRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import SettingModel
from sft.store.statements import rows_of, value
from sft.store.table_specs import table_of

SERVER_NAME: Final = "server_name"
ADDRESS: Final = "address"
REGISTRATION: Final = "registration"
SERVER_KEY: Final = "server_key"
SERVER_ID: Final = "server_id"
LOG_HOST: Final = "log_host"  # the first part of the log's origin, for ever
ADMINS: Final = "admins"  # ids of the active ones, in order, by blanks: kept by whatever writes a user
STORED: Final = "stored"  # files and bytes of all people: kept by whatever changes their figures (``sft.store.totals``)
COLLECTED_AT: Final = "collected_at"  # Unix seconds in decimal: when the trash was last collected
CLOCK: Final = "clock"  # what is kept of the wall clock (``sft.model.clock``)
TRASH_DAYS: Final = "trash_days"  # for how many the trash keeps things (``maintenance.retention``)
VERSIONS_KEPT: Final = "versions_kept"  # likewise: of how many of a file the contents are kept
BACKED_UP_AT: Final = "backed_up_at"  # likewise: when the last backup was whole; 0 before there was one

_NAMED: Final = rows_of(SettingRow, SettingModel.name == value("name"))
_ANY: Final = rows_of(SettingRow, limit=1)


def setting(reading: ReadTransaction, name: str) -> bytes:
    """Read a setting; RowForgedError if it was changed, or taken away."""
    return _row(reading, name).value


def server_name(reading: ReadTransaction) -> str:
    """Read what the server is called, as many a refusal says it."""
    return setting(reading, SERVER_NAME).decode()


def has_settings(reading: ReadTransaction) -> bool:
    """Return whether the first start wrote its settings."""
    return reading.rows.first(_ANY) is not None


def add_settings(transaction: Transaction, values: dict[str, bytes]) -> None:
    transaction.rows.insert([SettingRow(name, each) for name, each in values.items()])


def change_setting(transaction: Transaction, name: str, new: bytes) -> bool:
    """Write a setting; return whether it had another value."""
    if _row(transaction, name).value == new:
        return False
    transaction.rows.update([SettingRow(name, new)])
    return True


def _row(reading: ReadTransaction, name: str) -> SettingRow:
    row = reading.rows.one(_NAMED, name=name)
    if row is None:
        raise RowForgedError(table_of(SettingRow), name)
    return row

"""What rules the server as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from sft.errors import OperatorOnlyError, RowForgedError, StoreError, UserNameNotAllowedError
from sft.service import settings
from sft.service.settings import NewServer, Registration, SettingsChange
from sft.store.database import create_database, open_database
from sft.store.ledger import ledger_row
from sft.store.row_types import FolderRow, LedgerRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, BEGAN, OPERATOR, SALT, SERVER_ID, SERVER_KEY, ServiceFixture


def test_a_first_start_writes_everything_once(tmp_path: Path) -> None:
    create_database(tmp_path / "sft.db")
    database = open_database(tmp_path / "sft.db", bytes(32), bytes(32))
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, 77, entropy=bytes)
        (refused,) = settings.prepare(transaction, [NewServer("a b", "h:1", bytes(32))])
        assert isinstance(refused, UserNameNotAllowedError)
        new = NewServer("acme", "h:1", SERVER_KEY.public.point, Registration.OPEN)
        (info,) = settings.prepare(transaction, [new])
        assert (info.name, info.address, info.registration) == ("acme", "h:1", "open")
        assert (info.public_key, info.server_id) == (SERVER_KEY.public.point, SERVER_ID)
        assert transaction.rows.all(rows_of(FolderRow)) == [FolderRow(1, None, "", "", None, 77, 0, SALT)]
        assert ledger_row(transaction) == LedgerRow(1, 1, 0, 0, 0, 0)
        assert (transaction.next_leaf, transaction.next_slot) == (1, 1)
        with pytest.raises(StoreError):
            settings.prepare(transaction, [new])
    database.close()


def test_a_later_start_changes_what_it_names(services: ServiceFixture) -> None:
    with services.transaction() as transaction:
        assert settings.change_settings(
            transaction,
            [
                SettingsChange(),
                SettingsChange(address="files.acme.org:7361"),
                SettingsChange(address="files.acme.org:7361"),
                SettingsChange(name="acme-files", registration=Registration.CLOSED),
            ],
        ) == [False, True, False, True]
    with services.reading() as reading:
        info = settings.server_info(reading)
        assert (info.name, info.address) == ("acme-files", "files.acme.org:7361")
        assert settings.registration(reading) is Registration.CLOSED
    with pytest.raises(UserNameNotAllowedError):
        services.act(settings.change_settings, SettingsChange(name="a/b"))


def test_settings_are_the_operators(services: ServiceFixture) -> None:
    with pytest.raises(OperatorOnlyError):
        services.act(settings.change_settings, SettingsChange(address="h:1", caller=ADA.caller))


def test_a_link_is_shown_to_the_operator(services: ServiceFixture) -> None:
    assert services.ask(settings.show_server, OPERATOR).address == "localhost:7361"
    with pytest.raises(OperatorOnlyError):
        services.ask(settings.show_server, ADA)
    assert services.now > BEGAN


@pytest.mark.parametrize("name", ["server_name", "address", "registration", "server_key", "server_id"])
@pytest.mark.parametrize("change", ["UPDATE settings SET value = X'6f70656e'", "DELETE FROM settings"])
def test_no_setting_is_changed_or_removed_unseen(services: ServiceFixture, name: str, change: str) -> None:
    services.tamper(f"{change} WHERE name = ?", name)

    def ask(reading: ReadTransaction) -> object:
        return settings.server_info(reading)

    with services.reading() as reading, pytest.raises(RowForgedError) as refused:
        ask(reading)
    assert (refused.value.table, refused.value.row) == ("settings", name)

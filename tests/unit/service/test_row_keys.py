from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.model.records import VaultReport
from sft.service.maintenance import row_keys
from sft.service.maintenance.check import check
from sft.service.maintenance.row_keys import finish_row_key, renew_keys
from sft.store.database import Database, open_database
from sft.store.row_types import UserRow
from sft.store.schema import UserModel
from sft.store.statements import rows_of
from sft.vault.keyring_file import create_keyring
from sft.vault.master_key import FileMasterKey
from sft.vault.master_key_store import MasterKeyStore
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import (
    GUS,
    KEYRING,
    MASTER_KEY,
    MAX,
    OPERATOR,
    SERVER_ID,
    ServiceFixture,
    open_copy,
)
from tests.unit.service.test_files import put_many


class Cut(BaseException):
    """The process dies."""


class Home:
    """A master key, a keyring and a database whose rows carry MACs."""

    def __init__(self, services: ServiceFixture, folder: Path) -> None:
        self.services = services
        (folder / "keys").mkdir(mode=0o700)
        with (folder / "keys" / "master.key").open("x") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(MASTER_KEY.hex() + "\n")
        create_keyring(services.keyring_path, KEYRING.seal())
        self.master_keys = MasterKeyStore(services.keyring_path, FileMasterKey(folder / "keys" / "master.key"))
        self.act: Any = services.act
        put_many(services, "a", "b", "d/c")

    @property
    def parts(self) -> dict[str, Any]:
        context = replace(self.services.job_context, act=self.act)
        return {"context": context, "master_keys": self.master_keys, "row_keys": self.services.database}

    def renew(self) -> VaultReport:
        return self.services.ask(renew_keys, OPERATOR, **self.parts)()

    def under(self, row_key: bytes) -> Database:
        """Open the database as who has this key alone."""
        return open_database(self.services.path, row_key, SERVER_ID)

    def require_sound(self) -> None:
        assert self.services.get(GUS, "d/c")
        job = self.services.ask(check, OPERATOR, context=self.services.job_context)
        assert not job().faults


@pytest.fixture
def home(service_template: Path, tmp_path: Path) -> Iterator[Home]:
    # A database of its own: the one that other tests share has its MACs under one key.
    database = open_copy(service_template, tmp_path)
    yield Home(ServiceFixture(tmp_path, database, MemoryBackend()), tmp_path)
    database.close()


def users_hold(database: Database) -> bool:
    from sft.store.database import ReadPool

    try:
        ReadPool(database, lambda: 0).run(lambda reading: reading.rows.all(rows_of(UserRow)))
    except RowForgedError:
        return False
    finally:
        database.close()
    return True


def test_every_row_is_marked_under_a_new_key_and_the_old_one_is_good_no_more(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_keys, "PAGE", 2)
    before = KEYRING.row_key
    assert not home.renew().faults
    keyring = home.master_keys.open()
    assert keyring.row_key != before
    assert keyring.older_row_key is None
    assert keyring.server_id == KEYRING.server_id
    home.require_sound()
    assert users_hold(home.under(keyring.row_key))
    with pytest.raises(RowForgedError):
        home.under(before)
    put_many(home.services, "later")
    home.require_sound()


def test_a_row_that_does_not_hold_gets_no_mark_that_makes_it_hold(home: Home) -> None:
    home.services.tamper("UPDATE users SET role = 'admin' WHERE id = ?", GUS.id)
    report = home.renew()
    assert [fault.what for fault in report.faults] == [f"row {GUS.id} of users"]
    with home.services.reading() as reading, pytest.raises(RowForgedError):
        reading.rows.one(rows_of(UserRow, UserModel.id == GUS.id))


@pytest.mark.parametrize("after", range(0, 14, 2))
def test_a_change_cut_at_any_act_goes_on_with_both_keys(
    home: Home, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(row_keys, "PAGE", 3)
    left = [after]

    def act(function: Any, item: Any) -> Any:
        if not left[0]:
            raise Cut
        left[0] -= 1
        return home.services.act(function, item)

    home.act = act
    with pytest.raises(Cut):
        home.renew()
    home.require_sound()
    home.act = home.services.act
    keyring = home.master_keys.open()
    assert keyring.older_row_key == KEYRING.row_key
    whole = open_database(home.services.path, keyring.row_key, SERVER_ID, older_row_key=keyring.older_row_key)
    assert users_hold(whole)
    assert not finish_row_key(**home.parts).faults
    assert home.master_keys.open().row_key == keyring.row_key, "it drew another key"
    assert users_hold(home.under(keyring.row_key))
    home.require_sound()


def test_the_same_command_again_goes_on_and_draws_no_key(home: Home) -> None:
    keyring = home.master_keys.renew(home.services.vault.adopt, now=1)
    assert not home.renew().faults
    assert home.master_keys.open().row_key == keyring.row_key
    assert MAX.id

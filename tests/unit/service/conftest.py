from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.store.database import Database
from sft.vault.backend_local import LocalBackend
from sft.vault.backend_memory import MemoryBackend
from tests.unit.service.office import Office, make_template, open_copy, reset


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def shared_database(
    tmp_path_factory: pytest.TempPathFactory, office_template: Path
) -> Iterator[Database]:
    database = open_copy(office_template, tmp_path_factory.mktemp("office"))
    yield database
    database.close()


@pytest.fixture
def database(shared_database: Database, office_template: Path) -> Database:
    reset(shared_database, office_template)
    return shared_database


@pytest.fixture
def office(tmp_path: Path, database: Database) -> Office:
    return Office(tmp_path, database, MemoryBackend())


@pytest.fixture
def disk_office(tmp_path: Path, database: Database) -> Iterator[Office]:
    backend = LocalBackend.create_at(tmp_path / "vault", floor_bytes=0)
    office = Office(tmp_path, database, backend)
    yield office
    office.vault.close()

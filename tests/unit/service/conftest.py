from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.store.database import Database
from sft.vault.backend_local import LocalBackend
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import ServiceFixture, copy_over, make_template, open_copy, reset


@pytest.fixture(scope="session")
def service_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("services"))


@pytest.fixture(scope="session")
def shared_database(tmp_path_factory: pytest.TempPathFactory, service_template: Path) -> Iterator[Database]:
    database = open_copy(service_template, tmp_path_factory.mktemp("services"))
    yield database
    database.close()


@pytest.fixture
def database(shared_database: Database, service_template: Path) -> Database:
    reset(shared_database, service_template)
    return shared_database


@pytest.fixture
def no_free_pages(shared_database: Database, service_template: Path) -> None:
    """The file is a copy of the template's, for a test that asks how much room there is in it."""
    copy_over(shared_database, service_template)


@pytest.fixture
def services(tmp_path: Path, database: Database) -> ServiceFixture:
    return ServiceFixture(tmp_path, database, MemoryBackend())


@pytest.fixture
def disk_services(tmp_path: Path, database: Database) -> Iterator[ServiceFixture]:
    backend = LocalBackend.create_at(tmp_path / "vault", floor_bytes=0)
    services = ServiceFixture(tmp_path, database, backend)
    yield services
    services.vault.close()

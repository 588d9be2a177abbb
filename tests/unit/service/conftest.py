from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.vault.backend_local import LocalBackend
from sft.vault.backend_memory import MemoryBackend
from tests.unit.service.office import Office, make_template


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("office"))


@pytest.fixture
def office(tmp_path: Path, office_template: Path) -> Iterator[Office]:
    office = Office(tmp_path, office_template, MemoryBackend())
    yield office
    office.close()


@pytest.fixture
def disk_office(tmp_path: Path, office_template: Path) -> Iterator[Office]:
    backend = LocalBackend.create_at(tmp_path / "vault", floor_bytes=0)
    office = Office(tmp_path, office_template, backend)
    yield office
    office.close()
    office.vault.close()

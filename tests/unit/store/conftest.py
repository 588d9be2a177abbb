from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.store.database import Database
from tests.unit.store.samples import copy_database, fill, writing


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    database = copy_database(tmp_path)
    yield database
    database.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database for tests that leave it as it is."""
    database = copy_database(tmp_path_factory.mktemp("standing"))
    with writing(database) as transaction:
        fill(transaction)
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    with writing(empty) as transaction:
        fill(transaction)
    return empty

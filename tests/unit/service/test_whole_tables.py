"""No act reads a table from end to end: counted in SQLite's own steps, which also count the checks of foreign keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sft.model.access import Role
from sft.model.events import UserAdded
from sft.store.database import Database
from sft.store.row_types import (
    FileRow,
    FolderRow,
    PurgeRow,
    SmallObjectRow,
    UploadRow,
    UserFiguresRow,
    UserRoleRow,
    UserRow,
    VersionRow,
)
from sft.store.rows import Transaction
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import (
    BEGAN,
    OPERATOR,
    PEOPLE,
    SALT,
    ServiceFixture,
    log_steps,
    open_copy,
    reset,
)
from tests.unit.service.test_events import EXAMPLES

ROWS = 1_500
STEPS_AT_ONCE = 100
# To read a table costs four steps a row or more; a deeper index a few, and a schema that is read anew, as after a copy, 2,000.
MORE = 2 * ROWS


@pytest.fixture(scope="module")
def crowded_template(tmp_path_factory: pytest.TempPathFactory, service_template: Path) -> Path:
    """A database with many rows of people that no act is about."""
    database = open_copy(service_template, tmp_path_factory.mktemp("crowded"))
    with log_steps(database).transaction(BEGAN) as transaction:
        _crowd_people(transaction)
    with database.write_connections.transaction() as connection:
        _crowd(Transaction(connection, database.row_macs, BEGAN))
    database.close()
    return database.path


def _crowd_people(transaction: Transaction) -> None:
    """Add people, each with a leaf of the log: who comes next gets the slot after them."""
    rows, many = transaction.rows, range(len(PEOPLE) + 1, 10 + ROWS)
    rows.insert([UserRow(n, f"u{n}", f"u{n}", "guest", "active", BEGAN, SALT) for n in many])
    rows.insert([UserRoleRow(n, 1, "guest", n) for n in many])
    rows.insert([UserFiguresRow(n, 1, 1) for n in many])
    for n in many:
        transaction.log(
            UserAdded(by=OPERATOR, user_id=n, name=f"u{n}", role=Role.GUEST, key_id=n, public_key=b"", device="")
        )


def _crowd(transaction: Transaction) -> None:
    rows, many = transaction.rows, range(10, 10 + ROWS)
    rows.insert([FolderRow(n, 1, f"f{n}", f"f{n}", n, BEGAN, n, SALT) for n in many])
    rows.insert(
        [
            FileRow(n, _id(n), n, "x", "x", n, 1, "live", BEGAN, n, SALT, b"", None, None, None, None)
            if n % 2
            else FileRow(
                n, _id(n), None, "x", "x", n, 1, "trashed", BEGAN, n, SALT, b"", BEGAN + 2**31, n, f"f{n}/x", f"f{n}/x"
            )
            for n in many
        ]
    )
    rows.insert(
        [VersionRow(n, 1, 1, 1, 1, bytes(64), 0, BEGAN, n, "x", b"s", _id(n), 1, 2**31, bytes(104)) for n in many]
    )
    rows.insert([SmallObjectRow(_id(n), b"") for n in many])
    rows.insert([PurgeRow(_id(n), BEGAN) for n in many])
    rows.insert([UploadRow(_id(n), n, "x", BEGAN) for n in many])


def _id(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
@pytest.mark.sampled(12)
def test_no_act_reads_a_whole_table(
    tmp_path: Path,
    shared_database: Database,
    service_template: Path,
    crowded_template: Path,
    function: Callable[..., Any],
) -> None:
    few, many = (
        _steps(tmp_path, shared_database, template, function) for template in (service_template, crowded_template)
    )
    assert many <= few + MORE


def _steps(folder: Path, database: Database, template: Path, function: Callable[..., Any]) -> int:
    reset(database, template)
    services = ServiceFixture(folder, database, MemoryBackend())
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += STEPS_AT_ONCE
        return 0

    assert services.log.ledger.head.size  # a start reads the log; an act does not
    with database.write_connections.lend() as connection:
        connection.set_progress_handler(count, STEPS_AT_ONCE)
    try:
        EXAMPLES[function](services)
    finally:
        connection.set_progress_handler(None, 0)
    return steps

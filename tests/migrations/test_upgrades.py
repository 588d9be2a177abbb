"""The way up from each version with rows in its tables, a copy before it, and the way back with that copy."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from alembic import command

from sft.store import migration
from sft.store.database import create_database, open_database
from sft.store.revision import current_revision, needed_revision
from tests.campaigns.upgrades import OVER, made_by_first_version, rows, run
from tests.unit.store.samples import ROW_KEY, SERVER_ID, fill, reading, writing

OLDER = [path.name[:4] for path in sorted((Path(__file__).parents[2] / "migrations" / "versions").glob("*.py"))][:-1]
MACS = migration.MigrationMacs.of(ROW_KEY, SERVER_ID)


def made_by(path: Path, version: str) -> None:
    create_database(path)
    database = open_database(path, ROW_KEY, SERVER_ID)
    with writing(database) as transaction:
        fill(transaction)
    database.close()
    migration.migrate(path, lambda config: command.downgrade(config, version), MACS)


def sum_holds(path: Path) -> bool:
    database = open_database(path, ROW_KEY, SERVER_ID)
    with reading(database) as reader:
        holds = reader.rows.sum_holds()
    database.close()
    return bool(holds)


@pytest.mark.parametrize("version", OLDER)
def test_from_each_version_every_row_comes_along_and_the_copy_leads_back(version: str, tmp_path: Path) -> None:
    path = tmp_path / "sft.sqlite"
    made_by(path, version)
    before = rows(path)
    assert sum(map(len, before.values())) > len(before) > 10
    copy = migration.keep_copy(path)
    for _ in range(2):  # up, back, and up again
        migration.upgrade(path, MACS)
        assert current_revision(path) == needed_revision()
        assert rows(path, set(before)) == before
        assert sum_holds(path)
        for left in ("-wal", "-shm"):
            path.with_name(f"{path.name}{left}").unlink(missing_ok=True)
        path.write_bytes(copy.read_bytes())
        assert current_revision(path) == version
        assert rows(path) == before


def test_an_upgrade_says_where_its_copy_lies_and_the_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sft.operator.control import upgrade
    from sft.operator.home import Home
    from tests.campaigns.upgrades import go_back, require_whole

    home = Home(tmp_path / "home")
    made_by_first_version(home)
    before = rows(home.database)
    assert upgrade(home) == 0
    said = capsys.readouterr()
    copy = f"{home.database}.before-upgrade-from-{OLDER[0]}"
    assert copy in said.out + said.err
    assert "The way back: stop the server" in said.out + said.err
    require_whole(home, before)
    go_back(home)
    assert current_revision(home.database) == OLDER[0]
    assert rows(home.database) == before


@pytest.mark.long
def test_an_upgrade_that_is_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    met = run(tmp_path, 2, random.Random(12))
    assert met.total() - met[OVER] == 2

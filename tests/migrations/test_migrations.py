"""Migrations: they make exactly the tables of the models, both ways, with rows in them."""

from __future__ import annotations

import ast
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sft.errors import RowForgedError, StoreError
from sft.store import migration, revision, settings
from sft.store.database import create_database, open_database
from sft.store.migration import migrate, upgrade
from sft.store.revision import current_revision, needed_revision
from sft.store.schema import Model
from sft.store.statements import rows_of
from tests.fakes import later_migration
from tests.unit.store.samples import ROW_KEY, SAMPLES, SERVER_ID, fill, look, reading, tamper, writing

VERSIONS = sorted((Path(__file__).parents[2] / "migrations" / "versions").glob("*.py"))
TABLES = set(Model.metadata.tables)


# Neither library reads an index with an expression; the statements that make indexes are compared as text.
_EXPRESSIONS = pytest.mark.filterwarnings("ignore:.*expression-based index")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "sft.db"
    create_database(path)
    database = open_database(path, ROW_KEY, SERVER_ID)
    with writing(database) as transaction:
        fill(transaction)
    database.close()
    return path


@pytest.fixture
def path(tmp_path: Path, filled: Path) -> Path:
    """A database with every table and rows in each."""
    return shutil.copy(filled, tmp_path / "sft.db")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A database that no migration has seen."""
    path = tmp_path / "bare.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def tables_of(path: Path) -> set[str]:
    return {name for (name,) in look(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def downgrade(path: Path, revision: str) -> None:
    migrate(path, lambda config: command.downgrade(config, revision))


@_EXPRESSIONS
def test_the_tables_are_those_of_the_models(path: Path) -> None:
    engine = migration._engine(path)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Model.metadata) == []
    engine.dispose()


def indexes_of(engine: sa.Engine, table: str) -> list[str]:
    statement = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    with engine.connect() as connection:
        return sorted(connection.exec_driver_sql(statement, (table,)).scalars())


def described(engine: sa.Engine) -> dict[str, Any]:
    inspector = sa.inspect(engine)
    return {
        name: {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)],
            "key": inspector.get_pk_constraint(name),
            "unique": sorted(map(str, inspector.get_unique_constraints(name))),
            "references": sorted(map(str, inspector.get_foreign_keys(name))),
            "indexes": indexes_of(engine, name),
            "checks": inspector.get_check_constraints(name),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


@_EXPRESSIONS
def test_columns_constraints_and_their_names_are_those_of_the_models(path: Path) -> None:
    # Autogenerate sees neither the order of columns nor conditions of indexes nor every name.
    models = sa.create_engine("sqlite://")
    Model.metadata.create_all(models)
    migrated = migration._engine(path)
    assert described(migrated) == described(models)
    for engine in (models, migrated):
        engine.dispose()


def test_up_and_down_with_rows_in_the_tables(path: Path) -> None:
    script = ScriptDirectory.from_config(migration._config())
    revisions = [each.revision for each in script.walk_revisions()]
    for below in [*revisions[1:], "base"]:
        downgrade(path, below)
        assert current_revision(path) == (None if below == "base" else below)
    assert tables_of(path) == {"alembic_version"}
    for above in reversed(revisions):
        migrate(path, lambda config, to=above: command.upgrade(config, to))
        assert current_revision(path) == above
    assert tables_of(path) == TABLES | {"alembic_version"}
    database = open_database(path, ROW_KEY, SERVER_ID)
    with writing(database) as transaction:
        fill(transaction)
    with reading(database) as reader:
        assert [reader.rows.all(rows_of(type(rows[0]))) for rows in SAMPLES] == [list(r) for r in SAMPLES]
    database.close()


def test_upgrading_what_is_current_keeps_every_row(path: Path) -> None:
    upgrade(path)
    database = open_database(path, ROW_KEY, SERVER_ID)
    with reading(database) as reader:
        assert [reader.rows.all(rows_of(type(rows[0]))) for rows in SAMPLES] == [list(r) for r in SAMPLES]
    database.close()


def test_a_database_knows_its_version(path: Path, bare: Path) -> None:
    assert current_revision(path) == needed_revision()
    assert current_revision(bare) is None
    upgrade(bare)
    assert current_revision(bare) == needed_revision()
    assert needed_revision() == VERSIONS[-1].name[:4]


def test_a_migration_that_breaks_leaves_everything_as_it_was(path: Path) -> None:
    def half(config: Config) -> None:
        command.downgrade(config, "base")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(path, half)
    assert current_revision(path) == needed_revision()
    assert tables_of(path) == TABLES | {"alembic_version"}
    assert look(path, "SELECT count(*) FROM users") == [(2,)]


def test_a_migration_may_not_leave_rows_that_refer_to_nothing(path: Path) -> None:
    def careless(config: Config) -> None:
        config.attributes["connection"].exec_driver_sql("DELETE FROM users WHERE id = 2")

    with pytest.raises(StoreError) as refused:
        migrate(path, careless)
    assert "refers to one that is not there" in str(refused.value.values["problem"])
    assert look(path, "SELECT count(*) FROM users") == [(2,)]


def test_a_version_of_a_later_program_is_said_so(path: Path) -> None:
    tamper(path, "UPDATE alembic_version SET version_num = '9999'")
    assert current_revision(path) != needed_revision()
    with pytest.raises(StoreError) as refused:
        upgrade(path)
    assert refused.value.values["problem"] == "its version is unknown to this program"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for act in (current_revision, upgrade):
        with pytest.raises(StoreError):
            act(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_versions_follow_one_another() -> None:
    script = ScriptDirectory.from_config(migration._config())
    assert script.get_heads() == [needed_revision()]
    assert [path.name[:4] for path in VERSIONS] == [f"{n:04}" for n in range(1, len(VERSIONS) + 1)]


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.name)
def test_a_version_stands_on_its_own_for_ever(path: Path) -> None:
    # What a migration did must not change when the program's own code does.
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert imported <= {"sqlalchemy", "alembic"}


def test_migrations_lie_beside_the_package_or_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sft"
    package.mkdir()
    monkeypatch.setattr(revision, "files", lambda _: package)
    assert revision.migrations_folder() == tmp_path / "migrations"
    (package / "migrations").mkdir()
    assert revision.migrations_folder() == package / "migrations"


def test_a_folder_with_a_percent_sign_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "100%(x)s"
    monkeypatch.setattr(migration, "migrations_folder", lambda: folder)
    assert migration._config().get_main_option("script_location") == str(folder)


# -- rows that carry MACs ----------------------------------------------------------------------------


def renamed(path: Path, tmp_path: Path) -> None:
    later_migration.run(path, tmp_path / "versions", ROW_KEY, SERVER_ID)


def test_a_migration_changes_rows_and_their_macs(path: Path, tmp_path: Path) -> None:
    renamed(path, tmp_path)
    assert later_migration.take_back(path)
    database = open_database(path, ROW_KEY, SERVER_ID)
    with reading(database) as reader:
        assert settings.server_name(reader) == "acme-files!"
        assert reader.rows.sum_holds(), "the sum of all MACs has followed"
    database.close()


def test_a_migration_hides_no_row_that_was_put_back_as_it_once_was(path: Path, tmp_path: Path) -> None:
    before = look(path, "SELECT name, value, mac FROM settings WHERE name = 'server_name'")
    database = open_database(path, ROW_KEY, SERVER_ID)
    with writing(database) as transaction:
        settings.change_setting(transaction, "server_name", b"later")
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT OR REPLACE INTO settings (name, value, mac) VALUES (?, ?, ?)", before)
        connection.commit()
    renamed(path, tmp_path)
    assert later_migration.take_back(path)
    database = open_database(path, ROW_KEY, SERVER_ID)
    with reading(database) as reader:
        assert not reader.rows.sum_holds()
    database.close()


def test_a_migration_renews_no_sum_that_was_changed(path: Path, tmp_path: Path) -> None:
    tamper(path, "UPDATE row_sums SET sum = zeroblob(32)")
    with pytest.raises(RowForgedError):
        renamed(path, tmp_path)
    assert current_revision(path) == needed_revision()


def test_a_migration_makes_no_forged_row_a_genuine_one(path: Path, tmp_path: Path) -> None:
    tamper(path, "UPDATE settings SET value = x'6f' WHERE name = 'registration'")
    with pytest.raises(RowForgedError):
        renamed(path, tmp_path)
    assert current_revision(path) == needed_revision()


def test_a_database_is_copied_whole_before_it_is_changed(path: Path) -> None:
    kept = migration.keep_copy(path)
    assert kept.name == f"sft.db.before-upgrade-from-{needed_revision()}"
    assert kept.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(f"file:{kept}?mode=ro", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert (
            copy.execute("SELECT count(*) FROM settings").fetchone() == look(path, "SELECT count(*) FROM settings")[0]
        )
    assert migration.keep_copy(path) == kept  # an attempt that failed may be followed by another


def test_no_upgrade_begins_without_room_for_the_copy_and_itself(path: Path) -> None:
    with pytest.raises(StoreError, match="STORE"):
        migration.keep_copy(path, free_bytes=lambda _: 2 * path.stat().st_size - 1)
    assert [each.name for each in path.parent.iterdir()] == ["sft.db"]

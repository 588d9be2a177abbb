"""A migration that no version has: it renames the server, and gives every setting its MAC anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

from sft.store import migration
from sft.store.revision import needed_revision

REVISION: Final = "9999"
_SCRIPT: Final = """
import sqlalchemy as sa
from alembic import context, op

revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None


def upgrade():
    macs = context.config.attributes["macs"]
    connection = op.get_bind()
    for name, value, mac in connection.execute(sa.text("SELECT name, value, mac FROM settings")).all():
        macs.old.require("settings", (name, value), mac)
        changed = value + b"!" if name == "server_name" else value
        connection.execute(
            sa.text("UPDATE settings SET value = :value, mac = :mac WHERE name = :name"),
            {{"value": changed, "mac": macs.new.make("settings", (name, changed)), "name": name}},
        )
"""


def run(path: Path, scripts: Path, row_key: bytes, server_id: bytes) -> None:
    """Bring a database to that version."""
    scripts.mkdir(exist_ok=True)
    script = _SCRIPT.format(revision=REVISION, before=needed_revision())
    (scripts / f"{REVISION}_renames.py").write_text(script)
    ours = Path(__file__).parents[2] / "migrations" / "versions"

    def work(config: Config) -> None:
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", f"{ours}:{scripts}")
        command.upgrade(config, "head")

    migration.migrate(path, work, migration.MigrationMacs.of(row_key, server_id))


def take_back(path: Path) -> bool:
    """Let a database that was brought there be opened by this program; False where it was not."""
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = ?", (needed_revision(),))
        connection.commit()
    return bool(found == REVISION)

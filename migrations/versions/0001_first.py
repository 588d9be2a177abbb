"""The first tables.

revision 0001: settings, users, their roles, what they own and their keys, invitations, folders, files and their versions,
small contents, open uploads, purges, the log with its state, the sum of all MACs. Constraint names are spelled out: later
migrations name them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TRASHED = sa.text("state = 'trashed'")
PURGING = sa.text("state = 'purging'")
HANDED_OVER = sa.text("heir_id IS NOT NULL")
RESETS = sa.text("resets_id IS NOT NULL")
REPLACED = sa.text("contents_kept > 1")
EXPIRING = sa.text("expires_at IS NOT NULL AND state = 'live'")
NOT_DESTROYED = sa.text("destroyed_at IS NULL")
BY_BYTES = sa.String(collation="BINARY").with_variant(sa.String(collation="C"), "postgresql")


def _integer(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, INTEGER, nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, INTEGER, autoincrement=False, nullable=False)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)


def _name(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, BY_BYTES, nullable=null)


def _bytes(name: str, *, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _trash_columns() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        _integer("trashed_at", null=True),
        _integer("trashed_by_id", null=True),
        _name("trashed_path", null=True),
        _name("trashed_folded", null=True),
    ]


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "settings", _text("name"), _bytes("value"), _bytes("mac"), sa.PrimaryKeyConstraint("name", name="pk_settings")
    )
    op.create_table(
        "users",
        _number("id"),
        _name("name"),
        _name("folded"),
        _text("role"),
        _text("state"),
        _integer("created_at"),
        _bytes("salt"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("folded", name="uq_users_folded"),
    )
    op.create_index("ix_users_role", "users", ["role"])
    op.create_table(
        "user_roles",
        _number("user_id"),
        _number("number"),
        _text("role"),
        _integer("leaf"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("user_id", "number", name="pk_user_roles"),
        _refers("user_roles", "user_id", "users.id"),
    )
    op.create_table(
        "user_figures",
        _number("user_id"),
        _integer("files"),
        _integer("size_bytes"),
        _integer("heir_id", null=True),
        _integer("quota_bytes", null=True),
        _integer("quota_files", null=True),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_figures"),
        _refers("user_figures", "user_id", "users.id"),
        _refers("user_figures", "heir_id", "users.id"),
    )
    _index("ix_user_figures_heir_id", "user_figures", ["heir_id"], HANDED_OVER)
    op.create_table(
        "device_keys",
        _number("id"),
        _integer("user_id"),
        _bytes("public_key"),
        _text("device"),
        _integer("added_at"),
        _integer("ended_at", null=True),
        _integer("start_leaf"),
        _integer("end_leaf", null=True),
        _integer("cut_off_leaf", null=True),
        _text("end_reason", null=True),
        _bytes("endorsement"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_device_keys"),
        sa.UniqueConstraint("public_key", name="uq_device_keys_public_key"),
        _refers("device_keys", "user_id", "users.id"),
    )
    op.create_index("ix_device_keys_user_id", "device_keys", ["user_id"])
    op.create_index("ix_device_keys_point", "device_keys", [sa.text("substr(public_key, 11)")])
    op.create_table(
        "invitations",
        _number("id"),
        _bytes("public_key"),
        _text("role"),
        _text("user_name", null=True),
        _integer("maker_id", null=True),
        _integer("created_at"),
        _integer("expires_at"),
        _integer("used_at", null=True),
        _integer("used_by_id", null=True),
        _integer("withdrawn_at", null=True),
        _integer("resets_id", null=True),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("public_key", name="uq_invitations_public_key"),
        _refers("invitations", "maker_id", "users.id"),
        _refers("invitations", "used_by_id", "users.id"),
        _refers("invitations", "resets_id", "users.id"),
    )
    for column in ("maker_id", "created_at", "expires_at"):
        op.create_index(f"ix_invitations_{column}", "invitations", [column])
    _index("ix_invitations_resets_id", "invitations", ["resets_id"], RESETS)
    op.create_table(
        "folders",
        _number("id"),
        _integer("parent_id", null=True),
        _name("name"),
        _name("folded"),
        _integer("maker_id", null=True),
        _integer("created_at"),
        _integer("slot"),
        _bytes("salt"),
        _integer("files"),
        _integer("folders"),
        _integer("files_below"),
        _integer("folders_below"),
        _integer("owner_sum"),
        _integer("owner_squares"),
        _integer("reach"),
        _text("state"),
        *_trash_columns(),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_folders"),
        sa.UniqueConstraint("parent_id", "folded", name="uq_folders_parent_id_folded"),
        _refers("folders", "parent_id", "folders.id"),
        _refers("folders", "maker_id", "users.id"),
        _refers("folders", "trashed_by_id", "users.id"),
    )
    _index("ix_folders_trash", "folders", ["trashed_folded", "trashed_at"], TRASHED)
    _index("ix_folders_trash_time", "folders", ["trashed_at", "id"], TRASHED)
    _index("ix_folders_purging", "folders", ["id"], PURGING)
    _make_files()
    op.create_table(
        "small_objects",
        _bytes("object_id"),
        _bytes("sealed"),
        sa.PrimaryKeyConstraint("object_id", name="pk_small_objects"),
    )
    op.create_table(
        "uploads",
        _bytes("object_id"),
        _integer("user_id", null=True),
        _text("path"),
        _integer("begun_at"),
        _bytes("upload_id", null=True),
        _integer("key_id", null=True),
        _bytes("file_id", null=True),
        _integer("version"),
        _integer("size"),
        _integer("segments"),
        _bytes("prefix"),
        _integer("epoch"),
        _bytes("sealed_key"),
        _bytes("later_keys"),
        _integer("expires_at", null=True),
        _integer("owner_id", null=True),
        _integer("grows"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("object_id", name="pk_uploads"),
        sa.UniqueConstraint("user_id", "upload_id", name="uq_uploads_user_id_upload_id"),
        _refers("uploads", "user_id", "users.id"),
        _refers("uploads", "key_id", "device_keys.id"),
        _refers("uploads", "owner_id", "users.id"),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at", "object_id"])
    op.create_index("ix_uploads_epoch", "uploads", ["epoch", "object_id"])
    op.create_index("ix_uploads_owner_id", "uploads", ["owner_id"])
    op.create_table(
        "purges",
        _bytes("object_id"),
        _integer("purged_at"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("object_id", name="pk_purges"),
    )
    _make_log()
    op.create_table(
        "row_sums",
        _number("id"),
        _bytes("sum"),
        _integer("changes"),
        _integer("moment"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_row_sums"),
    )


def _make_files() -> None:
    op.create_table(
        "files",
        _number("id"),
        _bytes("file_id"),
        _integer("folder_id", null=True),
        _name("name"),
        _name("folded"),
        _integer("owner_id"),
        _integer("newest"),
        _text("state"),
        _integer("created_at"),
        _integer("slot"),
        _bytes("salt"),
        _bytes("versions_peaks"),
        *_trash_columns(),
        _integer("contents_kept"),
        _integer("expires_at", null=True),
        _bytes("versions_lost"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("file_id", name="uq_files_file_id"),
        _refers("files", "folder_id", "folders.id"),
        _refers("files", "owner_id", "users.id"),
        _refers("files", "trashed_by_id", "users.id"),
    )
    op.create_index("uq_files_place", "files", ["folder_id", "folded"], unique=True)
    for name, columns in (
        ("ix_files_trash", ["trashed_folded", "trashed_at"]),
        ("ix_files_trash_time", ["trashed_at", "id"]),
        ("ix_files_trash_owner", ["owner_id", "trashed_at", "id"]),
    ):
        _index(name, "files", columns, TRASHED)
    _index("ix_files_replaced", "files", ["contents_kept", "id"], REPLACED)
    _index("ix_files_expires", "files", ["expires_at", "id"], EXPIRING)
    _index("ix_files_purging", "files", ["id"], PURGING)
    op.create_index("ix_files_owner_id", "files", ["owner_id"])
    op.create_table(
        "versions",
        _number("file"),
        _number("number"),
        _integer("author_id"),
        _integer("key_id"),
        _integer("size"),
        _bytes("digest"),
        _integer("dated_at"),
        _integer("stored_at"),
        _integer("leaf"),
        _text("signed_name"),
        _bytes("signature"),
        _bytes("object_id"),
        _integer("inline"),
        _integer("epoch"),
        _bytes("sealed_key"),
        _bytes("later_keys"),
        _bytes("subtrees"),
        _integer("destroyed_at", null=True),
        _integer("destroyed_by_id", null=True),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("file", "number", name="pk_versions"),
        sa.UniqueConstraint("object_id", name="uq_versions_object_id"),
        _refers("versions", "file", "files.id"),
        _refers("versions", "author_id", "users.id"),
        _refers("versions", "key_id", "device_keys.id"),
        _refers("versions", "destroyed_by_id", "users.id"),
    )
    op.create_index("ix_versions_leaf", "versions", ["leaf", "file"])
    op.create_index("ix_versions_author_id", "versions", ["author_id", "leaf", "file"])
    _index("ix_versions_epoch", "versions", ["epoch", "file", "number"], NOT_DESTROYED)


def _make_log() -> None:
    op.create_table(
        "ledger",
        _number("id"),
        _integer("epoch"),
        _integer("size"),
        _integer("users"),
        _integer("files"),
        _integer("redo"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    op.create_table(
        "log_leaves",
        _number("number"),
        _bytes("entry"),
        _integer("kind"),
        _integer("time"),
        _integer("user_id", null=True),
        _integer("subject_user_id", null=True),
        _bytes("file_id", null=True),
        _bytes("facts"),
        _bytes("facts_salt"),
        _bytes("personal", null=True),
        _bytes("personal_salt", null=True),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("number", name="pk_log_leaves"),
    )
    for column in ("user_id", "subject_user_id", "file_id"):
        _index(f"ix_log_leaves_{column}", "log_leaves", [column, "number"], sa.text(f"{column} IS NOT NULL"))
    op.create_index("ix_log_leaves_kind", "log_leaves", ["kind", "number"])
    op.create_table(
        "downloads",
        _bytes("file_id"),
        _number("user_id"),
        _number("number"),
        _bytes("digest"),
        _integer("begun_leaf"),
        _integer("received_leaf", null=True),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("file_id", "user_id", "number", name="pk_downloads"),
        _refers("downloads", "user_id", "users.id"),
    )
    op.create_table(
        "log_tiles",
        _number("level"),
        _number("number"),
        _bytes("hashes"),
        sa.PrimaryKeyConstraint("level", "number", name="pk_log_tiles"),
    )
    op.create_table(
        "state_blocks",
        _number("kind"),
        _number("number"),
        _bytes("hashes"),
        sa.PrimaryKeyConstraint("kind", "number", name="pk_state_blocks"),
    )


def downgrade() -> None:
    """Drop every table, and what is in them."""
    for table in (
        "row_sums",
        "state_blocks",
        "log_tiles",
        "downloads",
        "log_leaves",
        "ledger",
        "purges",
        "uploads",
        "small_objects",
        "versions",
        "files",
        "folders",
        "invitations",
        "device_keys",
        "user_figures",
        "user_roles",
        "users",
        "settings",
    ):
        op.drop_table(table)

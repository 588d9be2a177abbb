"""What a server keeps of its own operation.

revision 0002: how far contents were read, what of them is damaged, how the server grows, folders that are being handed over,
how far each hook is, what searches look through.
These tables begin empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _integer(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, INTEGER, nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, INTEGER, autoincrement=False, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "checks",
        _text("name"),
        _integer("began_at", null=True),
        _integer("file"),
        _integer("number"),
        _integer("versions"),
        _integer("size_bytes"),
        _integer("faults"),
        _integer("ended_at", null=True),
        _integer("ended_versions"),
        _integer("ended_bytes"),
        _integer("ended_faults"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("name", name="pk_checks"),
    )
    op.create_table(
        "damages",
        _bytes("object_id"),
        _bytes("file_id"),
        _integer("number"),
        _text("path"),
        _integer("found_at"),
        _text("problem"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("object_id", name="pk_damages"),
    )
    op.create_table(
        "growth",
        _number("day"),
        _integer("current_bytes"),
        _integer("older_bytes"),
        _integer("trash_bytes"),
        _integer("free_bytes"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("day", name="pk_growth"),
    )
    op.create_table(
        "folder_hand_overs",
        _number("folder_id"),
        _integer("owner_id"),
        _integer("last_slot"),
        _integer("begun_at"),
        _integer("files"),
        _integer("size_bytes"),
        _bytes("mac"),
        sa.PrimaryKeyConstraint("folder_id", name="pk_folder_hand_overs"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_folder_hand_overs_owner_id"),
    )
    op.create_table(
        "hooks", _text("name"), _integer("position"), _bytes("mac"), sa.PrimaryKeyConstraint("name", name="pk_hooks")
    )
    op.create_table(
        "search_blocks",
        _number("low"),
        _integer("high"),
        _integer("smallest"),
        _integer("largest"),
        _integer("first_stored_at"),
        _integer("last_stored_at"),
        _bytes("names"),
        _bytes("entries"),
        sa.PrimaryKeyConstraint("low", name="pk_search_blocks"),
    )


def downgrade() -> None:
    """Drop the tables, and what is in them."""
    for table in ("search_blocks", "hooks", "folder_hand_overs", "growth", "damages", "checks"):
        op.drop_table(table)

"""Queries about invitations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sft.store import invitations
from sft.store.database import Database
from sft.store.row_types import InvitationRow
from sft.store.rows import ReadTransaction
from tests.unit.store.folder_tree import plans
from tests.unit.store.samples import NOW, reading, writing

DAY = 24 * 3600


def invitation(number: int, made_at: int, **changes: int | str | None) -> InvitationRow:
    fields = {"role": "guest", "user_name": None, "maker_id": 1, "used_at": None, "used_by_id": None} | changes
    return InvitationRow(
        id=number,
        public_key=number.to_bytes(32, "big"),
        created_at=made_at,
        expires_at=made_at + 2 * DAY,
        withdrawn_at=None,
        **fields,
    )


def test_what_was_made_or_good_after_a_moment_comes_newest_first(database: Database) -> None:
    ended, good, made = (invitation(number, NOW + days * DAY) for number, days in ((7, -3), (8, -1), (9, 1)))
    with writing(database) as transaction:
        transaction.rows.insert([ended, good, made])
    with reading(database) as reader:
        assert invitations.invitations_since(reader, NOW, 9) == [made, good]
        assert invitations.invitations_since(reader, NOW, 1) == [made]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda reader: invitations.invitations_since(reader, NOW, 500), "ix_invitations_expires_at"),
        (lambda reader: invitations.open_invitations_of(reader, 1), "ix_invitations_maker_id"),
        (invitations.open_admin_invitation, "ix_invitations_maker_id"),
        (lambda reader: invitations.open_resets_of(reader, 1), "ix_invitations_resets_id"),
    ],
    ids=["since", "of a maker", "for an admin", "of who is reset"],
)
def test_none_is_looked_for_among_all_that_were_ever_made(
    standing: Database, query: Callable[[ReadTransaction], object], index: str
) -> None:
    lines = plans(standing, query)
    assert any(index in line for line in lines), lines

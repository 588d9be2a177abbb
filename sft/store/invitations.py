"""Queries about invitations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import or_

from sft.model.access import Role
from sft.store.row_types import InvitationRow
from sft.store.rows import ReadTransaction
from sft.store.schema import InvitationModel
from sft.store.statements import rows_of, value

_OPEN: Final = (
    InvitationModel.used_at.is_(None),
    InvitationModel.withdrawn_at.is_(None),
    InvitationModel.expires_at > value("now"),
)
_BY_ID: Final = rows_of(InvitationRow, InvitationModel.id == value("id"))
_BY_PUBLIC: Final = rows_of(InvitationRow, InvitationModel.public_key == value("public_key"))
_SINCE: Final = rows_of(
    InvitationRow,
    or_(InvitationModel.created_at >= value("moment"), InvitationModel.expires_at >= value("moment")),
    order_by=[(InvitationModel.id + 0).desc()],  # not by walking through all that there ever were
    limit=value("limit"),
)
_OPEN_OF: Final = rows_of(
    InvitationRow, InvitationModel.maker_id == value("maker_id"), *_OPEN, order_by=[InvitationModel.id]
)
_OPEN_RESETS: Final = rows_of(
    InvitationRow, InvitationModel.resets_id == value("user_id"), *_OPEN, order_by=[InvitationModel.id]
)
_OPEN_FOR_ADMIN: Final = rows_of(
    InvitationRow,
    InvitationModel.maker_id.is_(None),
    InvitationModel.role == Role.ADMIN,
    InvitationModel.resets_id.is_(None),
    *_OPEN,
    order_by=[InvitationModel.id],
    limit=1,
)


def invitation_by_id(reading: ReadTransaction, invitation_id: int) -> InvitationRow | None:
    return reading.rows.one(_BY_ID, id=invitation_id)


def invitation_by_public(reading: ReadTransaction, public_key: bytes) -> InvitationRow | None:
    return reading.rows.one(_BY_PUBLIC, public_key=public_key)


def invitations_since(reading: ReadTransaction, moment: int, limit: int) -> list[InvitationRow]:
    """Load the invitations that were made, or were still good, after a moment; newest first."""
    return reading.rows.all(_SINCE, moment=moment, limit=limit)


def open_invitations_of(reading: ReadTransaction, maker_id: int) -> list[InvitationRow]:
    """Load what somebody has made that is still good."""
    return reading.rows.all(_OPEN_OF, maker_id=maker_id, now=reading.now)


def open_resets_of(reading: ReadTransaction, user_id: int) -> list[InvitationRow]:
    """Load the links that would reset somebody's keys still."""
    return reading.rows.all(_OPEN_RESETS, user_id=user_id, now=reading.now)


def open_admin_invitation(reading: ReadTransaction) -> InvitationRow | None:
    """Find an invitation of the operator's, for an admin, that is still good."""
    return reading.rows.first(_OPEN_FOR_ADMIN, now=reading.now)

"""Queries about invitations."""

from __future__ import annotations

from sqlalchemy import or_

from sft.model.access import Role
from sft.store.row_types import InvitationRow
from sft.store.rows import ReadTransaction
from sft.store.schema import InvitationModel


def invitation_by_id(reading: ReadTransaction, invitation_id: int) -> InvitationRow | None:
    return reading.rows.one(InvitationRow, InvitationModel.id == invitation_id)


def invitation_by_public(reading: ReadTransaction, public_key: bytes) -> InvitationRow | None:
    return reading.rows.one(InvitationRow, InvitationModel.public_key == public_key)


def invitations_since(reading: ReadTransaction, moment: int, limit: int) -> list[InvitationRow]:
    """Load the invitations that were made, or were still good, after a moment; newest first."""
    return reading.rows.all(
        InvitationRow,
        or_(InvitationModel.created_at >= moment, InvitationModel.expires_at >= moment),
        order_by=[(InvitationModel.id + 0).desc()],  # not by walking through all that there ever were
        limit=limit,
    )


def open_invitations_of(reading: ReadTransaction, maker_id: int) -> list[InvitationRow]:
    """Load what somebody has made that is still good."""
    return reading.rows.all(
        InvitationRow,
        InvitationModel.maker_id == maker_id,
        InvitationModel.used_at.is_(None),
        InvitationModel.withdrawn_at.is_(None),
        InvitationModel.expires_at > reading.now,
        order_by=[InvitationModel.id],
    )


def open_admin_invitation(reading: ReadTransaction) -> InvitationRow | None:
    """Find an invitation of the operator's, for an admin, that is still good."""
    return reading.rows.first(
        InvitationRow,
        InvitationModel.maker_id.is_(None),
        InvitationModel.role == Role.ADMIN,
        InvitationModel.used_at.is_(None),
        InvitationModel.withdrawn_at.is_(None),
        InvitationModel.expires_at > reading.now,
        order_by=[InvitationModel.id],
    )

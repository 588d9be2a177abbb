"""Queries about invitations."""

from __future__ import annotations

from sqlalchemy import or_

from sft.model.access import Role
from sft.store.row_types import InvitationRow
from sft.store.rows import Reading
from sft.store.schema import Invitation


def invitation_by_id(reading: Reading, invitation_id: int) -> InvitationRow | None:
    """Find an invitation by its number."""
    return reading.rows.one(InvitationRow, Invitation.id == invitation_id)


def invitation_by_public(reading: Reading, public_key: bytes) -> InvitationRow | None:
    """Find an invitation by its public half."""
    return reading.rows.one(InvitationRow, Invitation.public_key == public_key)


def invitations_since(reading: Reading, moment: int, limit: int) -> list[InvitationRow]:
    """Load the invitations that were made, or were still good, after a moment; newest first."""
    return reading.rows.all(
        InvitationRow,
        or_(Invitation.created_at >= moment, Invitation.expires_at >= moment),
        order_by=[Invitation.id.desc()],
        limit=limit,
    )


def open_admin_invitation(reading: Reading) -> InvitationRow | None:
    """Find an invitation of the operator's, for an admin, that is still good."""
    return reading.rows.first(
        InvitationRow,
        Invitation.maker_id.is_(None),
        Invitation.role == Role.ADMIN,
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > reading.now,
        order_by=[Invitation.id],
    )

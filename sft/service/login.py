"""How a person gets in: log in with a key, join with a key and an invitation.

Rules. Both stand before the permissions: their caller has proved a key (and an invitation) to the connection and is nobody
yet. What a name is for is looked at only after that. Whatever decides is read inside the transaction: the invitation and its
maker, name, key, policy. Joining again with the same invitation, key and name succeeds again.
"""

from __future__ import annotations

from msgspec import Struct

from sft.crypto.statement import JOIN
from sft.errors import InviteUnknownError, LoginRefusedError, NameReservedError, RegistrationClosedError
from sft.model.access import Caller, Role
from sft.model.events import KeyReset, UserJoined
from sft.model.names import fold
from sft.service.act_statement import AskedAct, require_signed
from sft.service.caller import caller_of
from sft.service.invitations import is_for, require_open, spend
from sft.service.key_resets import come_back
from sft.service.log.evidence import EvidenceBuilder
from sft.service.settings import Registration, registration
from sft.service.use_case import entry
from sft.service.users import enroll, require_device, require_free_key, require_free_name, require_key, require_name
from sft.store.invitations import invitation_by_public
from sft.store.row_types import InvitationRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import server_name
from sft.store.users import active_admins, key_by_public, user_by_id


class LoginInput(Struct, frozen=True):
    """Who a connection says it is, after it proved the key."""

    name: str
    public_key: bytes
    session_id: int = 0


class JoinInput(Struct, frozen=True):
    """Who wants to become a user, after the connection proved the key and, if one is named, the invitation."""

    name: str
    public_key: bytes
    device: str
    invitation: bytes | None = None
    session_id: int = 0
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        fields = {
            "name": self.name,
            "key": self.public_key,
            "device": self.device,
            "invitation": self.invitation or b"",
        }
        return AskedAct(JOIN, fields)


def login(reading: ReadTransaction, claim: LoginInput, builder: EvidenceBuilder | None = None) -> Caller:
    """Let a user in who proved a key.

    Args:
        builder: takes what proves who that is.

    Raises:
        LoginRefusedError: the key is unknown here, is not this user's, or the user may not be here.
        KeyRevokedError: it has ended.
    """
    key = key_by_public(reading, claim.public_key)
    user = user_by_id(reading, key.user_id) if key else None
    caller = caller_of(reading, user, key, claim.session_id)
    if fold(claim.name) != fold(caller.name):
        raise LoginRefusedError("the key of another name", server=server_name(reading))
    if builder is not None and user is not None:
        builder.add_users(reading, [user])
    return caller


@entry(logs=(UserJoined, KeyReset))
def join(transaction: Transaction, item: JoinInput) -> Caller:
    """Make a user of somebody who proved a key, and an invitation where the policy asks for one."""
    require_name(item.name)
    require_device(item.device)
    require_key(item.public_key)
    stated = require_signed(transaction, item.asked, item.statement, 0, item.public_key)
    invitation = None if item.invitation is None else _invitation(transaction, item.invitation)
    before = _joined_before(transaction, item, invitation)
    if before is not None:
        return before
    if invitation is not None and invitation.resets_id is not None:
        return come_back(transaction, item, invitation, stated)
    role = _admitted_as(transaction, item, invitation)
    require_free_name(transaction, item.name)
    require_free_key(transaction, item.public_key)
    user, key = enroll(transaction, item.name, role, item.public_key, item.device)
    if invitation is not None:
        spend(transaction, invitation, user)
    caller = caller_of(transaction, user, key, item.session_id)
    transaction.log(
        UserJoined(
            by=caller,
            user_id=user.id,
            name=user.name,
            role=role,
            key_id=key.id,
            public_key=key.public_key,
            device=key.device,
            invitation_id=None if invitation is None else invitation.id,
            **stated,
        )
    )
    return caller


def _invitation(reading: ReadTransaction, public_key: bytes) -> InvitationRow:
    row = invitation_by_public(reading, public_key)
    if row is None:
        raise InviteUnknownError(server=server_name(reading))
    return row


def _joined_before(reading: ReadTransaction, item: JoinInput, invitation: InvitationRow | None) -> Caller | None:
    """Find who this same request made a user of, when its answer was lost."""
    key = key_by_public(reading, item.public_key)
    user = user_by_id(reading, key.user_id) if key else None
    if user is None or user.folded != fold(item.name):
        return None
    if invitation is not None and invitation.used_by_id != user.id:
        return None
    return caller_of(reading, user, key, item.session_id)


def _admitted_as(reading: ReadTransaction, item: JoinInput, invitation: InvitationRow | None) -> Role:
    policy = registration(reading)
    if invitation is None:
        if policy != Registration.OPEN:
            raise RegistrationClosedError(server=server_name(reading))
        return Role.GUEST
    require_open(reading, invitation)
    # A closed server's first admin has nobody who could add them.
    first = invitation.maker_id is None and not active_admins(reading, 1)
    if policy == Registration.CLOSED and not first:
        raise RegistrationClosedError(server=server_name(reading))
    if not is_for(invitation, item.name):
        raise NameReservedError(name=invitation.user_name or "")
    return Role(invitation.role)

"""Invitations: who may be let in by whom, as what, until when.

Rules. The server has the public half alone; whoever holds the link's seed signs with it. An invitation works
once, is void when its maker is no active admin any more, and ends after 30 days at most, the first admin's
after a day. What is left of it is judged in ``require_open``, inside the transaction that makes the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sft.errors import (
    BadRequestError,
    InviteExpiredError,
    InviteUsedError,
    InviteWithdrawnError,
    NotFoundError,
    RegistrationClosedError,
    TooLargeError,
)
from sft.limits import FIRST_ADMIN_SECONDS, INVITATION_MOST_SECONDS, INVITATION_SECONDS, LIST_BYTES, LIST_ENTRIES
from sft.model.access import OPERATOR, Caller, Permission, Role, operator_caller
from sft.model.events import InvitationMade, InvitationWithdrawn
from sft.model.names import fold
from sft.model.records import Invitation, InvitationState, ServerInfo
from sft.service.act_statement import NOT_SIGNED, AskedAct, EventStatement, require_statement
from sft.service.rights import require_permission
from sft.service.settings import Registration, registration, server_info
from sft.service.use_case import act, query
from sft.service.users import require_free_name, require_name
from sft.store.invitations import (
    invitation_by_id,
    invitation_by_public,
    invitations_since,
    open_admin_invitation,
    open_invitations_of,
    open_resets_of,
)
from sft.store.row_types import InvitationRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import server_name
from sft.store.users import active_admins, is_active_admin, users_by_id

SHOWN_SECONDS: Final = 31 * 24 * 3600  # ended ones are listed for so long


class MakeInvitationInput(Struct, frozen=True):
    """Ask for an invitation; 0 seconds is the usual time."""

    caller: Caller
    public_key: bytes
    role: Role = Role.GUEST
    name: str | None = None
    seconds: int = 0
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct(
            "invite",
            {"invitation": self.public_key, "role": self.role.value, "name": self.name or "", "seconds": self.seconds},
        )


class MadeInvitation(Struct, frozen=True):
    """An invitation, and the server that its link leads to."""

    invitation: Invitation
    server: ServerInfo


class WithdrawInvitationInput(Struct, frozen=True):
    """Ask to make an invitation void."""

    caller: Caller
    invitation_id: int
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("withdraw", {"invitation": self.invitation_id})


class FirstAdmin(Struct, frozen=True):
    """The public half of the first admin's invitation."""

    public_key: bytes
    caller: Caller = operator_caller()


@act(Permission.INVITATION_MANAGE, logs=(InvitationMade,))
def make(transaction: Transaction, item: MakeInvitationInput) -> MadeInvitation:
    """Register the public half of an invitation; the same again is the same invitation."""
    if item.role != Role.GUEST:
        require_permission(transaction, item.caller, Permission.ROLE_CHANGE)
    stated = require_statement(transaction, item)
    require_inviting(transaction)
    seconds = item.seconds or INVITATION_SECONDS
    if seconds > INVITATION_MOST_SECONDS:
        raise TooLargeError(what="the time of an invitation", limit="30 days")
    row = invitation_by_public(transaction, item.public_key)
    if row is None:
        if item.name is not None:
            require_name(item.name)
            require_free_name(transaction, item.name)
        row = _add(transaction, item, seconds, stated)
    elif (row.maker_id, row.role, row.user_name, row.resets_id) != (item.caller.user_id, item.role, item.name, None):
        raise BadRequestError(problem="the key of another invitation")
    return made(transaction, row)


def require_inviting(reading: ReadTransaction) -> None:
    """Require that people can come in; RegistrationClosedError if the operator closed that."""
    if registration(reading) == Registration.CLOSED:
        raise RegistrationClosedError(server=server_name(reading))


def made(reading: ReadTransaction, row: InvitationRow) -> MadeInvitation:
    """Show one, and the server that its link leads to."""
    (invitation,) = _shown(reading, [row])
    return MadeInvitation(invitation, server_info(reading))


@query(Permission.INVITATION_MANAGE)
def list_all(reading: ReadTransaction, caller: Caller) -> tuple[Invitation, ...]:
    """List what was made or ended within a month, newest first, as much as one answer holds."""
    del caller
    rows = invitations_since(reading, reading.now - SHOWN_SECONDS, LIST_ENTRIES)
    listed: list[Invitation] = []
    size_bytes = 0
    for invitation in _shown(reading, rows):
        size_bytes += len(msgspec.msgpack.encode(invitation))
        if size_bytes > LIST_BYTES:
            break
        listed.append(invitation)
    return tuple(listed)


@act(Permission.INVITATION_MANAGE, logs=(InvitationWithdrawn,))
def withdraw(transaction: Transaction, item: WithdrawInvitationInput) -> bool:
    """Make an invitation void; False where it was so already."""
    stated = require_statement(transaction, item)
    row = invitation_by_id(transaction, item.invitation_id)
    if row is None:
        raise NotFoundError(what="invitation", name=str(item.invitation_id))
    if row.used_at is not None:
        raise InviteUsedError(used_at=row.used_at)
    if row.withdrawn_at is not None:
        return False
    transaction.rows.update([replace(row, withdrawn_at=transaction.now)])
    transaction.log(InvitationWithdrawn(by=item.caller, invitation_id=row.id, **stated))
    return True


def withdraw_of(transaction: Transaction, by: Caller, maker_id: int) -> None:
    """Make void whatever a person has made that is still good."""
    for row in open_invitations_of(transaction, maker_id):
        transaction.rows.update([replace(row, withdrawn_at=transaction.now)])
        transaction.log(InvitationWithdrawn(by=by, invitation_id=row.id))


def withdraw_resets(transaction: Transaction, by: Caller, user_id: int, *, but: int = 0) -> None:
    """Make void what links would reset somebody's keys still, but one."""
    for row in open_resets_of(transaction, user_id):
        if row.id != but:
            transaction.rows.update([replace(row, withdrawn_at=transaction.now)])
            transaction.log(InvitationWithdrawn(by=by, invitation_id=row.id))


def missing_admin(reading: ReadTransaction) -> tuple[bool, bool]:
    """Return whether there is no active admin, and whether an invitation of the operator's lets one in."""
    return not active_admins(reading, 1), open_admin_invitation(reading) is not None


@act(Permission.SERVER_MANAGE, logs=(InvitationMade,))
def first_admin(transaction: Transaction, item: FirstAdmin) -> Invitation | None:
    """Make the first admin's invitation, good for a day, where nobody could invite anybody: an act of a first start."""
    if missing_admin(transaction) != (True, False):
        return None
    wanted = MakeInvitationInput(item.caller, item.public_key, Role.ADMIN)
    (invitation,) = _shown(transaction, [_add(transaction, wanted, FIRST_ADMIN_SECONDS, NOT_SIGNED)])
    return invitation


def require_open(reading: ReadTransaction, row: InvitationRow) -> None:
    """Refuse an invitation that nobody can join with any more, by what became of it."""
    maker = _makers(reading, [row]).get(row.maker_id or 0)
    match _state(reading, row, maker):
        case InvitationState.USED:
            raise InviteUsedError(used_at=row.used_at or 0)
        case InvitationState.WITHDRAWN:
            raise InviteWithdrawnError
        case InvitationState.EXPIRED:
            raise InviteExpiredError(expired_at=row.expires_at, maker=_name(maker))
        case InvitationState.OPEN:
            return


def spend(transaction: Transaction, row: InvitationRow, user: UserRow) -> None:
    """Mark an invitation as used, in the transaction that makes its user."""
    used = replace(row, used_at=transaction.now, used_by_id=user.id)
    transaction.rows.update([used])


def add_row(
    transaction: Transaction,
    maker: Caller,
    public_key: bytes,
    *,
    role: str,
    user_name: str | None,
    seconds: int,
    resets_id: int | None = None,
) -> InvitationRow:
    """Write one more invitation, good for so many seconds; ``resets_id`` is whose keys it replaces."""
    row = InvitationRow(
        id=transaction.rows.next_id(InvitationRow),
        public_key=public_key,
        role=role,
        user_name=user_name,
        maker_id=maker.user_id,
        created_at=transaction.now,
        expires_at=transaction.now + seconds,
        used_at=None,
        used_by_id=None,
        withdrawn_at=None,
        resets_id=resets_id,
    )
    transaction.rows.insert([row])
    return row


def _add(transaction: Transaction, item: MakeInvitationInput, seconds: int, stated: EventStatement) -> InvitationRow:
    row = add_row(transaction, item.caller, item.public_key, role=item.role.value, user_name=item.name, seconds=seconds)
    transaction.log(
        InvitationMade(
            by=item.caller,
            invitation_id=row.id,
            public_key=row.public_key,
            role=item.role,
            name=row.user_name,
            expires_at=row.expires_at,
            **stated,
        )
    )
    return row


def _shown(reading: ReadTransaction, rows: Sequence[InvitationRow]) -> list[Invitation]:
    people = _makers(reading, rows)
    people |= users_by_id(reading, {row.used_by_id for row in rows if row.used_by_id})
    return [
        Invitation(
            id=row.id,
            public_key=row.public_key,
            role=Role(row.role),
            name=row.user_name,
            maker=_name(people.get(row.maker_id or 0)),
            created_at=row.created_at,
            expires_at=row.expires_at,
            state=_state(reading, row, people.get(row.maker_id or 0)),
            used_by=people[row.used_by_id].name if row.used_by_id else None,
            used_at=row.used_at,
            resets=row.resets_id is not None,
        )
        for row in rows
    ]


def _makers(reading: ReadTransaction, rows: Sequence[InvitationRow]) -> dict[int, UserRow]:
    return users_by_id(reading, {row.maker_id for row in rows if row.maker_id})


def _state(reading: ReadTransaction, row: InvitationRow, maker: UserRow | None) -> InvitationState:
    if row.used_at is not None:
        return InvitationState.USED
    void = row.maker_id is not None and (maker is None or not is_active_admin(maker))
    if row.withdrawn_at is not None or void:
        return InvitationState.WITHDRAWN
    if reading.now >= row.expires_at:
        return InvitationState.EXPIRED
    return InvitationState.OPEN


def _name(maker: UserRow | None) -> str:
    return OPERATOR if maker is None else maker.name


def is_for(row: InvitationRow, name: str) -> bool:
    """Return whether an invitation lets a person of that name in."""
    return row.user_name is None or fold(row.user_name) == fold(name)

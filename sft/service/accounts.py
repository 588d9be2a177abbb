"""How a person gets in, and what is done about people: join, log in, role, disabling, removal.

Rules. Login and join stand before the permissions: their caller has proved a key (and an invitation) to the
connection and is nobody yet. What a name is for is looked at only after that. Whatever decides is read inside
the transaction: the invitation and its maker, name, key, policy, number of admins. Joining again with the same
invitation, key and name succeeds again. A removed user stays as a tombstone: its name and keys are nobody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sft.errors import (
    BadRequestError,
    InviteUnknownError,
    LoginRefusedError,
    NameReservedError,
    NotFoundError,
    RegistrationClosedError,
    RequestError,
    RoleForbidsError,
)
from sft.limits import LIST_BYTES, LIST_ENTRIES
from sft.model.access import OPERATOR, Caller, Permission, Role, allows
from sft.model.names import fold
from sft.model.records import ServerInfo, User, UserPage, UserState
from sft.service.caller import caller_of
from sft.service.invitations import is_for, require_open, spend
from sft.service.rights import require_permission
from sft.service.settings import Registration, registration, server_info
from sft.service.use_case import use_case
from sft.service.users import (
    enroll,
    find_user,
    no_user,
    require_another_admin,
    require_device,
    require_free_key,
    require_free_name,
    require_key,
    require_name,
    shown,
)
from sft.store.invitations import invitation_by_public
from sft.store.row_types import InvitationRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import server_name
from sft.store.users import (
    active_admins,
    admin_names,
    hand_over,
    key_by_public,
    user_by_id,
    user_by_name,
    users_after,
)

ADDED_DEVICE: Final = "device"  # of whoever was added without a word on it


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


class JoinResult(Struct, frozen=True):
    """A user's caller; ``again`` where the user was there already."""

    caller: Caller
    again: bool


class AddUserInput(Struct, frozen=True):
    """Ask to register a person by public key."""

    caller: Caller
    name: str
    role: Role
    public_key: bytes
    device: str = ""


class ChangeRoleInput(Struct, frozen=True):
    """Ask to give a user another role."""

    caller: Caller
    name: str
    role: Role


class DisableUserInput(Struct, frozen=True):
    """Ask to lock a user out."""

    caller: Caller
    name: str


class EnableUserInput(Struct, frozen=True):
    """Ask to let a disabled user in again."""

    caller: Caller
    name: str


class RemoveUserInput(Struct, frozen=True):
    """Ask to remove a user for good; ``files_to`` is the caller unless named (the operator's: the first admin)."""

    caller: Caller
    name: str
    files_to: str = ""


class UserChanged(Struct, frozen=True):
    """A user after an act, and the role before it; ``changed`` is False where it was so already."""

    user: User
    before: str
    changed: bool
    files_moved: int = 0


class SelfInfo(Struct, frozen=True):
    """The caller as the registry has it, and the server."""

    user: User
    server: ServerInfo


# -- getting in ---------------------------------------------------------------------------------------


def login(reading: ReadTransaction, claim: LoginInput) -> Caller:
    """Let a user in who proved a key.

    Raises:
        LoginRefusedError: the key is unknown here, has ended, is not this user's, or the user may not be here.
    """
    key = key_by_public(reading, claim.public_key)
    user = user_by_id(reading, key.user_id) if key else None
    caller = caller_of(reading, user, key, claim.session_id)
    if fold(claim.name) != fold(caller.name):
        raise LoginRefusedError("the key of another name", server=server_name(reading))
    return caller


def join(transaction: Transaction, items: Sequence[JoinInput]) -> list[JoinResult | RequestError]:
    """Make users of people who proved a key, and an invitation where the policy asks for one: an act."""
    return [_judged(transaction, item) for item in items]


def _judged(transaction: Transaction, item: JoinInput) -> JoinResult | RequestError:
    try:
        with transaction.savepoint():
            return _join(transaction, item)
    except RequestError as refusal:
        return refusal


def _join(transaction: Transaction, item: JoinInput) -> JoinResult:
    require_name(item.name)
    require_device(item.device)
    require_key(item.public_key)
    invitation = None if item.invitation is None else _invitation(transaction, item.invitation)
    before = _joined_before(transaction, item, invitation)
    if before is not None:
        return JoinResult(before, again=True)
    role = _admitted_as(transaction, item, invitation)
    require_free_name(transaction, item.name)
    require_free_key(transaction, item.public_key)
    user, key = enroll(transaction, item.name, role, item.public_key, item.device)
    if invitation is not None:
        spend(transaction, invitation, user)
    return JoinResult(caller_of(transaction, user, key, item.session_id), again=False)


def _invitation(reading: ReadTransaction, public_key: bytes) -> InvitationRow:
    row = invitation_by_public(reading, public_key)
    if row is None:
        raise InviteUnknownError(server=server_name(reading))
    return row


def _joined_before(
    reading: ReadTransaction, item: JoinInput, invitation: InvitationRow | None
) -> Caller | None:
    """Find who this same request made a user of, when its answer was lost."""
    key = key_by_public(reading, item.public_key)
    user = user_by_id(reading, key.user_id) if key else None
    if user is None or user.folded != fold(item.name):
        return None
    if invitation is not None and invitation.used_by_id != user.id:
        return None
    return caller_of(reading, user, key, item.session_id)


def _admitted_as(
    reading: ReadTransaction, item: JoinInput, invitation: InvitationRow | None
) -> Role:
    policy = registration(reading)
    if invitation is None:
        if policy != Registration.OPEN:
            raise RegistrationClosedError(server=server_name(reading))
        return Role.GUEST
    require_open(reading, invitation)
    # A closed server's first admin has nobody who could add them.
    first = invitation.maker_id is None and not active_admins(reading)
    if policy == Registration.CLOSED and not first:
        raise RegistrationClosedError(server=server_name(reading))
    if not is_for(invitation, item.name):
        raise NameReservedError(name=invitation.user_name or "")
    return Role(invitation.role)


@use_case(Permission.USER_MANAGE, kind="act")
def add_user(transaction: Transaction, item: AddUserInput) -> UserChanged:
    """Register a person by public key; the same again changes nothing."""
    if item.role != Role.GUEST:
        require_permission(transaction, item.caller, Permission.ROLE_CHANGE)
    device = item.device or ADDED_DEVICE
    require_name(item.name)
    require_device(device)
    require_key(item.public_key)
    key = key_by_public(transaction, item.public_key)
    user = user_by_id(transaction, key.user_id) if key else None
    if user and (user.folded, user.role) == (fold(item.name), item.role) and _is_active(user):
        return _changed(transaction, user, user, changed=False)
    require_free_name(transaction, item.name)
    require_free_key(transaction, item.public_key)
    user, _ = enroll(transaction, item.name, item.role, item.public_key, device)
    return _changed(transaction, user, user)


# -- what is done about people --------------------------------------------------------------------------


@use_case(Permission.ROLE_CHANGE, kind="act")
def change_role(transaction: Transaction, item: ChangeRoleInput) -> UserChanged:
    """Give a user another role; somebody stays admin."""
    user = find_user(transaction, item.name)
    if item.role != Role.ADMIN:
        require_another_admin(transaction, user)
    return _write(transaction, user, replace(user, role=item.role.value))


@use_case(Permission.USER_MANAGE, kind="act")
def disable(transaction: Transaction, item: DisableUserInput) -> UserChanged:
    """Lock a user out, keeping everything; somebody stays admin."""
    user = find_user(transaction, item.name)
    require_another_admin(transaction, user)
    return _write(transaction, user, replace(user, state=UserState.DISABLED.value))


@use_case(Permission.USER_MANAGE, kind="act")
def enable(transaction: Transaction, item: EnableUserInput) -> UserChanged:
    """Let a disabled user in again."""
    user = find_user(transaction, item.name)
    return _write(transaction, user, replace(user, state=UserState.ACTIVE.value))


@use_case(Permission.USER_MANAGE, kind="act")
def remove(transaction: Transaction, item: RemoveUserInput) -> UserChanged:
    """Remove a user for good: the files go to another, a tombstone stays; somebody stays admin."""
    user = find_user(transaction, item.name, removed=True)
    if user.state == UserState.REMOVED:
        return _changed(transaction, user, user, changed=False)
    require_another_admin(transaction, user)
    owner = _new_owner(transaction, user, item)
    moved = 0 if owner is None else hand_over(transaction, user.id, owner.id)
    tombstone = replace(user, state=UserState.REMOVED.value)
    transaction.rows.update([tombstone])
    return _changed(transaction, user, tombstone, files_moved=moved)


def _new_owner(transaction: Transaction, user: UserRow, item: RemoveUserInput) -> UserRow | None:
    """Choose who gets a removed user's files; None where no admin is left to get them."""
    if not item.files_to:
        heirs = [admin for admin in active_admins(transaction) if admin.id != user.id]
        callers = [admin for admin in heirs if admin.id == item.caller.user_id]
        return next(iter(callers + heirs), None)
    heir = user_by_name(transaction, item.files_to)
    if heir is None or not _is_active(heir):
        raise NotFoundError(what="active user", name=item.files_to)
    if heir.id == user.id:
        raise BadRequestError(problem="the files of a removed user go to another")
    if not allows(Role(heir.role), Permission.FILE_WRITE):
        raise RoleForbidsError(
            role=heir.role,
            act="own files",
            name=heir.name,
            needed=Role.MAINTAINER.value,
            admins=admin_names(transaction),
        )
    return heir


def _write(transaction: Transaction, before: UserRow, after: UserRow) -> UserChanged:
    if after != before:
        transaction.rows.update([after])
    return _changed(transaction, before, after, changed=after != before)


def _changed(
    reading: ReadTransaction,
    before: UserRow,
    after: UserRow,
    *,
    changed: bool = True,
    files_moved: int = 0,
) -> UserChanged:
    (user,) = shown(reading, [after])
    return UserChanged(user, before.role, changed, files_moved)


def _is_active(user: UserRow) -> bool:
    return user.state == UserState.ACTIVE


# -- who there is -----------------------------------------------------------------------------------------


@use_case(Permission.USER_LIST)
def list_users(reading: ReadTransaction, caller: Caller, after: int = 0) -> UserPage:
    """List people in order of joining, tombstones too, as many as one answer holds."""
    del caller
    found = users_after(reading, after, LIST_ENTRIES + 1)
    users: list[User] = []
    size_bytes = 0
    for user in shown(reading, found[:LIST_ENTRIES]):
        size_bytes += len(msgspec.msgpack.encode(user))
        if size_bytes > LIST_BYTES:
            break
        users.append(user)
    return UserPage(tuple(users), users[-1].id if len(users) < len(found) else 0)


@use_case(Permission.USER_LIST)
def show_user(reading: ReadTransaction, caller: Caller, user_id: int = 0, name: str = "") -> User:
    """Show one user with all keys, a tombstone too: by id, or by name where the id is 0."""
    del caller
    user = user_by_id(reading, user_id) if user_id else user_by_name(reading, name)
    if user is None:
        raise no_user(str(user_id) if user_id else name)
    (record,) = shown(reading, [user])
    return record


@use_case(Permission.SELF_READ)
def show_self(reading: ReadTransaction, caller: Caller) -> SelfInfo:
    """Show the caller; the operator, who has no row, as user 0 with an admin's role among people."""
    user = None if caller.user_id is None else user_by_id(reading, caller.user_id)
    if user is None:
        return SelfInfo(User(0, OPERATOR, Role.ADMIN, UserState.ACTIVE, 0), server_info(reading))
    (record,) = shown(reading, [user])
    return SelfInfo(record, server_info(reading))

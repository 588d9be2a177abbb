"""What is done about people: added, another role, locked out, let in again, removed; and who there is.

Rules. Whatever decides is read inside the transaction: name, key, number of admins. A removed user stays as a tombstone: its
name and keys are nobody else's.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sft.errors import BadRequestError, TooLargeError
from sft.limits import KIB, LEAF_BYTES, LIST_BYTES, LIST_ENTRIES, ROLES_MOST
from sft.model.access import OPERATOR, Caller, Permission, Role
from sft.model.events import (
    DomainEvent,
    InvitationWithdrawn,
    RoleChanged,
    UserAdded,
    UserDisabled,
    UserEnabled,
    UserRemoved,
)
from sft.model.names import fold
from sft.model.quota_events import QuotaNear
from sft.model.quotas import Usage
from sft.model.records import ServerInfo, User, UserPage, UserState
from sft.service.act_statement import AskedAct, require_statement
from sft.service.invitations import withdraw_of
from sft.service.log.evidence import EvidenceBuilder
from sft.service.quotas import Quotas
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_permission
from sft.service.settings import server_info
from sft.service.use_case import act, query
from sft.service.users import (
    enroll,
    find_owner,
    find_user,
    no_user,
    require_another_admin,
    require_device,
    require_free_key,
    require_free_name,
    require_key,
    require_name,
    shown,
    user_added,
)
from sft.store.figures import user_figures
from sft.store.hand_overs import begin_hand_over
from sft.store.row_types import UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.users import (
    active_admins,
    add_role,
    is_active_admin,
    key_by_public,
    roles_of,
    user_by_id,
    user_by_name,
    users_after,
    write_users,
)

# The last leaf and the proofs take their part of the frame; of the rest the users have a half, and their slots.
PROVED_LIST_BYTES: Final = (LIST_BYTES - LEAF_BYTES - 4 * KIB) // 2
ADDED_DEVICE: Final = "device"  # of whoever was added without a word on it


class AddUserInput(Struct, frozen=True):
    """Ask to register a person by public key."""

    caller: Caller
    name: str
    role: Role
    public_key: bytes
    device: str = ""
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct(
            "add", {"name": self.name, "role": self.role.value, "key": self.public_key, "device": self.device}
        )


class ChangeRoleInput(Struct, frozen=True):
    """Ask to give a user another role."""

    caller: Caller
    name: str
    role: Role
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("role", {"name": self.name, "role": self.role.value})


class DisableInput(Struct, frozen=True):
    """Ask to lock a user out."""

    caller: Caller
    name: str
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("disable", {"name": self.name})


class EnableInput(Struct, frozen=True):
    """Ask to let a user in again who was locked out."""

    caller: Caller
    name: str
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("enable", {"name": self.name})


class RemoveUserInput(Struct, frozen=True):
    """Ask to remove a user for good; ``files_to`` is the caller unless named (the operator's: the first admin)."""

    caller: Caller
    name: str
    files_to: str = ""
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("remove", {"name": self.name, "files_to": self.files_to})


class UserChanged(Struct, frozen=True):
    """A user after an act, the role before it, and who has the files of whoever it removed."""

    user: User
    before: str
    files_to: str = ""


class SelfInfo(Struct, frozen=True):
    """The caller as the registry has it, and the server."""

    user: User
    server: ServerInfo


@act(Permission.USER_MANAGE, logs=(UserAdded,))
def add_user(transaction: Transaction, item: AddUserInput) -> UserChanged:
    """Register a person by public key; the same again changes nothing."""
    if item.role != Role.GUEST:
        require_permission(transaction, item.caller, Permission.ROLE_CHANGE)
    stated = require_statement(transaction, item)
    device = item.device or ADDED_DEVICE
    require_name(item.name)
    require_device(device)
    require_key(item.public_key)
    key = key_by_public(transaction, item.public_key)
    user = user_by_id(transaction, key.user_id) if key else None
    if user and (user.folded, user.role) == (fold(item.name), item.role) and _is_active(user):
        return _changed(transaction, user, user)
    require_free_name(transaction, item.name)
    require_free_key(transaction, item.public_key)
    user, key = enroll(transaction, item.name, item.role, item.public_key, device)
    transaction.log(user_added(item.caller, user, key, stated))
    return _changed(transaction, user, user)


@act(Permission.ROLE_CHANGE, logs=(RoleChanged, InvitationWithdrawn))
def change_role(transaction: Transaction, item: ChangeRoleInput) -> UserChanged:
    """Give a user another role; somebody stays admin."""
    stated = require_statement(transaction, item)
    user = find_user(transaction, item.name)
    if item.role != Role.ADMIN:
        require_another_admin(transaction, user)
    if item.role != user.role and len(roles_of(transaction, [user.id])[user.id]) >= ROLES_MOST:
        raise TooLargeError(what=f"the number of roles that {user.name} has had", limit=str(ROLES_MOST))
    event = RoleChanged(
        by=item.caller, user_id=user.id, name=user.name, before=Role(user.role), role=item.role, **stated
    )
    return _write(transaction, user, replace(user, role=item.role.value), event)


@act(Permission.USER_MANAGE, logs=(UserDisabled, InvitationWithdrawn))
def disable(transaction: Transaction, item: DisableInput) -> UserChanged:
    """Lock a user out, keeping everything; somebody stays admin."""
    stated = require_statement(transaction, item)
    user = require_dispensable(transaction, item.name)
    event = UserDisabled(by=item.caller, user_id=user.id, name=user.name, **stated)
    return _write(transaction, user, replace(user, state=UserState.DISABLED.value), event)


@act(Permission.USER_MANAGE, logs=(UserEnabled,))
def enable(transaction: Transaction, item: EnableInput) -> UserChanged:
    stated = require_statement(transaction, item)
    user = find_user(transaction, item.name)
    event = UserEnabled(by=item.caller, user_id=user.id, name=user.name, **stated)
    return _write(transaction, user, replace(user, state=UserState.ACTIVE.value), event)


@act(Permission.USER_MANAGE, logs=(UserRemoved, InvitationWithdrawn, QuotaNear))
def remove(transaction: Transaction, item: RemoveUserInput) -> UserChanged:
    """Remove a user for good: files and folders go to another, a tombstone stays; somebody stays admin.

    They count for the other, and are judged as the other's from now on; their rows follow (``maintenance.hand_overs``). No
    quota of the other's refuses that: whoever has to go does not stay for want of room. Who comes near one by it is told.
    """
    stated = require_statement(transaction, item)
    user = require_removable(transaction, item.name)
    if user.state == UserState.REMOVED:
        return _changed(transaction, user, user)
    owner = _new_owner(transaction, user, item)
    if owner is not None:
        figures = user_figures(transaction, [user.id])[user.id]
        more = Usage(figures.files, figures.size_bytes)
        for near in Quotas(RecordBuilder(transaction)).near_own(item.caller, owner.id, more):
            transaction.log(near)
    files = 0 if owner is None else begin_hand_over(transaction, user.id, owner.id)
    tombstone = replace(user, state=UserState.REMOVED.value)
    write_users(transaction, [tombstone])
    transaction.log(
        UserRemoved(
            by=item.caller,
            user_id=user.id,
            name=user.name,
            files_to=None if owner is None else owner.id,
            files=files,
            **stated,
        )
    )
    _withdraw_invitations(transaction, item.caller, user, tombstone)
    return replace(_changed(transaction, user, tombstone), files_to="" if owner is None else owner.name)


def require_dispensable(reading: ReadTransaction, name: str) -> UserRow:
    """Find whom a name means, and require that they are not the last admin who can act.

    Raises:
        NotFoundError: nobody has the name.
        LastAdminError: they are.
    """
    user = find_user(reading, name)
    require_another_admin(reading, user)
    return user


def require_removable(reading: ReadTransaction, name: str) -> UserRow:
    """As ``require_dispensable``; who was removed already is found, and can be again, which changes nothing."""
    user = find_user(reading, name, removed=True)
    if user.state != UserState.REMOVED:
        require_another_admin(reading, user)
    return user


def _new_owner(transaction: Transaction, user: UserRow, item: RemoveUserInput) -> UserRow | None:
    """Choose who gets a removed user's files; None where no admin is left to get them."""
    if not item.files_to:
        heirs = [admin for admin in active_admins(transaction) if admin.id != user.id]
        callers = [admin for admin in heirs if admin.id == item.caller.user_id]
        return next(iter(callers + heirs), None)
    heir = find_owner(transaction, item.files_to)
    if heir.id == user.id:
        raise BadRequestError(problem="the files of a removed user go to another")
    return heir


def _write(transaction: Transaction, before: UserRow, after: UserRow, event: DomainEvent) -> UserChanged:
    if after != before:
        write_users(transaction, [after])
        leaf = transaction.log(event)
        if leaf is not None and after.role != before.role:
            add_role(transaction, after, leaf)
        _withdraw_invitations(transaction, event.by, before, after)
    return _changed(transaction, before, after)


def _withdraw_invitations(transaction: Transaction, by: Caller, before: UserRow, after: UserRow) -> None:
    """Make void for good what somebody who is no longer an admin has made: a later promotion opens none of it again."""
    if is_active_admin(before) and not is_active_admin(after):
        withdraw_of(transaction, by, after.id)


def _changed(reading: ReadTransaction, before: UserRow, after: UserRow) -> UserChanged:
    (user,) = shown(reading, [after])
    return UserChanged(user, before.role)


def _is_active(user: UserRow) -> bool:
    return user.state == UserState.ACTIVE


# -- who there is -----------------------------------------------------------------------------------------


@query(Permission.USER_LIST)
def list_users(
    reading: ReadTransaction, caller: Caller, after: int = 0, builder: EvidenceBuilder | None = None
) -> UserPage:
    """List people in order of joining, tombstones too, as many as one answer holds; ``builder`` takes what proves them."""
    del caller
    found = users_after(reading, after, LIST_ENTRIES + 1)
    users: list[User] = []
    room_bytes = LIST_BYTES if builder is None else PROVED_LIST_BYTES
    for user in shown(reading, found[:LIST_ENTRIES]):
        room_bytes -= len(msgspec.msgpack.encode(user))
        if room_bytes < 0 and users:  # one at least: somebody with every key fits beside their proof
            break
        users.append(user)
    if builder is not None:
        del users[builder.add_users(reading, found[: len(users)], PROVED_LIST_BYTES) :]
    return UserPage(tuple(users), users[-1].id if len(users) < len(found) else 0)


@query(Permission.USER_LIST)
def show_user(
    reading: ReadTransaction, caller: Caller, user_id: int = 0, name: str = "", builder: EvidenceBuilder | None = None
) -> User:
    """Show one user with all keys, a tombstone too: by id, or by name where the id is 0; ``builder`` takes what proves it."""
    del caller
    user = user_by_id(reading, user_id) if user_id else user_by_name(reading, name)
    if user is None:
        raise no_user(str(user_id) if user_id else name)
    if builder is not None:
        builder.add_users(reading, [user])
    (record,) = shown(reading, [user])
    return record


@query(Permission.SELF_READ)
def show_self(reading: ReadTransaction, caller: Caller) -> SelfInfo:
    """Show the caller; the operator, who has no row, as user 0 with an admin's role among people."""
    user = None if caller.user_id is None else user_by_id(reading, caller.user_id)
    if user is None:
        return SelfInfo(User(0, OPERATOR, Role.ADMIN, UserState.ACTIVE, 0), server_info(reading))
    (record,) = shown(reading, [user])
    return SelfInfo(record, server_info(reading))

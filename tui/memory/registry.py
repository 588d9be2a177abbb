"""People, invitations and sessions of the world as one person may manage them, with the refusals of the real server."""

from __future__ import annotations

import hashlib

import msgspec

from sft.crypto.keys import InvitationKey
from sft.errors import (
    BadRequestError,
    InviteExpiredError,
    InviteUnknownError,
    InviteUsedError,
    InviteWithdrawnError,
    LastAdminError,
    NameReservedError,
    NameTakenError,
    NotFoundError,
    RoleForbidsError,
)
from sft.model.access import Permission, Role, allows
from sft.model.links import InvitationLink, parse_address
from sft.model.names import fold, parse_user_name
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from tui.gateway import Invited
from tui.memory.shelves import changed, require
from tui.memory.world import World, key_of


def change_role(world: World, caller: User, name: str, role: Role) -> User:
    """Give a person another role."""
    require(world, caller, Permission.ROLE_CHANGE)
    user = _member(world, name)
    if role is not Role.ADMIN:
        _not_last(world, user)
    return changed(world, user, role=role)


def set_state(world: World, caller: User, name: str, state: UserState, files_to: str = "") -> User:
    """Lock out, let in or remove a person."""
    require(world, caller, Permission.USER_MANAGE)
    if state is UserState.REMOVED and world.user(name).state is UserState.REMOVED:
        return world.user(name)
    user = _member(world, name)
    if state is not UserState.ACTIVE:
        _not_last(world, user)
    if state is UserState.REMOVED:
        heir = _heir(world, caller, user, files_to)
        for kept in [*world.files.values(), *world.trash]:
            if kept.owner_id == user.id:
                kept.owner_id = heir.id
        for many in world.many.values():
            if many.author_id == user.id:
                many.author_id = heir.id
    return changed(world, user, state=state)


def invite(world: World, caller: User, *, role: Role, name: str | None, seconds: int) -> Invited:
    """Make an invitation."""
    require(world, caller, Permission.INVITATION_MANAGE)
    if name is not None:
        name = parse_user_name(name)
        if any(fold(user.name) == fold(name) for user in world.users):
            raise NameTakenError(name=name, server=world.name)
    number = len(world.invitations) + 1
    seed = hashlib.blake2b(number.to_bytes(4, "big"), digest_size=32).digest()
    now = int(world.now)
    host, port = parse_address(world.address)
    made = Invitation(
        id=number, public_key=InvitationKey.from_seed(seed).point, role=role, name=name,
        maker=caller.name, created_at=now, expires_at=now + seconds, state=InvitationState.OPEN,
    )  # fmt: skip
    world.invitations.append(made)
    link = InvitationLink(
        host=host, port=port, server_key=world.key.public.point, server_name=world.name, seed=seed,
        role=role, expires_at=made.expires_at, user_name=name,
    )  # fmt: skip
    return Invited(link.text(), made)


def invitations(world: World, caller: User) -> list[Invitation]:
    """List them, the newest first."""
    require(world, caller, Permission.INVITATION_MANAGE)
    return sorted(world.invitations, key=lambda one: -one.created_at)


def withdraw(world: World, caller: User, invitation_id: int) -> None:
    """Make an open invitation void."""
    require(world, caller, Permission.INVITATION_MANAGE)
    for place, one in enumerate(world.invitations):
        if one.id == invitation_id and one.state is InvitationState.OPEN:
            world.invitations[place] = msgspec.structs.replace(one, state=InvitationState.WITHDRAWN)
            return
    raise NotFoundError(what="open invitation", name=str(invitation_id), see="sft invite list")


def join(world: World, link: InvitationLink, user_name: str, device: str) -> User:
    """Let somebody in by an invitation; joining again with the same name goes on where it stopped."""
    point = InvitationKey.from_seed(link.seed).point
    place = next((n for n, one in enumerate(world.invitations) if one.public_key == point), None)
    if place is None:
        raise InviteUnknownError(server=world.name)
    one = world.invitations[place]
    if one.state is InvitationState.USED:
        if one.used_by == user_name:
            return world.user(user_name)
        raise InviteUsedError(used_at=one.used_at or 0)
    if one.state is InvitationState.WITHDRAWN:
        raise InviteWithdrawnError
    if one.state is InvitationState.EXPIRED or one.expires_at <= world.now:
        raise InviteExpiredError(expired_at=one.expires_at, maker=one.maker)
    user_name = parse_user_name(user_name)
    if one.name is not None and one.name != user_name:
        raise NameReservedError(name=one.name)
    if any(fold(user.name) == fold(user_name) for user in world.users):
        raise NameTakenError(name=user_name, server=world.name)
    user = world.add_user(
        user_name, one.role, joined_at=int(world.now), device=device, public=key_of(user_name)
    )
    world.invitations[place] = msgspec.structs.replace(
        one, state=InvitationState.USED, used_by=user_name, used_at=int(world.now)
    )
    return user


def sessions(world: World, caller: User) -> list[SessionInfo]:
    """List who is connected, those who came first first."""
    require(world, caller, Permission.SESSION_MANAGE)
    users = {user.id: user for user in world.users}
    return [
        SessionInfo(
            number, users[visit.user_id].name, users[visit.user_id].role.value, visit.address,
            visit.since_at, visit.doing,
        )
        for number, visit in world.door.visits.items()
    ]  # fmt: skip


def kick(world: World, caller: User, session_id: int) -> None:
    """End a session."""
    require(world, caller, Permission.SESSION_MANAGE)
    if not world.door.kick(session_id, caller.name):
        raise NotFoundError(what="session", name=str(session_id), see="twistd sft session list")


def _member(world: World, name: str) -> User:
    user = world.user(name)
    if user.state is UserState.REMOVED:
        raise NotFoundError(what="user", name=name, see="sft users")
    return user


def _heir(world: World, caller: User, gone: User, name: str) -> User:
    """Choose who gets the files of somebody who is removed, as the real server does."""
    active = [user for user in world.users if user.state is UserState.ACTIVE]
    if not name:
        heirs = [user for user in active if user.role is Role.ADMIN and user.id != gone.id]
        return next(user for user in sorted(heirs, key=lambda user: user.id != caller.id))
    heir = next((user for user in active if fold(user.name) == fold(name)), None)
    if heir is None:
        raise NotFoundError(what="active user", name=name, see="sft users")
    if heir.id == gone.id:
        raise BadRequestError(problem="the files of a removed user go to another")
    if not allows(heir.role, Permission.FILE_WRITE):
        raise RoleForbidsError(
            role=heir.role.value, act="own files", name=heir.name, needed=Role.MAINTAINER.value,
            admins=", ".join(user.name for user in active if user.role is Role.ADMIN),
        )  # fmt: skip
    return heir


def _not_last(world: World, user: User) -> None:
    admins = [u for u in world.users if u.role is Role.ADMIN and u.state is UserState.ACTIVE]
    if [u.id for u in admins] == [user.id]:
        raise LastAdminError(name=user.name)

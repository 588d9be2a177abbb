"""Requests about people, roles, invitations, sessions and the server itself, one function each; refusals are raised.

Rules. Where the server has a log, who people are is what stands there: names, roles and keys are proved before anybody sees
them, for it is by these words that people compare keys.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from sft.client.api import Requester
from sft.client.api.files import Total
from sft.client.freshness import require_moments_in_log
from sft.client.proved import ProvedState
from sft.crypto.keys import Entropy, InvitationKey, PublicKey
from sft.errors import NotFoundError, RemoteProtocolError
from sft.model.access import Role
from sft.model.evidence import Evidence
from sft.model.links import InvitationLink, LinkHead, invitation_link
from sft.model.quotas import limit_text
from sft.model.records import Invitation, KeyEnd, QuotaReport, SessionInfo, User, UserState
from sft.model.status import LiveStatus, OptionInForce, ServerStatus
from sft.wire.messages import (
    AddKey,
    AddUser,
    ChangeQuota,
    ChangeRole,
    ConfigurationShown,
    DisableUser,
    Done,
    EnableUser,
    HookTested,
    InvitationList,
    InvitationShown,
    KickSession,
    ListInvitations,
    ListSessions,
    ListUsers,
    MakeInvitation,
    OfferReset,
    QuotaShown,
    RemoveUser,
    ResetKey,
    RevokeKey,
    RotateKey,
    SelfShown,
    SessionList,
    ShowConfiguration,
    ShowQuota,
    ShowSelf,
    ShowStatus,
    ShowUser,
    StatusShown,
    TestHook,
    UserList,
    UserShown,
    WithdrawInvitation,
)


async def show_self(session: Requester) -> SelfShown:
    return await session.request(ShowSelf, SelfShown)


async def list_users(session: Requester) -> list[User]:
    """List everybody in order of joining, tombstones too.

    Raises:
        RemoteProtocolError: ids do not ascend, or a page goes on after another person than its last.
        ListingTooLongError: it does not end within a million.
        LedgerError: the log has somebody otherwise.
    """
    users: list[User] = []
    following, total = 0, Total(session)
    while True:
        page, following = await list_users_page(session, following)
        total.add(len(page))
        users.extend(page)
        if not following:
            await require_moments_in_log(session, [user.created_at for user in users])
            return users


async def list_users_page(session: Requester, after: int = 0) -> tuple[list[User], int]:
    """List as many people as one answer has, in order of joining, after one of them.

    Returns:
        Them, and after whom it goes on; 0 at the end.

    Raises:
        RemoteProtocolError, LedgerError: as ``list_users``.
    """
    answer = await session.request(ListUsers, UserList, after=after)
    page, last = answer.page, after
    _require_proved(session, answer.evidence, page.users)
    for user in page.users:
        if user.id <= last:
            raise RemoteProtocolError("a list of people that begins again")
        last = user.id
    if page.next and (not page.users or page.next != last):
        raise RemoteProtocolError("a list of people that goes on elsewhere")
    return list(page.users), page.next or 0


async def show_user(session: Requester, name: str) -> User:
    """Show one person with all keys; LedgerError if the log has them otherwise."""
    answer = await session.request(ShowUser, UserShown, user_id=0, name=name)
    _require_proved(session, answer.evidence, [answer.user])
    return answer.user


async def show_user_by_id(session: Requester, user_id: int) -> User:
    """Show one person, also a removed one, with all keys.

    Raises:
        RemoteProtocolError: another is shown.
        LedgerError: the log has them otherwise.
    """
    answer = await session.request(ShowUser, UserShown, user_id=user_id)
    if answer.user.id != user_id:
        raise RemoteProtocolError("the server showed another person than was asked for")
    _require_proved(session, answer.evidence, [answer.user])
    return answer.user


def _require_proved(session: Requester, evidence: Evidence | None, users: Sequence[User]) -> None:
    if session.log is None:
        return
    state = ProvedState(session.log, evidence, "who its people are")
    for user in users:
        state.require_user(user)


async def admins(session: Requester) -> list[str]:
    users = await list_users(session)
    return [u.name for u in users if u.role is Role.ADMIN and u.state is UserState.ACTIVE]


async def add_user(session: Requester, name: str, role: Role, public_key: PublicKey, device: str) -> User:
    key = public_key.encode()
    statement = session.sign_act("add", name=name, role=role.value, key=key, device=device)
    answer = await session.request(
        AddUser, UserShown, name=name, role=role, public_key=key, device=device, statement=statement
    )
    return answer.user


async def change_role(session: Requester, name: str, role: Role) -> tuple[User, str]:
    """Give a person another role, and return the person and the role before."""
    statement = session.sign_act("role", name=name, role=role.value)
    answer = await session.request(ChangeRole, UserShown, name=name, role=role, statement=statement)
    return answer.user, answer.before


async def disable(session: Requester, name: str) -> User:
    return (
        await session.request(DisableUser, UserShown, name=name, statement=session.sign_act("disable", name=name))
    ).user


async def enable(session: Requester, name: str) -> User:
    return (
        await session.request(EnableUser, UserShown, name=name, statement=session.sign_act("enable", name=name))
    ).user


class Removed(NamedTuple):
    """Who was removed, and who has the files now; "" where nobody has."""

    user: User
    files_to: str


async def remove(session: Requester, name: str, files_to: str = "") -> Removed:
    """Remove a person for good; the files go to ``files_to``, or to the caller (the operator's: to the first admin)."""
    statement = session.sign_act("remove", name=name, files_to=files_to)
    done = await session.request(RemoveUser, UserShown, name=name, files_to=files_to, statement=statement)
    return Removed(done.user, done.files_to or files_to)


async def show_quota(session: Requester, name: str = "") -> QuotaReport:
    """Show what somebody may own and what of it is taken; the caller, where no name is given."""
    return (await session.request(ShowQuota, QuotaShown, name=name)).quota


async def change_quota(session: Requester, name: str, size_bytes: int | None, files: int | None) -> User:
    """Set what somebody may own: None is what everybody has, -1 no limit."""
    statement = session.sign_act("quota", name=name, bytes=limit_text(size_bytes), files=limit_text(files))
    answer = await session.request(
        ChangeQuota, UserShown, name=name, size_bytes=size_bytes, files=files, statement=statement
    )
    return answer.user


async def add_key(session: Requester, public_key: PublicKey, device: str) -> User:
    """Vouch for one more key of one's own."""
    key = public_key.encode()
    statement = session.sign_act("key-add", key=key, device=device)
    return (await session.request(AddKey, UserShown, public_key=key, device=device, statement=statement)).user


async def rotate_key(session: Requester, public_key: bytes, device: str) -> User:
    """Have another key follow the session's, which the server then ends."""
    statement = session.sign_act("key-rotate", key=public_key, device=device)
    return (await session.request(RotateKey, UserShown, public_key=public_key, device=device, statement=statement)).user


async def revoke_key(session: Requester, public_key: bytes, reason: KeyEnd, cut_off: int = 0) -> User:
    """End a key of one's own; of a stolen one ``cut_off`` is the leaf from which on it may have been the thief who signed."""
    statement = session.sign_act("key-revoke", key=public_key, cut_off=cut_off, reason=reason.value)
    answer = await session.request(
        RevokeKey, UserShown, public_key=public_key, reason=reason, cut_off=cut_off, statement=statement
    )
    return answer.user


async def reset_key(
    session: Requester, name: str, public_key: PublicKey, device: str, reason: KeyEnd, cut_off: int = 0
) -> User:
    """Give somebody a key in place of all others; ``reason`` and ``cut_off`` are of those."""
    key = public_key.encode()
    statement = session.sign_act("key-reset", name=name, key=key, device=device, cut_off=cut_off, reason=reason.value)
    answer = await session.request(
        ResetKey,
        UserShown,
        name=name,
        public_key=key,
        device=device,
        reason=reason,
        cut_off=cut_off,
        statement=statement,
    )
    return answer.user


async def invite(
    session: Requester,
    *,
    role: Role,
    name: str | None,
    seconds: int,
    head: LinkHead | None = None,
    entropy: Entropy = os.urandom,
) -> tuple[InvitationLink, Invitation]:
    """Make an invitation; its secret is drawn here and never sent: only the link holds it.

    Args:
        head: the newest one of the server's log that was seen: who joins is shown no shorter log and no other.
    """
    key = InvitationKey.generate(entropy)
    statement = session.sign_act("invite", invitation=key.point, role=role.value, name=name or "", seconds=seconds)
    answer = await session.request(
        MakeInvitation,
        InvitationShown,
        public_key=key.point,
        role=role,
        name=name,
        seconds=seconds,
        statement=statement,
    )
    return _link_of(session, answer, key, head), answer.invitation


async def offer_reset(
    session: Requester,
    name: str,
    reason: KeyEnd,
    cut_off: int = 0,
    *,
    head: LinkHead | None = None,
    entropy: Entropy = os.urandom,
) -> tuple[InvitationLink, Invitation]:
    """End every key of somebody, and make the link by which they come back; ``reason`` and ``cut_off`` are of those keys.

    Args:
        head: as of ``invite``.
    """
    key = InvitationKey.generate(entropy)
    statement = session.sign_act(
        "key-reset-link", name=name, invitation=key.point, cut_off=cut_off, reason=reason.value
    )
    answer = await session.request(
        OfferReset,
        InvitationShown,
        name=name,
        public_key=key.point,
        reason=reason,
        cut_off=cut_off,
        statement=statement,
    )
    return _link_of(session, answer, key, head), answer.invitation


def _link_of(session: Requester, answer: InvitationShown, key: InvitationKey, head: LinkHead | None) -> InvitationLink:
    return invitation_link(
        answer.invitation,
        key.seed,
        address=answer.server.address or session.address,
        server_id=answer.server.server_id,
        server_key=session.server_key.point,
        server_name=session.server_name,
        head=head,
    )


async def list_invitations(session: Requester) -> list[Invitation]:
    """List invitations that are not older than a month; LogStaleError for one that was made after the log's end."""
    found = list((await session.request(ListInvitations, InvitationList)).invitations)
    await require_moments_in_log(session, [moment for each in found for moment in (each.created_at, each.used_at or 0)])
    return found


async def withdraw(session: Requester, invitation_id: int) -> bool:
    """Make an open invitation void; False if it was so already."""
    statement = session.sign_act("withdraw", invitation=invitation_id)
    done = await session.request(WithdrawInvitation, Done, invitation_id=invitation_id, statement=statement)
    return done.changed


async def list_sessions(session: Requester) -> list[SessionInfo]:
    """List the sessions, oldest first; at most as many as one reply holds."""
    return list((await session.request(ListSessions, SessionList)).sessions)


async def show_status(session: Requester) -> ServerStatus:
    """Show how the server is."""
    return (await session.request(ShowStatus, StatusShown)).status


async def show_configuration(session: Requester) -> tuple[OptionInForce, ...]:
    """Show what the server runs with; nothing where an operator's command serves for itself alone."""
    return (await session.request(ShowConfiguration, ConfigurationShown)).options


async def test_hook(session: Requester, hook: str) -> str:
    """Have a hook tried; return what is wrong, "" where it took the event. NotFoundError: there is no such hook."""
    return (await session.request(TestHook, HookTested, hook=hook)).problem


async def show_live_status(session: Requester, busiest: int) -> tuple[ServerStatus, LiveStatus]:
    """Show how the server is and what it does now, with at most so many of its sessions, from 1.

    Raises:
        RemoteProtocolError: it says nothing of what it does, or shows more sessions.
    """
    answer = await session.request(ShowStatus, StatusShown, busiest=busiest)
    if answer.live is None or len(answer.live.busiest) > busiest:
        raise RemoteProtocolError("another status than was asked for")
    return answer.status, answer.live


async def kick(session: Requester, session_id: int) -> None:
    """End a session: what it transfers stops, and shows nothing partial; NotFoundError if it has ended already."""
    done = await session.request(KickSession, Done, session_id=session_id)
    if not done.changed:
        raise NotFoundError(what="session", name=str(session_id))

"""Which use case answers which request: one table, and nothing that decides.

A request without a route is a bug that a test finds; a use case carries its own permission
(``sft.service.use_case``). Transfers stand in the table with the use case that admits them; their
lanes are ``sft.server.uploads`` and ``sft.server.downloads``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sft.errors import OperatorOnlyError
from sft.limits import LIST_ENTRIES
from sft.model.access import Permission
from sft.model.records import File, SessionInfo, VaultReport
from sft.server.installation import Installation
from sft.service import (
    accounts,
    check,
    commits,
    downloads,
    files,
    folders,
    invitations,
    rotation,
    settings,
    trash,
    upkeep,
    uploads,
)
from sft.service.caller import Caller
from sft.wire import messages as m

Fields = dict[str, Any]
NOTES_SHOWN: Final = 20  # of at most 2 KiB each: they fit one frame


@dataclass(frozen=True, slots=True)
class Read:
    """Answered from one read transaction."""

    use_case: Callable[..., Any]
    fields: Callable[[Any], Fields]
    reply: Callable[[int, Any], m.Reply]


@dataclass(frozen=True, slots=True)
class Act:
    """Done by the writer; ``after`` runs on the reactor once it is durable."""

    use_case: Callable[..., Any]
    item: Callable[[Caller, Any], Any]
    reply: Callable[[int, Any], m.Reply]
    after: Callable[[Installation, Caller, Any], None] = lambda _installation, _caller, _result: (
        None
    )


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Allowed by a read, then done on the thread of upkeep, which may take hours; jobs one after the other."""

    jobs: Callable[[Installation, Any], list[tuple[Callable[..., Any], Fields]]]


@dataclass(frozen=True, slots=True)
class Live:
    """About live sessions, which only this process knows; answered at once, then ``after`` runs."""

    permission: Permission
    run: Callable[[Installation, Caller, Any], m.Reply]
    after: Callable[[Installation, Caller, Any], None] = lambda _installation, _caller, _message: (
        None
    )


@dataclass(frozen=True, slots=True)
class Transfer:
    """Opens a lane."""

    use_case: Callable[..., Any]


Route = Read | Act | Upkeep | Live | Transfer


def _rights_changed(installation: Installation, by: Caller, result: accounts.UserChanged) -> None:
    if result.changed:
        installation.sessions.rights_changed(result.user, by.name)


def _user_act(use_case: Callable[..., Any], item: Callable[[Caller, Any], Any]) -> Act:
    return Act(
        use_case, item, lambda id_, done: m.UserShown(id_, done.user, done.before), _rights_changed
    )


def _moved(id_: int, moved: object) -> m.Reply:
    return m.FileShown(id_, moved) if isinstance(moved, File) else m.Done(id_)


def _page(id_: int, page: Any) -> m.Reply:
    return m.FolderPage(id_, page)


def ground_of(here: Installation, *, act: bool = True) -> Fields:
    """Give what the jobs of upkeep work with."""
    ground = {"custody": here.custody, "readings": here.readings}
    return {**ground, "act": here.act_blocking} if act else ground


def _sessions(id_: int, live: list[SessionInfo]) -> m.Reply:
    """List as many as one frame holds, oldest first."""
    shown = live[:LIST_ENTRIES]
    while not m.fits(answer := m.SessionList(id_, tuple(shown))):
        del shown[len(shown) * 3 // 4 :]
    return answer


def _to_kick(installation: Installation, by: Caller, message: m.KickSession) -> m.Reply:
    session = installation.sessions.find(message.session_id)
    if session is not None and session.user_id is None and not by.operator:
        raise OperatorOnlyError  # what the operator does at the server is no admin's to stop
    return m.Done(message.id, changed=session is not None)


def _kick(installation: Installation, by: Caller, message: m.KickSession) -> None:
    if installation.sessions.kick(message.session_id, by.name):
        installation.journal.note(
            "kick", session=by.session_id, by=by.name, kicked=message.session_id
        )


ROUTES: Final[Mapping[type[m.Request], Route]] = {
    # files
    m.ListFolder: Read(
        files.list_folder,
        lambda q: {
            "path": q.path,
            "cursor": q.cursor,
            "limit": q.limit,
            "signatures": q.signatures,
        },
        _page,
    ),
    m.ListTrash: Read(files.list_trash, lambda q: {"cursor": q.cursor, "limit": q.limit}, _page),
    m.ShowFile: Read(
        files.show_file, lambda q: {"path": q.path, "version": q.version}, m.FileShown
    ),
    m.FindFiles: Read(
        files.find_files,
        lambda q: {"after": q.after},
        lambda id_, found: m.FilesFound(id_, found.files, found.next),
    ),
    m.MakeFolder: Act(
        folders.make_folder,
        lambda by, q: folders.FolderMade(by, q.path),
        lambda id_, made: m.Done(id_, changed=made),
    ),
    m.Move: Act(folders.move, lambda by, q: folders.Moved(by, q.old, q.new), _moved),
    m.Delete: Act(
        trash.delete, lambda by, q: trash.Deletion(by, q.path, q.recursive), m.FileDeleted
    ),
    m.Restore: Act(trash.restore, lambda by, q: trash.Restoration(by, q.path), m.FileShown),
    m.PutSmall: Transfer(commits.commit),
    m.BeginUpload: Transfer(uploads.begin),
    m.GetFile: Transfer(downloads.begin),
    # people
    m.ShowSelf: Read(
        accounts.show_self, lambda _: {}, lambda id_, me: m.SelfShown(id_, me.user, me.server)
    ),
    m.ListUsers: Read(accounts.list_users, lambda q: {"after": q.after}, m.UserList),
    m.ShowUser: Read(
        accounts.show_user, lambda q: {"user_id": q.user_id, "name": q.name}, m.UserShown
    ),
    m.AddUser: _user_act(
        accounts.add_user,
        lambda by, q: accounts.AddUser(by, q.name, q.role, q.public_key, q.device),
    ),
    m.ChangeRole: _user_act(
        accounts.change_role, lambda by, q: accounts.ChangeRole(by, q.name, q.role)
    ),
    m.DisableUser: _user_act(accounts.disable, lambda by, q: accounts.DisableUser(by, q.name)),
    m.EnableUser: _user_act(accounts.enable, lambda by, q: accounts.EnableUser(by, q.name)),
    m.RemoveUser: _user_act(
        accounts.remove, lambda by, q: accounts.RemoveUser(by, q.name, q.files_to)
    ),
    m.MakeInvitation: Act(
        invitations.make,
        lambda by, q: invitations.MakeInvitation(by, q.public_key, q.role, q.name, q.seconds),
        lambda id_, made: m.InvitationShown(id_, made.invitation, made.server),
    ),
    m.ListInvitations: Read(invitations.list_all, lambda _: {}, m.InvitationList),
    m.WithdrawInvitation: Act(
        invitations.withdraw,
        lambda by, q: invitations.WithdrawInvitation(by, q.invitation_id),
        lambda id_, changed: m.Done(id_, changed=changed),
    ),
    # the operator
    m.ShowServer: Read(settings.show_server, lambda _: {}, m.ServerShown),
    m.ListSessions: Live(
        Permission.SESSION_MANAGE,
        lambda installation, _, q: _sessions(q.id, installation.sessions.describe()),
    ),
    # After the answer: whoever ends their own session still hears that it was done.
    m.KickSession: Live(Permission.SESSION_MANAGE, _to_kick, after=_kick),
    m.CheckVault: Upkeep(lambda here, _: [(check.check, ground_of(here, act=False))]),
    m.RotateMasterKey: Upkeep(
        lambda here, q: [
            (rotation.rotate, {**ground_of(here), **here.keeper.fields()}),
            *([(rotation.reencrypt, ground_of(here))] if q.reencrypt else []),
        ]
    ),
    m.CollectTrash: Upkeep(lambda here, _: [(upkeep.collect, ground_of(here))]),
}


def joined(request_id: int, reports: Sequence[VaultReport]) -> m.VaultChecked:
    """Answer with the reports of one job after another as one, with as many faults as a frame holds."""
    faults = [fault for report in reports for fault in report.faults]
    total = len(faults) + sum(report.more_faults for report in reports)
    notes = tuple(note for report in reports for note in report.notes)[:NOTES_SHOWN]
    while True:
        report = VaultReport(
            files=max(report.files for report in reports),
            versions=max(report.versions for report in reports),
            bytes_checked=sum(report.bytes_checked for report in reports),
            faults=tuple(faults),
            more_faults=total - len(faults),
            notes=notes,
        )
        answer = m.VaultChecked(request_id, report)
        if m.fits(answer) or not faults:
            return answer
        del faults[len(faults) // 2 :]

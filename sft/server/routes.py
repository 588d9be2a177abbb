"""Which use case answers which request: one table.

A request without a route is a bug that a test finds; a use case carries its own permission
(``sft.service.use_case``). Transfers stand in the table with the use case that admits them; their
flows are ``sft.server.uploads`` and ``sft.server.downloads``; small files have ``sft.server.small_files``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import structs

from sft.errors import RequestError
from sft.limits import LIST_ENTRIES
from sft.model.access import Caller, Resource
from sft.model.evidence import Evidence
from sft.model.records import File, SessionInfo, TrashedFolder, VaultReport
from sft.server.context import ServerContext
from sft.server.server_status import live_of, status_of
from sft.service import (
    accounts,
    asked_rights,
    commits,
    destroying,
    downloads,
    expiry,
    files,
    folders,
    invitations,
    key_resets,
    keys,
    name_search,
    owners,
    quota_changes,
    receiving,
    sessions,
    settings,
    status,
    trash,
    trashed,
    uploads,
)
from sft.service.log import reading
from sft.service.maintenance import backups, check, growth, hooks, old_versions, purging, rebuild, rotation, row_keys
from sft.wire import messages as m

Fields = dict[str, Any]
FOUND: Final = "found"
NOTES_SHOWN: Final = 20  # of at most 2 KiB each: they fit one frame


@dataclass(frozen=True, slots=True)
class ReadRoute:
    """Answered from one read transaction; ``fields`` of the message are what the use case takes by these names."""

    use_case: Callable[..., Any]
    reply: Callable[[int, Any], m.Reply]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvedRoute:
    """As ``ReadRoute``, with evidence; the use case takes ``builder`` as well."""

    use_case: Callable[..., Any]
    reply: Callable[[int, Any, Evidence | None], m.Reply]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRoute:
    """As ``ReadRoute``, of the log itself: the use case takes the ledger too, and says under which head its proof is."""

    use_case: Callable[..., Any]
    reply: Callable[[int, Any], m.Reply]
    fields: Callable[[Any], Fields]


@dataclass(frozen=True, slots=True)
class ActRoute:
    """Done by the writer, answered once it is durable."""

    use_case: Callable[..., Any]
    item: Callable[[Caller, Any], Any]
    reply: Callable[[int, Any], m.Reply]


@dataclass(frozen=True, slots=True)
class JobRoute:
    """Allowed by a read, then done on the thread of maintenance, which may take hours; jobs one after the other.

    Attributes:
        rate: bytes of content that are read in a second at most; 0 for no limit.
        ends_with_session: a later one goes on where it was when its asker went away.
        apart: each job is about other things than those before it: what they did is added up.
    """

    jobs: Callable[[ServerContext, Any], list[tuple[Callable[..., Any], Fields]]]
    rate: Callable[[Any], int] = lambda _message: 0
    ends_with_session: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """About what only this process knows, such as live sessions: allowed by a read, answered at once, then ``after`` runs.

    Attributes:
        use_case: refuses; takes ``fields``, of what lives when it is asked.
        reply: made of the same fields, and of what the use case found: ``FOUND``.
    """

    use_case: Callable[..., Any]
    reply: Callable[[ServerContext, Any, Fields], m.Reply]
    fields: Callable[[ServerContext, Any], Fields] = lambda _context, _message: {}
    after: Callable[[ServerContext, Caller, Any, Fields], None] = lambda _context, _caller, _message, _live: None


@dataclass(frozen=True, slots=True)
class TransferRoute:
    """Has steps of its own: opens a flow, moves small files, shows as many files as one frame holds, adds up what is stored."""

    use_case: Callable[..., Any]


Route = ReadRoute | LogRoute | ProvedRoute | ActRoute | JobRoute | LiveRoute | TransferRoute


def _user_act(use_case: Callable[..., Any], item: Callable[[Caller, Any], Any]) -> ActRoute:
    return ActRoute(use_case, item, lambda id_, done: m.UserShown(id_, done.user, done.before, files_to=done.files_to))


def _moved(id_: int, moved: object) -> m.Reply:
    return m.FileShown(id_, moved) if isinstance(moved, File) else m.Done(id_)


def _restored(id_: int, restored: Any) -> m.Reply:
    return m.FileShown(id_, restored) if isinstance(restored, File) else m.FolderReturned(id_, restored)


def _trashed(id_: int, shown: File | TrashedFolder) -> m.Reply:
    return m.TrashedShown(id_, shown) if isinstance(shown, File) else m.TrashedShown(id_, folder=shown)


def _page(id_: int, page: Any) -> m.Reply:
    return m.FolderPage(id_, page)


def _wanted(message: m.ReadLog) -> Fields:
    fields = {name: getattr(message, name) for name in reading.WantedLeaves.__struct_fields__}
    return {"wanted": reading.WantedLeaves(**fields)}


def _rotation(context: ServerContext, message: m.RotateMasterKey) -> list[tuple[Callable[..., Any], Fields]]:
    """Change the master key; after a leak also every other key that opens something or makes MACs."""
    master: Fields = {"master_keys": context.master_keys}
    jobs: list[tuple[Callable[..., Any], Fields]] = [(rotation.rotate, master)]
    if message.reencrypt:
        # Before the first job begins.
        context.storage.vault.keyring.require_renewable()
        jobs += [(row_keys.renew_keys, {**master, "row_keys": context.row_keys}), (rotation.reencrypt, {})]
    return jobs


def _right(person: asked_rights.AskedPerson) -> m.Right:
    answer = person.answer
    said = (
        m.RefusedRight.of(answer)
        if isinstance(answer, RequestError)
        else m.GrantedRight(answer.ground.value, answer.owner)
    )
    return m.Right(person.user, person.role, person.state, said)


def _sessions(id_: int, live: list[SessionInfo]) -> m.Reply:
    """List as many as one frame holds, oldest first."""
    shown = live[:LIST_ENTRIES]
    while not m.fits(answer := m.SessionList(id_, tuple(shown))):
        del shown[len(shown) * 3 // 4 :]
    return answer


def _status(id_: int, context: ServerContext, busiest: int, stored: status.StoredStatus) -> m.Reply:
    """Say how the server is; with as many sessions as were asked for and one frame holds."""
    answer = m.StatusShown(id_, status_of(context, stored))
    if not busiest:
        return answer
    live = live_of(context, busiest)
    while not m.fits(answer := structs.replace(answer, live=live)):
        fewer, refusals = len(live.busiest) * 3 // 4, len(live.refusals) * 3 // 4
        live = structs.replace(live, busiest=live.busiest[:fewer], refusals=live.refusals[:refusals])
    return answer


def _whose(context: ServerContext, message: m.KickSession) -> Fields:
    session = context.sessions.find(message.session_id)
    return {"session": None if session is None else Resource(session.user_id)}


def _to_kick(context: ServerContext, message: m.KickSession, live: Fields) -> m.Reply:
    there = live["session"] is not None and context.sessions.find(message.session_id) is not None
    return m.Done(message.id, changed=there)


def _kick(context: ServerContext, by: Caller, message: m.KickSession, live: Fields) -> None:
    # Of a session that came with this number since, nobody has asked whose it is.
    if live["session"] is not None and context.sessions.kick(message.session_id, by.name):
        context.event_log.note("kick", session=by.session_id, by=by.name, kicked=message.session_id)


ROUTES: Final[Mapping[type[m.Request], Route]] = {
    # files
    m.ListFolder: ReadRoute(files.list_folder, _page, ("path", "cursor", "limit", "signatures")),
    m.ListTrash: ReadRoute(files.list_trash, m.TrashListed, ("cursor", "limit")),
    m.SearchNames: ReadRoute(name_search.search_names, m.NamesFound, ("words", "criteria", "cursor", "signatures")),
    m.ShowFile: ProvedRoute(
        files.show_file, lambda id_, file, evidence: m.FileShown(id_, file, evidence=evidence), ("path", "version")
    ),
    m.ShowFiles: TransferRoute(files.show_files),
    m.FindFiles: ReadRoute(files.find_files, lambda id_, found: m.FilesFound(id_, found.files, found.next), ("after",)),
    m.MakeFolder: ActRoute(
        folders.make_folder,
        lambda by, q: folders.MakeFolderInput(by, q.path, q.statement),
        lambda id_, made: m.Done(id_, changed=made),
    ),
    m.Move: ActRoute(folders.move, lambda by, q: folders.MoveInput(by, q.old, q.new, q.seen, q.statement), _moved),
    m.Delete: ActRoute(
        trash.delete, lambda by, q: trash.Deletion(by, q.path, q.recursive, q.seen, q.statement), m.FileDeleted
    ),
    m.ChangeOwner: ActRoute(
        owners.change_owner,
        lambda by, q: owners.ChangeOwnerInput(by, q.path, q.owner, q.seen, q.statement),
        m.OwnerChanged,
    ),
    m.Restore: ActRoute(trash.restore, lambda by, q: trash.Restoration(by, q.path, q.seen, q.statement), _restored),
    m.DestroyVersion: ActRoute(
        destroying.destroy_version,
        lambda by, q: destroying.VersionDestruction(by, q.path, q.file_id, q.version, q.statement),
        lambda id_, _: m.Done(id_),
    ),
    m.SetExpiry: ActRoute(
        expiry.set_expiry, lambda by, q: expiry.Expiry(by, q.path, q.file_id, q.expires_at, q.statement), m.FileShown
    ),
    m.DestroyTrashed: ActRoute(
        destroying.destroy_trashed,
        lambda by, q: destroying.TrashDestruction(by, q.path, q.seen, q.statement),
        m.TrashDestroyed,
    ),
    m.ShowTrashed: ReadRoute(trashed.show_trashed, _trashed, ("path",)),
    m.PutFiles: TransferRoute(commits.commit),
    m.GetFiles: TransferRoute(downloads.begin_many),
    m.BeginUpload: TransferRoute(uploads.begin),
    m.FindUpload: TransferRoute(uploads.find),
    m.GetFile: TransferRoute(downloads.begin),
    # the log
    m.ReadLog: LogRoute(reading.read_log, m.LogPage, _wanted),
    m.ReadRecord: ReadRoute(reading.read_record, m.RecordShown, ("number", "personal")),
    m.ConfirmReceived: ActRoute(
        receiving.confirm_received,
        lambda by, q: receiving.ReceivedInput(
            by, tuple((each.file_id, each.version) for each in q.versions), q.statement
        ),
        lambda id_, news: m.Done(id_, changed=news),
    ),
    m.ListReaders: ReadRoute(receiving.list_readers, m.ReadersListed, ("path", "after")),
    m.ProveLeaf: LogRoute(reading.prove_leaf, m.LeafProved, lambda q: {"number": q.number}),
    # people
    m.ShowSelf: ReadRoute(accounts.show_self, lambda id_, me: m.SelfShown(id_, me.user, me.server)),
    m.ListUsers: ProvedRoute(accounts.list_users, m.UserList, ("after",)),
    m.ShowUser: ProvedRoute(
        accounts.show_user, lambda id_, user, evidence: m.UserShown(id_, user, evidence=evidence), ("user_id", "name")
    ),
    m.AddUser: _user_act(
        accounts.add_user, lambda by, q: accounts.AddUserInput(by, q.name, q.role, q.public_key, q.device, q.statement)
    ),
    m.ChangeRole: _user_act(
        accounts.change_role, lambda by, q: accounts.ChangeRoleInput(by, q.name, q.role, q.statement)
    ),
    m.DisableUser: _user_act(accounts.disable, lambda by, q: accounts.DisableInput(by, q.name, q.statement)),
    m.EnableUser: _user_act(accounts.enable, lambda by, q: accounts.EnableInput(by, q.name, q.statement)),
    m.RemoveUser: _user_act(
        accounts.remove, lambda by, q: accounts.RemoveUserInput(by, q.name, q.files_to, q.statement)
    ),
    m.AddKey: _user_act(keys.add_key, lambda by, q: keys.AddKeyInput(by, q.public_key, q.device, q.statement)),
    m.RotateKey: _user_act(keys.rotate_key, lambda by, q: keys.RotateKeyInput(by, q.public_key, q.device, q.statement)),
    m.RevokeKey: _user_act(
        keys.revoke_key, lambda by, q: keys.RevokeKeyInput(by, q.public_key, q.reason, q.cut_off, q.statement)
    ),
    m.ResetKey: _user_act(
        keys.reset_key,
        lambda by, q: keys.ResetKeyInput(by, q.name, q.public_key, q.device, q.reason, q.cut_off, q.statement),
    ),
    m.OfferReset: ActRoute(
        key_resets.offer_reset,
        lambda by, q: key_resets.OfferResetInput(by, q.name, q.public_key, q.reason, q.cut_off, q.statement),
        lambda id_, made: m.InvitationShown(id_, made.invitation, made.server),
    ),
    m.ShowQuota: ReadRoute(quota_changes.show_quota, m.QuotaShown, ("name",)),
    m.ChangeQuota: _user_act(
        quota_changes.change_quota,
        lambda by, q: quota_changes.ChangeQuotaInput(by, q.name, q.size_bytes, q.files, q.statement),
    ),
    m.ExplainRight: ReadRoute(
        asked_rights.explain_right,
        lambda id_, person: m.RightExplained(id_, _right(person)),
        ("act", "about", "user", "size", "to"),
    ),
    m.ListAllowed: ReadRoute(
        asked_rights.list_allowed,
        lambda id_, page: m.AllowedListed(id_, tuple(map(_right, page.people)), page.next),
        ("act", "about", "size", "after", "to"),
    ),
    m.MakeInvitation: ActRoute(
        invitations.make,
        lambda by, q: invitations.MakeInvitationInput(by, q.public_key, q.role, q.name, q.seconds, q.statement),
        lambda id_, made: m.InvitationShown(id_, made.invitation, made.server),
    ),
    m.ListInvitations: ReadRoute(invitations.list_all, m.InvitationList),
    m.WithdrawInvitation: ActRoute(
        invitations.withdraw,
        lambda by, q: invitations.WithdrawInvitationInput(by, q.invitation_id, q.statement),
        lambda id_, changed: m.Done(id_, changed=changed),
    ),
    # the operator
    m.ShowServer: ReadRoute(settings.show_server, m.ServerShown),
    m.ListSessions: LiveRoute(
        sessions.list_sessions, lambda context, q, _: _sessions(q.id, context.sessions.describe())
    ),
    m.ShowStatus: LiveRoute(
        status.show_status,
        lambda context, q, found: _status(q.id, context, q.busiest, found[FOUND]),
        fields=lambda context, _: {"master_keys": context.master_keys},
    ),
    m.ShowConfiguration: LiveRoute(
        status.show_configuration, lambda context, q, _: m.ConfigurationShown(q.id, context.options)
    ),
    # After the answer: whoever ends their own session still hears that it was done.
    m.KickSession: LiveRoute(sessions.end_session, _to_kick, fields=_whose, after=_kick),
    m.ShowVault: TransferRoute(growth.show_vault),
    m.TestHook: TransferRoute(hooks.newest_hook_leaf),
    m.CheckVault: JobRoute(
        lambda _context, q: [(check.check, {"plan": check.CheckPlan(q.read_data, q.afresh)})],
        rate=lambda q: q.rate,
        ends_with_session=True,
    ),
    m.RebuildVault: JobRoute(lambda _context, q: [(rebuild.rebuild, {"export_to": q.export_to})]),
    m.RotateMasterKey: JobRoute(_rotation),
    m.BeginBackup: ActRoute(
        backups.begin_backup, lambda by, q: backups.BackupBeginning(by, q.epoch, q.settings), m.BackupBegun
    ),
    m.EndBackup: ActRoute(
        backups.end_backup,
        lambda by, q: backups.BackupEnd(by, q.objects, q.copied, q.size),
        lambda id_, done: m.Done(id_, changed=done),
    ),
    m.CollectTrash: JobRoute(
        lambda _context, q: [
            (purging.collect, {"clock_is_right": q.clock_is_right}),
            (old_versions.destroy_old_versions, {}),
        ],
        apart=True,
    ),
}


def joined(request_id: int, reports: Sequence[VaultReport], *, apart: bool = False) -> m.VaultChecked:
    """Answer with the reports of one job after another as one, with as many faults as a frame holds."""
    total_of: Callable[[Iterable[int]], int] = sum if apart else max
    faults = [fault for report in reports for fault in report.faults]
    total = len(faults) + sum(report.more_faults for report in reports)
    notes = tuple(note for report in reports for note in report.notes)[:NOTES_SHOWN]
    while True:
        report = VaultReport(
            files=total_of(report.files for report in reports),
            versions=total_of(report.versions for report in reports),
            bytes_checked=sum(report.bytes_checked for report in reports),
            faults=tuple(faults),
            more_faults=total - len(faults),
            notes=notes,
            sidecars_written=sum(report.sidecars_written for report in reports),
            sidecars_lacking=sum(report.sidecars_lacking for report in reports),
        )
        answer = m.VaultChecked(request_id, report)
        if m.fits(answer) or not faults:
            return answer
        del faults[len(faults) // 2 :]

"""Every act says what it did, by the events that it is registered with; one that did nothing says nothing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

import sft.service
from sft.crypto.keys import InvitationKey, SigningKey
from sft.crypto.statement import ActStatement
from sft.errors import RequestError
from sft.model import check_events, ending_events, events, hook_events, owner_events, quota_events
from sft.model.access import Role
from sft.model.events import DomainEvent
from sft.model.policy import ServerPolicy
from sft.model.records import KeyEnd
from sft.service import (
    accounts,
    commits,
    destroying,
    expiry,
    folders,
    invitations,
    key_resets,
    keys,
    login,
    login_failures,
    open_uploads,
    owners,
    quota_changes,
    receiving,
    settings,
    trash,
)
from sft.service.author_signature import parse_sidecar
from sft.service.files import show_file
from sft.service.log.restarting import Restart, restart_log
from sft.service.maintenance import (
    backups,
    clock,
    daily,
    damage,
    file_expiry,
    folder_hand_overs,
    growth,
    hand_overs,
    hooks,
    old_versions,
    positions,
    purging,
    rebuild,
    retention,
    rotation,
    row_keys,
    search_blocks,
    sidecars,
)
from sft.service.storage import DamagedContent, sealed_key_of
from sft.service.use_case import USE_CASES
from sft.store.row_types import CheckRow, UserRow, VersionRow
from sft.store.schema import VersionModel
from sft.store.statements import rows_of
from sft.store.trash import BEFORE_ALL_TRASH, folders_trashed_until, purging_folders, trashed_until
from tests.unit.service.service_fixture import (
    ADA,
    BEGAN,
    GUS,
    KEYRING,
    MAX,
    MIA,
    OPERATOR,
    SERVER_KEY,
    TRASH_SECONDS,
    ServiceFixture,
    file_id_of,
)
from tests.unit.service.test_receiving import begin_download, confirm, put_file

for _module in pkgutil.walk_packages(sft.service.__path__, "sft.service."):
    importlib.import_module(_module.name)

ACTS = {function: case for function, case in USE_CASES.items() if case.logs is not None}
LARGE = bytes(100_000)
NEW_KEY = b"k" * 32
FOLDER = 2  # the first that is made


def key_of(number: int) -> bytes:
    return SigningKey.from_seed(bytes([number]) * 32, bytes([number]) * 8).public.encode()


def invite(services: ServiceFixture, by: Any = ADA) -> int:
    wanted = invitations.MakeInvitationInput(by.caller, InvitationKey.generate().point)
    return services.act(invitations.make, wanted).invitation.id


# Each does an act so that it says all that it can.


def _join(services: ServiceFixture) -> None:
    point = InvitationKey.from_seed(bytes(32)).point
    services.act(key_resets.offer_reset, key_resets.OfferResetInput(ADA.caller, "gus", point, KeyEnd.RETIRED))
    services.act(login.join, login.JoinInput("gus", key_of(8), "laptop", point))
    services.act(settings.change_settings, settings.SettingsChange(registration=settings.Registration.OPEN))
    services.act(login.join, login.JoinInput("eva", key_of(9), "laptop"))


def _add_user(services: ServiceFixture) -> None:
    services.act(accounts.add_user, accounts.AddUserInput(ADA.caller, "eva", Role.GUEST, key_of(9)))


def _add_key(services: ServiceFixture) -> None:
    services.act(keys.add_key, keys.AddKeyInput(MAX.caller, key_of(9), "phone"))


def _rotate_key(services: ServiceFixture) -> None:
    services.act(keys.rotate_key, keys.RotateKeyInput(MAX.caller, key_of(9), "laptop"))


def _revoke_key(services: ServiceFixture) -> None:
    _add_key(services)
    services.act(keys.revoke_key, keys.RevokeKeyInput(MAX.caller, key_of(9), KeyEnd.RETIRED))


def _reset_key(services: ServiceFixture) -> None:
    services.act(keys.reset_key, keys.ResetKeyInput(ADA.caller, "max", key_of(9), "laptop", KeyEnd.RETIRED))


def _offer_reset(services: ServiceFixture) -> None:
    for number in (1, 2):  # the second makes the first one void
        point = InvitationKey.from_seed(bytes([number]) * 32).point
        services.act(key_resets.offer_reset, key_resets.OfferResetInput(ADA.caller, "max", point, KeyEnd.RETIRED))


def _reset_key_for_good(services: ServiceFixture) -> None:
    _offer_reset(services)
    _reset_key(services)


def _max_invites(services: ServiceFixture) -> None:
    services.change_user(MAX, role="admin")
    invite(services, MAX)


def _change_role(services: ServiceFixture) -> None:
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.GUEST))


def _disable(services: ServiceFixture) -> None:
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "max"))


def _enable(services: ServiceFixture) -> None:
    services.change_user(MAX, state="disabled")
    services.act(accounts.enable, accounts.EnableInput(ADA.caller, "max"))


def _remove(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.database.policy = ServerPolicy(quota_files=1)
    services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))


def _hand_over(services: ServiceFixture) -> None:
    _remove(services)
    services.act(hand_overs.hand_over, hand_overs.HandOver(OPERATOR, MAX.id, (1,)))


def _end_hand_over(services: ServiceFixture) -> None:
    _hand_over(services)
    services.act(hand_overs.note_hand_over_end, hand_overs.HandOverEnd(OPERATOR, MAX.id))


def _change_owner(services: ServiceFixture) -> None:
    services.put(MAX, "d/e/a", bytes(2))
    services.put(MAX, "b", bytes(8))
    services.database.policy = ServerPolicy(quota_bytes=10)
    for path in ("b", "d"):
        services.act(owners.change_owner, owners.ChangeOwnerInput(MAX.caller, path, "mia", services.seen(path)))


def _hand_over_below(services: ServiceFixture) -> None:
    _change_owner(services)
    services.act(
        folder_hand_overs.hand_over_below, folder_hand_overs.FolderHandOver(OPERATOR, FOLDER, (1, 2), (FOLDER + 1,))
    )


def _end_folder_hand_over(services: ServiceFixture) -> None:
    _hand_over_below(services)
    services.act(folder_hand_overs.note_folder_hand_over_end, folder_hand_overs.FolderHandOverEnd(OPERATOR, FOLDER))


def _withdraw(services: ServiceFixture) -> None:
    services.act(invitations.withdraw, invitations.WithdrawInvitationInput(ADA.caller, invite(services)))


def _first_admin(services: ServiceFixture) -> None:
    services.change_user(ADA, state="disabled")
    services.act(invitations.first_admin, invitations.FirstAdmin(InvitationKey.generate().point))


def _prepare(services: ServiceFixture) -> None:
    services.begin_anew()
    services.act(settings.prepare, settings.NewServer("x", "h:1", SERVER_KEY.public.point))


def _change_settings(services: ServiceFixture) -> None:
    services.act(settings.change_settings, settings.SettingsChange(address="h:2", server_key=b"k" * 32))


def _restart_log(services: ServiceFixture) -> None:
    root = services.log.ledger.tree.root()
    restart = Restart(origin="acme/sft/0/1", root=root, known="a head", known_epoch=1, reason="the disk died")
    services.act(restart_log, restart)


def _make_folder(services: ServiceFixture) -> None:
    services.act(folders.make_folder, folders.MakeFolderInput(MAX.caller, "d/e"))


def _move(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.act(folders.move, folders.MoveInput(MAX.caller, "d/a", "d/b"))
    services.act(folders.move, folders.MoveInput(MAX.caller, "d", "e"))


def _delete(services: ServiceFixture) -> None:
    for path in ("a", "d/a", "d/e/a"):
        services.put(MAX, path)
    services.act(trash.delete, trash.Deletion(MAX.caller, "a"))
    services.act(trash.delete, trash.Deletion(MAX.caller, "d", recursive=True))


def _restore(services: ServiceFixture) -> None:
    _delete(services)
    services.act(trash.restore, trash.Restoration(MAX.caller, "d/a", services.seen_in_trash(MAX.caller, "d/a")))
    services.act(trash.delete, trash.Deletion(MAX.caller, "d", recursive=True))
    services.act(trash.restore, trash.Restoration(MAX.caller, "d", services.seen_in_trash(MAX.caller, "d")))


def _destroy_trashed(services: ServiceFixture) -> None:
    _delete(services)
    for path in ("a", "d"):
        services.act(
            destroying.destroy_trashed,
            destroying.TrashDestruction(MAX.caller, path, services.seen_in_trash(MAX.caller, path)),
        )


def _destroy_version(services: ServiceFixture) -> None:
    _commit(services)
    item = destroying.VersionDestruction(MAX.caller, "d/a", file_id_of("d/a"), 1)
    services.act(destroying.destroy_version, item)


def _set_expiry(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    item = expiry.Expiry(MAX.caller, "a", file_id_of("a"), services.now + 1)
    services.act(expiry.set_expiry, item)


def _expire(services: ServiceFixture) -> None:
    _set_expiry(services)
    services.now += 1
    services.act(file_expiry.expire_page, file_expiry.ExpiredFiles(OPERATOR, (1,)))


def _destroy_old(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(versions_kept=1)
    _commit(services)
    services.act(old_versions.destroy_old, old_versions.OldVersions(OPERATOR, (1,)))


def _begin_purge(services: ServiceFixture) -> None:
    services.act(folders.make_folder, folders.MakeFolderInput(MAX.caller, "d"))
    services.act(trash.delete, trash.Deletion(MAX.caller, "d"))
    with services.reading() as reading:
        gone = [folder_id for _, folder_id in folders_trashed_until(reading, services.now, BEFORE_ALL_TRASH, 99)]
    services.act(purging.begin_purges, purging.PurgeFoldersInput(OPERATOR, services.now, tuple(gone)))


def _purge_folders(services: ServiceFixture) -> None:
    _begin_purge(services)
    with services.reading() as reading:
        gone = tuple(purging_folders(reading, 0, 99))
    services.act(purging.purge_folders, purging.PurgeFoldersInput(OPERATOR, services.now, gone))


def _trashed(services: ServiceFixture) -> tuple[int, ...]:
    with services.reading() as reading:
        return tuple(row_id for _, row_id in trashed_until(reading, services.now, BEFORE_ALL_TRASH, 99))


def _newest_version(services: ServiceFixture) -> VersionRow:
    with services.reading() as reading:
        row = reading.rows.first(rows_of(VersionRow, order_by=[VersionModel.file.desc()]))
    assert row is not None
    return row


def _purge(services: ServiceFixture) -> None:
    services.commit(services.stream(MAX, "large", LARGE))
    services.act(trash.delete, trash.Deletion(MAX.caller, "large"))
    services.act(purging.purge, purging.PurgeInput(OPERATOR, services.now + TRASH_SECONDS, _trashed(services)))


def _begin_backup(services: ServiceFixture) -> None:
    services.act(backups.begin_backup, backups.BackupBeginning(OPERATOR, 1, bytes(32)))


def _end_backup(services: ServiceFixture) -> None:
    services.act(backups.end_backup, backups.BackupEnd(OPERATOR, 3, 1, 4096))


def _make_search_block(services: ServiceFixture) -> None:
    services.put(MAX, "found")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 1)
        services.act(search_blocks.make_next, search_blocks.BlockAfter(OPERATOR, -1))


def _note_collection(services: ServiceFixture) -> None:
    services.now += 1
    services.act(daily.note_collection, daily.Collected(OPERATOR))


def _look_at_clock(services: ServiceFixture) -> None:
    for days, passed in ((0, services.now - BEGAN), (90, None), (0, None)):
        services.act(clock.look_at_clock, clock.ClockLook(OPERATOR, services.now + days * 86_400, passed))


def _believe_clock(services: ServiceFixture) -> None:
    services.act(clock.look_at_clock, clock.ClockLook(OPERATOR, services.now + 90 * 86_400, None))
    services.act(clock.believe_clock, clock.ClockBelief(OPERATOR, services.now + 90 * 86_400))


def _take_retention(services: ServiceFixture) -> None:
    for kept in (3, 10):
        options = (retention.ConfiguredNumber("versions_kept", kept),)
        services.act(retention.take_retention, retention.RetentionLook(OPERATOR, options))


def _give_back(services: ServiceFixture) -> None:
    for number in range(8):
        services.put(MAX, f"{number}", bytes(16_000))
        services.act(trash.delete, trash.Deletion(MAX.caller, f"{number}"))
    services.act(purging.purge, purging.PurgeInput(OPERATOR, services.now, _trashed(services)))
    assert services.act(daily.give_back, daily.GiveBack(OPERATOR, 0)) > 8


def _damage(services: ServiceFixture) -> damage.Damage:
    services.put(MAX, "a")
    row = _newest_version(services)
    return damage.Damage(DamagedContent(row.object_id, b"f" * 16, row.number, "a", "object 00 is missing"))


def _note_damage(services: ServiceFixture) -> None:
    assert services.act(damage.note_damage, _damage(services))


def _note_sidecar(services: ServiceFixture) -> None:
    services.act(sidecars.note_sidecar, sidecars.Written(OPERATOR, "there", 1, b"o" * 16, "it is missing"))


def _forget_damages(services: ServiceFixture) -> None:
    item = _damage(services)
    services.act(damage.note_damage, item)
    assert services.act(damage.forget_damages, damage.Mended((item.content.object_id,))) == 1


def _advance(services: ServiceFixture) -> None:
    row = services.act(positions.advance, positions.Advance(OPERATOR, CheckRow("check")))
    services.act(positions.advance, positions.Advance(OPERATOR, row, ended=True))


def _enlist(services: ServiceFixture) -> None:
    with services.transaction() as transaction:
        following = transaction.rows.next_id(UserRow)
    for number in (6, 7):
        author = rebuild.Author(following, "newcomer", key_of(number))
        services.act(rebuild.enlist, rebuild.Enlistment(OPERATOR, author))


def _adopt(services: ServiceFixture) -> None:
    changes: dict[str, Any] = {}
    for content in (LARGE, LARGE + b"x"):
        item = services.stream(MAX, "a", content, **changes)
        opened = services.vault.read_sidecar(item.object_id)
        assert opened is not None
        sidecar = parse_sidecar(opened.content)
        adoption = rebuild.Adoption(OPERATOR, services.storage, item.object_id, item.key, sidecar)
        assert services.act(rebuild.adopt, adoption)
        changes = {"file_id": item.signed.file_id, "version": 2, "prev": item.signed.digest}


def _end_purges(services: ServiceFixture) -> None:
    _purge(services)
    (gone,) = services.vault.ids()
    services.act(purging.end_purges, purging.EndPurgesInput(OPERATOR, (gone,)))


def _commit_near_a_quota(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(quota_files=1)
    _commit(services)


def _commit(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"one")
    services.replace(MAX, "d/a", b"two", services.ask(show_file, MAX, path="d/a"))


def _take_keys(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    row = _newest_version(services)
    services.vault.adopt(KEYRING.rotate(NEW_KEY))
    key = services.vault.keyring.rewrap(row.object_id, sealed_key_of(row))
    changed = replace(row, epoch=key.epoch, sealed_key=key.sealed)
    services.act(rotation.take_keys, rotation.Resealed(OPERATOR, (changed,)))


def _end_rotation(services: ServiceFixture) -> None:
    _take_keys(services)
    services.act(rotation.end_rotation, rotation.RotationEnd(OPERATOR, 2))


def _open_upload(services: ServiceFixture) -> None:
    services.act(open_uploads.open_uploads, open_uploads.OpenUpload(b"o" * 16, MAX.id, "a"))


def _end_upload(services: ServiceFixture) -> None:
    _open_upload(services)
    services.act(open_uploads.end_uploads, open_uploads.EndUpload(b"o" * 16))


def _note_segments(services: ServiceFixture) -> None:
    said = open_uploads.Resumable(b"u" * 16, MAX.id, b"f" * 16, 1, 40_000_000)
    services.act(open_uploads.open_uploads, open_uploads.OpenUpload(b"o" * 16, MAX.id, "a", resumable=said))
    key = services.vault.keyring.wrap(b"o" * 16, bytes(32))
    done = open_uploads.SegmentsDone(services.storage, b"o" * 16, 1, bytes(64), key)
    services.act(open_uploads.note_segments, done)


def _grow_upload(services: ServiceFixture) -> None:
    opened = open_uploads.OpenUpload(b"o" * 16, MAX.id, "a", owner_id=MAX.id, version=1, grows=True)
    services.act(open_uploads.open_uploads, opened)
    services.act(open_uploads.grow_uploads, open_uploads.GrowUpload(b"o" * 16, 1000))


def _resume_upload(services: ServiceFixture) -> None:
    _note_segments(services)
    services.act(open_uploads.resume_upload, open_uploads.ResumeUpload(MAX.caller, b"o" * 16, 1))


def _give_up_upload(services: ServiceFixture) -> None:
    _note_segments(services)
    services.act(open_uploads.give_up_uploads, open_uploads.GiveUp(b"o" * 16))


def _take_upload_keys(services: ServiceFixture) -> None:
    _note_segments(services)
    services.vault.adopt(KEYRING.rotate(NEW_KEY))
    key = services.vault.keyring.wrap(b"o" * 16, bytes(32))
    services.act(rotation.take_upload_keys, rotation.UploadsResealed(OPERATOR, {b"o" * 16: key}))


def _swap(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    row = _newest_version(services)
    services.act(rotation.swap, rotation.Swap(OPERATOR, services.storage, row, b"n" * 16, None))


def _renew_macs(services: ServiceFixture) -> None:
    services.act(row_keys.renew_macs, row_keys.RenewMacsInput(OPERATOR, 0, None))


def _end_renewal(services: ServiceFixture) -> None:
    services.act(row_keys.end_renewal, row_keys.EndRenewalInput(OPERATOR))


def _receive(services: ServiceFixture) -> None:
    version = put_file(services)
    begin_download(services, GUS, version)
    confirm(services, GUS, version)


def _note_login_failures(services: ServiceFixture) -> None:
    services.act(
        login_failures.note_login_failures, login_failures.LoginFailuresInput(OPERATOR, 1, 3, 2, ("192.0.2.1", "::/64"))
    )


def _advance_hook(services: ServiceFixture) -> None:
    services.act(hooks.change_hooks, hooks.NamedHooks(("chat",)))
    services.act(hooks.advance_hook, hooks.HookPosition("chat", 1_000))


EXAMPLES: dict[Any, Callable[[ServiceFixture], Any]] = {
    login.join: _join,
    login_failures.note_login_failures: _note_login_failures,
    accounts.add_user: _add_user,
    accounts.change_role: lambda services: (_max_invites(services), _change_role(services)),
    accounts.disable: lambda services: (_max_invites(services), _disable(services)),
    accounts.enable: _enable,
    quota_changes.change_quota: lambda services: services.act(
        quota_changes.change_quota, quota_changes.ChangeQuotaInput(ADA.caller, "max", 50, None)
    ),
    accounts.remove: lambda services: (_max_invites(services), _remove(services)),
    keys.add_key: _add_key,
    keys.rotate_key: _rotate_key,
    keys.revoke_key: _revoke_key,
    keys.reset_key: _reset_key_for_good,
    key_resets.offer_reset: _offer_reset,
    invitations.make: invite,
    invitations.withdraw: _withdraw,
    invitations.first_admin: _first_admin,
    settings.prepare: _prepare,
    settings.change_settings: _change_settings,
    restart_log: _restart_log,
    folders.make_folder: _make_folder,
    receiving.begin_downloads: lambda services: begin_download(services, GUS, put_file(services)),
    receiving.confirm_received: _receive,
    folders.move: _move,
    trash.delete: _delete,
    trash.restore: _restore,
    destroying.destroy_trashed: _destroy_trashed,
    destroying.destroy_version: _destroy_version,
    old_versions.destroy_old: _destroy_old,
    expiry.set_expiry: _set_expiry,
    file_expiry.expire_page: _expire,
    purging.purge: _purge,
    purging.begin_purges: _begin_purge,
    purging.purge_folders: _purge_folders,
    purging.end_purges: _end_purges,
    hand_overs.hand_over: _hand_over,
    hand_overs.note_hand_over_end: _end_hand_over,
    backups.begin_backup: _begin_backup,
    backups.end_backup: _end_backup,
    owners.change_owner: _change_owner,
    folder_hand_overs.hand_over_below: _hand_over_below,
    folder_hand_overs.note_folder_hand_over_end: _end_folder_hand_over,
    daily.note_collection: _note_collection,
    clock.look_at_clock: _look_at_clock,
    clock.believe_clock: _believe_clock,
    retention.take_retention: _take_retention,
    daily.give_back: _give_back,
    damage.note_damage: _note_damage,
    damage.forget_damages: _forget_damages,
    sidecars.note_sidecar: _note_sidecar,
    positions.advance: _advance,
    rebuild.enlist: _enlist,
    rebuild.adopt: _adopt,
    hooks.change_hooks: lambda services: services.act(hooks.change_hooks, hooks.NamedHooks(("chat",))),
    hooks.advance_hook: _advance_hook,
    search_blocks.make_next: _make_search_block,
    growth.note_growth: lambda services: growth.note_today(services.job_context),
    commits.commit: _commit_near_a_quota,
    open_uploads.open_uploads: _open_upload,
    open_uploads.end_uploads: _end_upload,
    open_uploads.note_segments: _note_segments,
    open_uploads.grow_uploads: _grow_upload,
    open_uploads.resume_upload: _resume_upload,
    open_uploads.give_up_uploads: _give_up_upload,
    rotation.take_keys: _take_keys,
    rotation.take_upload_keys: _take_upload_keys,
    rotation.end_rotation: _end_rotation,
    rotation.swap: _swap,
    row_keys.renew_macs: _renew_macs,
    row_keys.end_renewal: _end_renewal,
}


def test_every_act_has_an_example_and_declares_what_it_logs() -> None:
    assert set(EXAMPLES) == set(ACTS)
    assert all(case.logs for case in ACTS.values())


def test_every_event_is_some_acts() -> None:
    kinds = {
        kind
        for module in (events, check_events, ending_events, hook_events, owner_events, quota_events)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, DomainEvent) and kind not in {DomainEvent, events.StatedEvent}
    }
    assert {kind for case in ACTS.values() for kind in case.logs or ()} == kinds


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
def test_an_act_logs_all_that_it_declares(services: ServiceFixture, function: Any) -> None:
    # That it logs nothing else, and logs whenever it changes a row, the services looks at in every test.
    EXAMPLES[function](services)
    assert set(ACTS[function].logs or ()) <= {type(event) for event in services.events}


def _note_again(services: ServiceFixture) -> None:
    row = _newest_version(services)
    services.act(damage.note_damage, damage.Damage(DamagedContent(row.object_id, b"f" * 16, 1, "there", "other")))


REPEATED: dict[str, Callable[[ServiceFixture], Any]] = {
    "joining": _join,
    "adding a user": _add_user,
    "a role": _change_role,
    "disabling": _disable,
    "enabling": lambda services: services.act(accounts.enable, accounts.EnableInput(ADA.caller, "max")),
    "adding a key": _add_key,
    "resetting a key": _reset_key,
    "removing": lambda services: services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max")),
    "settings": _change_settings,
    "a folder": _make_folder,
    "moving to where it is": lambda services: services.act(
        folders.move, folders.MoveInput(MAX.caller, "there", "there")
    ),
    "the same bytes": lambda services: services.put(MAX, "there"),
    "purging": lambda services: services.act(purging.purge, purging.PurgeInput(OPERATOR, services.now, (1,))),
    "handing over": lambda services: services.act(hand_overs.hand_over, hand_overs.HandOver(OPERATOR, MAX.id, (1,))),
    "a file of theirs": lambda services: services.act(
        owners.change_owner, owners.ChangeOwnerInput(MAX.caller, "there", "max", services.seen("there"))
    ),
    "handing over a folder": lambda services: services.act(
        folder_hand_overs.hand_over_below, folder_hand_overs.FolderHandOver(OPERATOR, FOLDER, (1,))
    ),
    "a folder's hand-over that has ended": lambda services: services.act(
        folder_hand_overs.note_folder_hand_over_end, folder_hand_overs.FolderHandOverEnd(OPERATOR, FOLDER)
    ),
    "a hand-over that has ended": lambda services: services.act(
        hand_overs.note_hand_over_end, hand_overs.HandOverEnd(OPERATOR, MAX.id)
    ),
    "uploads that have ended": lambda services: services.act(
        open_uploads.end_uploads, open_uploads.EndUpload(b"o" * 16)
    ),
    "a damage that is known": _note_again,
    "damages that are none": lambda services: services.act(damage.forget_damages, damage.Mended((bytes(16),))),
    "purges that have ended": lambda services: services.act(
        purging.end_purges, purging.EndPurgesInput(OPERATOR, (bytes(16),))
    ),
}


@pytest.mark.parametrize("what", REPEATED)
def test_what_is_so_already_is_not_told_again(services: ServiceFixture, what: str) -> None:
    services.put(MAX, "there")
    REPEATED[what](services)
    services.events.clear()
    REPEATED[what](services)
    assert services.events == []


def test_a_withdrawn_or_known_invitation_is_not_told_again(services: ServiceFixture) -> None:
    wanted = invitations.MakeInvitationInput(ADA.caller, InvitationKey.generate().point)
    made = services.act(invitations.make, wanted).invitation
    gone = invitations.WithdrawInvitationInput(ADA.caller, made.id)
    assert services.act(invitations.withdraw, gone)
    services.events.clear()
    services.act(invitations.make, wanted)
    assert not services.act(invitations.withdraw, gone)
    assert services.events == []


def test_a_refused_item_says_nothing_and_the_others_are_told_in_order(services: ServiceFixture) -> None:
    items = [services.pend(GUS if n % 3 == 2 else MAX, f"f{n}", b"x") for n in range(9)]
    outcomes = services.act_each(commits.commit, *items)
    refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, RequestError)]
    assert refused == [2, 5, 8]
    told = [event.path for event in services.events if isinstance(event, events.FileCommitted)]
    assert told == [f"f{n}" for n in (0, 1, 3, 4, 6, 7)]


def plain(event: Any) -> DomainEvent:
    """Return an event without its statement, once that is there."""
    assert ActStatement.parse(event.statement_text.decode()).comment.user == event.by.user_id
    return replace(event, statement=b"", statement_text=b"")


def test_events_carry_what_a_record_needs(services: ServiceFixture) -> None:
    _commit(services)
    first, second = services.events
    seen = services.ask(show_file, MAX, path="d/a", version=1)
    now = services.ask(show_file, MAX, path="d/a")
    assert first == events.FileCommitted(by=MAX.caller, file_id=seen.id, path="d/a", size=3, digest=seen.version.digest)
    assert second == events.FileReplaced(
        by=MAX.caller,
        file_id=seen.id,
        path="d/a",
        version=2,
        size=3,
        digest=now.version.digest,
        prev=seen.version.digest,
    )
    services.events.clear()
    services.put(MIA, "d/e/b")
    services.act(trash.delete, trash.Deletion(ADA.caller, "d", recursive=True))
    assert plain(services.events[-1]) == events.FolderTrashed(by=ADA.caller, folder_id=2, path="d", files=2, folders=2)
    services.act(trash.restore, trash.Restoration(ADA.caller, "d", services.seen_in_trash(ADA.caller, "d")))
    assert plain(services.events[-1]) == events.FolderRestored(
        by=ADA.caller, folder_id=2, path="d", files=2, folders=2, trashed_at=services.now
    )


def test_who_removes_somebody_says_to_whom_the_files_went(services: ServiceFixture) -> None:
    _remove(services)
    assert plain(services.events[-1]) == events.UserRemoved(
        by=ADA.caller, user_id=MAX.id, name="max", files_to=ADA.id, files=1
    )

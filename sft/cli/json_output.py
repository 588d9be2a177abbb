"""The documents of ``--json``, of ``sft`` and ``sftd`` alike; ``JSON.md`` declares their shapes, and a test compares.

Rules. A thing has the same name everywhere. Times are UTC, sizes bytes, durations seconds, digests ``blake2b512:hex``; what is
not there is null. Fields may be added; none changes its meaning. Texts of peers stand here exactly as they came: the console
escapes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sft.client.profiles import Profile
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.model.records import (
    Deleted,
    DeviceKey,
    File,
    FileReader,
    FileVersion,
    Invitation,
    LastCheck,
    OwnerChange,
    QuotaUsage,
    RestoredFolder,
    SessionInfo,
    TrashedFolder,
    User,
    VaultReport,
    VaultStatus,
)
from sft.model.text import utc_time

if TYPE_CHECKING:
    from sft.client.witnessed import LogStanding

Document = dict[str, Any]


def file_document(file: File, signature: str = "not looked at") -> Document:
    """Return a file; ``signature`` is what this computer knows of it."""
    version = file.version
    return {
        "id": file.id.hex(),
        "path": file.path,
        "size": version.size,
        "version": version.number,
        "author": version.author,
        "signed_as": version.signed_name,
        "owner": file.owner,
        "created_at": utc_time(version.stored_at),
        "dated_at": utc_time(version.dated_at),
        "digest": digest_text(version.digest),
        "signature": signature,
        "deleted_at": _time(file.trashed_at),
        "restorable_until": _time(file.trash_ends_at),
        "expires_at": _time(file.expires_at),
    }


def file_details_document(
    file: File, says: str, signature: str = "not looked at", first_seen_at: int | None = None, leaf: int | None = None
) -> Document:
    version = file.version
    return {
        **file_document(file, signature),
        **key_document(PublicKey.decode_or_none(version.public_key)),
        "key_first_seen_at": _time(first_seen_at),
        "log": leaf,
        "minisig": version.signature.decode("ascii", "replace"),
        "says": says,
    }


def version_document(version: FileVersion) -> Document:
    return {
        "version": version.number,
        "author": version.author,
        "size": version.size,
        "created_at": utc_time(version.stored_at),
        "digest": digest_text(version.digest),
        "log": version.leaf,
        "destroyed_at": _time(version.destroyed_at),
        "destroyed_by": version.destroyed_by,
    }


def reader_document(reader: FileReader) -> Document:
    grade = "verified" if reader.received_leaf is not None else "sent" if reader.version else None
    return {
        "user": reader.name,
        "state": reader.state.value,
        "version": reader.version or None,
        "grade": grade,
        "begun": reader.begun_leaf,
        "received": reader.received_leaf,
    }


def deleted_document(deleted: Deleted) -> Document:
    return {
        "path": deleted.path,
        "files": deleted.files,
        "folders": deleted.folders,
        "restorable_until": utc_time(deleted.trash_ends_at),
        "error": None,
    }


def owner_document(change: OwnerChange) -> Document:
    return {
        "path": change.path,
        "owner": change.owner,
        "before": change.before,
        "files": change.files,
        "folders": change.folders,
        "changed": change.changed,
        "error": None,
    }


def trash_document(deleted: TrashedFolder | File) -> Document:
    """Return what lies in the trash: a file, or a folder as one thing."""
    if isinstance(deleted, File):
        return {
            "path": deleted.path,
            "kind": "file",
            "files": 1,
            "folders": 0,
            "deleted_at": _time(deleted.trashed_at),
            "deleted_by": deleted.trashed_by,
            "restorable_until": _time(deleted.trash_ends_at),
            "file": file_document(deleted),
        }
    return {
        "path": deleted.path,
        "kind": "folder",
        "files": deleted.files,
        "folders": deleted.folders,
        "deleted_at": utc_time(deleted.trashed_at),
        "deleted_by": deleted.trashed_by,
        "restorable_until": utc_time(deleted.trash_ends_at),
        "file": None,
    }


def restored_document(restored: RestoredFolder | File) -> Document:
    if isinstance(restored, File):
        return {"path": restored.path, "files": 1, "folders": 0, "file": file_document(restored)}
    return {"path": restored.path, "files": restored.files, "folders": restored.folders, "file": None}


def key_document(public: PublicKey | None) -> Document:
    if public is None:
        return {"key_words": None, "minisign_key": None}
    return {"key_words": public.words(), "minisign_key": public.text()}


def user_document(user: User) -> Document:
    return {
        "id": user.id,
        "user": user.name,
        "role": user.role.value,
        "state": user.state.value,
        "created_at": utc_time(user.created_at),
        **owned_document(user),
        "devices": [device_document(key) for key in user.keys],
    }


def owned_document(owned: User | QuotaUsage) -> Document:
    """Return how much somebody owns, or all together, and may own."""
    return {
        "files": owned.files,
        "bytes": owned.bytes_stored,
        "quota_files": owned.quota_files,
        "quota_bytes": owned.quota_bytes,
    }


def invitation_document(invitation: Invitation) -> Document:
    """Return an invitation, without its secret."""
    return {
        "id": invitation.id,
        "user": invitation.name,
        "role": invitation.role.value,
        "state": invitation.state.value,
        "maker": invitation.maker,
        "created_at": utc_time(invitation.created_at),
        "expires_at": utc_time(invitation.expires_at),
        "used_by": invitation.used_by,
        "used_at": _time(invitation.used_at),
        "resets": invitation.resets,
    }


def session_document(session: SessionInfo) -> Document:
    return {
        "id": session.id,
        "user": session.user,
        "role": session.role,
        "address": session.address,
        "since_at": utc_time(session.since_at),
        "doing": session.doing,
    }


def profile_document(
    profile: Profile,
    default: str | None,
    *,
    user: str | None = None,
    role: str | None = None,
    log: LogStanding | None = None,
    owned: User | None = None,
) -> Document:
    """Return a server as this computer knows it.

    Args:
        default: the profile that is used when none is named.
        user, role: what the server says now, if it was asked.
        log: how far its log is witnessed, if that was looked at.
        owned: whose files there are, if the server was asked.
    """
    said = None
    if log is not None:
        from sft.cli.witnessed_output import log_json

        said = log_json(log)
    return {
        "profile": profile.name,
        "server": profile.server_name,
        "address": profile.address,
        "user": user or (profile.user_name if profile.joined else None),
        "role": role or profile.role or None,
        "device": profile.device,
        "default": profile.name == default,
        **key_document(profile.key),
        "server_key_words": profile.server.words(),
        "log": said,
        "owned": None if owned is None else owned_document(owned),
    }


def vault_document(report: VaultReport) -> Document:
    return {
        "files": report.files,
        "versions": report.versions,
        "bytes": report.bytes_checked,
        "faults": [{"what": each.what, "problem": each.problem} for each in report.faults],
        "more_faults": report.more_faults,
        "notes": [note.text for note in report.notes],
        "sidecars_written": report.sidecars_written,
        "sidecars_lacking": report.sidecars_lacking,
    }


def vault_status_document(status: VaultStatus) -> Document:
    return {
        "current_bytes": status.current_bytes,
        "older_bytes": status.older_bytes,
        "trash_bytes": status.trash_bytes,
        "free_bytes": status.free_bytes,
        "daily_growth_bytes": status.daily_growth_bytes,
        "days_until_full": status.days_until_full,
        "damaged": status.damaged,
        "check": _check_document(status.check),
        "scrub": _check_document(status.scrub),
    }


def _check_document(walk: LastCheck) -> Document:
    return {
        "began_at": _time(walk.began_at),
        "versions": walk.versions,
        "bytes": walk.bytes_read,
        "ended_at": _time(walk.ended_at),
        "ended_versions": walk.ended_versions,
        "ended_bytes": walk.ended_bytes,
        "ended_faults": walk.ended_faults,
    }


def device_document(key: DeviceKey) -> Document:
    return {
        "device": key.device,
        **key_document(PublicKey.decode_or_none(key.public_key)),
        "added_at": utc_time(key.added_at),
        "ended_at": _time(key.ended_at),
        "end_reason": None if key.end_reason is None else key.end_reason.value,
        "stolen_since": key.cut_off_leaf,
        "endorsed": bool(key.endorsement),
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else utc_time(seconds)

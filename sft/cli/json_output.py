"""The JSON shapes of ``--json``: times in UTC, sizes and seconds as numbers, digests as ``blake2b512:hex``.

Rules. Fields may be added; none changes its meaning. Texts of peers stand here exactly as they came: the console escapes them.
"""

from __future__ import annotations

from typing import Any

from sft.client.profiles import Profile
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.model.records import DeviceKey, File, Folder, Invitation, User
from sft.model.text import utc_time

Document = dict[str, Any]


def file_document(file: File, signature: str) -> Document:
    """Describe a file; ``signature`` is what this computer knows of it."""
    version = file.version
    return {
        "path": file.path,
        "size": version.size,
        "version": version.number,
        "author": version.author,
        "owner": file.owner,
        "created_at": utc_time(version.stored_at),
        "dated_at": utc_time(version.dated_at),
        "digest": digest_text(version.digest),
        "signature": signature,
    }


def trashed_document(file: File, signature: str) -> Document:
    """Describe a deleted file."""
    document = file_document(file, signature)
    document["deleted_at"] = _time(file.trashed_at)
    document["restorable_until"] = _time(file.trash_ends_at)
    return document


def folder_document(folder: Folder) -> Document:
    """Describe a folder."""
    return {
        "path": folder.path,
        "files": folder.files,
        "folders": folder.folders,
        "created_at": utc_time(folder.created_at),
    }


def key_document(public: PublicKey) -> Document:
    """Describe a public key: its words, and minisign's text."""
    return {"key_words": public.words(), "minisign_key": public.text()}


def user_document(user: User) -> Document:
    """Describe a person."""
    return {
        "user": user.name,
        "role": user.role.value,
        "state": user.state.value,
        "created_at": utc_time(user.created_at),
        "files": user.files,
        "bytes": user.bytes_stored,
        "devices": [_device(key) for key in user.keys],
    }


def invitation_document(invitation: Invitation) -> Document:
    """Describe an invitation, without its secret."""
    return {
        "id": invitation.id,
        "name": invitation.name,
        "role": invitation.role.value,
        "limit": None,
        "state": invitation.state.value,
        "maker": invitation.maker,
        "created_at": utc_time(invitation.created_at),
        "expires_at": utc_time(invitation.expires_at),
        "used_by": invitation.used_by,
        "used_at": _time(invitation.used_at),
    }


def self_document(profile: Profile, user: str, role: str) -> Document:
    """Describe who we are on a server."""
    return {
        "profile": profile.name,
        "server": profile.server_name,
        "address": profile.address,
        "user": user,
        "role": role,
        "device": profile.device,
        **key_document(profile.key),
        "server_key_words": profile.server.words(),
    }


def _device(key: DeviceKey) -> Document:
    return {
        "device": key.device,
        **key_document(PublicKey.decode(key.public_key)),
        "added_at": utc_time(key.added_at),
        "ended_at": _time(key.ended_at),
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else utc_time(seconds)

"""What a client may send so that something ends before the whole file does, or before its time: requests as all others."""

from __future__ import annotations

from sft.model.records import Bytes16, PathText, Seconds, StatementBytes, TrashSeen, VersionNumber
from sft.wire.requests import Request


class DestroyVersion(Request, frozen=True, tag=8):
    """Destroy the content of one version of a file that is not its newest; what is known of it stays."""

    path: PathText
    file_id: Bytes16
    version: VersionNumber
    statement: StatementBytes = b""


class ShowTrashed(Request, frozen=True, tag=37):
    """What was last deleted from a path, or lay there in a folder that was: for Restore and DestroyTrashed to name."""

    path: PathText


class DestroyTrashed(Request, frozen=True, tag=19):
    """Destroy what was seen in the trash at a path, before its time."""

    path: PathText
    seen: TrashSeen
    statement: StatementBytes = b""


class SetExpiry(Request, frozen=True, tag=36):
    """Say when a file goes to the trash by itself; None is never."""

    path: PathText
    file_id: Bytes16
    expires_at: Seconds | None
    statement: StatementBytes = b""


class CollectTrash(Request, frozen=True, tag=45):
    """Destroy what has been in the trash for its time; ``clock_is_right`` ends a doubt of the server's clock."""

    clock_is_right: bool = False

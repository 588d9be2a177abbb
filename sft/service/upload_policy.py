"""May this file be stored here? The one judgment that an upload's beginning and its commit share.

Rules. Nothing is read here: the caller has loaded the place and the newest version, at the beginning of an upload from a
snapshot, in the commit inside the writing transaction. The same bytes by the same author at the same path are stored already,
whatever version was meant, so that a retry is never a conflict.
"""

from __future__ import annotations

from msgspec import Struct

from sft.errors import BadRequestError, ChangedSinceError
from sft.model.access import Caller, Permission
from sft.service.path_lookup import ResolvedPath, nothing_at
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right
from sft.store.row_types import VersionRow


class Put(Struct, frozen=True):
    """What is to be stored.

    Attributes:
        file_id: drawn by the author of version 1.
        version: the version that the author saw, plus one.
        prev: digest of that version; None for version 1, and while it is not yet known.
        digest: of the content; None while it is not yet known.
    """

    file_id: bytes
    version: int
    prev: bytes | None = None
    digest: bytes | None = None


def check_upload(
    record_builder: RecordBuilder,
    caller: Caller,
    place: ResolvedPath,
    newest: VersionRow | None,
    put: Put,
    *,
    id_is_known: bool,
) -> VersionRow | None:
    """Decide whether a version may be stored at a place.

    Args:
        record_builder: names people in refusals.
        caller: the author, read in this transaction.
        place: where it goes.
        newest: version of the file that is there; None where none is.
        put: what is to be stored.
        id_is_known: some file has this id, here or elsewhere.

    Returns:
        The newest version if it has this very content already; else None: go on.

    Raises:
        RequestError: the rule that refuses.
    """
    file = place.file
    if file is None or newest is None:
        place.require_free()
        if put.version != 1:
            raise nothing_at(place.path)
        if id_is_known:
            raise BadRequestError(problem="another file has this id")
        return None
    if put.digest == newest.digest and newest.author_id == caller.user_id:
        return newest
    if put.version == 1:
        raise record_builder.exists(place.path, newest)
    require_right(
        record_builder, caller, Permission.FILE_WRITE, file, verb="replace", path=place.path
    )
    if put.file_id != file.file_id or put.version != newest.number + 1 or _differs(put, newest):
        raise ChangedSinceError(
            path=place.path,
            author=record_builder.name_of(newest.author_id),
            version=newest.number,
            seen=put.version - 1,
        )
    return None


def _differs(put: Put, newest: VersionRow) -> bool:
    """Tell whether the author saw another content; nobody has said so before the content is known."""
    return put.digest is not None and put.prev != newest.digest

"""Requests about the trash, one function each; refusals are raised.

Rules. A listing is of the last deleted first, over all its pages. What is brought back or destroyed is what was shown, and
nothing else of that name: both are signed with the file's id and version, or the folder's number and what is in it, and with
the moment at which it went there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sft.client.api import Requester
from sft.client.api.files import NO_ENTRY, Total
from sft.client.freshness import logged_of, require_in_log
from sft.errors import RemoteProtocolError
from sft.model.records import Destroyed, File, FileSeen, RestoredFolder, TrashedFolder, TrashSeen
from sft.model.seen_fields import trash_fields
from sft.wire.messages import (
    DestroyTrashed,
    FileShown,
    FolderReturned,
    ListTrash,
    Restore,
    ShowTrashed,
    TrashDestroyed,
    TrashedShown,
    TrashListed,
)


def trash_seen(deleted: TrashedFolder | File) -> TrashSeen:
    """Return what is said of something that the trash was shown to hold, to decide about that and nothing else."""
    if isinstance(deleted, File):
        return TrashSeen(deleted.trashed_at or 0, FileSeen(deleted.id, deleted.version.number))
    return TrashSeen(deleted.trashed_at, None, deleted.id, deleted.files, deleted.folders)


async def show_trashed(session: Requester, path: str) -> TrashedFolder | File:
    """Show what was deleted last from a path, by itself or with a folder above it.

    Raises:
        RemoteProtocolError: something else is shown.
    """
    answer = await session.request(ShowTrashed, TrashedShown, path=path)
    shown = answer.file or answer.folder
    if shown is None or (answer.file and answer.folder) or shown.path != path or shown.trashed_at is None:
        raise RemoteProtocolError("the server showed something else than was asked for")
    return shown


async def restore(session: Requester, path: str, seen: TrashSeen) -> File | RestoredFolder:
    """Bring back what was seen in the trash at a path: a file, or a folder with all in it."""
    statement = session.sign_act("restore", **trash_fields(seen), path=path)
    answer: FileShown | FolderReturned = await session.request(
        Restore, (FileShown, FolderReturned), path=path, seen=seen, statement=statement
    )
    return answer.file if isinstance(answer, FileShown) else answer.folder


async def destroy_trashed(session: Requester, path: str, seen: TrashSeen) -> Destroyed:
    """Destroy what was seen in the trash at a path: a file, or a folder with all in it. Nothing brings it back."""
    statement = session.sign_act("destroy", **trash_fields(seen), path=path)
    answer = await session.request(DestroyTrashed, TrashDestroyed, path=path, seen=seen, statement=statement)
    return answer.destroyed


async def list_trash(session: Requester) -> list[TrashedFolder | File]:
    """List the trash, the last deleted first: folders, and the files that the caller may restore.

    Raises:
        RemoteProtocolError: something follows what was deleted before it.
    """
    return [entry async for page in _trash_pages(session) for entry in page]


async def last_deleted(session: Requester, path: str, ends_at: int) -> TrashedFolder | File | None:
    """Return what was deleted last from a path, of what leaves the trash at a moment or later; None if there is none.

    Raises:
        RemoteProtocolError: as ``list_trash``.
    """
    async for page in _trash_pages(session):
        for entry in page:
            if (entry.trash_ends_at or 0) < ends_at:
                return None
            if entry.path == path:
                return entry
    return None


async def _trash_pages(session: Requester) -> AsyncIterator[list[TrashedFolder | File]]:
    last: list[TrashedFolder | File] = []
    cursor, total = "", Total(session)
    while True:
        page = (await session.request(ListTrash, TrashListed, cursor=cursor)).page
        await require_in_log(session, logged_of(page.files))
        _require_order([*last, *page.folders])
        _require_order([*last, *page.files])
        entries: list[TrashedFolder | File] = [*page.folders, *page.files]
        entries.sort(key=_deleted_at, reverse=True)
        total.add(len(entries))
        yield entries
        last, cursor = entries[-1:], page.next
        if not cursor:
            return
        if not entries:
            raise RemoteProtocolError(NO_ENTRY)


def _require_order(trash: Sequence[TrashedFolder | File]) -> None:
    moments = [_deleted_at(each) for each in trash]
    if moments != sorted(moments, reverse=True):
        raise RemoteProtocolError("a trash that is out of order")


def _deleted_at(deleted: TrashedFolder | File) -> int:
    return deleted.trashed_at or 0

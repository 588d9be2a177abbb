"""Requests about files and folders, one function each; refusals are raised.

Rules. One file is shown as the server's log has it, where there is one; a listing is not proved. What is shown is what was
asked for: a server that shows another file, or lists in a folder what does not lie in it, breaks the protocol. Its names
decide where a download goes. No listing is endless: folders, then files ascend in the order of folded names, a page that is
not the last holds something, a folder holds little more than its parent announced (others may add to it meanwhile), and what
is asked for at once ends at a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from sft.client.api import Requester
from sft.client.freshness import logged_of, require_in_log
from sft.client.proved import ProvedState
from sft.errors import ListingTooLongError, NotFoundError, RemoteProtocolError, RequestError
from sft.limits import ADDED_MEANWHILE, LISTED_AT_ONCE
from sft.model.evidence import Evidence
from sft.model.names import fold, split_path
from sft.model.records import Deleted, File, FileReader, FileSeen, Folder, OwnerChange, Page
from sft.model.seen_fields import seen_fields
from sft.model.text import shown_name
from sft.wire.messages import (
    ChangeOwner,
    Delete,
    DestroyVersion,
    Done,
    FileDeleted,
    FileShown,
    FilesShown,
    FolderPage,
    ListFolder,
    ListReaders,
    MakeFolder,
    Move,
    OwnerChanged,
    ReadersListed,
    RefusedFile,
    Reply,
    SetExpiry,
    ShowFile,
    ShowFiles,
)

NO_ENTRY: Final = "a page without an entry that is not the last"


class Total:
    """How much was listed for one question; ListingTooLongError beyond a million."""

    def __init__(self, session: Requester, most: int = LISTED_AT_ONCE) -> None:
        self._server = session.server_name
        self._most = most
        self._count = 0

    def add(self, entries: int) -> None:
        self._count += entries
        if self._count > self._most:
            raise ListingTooLongError(server=self._server, limit=self._most)


async def list_readers(session: Requester, path: str) -> list[FileReader]:
    """List who downloaded a file and who did not, in order of joining.

    Raises:
        NotYoursError: it is another's, and we are no admin.
        RemoteProtocolError: ids do not ascend, or a page goes on after another person than its last.
        ListingTooLongError: it does not end within a million.
    """
    readers: list[FileReader] = []
    after, total = 0, Total(session)
    while True:
        page = (await session.request(ListReaders, ReadersListed, path=path, after=after)).page
        total.add(len(page.readers))
        ids = [each.user_id for each in page.readers]
        if ids != sorted(set(ids)) or (ids and ids[0] <= after):
            raise RemoteProtocolError("a list of readers that begins again")
        readers.extend(page.readers)
        if not page.next:
            return readers
        if page.next < max(ids, default=after + 1):
            raise RemoteProtocolError("a list of readers that goes on before its end")
        after = page.next


class Listing(Struct):
    """Folders and files, each in the server's order."""

    folders: list[Folder] = field(default_factory=list)
    files: list[File] = field(default_factory=list)


async def list_page(
    session: Requester, path: str, cursor: str = "", *, signatures: bool = False
) -> tuple[Listing, str]:
    """List one page of a folder (``""`` is the root).

    Returns:
        The page, and the cursor of the next one; empty at the end.

    Raises:
        RemoteProtocolError: something is listed that does not lie there, or is not in order.
    """
    return await _page(session, path, cursor, _Order(path), signatures=signatures)


async def list_folder(
    session: Requester,
    path: str,
    *,
    signatures: bool = False,
    announced: Folder | None = None,
    total: Total | None = None,
) -> Listing:
    """List one folder, all pages of it.

    Args:
        announced: the folder as its parent's listing showed it.
        total: counts it together with others.

    Raises:
        RemoteProtocolError: as ``list_page``, over all pages; or more is listed than was announced.
        ListingTooLongError: it does not end within a million.
    """
    total = total or Total(session)
    order = _Order(path)
    listing, cursor = Listing(), ""
    while True:
        page, cursor = await _page(session, path, cursor, order, signatures=signatures)
        total.add(len(page.folders) + len(page.files))
        listing.folders.extend(page.folders)
        listing.files.extend(page.files)
        if announced is not None:
            _require_few(listing, announced)
        if not cursor:
            return listing


async def _page(session: Requester, path: str, cursor: str, order: _Order, *, signatures: bool) -> tuple[Listing, str]:
    answer = await session.request(ListFolder, FolderPage, path=path, cursor=cursor, signatures=signatures)
    page = answer.page
    order.take(page)
    await require_in_log(session, logged_of(page.files))
    return Listing(list(page.folders), list(page.files)), page.next


async def show_file(session: Requester, path: str, version: int = 0) -> File:
    """Show one file with its signature, version 0 being the newest.

    Raises:
        RemoteProtocolError: another one is shown.
        LedgerError: the log does not have it so.
    """
    file, evidence = await show_proved(session, path, version)
    if session.log is not None:
        ProvedState(session.log, evidence, f"what it says of {shown_name(path)}").file(file)
    return file


async def show_files(session: Requester, paths: Sequence[str]) -> tuple[list[File | RequestError], Evidence | None]:
    """Show the first so many of several files, one at least, with their signatures, and what proves them: the caller checks it.

    Raises:
        RemoteProtocolError: another one is shown.
    """
    answer = await session.request(ShowFiles, FilesShown, paths=tuple(paths))
    if len(answer.results) > len(paths):
        raise RemoteProtocolError(f"{len(answer.results)} results for {len(paths)} files")
    shown: list[File | RequestError] = []
    for path, result in zip(paths, answer.results, strict=False):
        if isinstance(result, RefusedFile):
            shown.append(RequestError.from_wire(result.code, result.values, result.ref))
        else:
            shown.append(_as_asked(result.file, path, 0))
    return shown, answer.evidence


async def show_proved(session: Requester, path: str, version: int = 0) -> tuple[File, Evidence | None]:
    """Show one file as ``show_file`` does, and what proves it: the caller checks that."""
    answer = await session.request(ShowFile, FileShown, path=path, version=version)
    return _as_asked(answer.file, path, version), answer.evidence


def _as_asked(file: File, path: str, version: int) -> File:
    if file.path != path or version not in {0, file.version.number}:
        raise RemoteProtocolError("the server showed another file than was asked for")
    return file


async def show_with_receipt(session: Requester, path: str, version: int = 0) -> tuple[File, str, Evidence | None]:
    """Show one of our own files as ``show_file`` does, and have the server acknowledge it once more.

    Raises:
        RemoteProtocolError: another file or version is shown.
    """
    answer = await session.request(ShowFile, FileShown, path=path, version=version, receipt=True)
    return _as_asked(answer.file, path, version), answer.receipt, answer.evidence


async def make_folder(session: Requester, path: str) -> bool:
    """Make a folder and those above it; False if it was there already."""
    statement = session.sign_act("make-folder", path=path)
    return (await session.request(MakeFolder, Done, path=path, statement=statement)).changed


async def move(session: Requester, old: str, new: str) -> File | None:
    """Move a file or folder to another path, and return the file; None for a folder.

    A file is looked at first: what is signed names which one it is, and its newest version.
    """
    seen = await _seen(session, old)
    statement = session.sign_act("move", **seen_fields(seen), old=old, new=new)
    answer: Reply = await session.request(Move, (FileShown, Done), old=old, new=new, seen=seen, statement=statement)
    return answer.file if isinstance(answer, FileShown) else None


async def change_owner(session: Requester, path: str, owner: str) -> OwnerChange:
    """Hand over a file, or a folder with all in it, to somebody by name; a file is looked at first, as for ``move``."""
    seen = await _seen(session, path)
    statement = session.sign_act("owner", **seen_fields(seen), path=path, owner=owner)
    answer = await session.request(ChangeOwner, OwnerChanged, path=path, owner=owner, seen=seen, statement=statement)
    return answer.change


async def _seen(session: Requester, path: str) -> FileSeen | None:
    """Look at the file at a path, which a statement is to name; None where there is none, but perhaps a folder."""
    try:
        file = await show_file(session, path)
    except NotFoundError:
        return None
    return FileSeen(file.id, file.version.number)


async def delete(session: Requester, path: str, *, recursive: bool = False, seen: FileSeen | None = None) -> Deleted:
    """Move a file, or with ``recursive`` a folder and all in it, to the trash; with ``seen`` only that file and version."""
    statement = session.sign_act("delete", path=path, recursive=recursive, **seen_fields(seen))
    answer = await session.request(Delete, FileDeleted, path=path, recursive=recursive, seen=seen, statement=statement)
    return answer.deleted


async def destroy_version(session: Requester, path: str, file_id: bytes, number: int) -> None:
    """Destroy the content of an older version of a file that was shown; what is known of it stays."""
    statement = session.sign_act("destroy-version", file=file_id, version=number, path=path)
    await session.request(DestroyVersion, Done, path=path, file_id=file_id, version=number, statement=statement)


async def set_expiry(session: Requester, path: str, file_id: bytes, expires_at: int | None) -> File:
    """Say when a file that was shown goes to the trash by itself, in Unix seconds; None is never."""
    statement = session.sign_act("expire", file=file_id, path=path, expires_at=expires_at or 0)
    answer = await session.request(
        SetExpiry, FileShown, path=path, file_id=file_id, expires_at=expires_at, statement=statement
    )
    return answer.file


class _Order:
    """What a listing of a folder has shown last: what follows must lie in that folder, and come later."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._last_folder = ""
        self._last_file = ""

    def take(self, page: Page) -> None:
        """Refuse a page that does not go on."""
        if page.next and not (page.folders or page.files):
            raise RemoteProtocolError(NO_ENTRY)
        if page.folders and self._last_file:
            raise RemoteProtocolError("a listing shows folders after files")
        for folder in page.folders:
            self._last_folder = self._later(folder.path, self._last_folder)
        for file in page.files:
            self._last_file = self._later(file.path, self._last_file)

    def _later(self, path: str, last: str) -> str:
        if not path or split_path(path)[0] != self._folder:
            raise RemoteProtocolError("a listing shows what does not lie in that folder")
        folded = fold(split_path(path)[1])
        if folded <= last:
            raise RemoteProtocolError("a listing shows the same again, or is out of order")
        return folded


def _require_few(listing: Listing, announced: Folder) -> None:
    more = max(len(listing.files) - announced.files, len(listing.folders) - announced.folders)
    if more > ADDED_MEANWHILE:
        raise RemoteProtocolError("a listing shows more than its parent announced")

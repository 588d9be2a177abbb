"""Requests about files and folders, one function each; refusals are raised.

Rules. What is shown is what was asked for: a server that shows another file, or lists in a folder what does not lie in it,
breaks the protocol. Its names decide where a download goes, and how long a walk takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sft.client.api import Requester
from sft.errors import RemoteProtocolError
from sft.model.names import split_path
from sft.model.records import Deleted, File, Folder
from sft.wire.messages import (
    Delete,
    Done,
    FileDeleted,
    FileShown,
    FolderPage,
    ListFolder,
    ListTrash,
    MakeFolder,
    Move,
    Reply,
    Restore,
    ShowFile,
)


@dataclass(slots=True)
class Listing:
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
        RemoteProtocolError: something is listed that does not lie there, or is listed twice.
    """
    return await _page(session, path, cursor, set(), signatures=signatures)


async def list_folder(session: Requester, path: str, *, signatures: bool = False) -> Listing:
    """List one folder, all pages of it; RemoteProtocolError as ``list_page``, over all pages."""
    seen = set[str]()
    listing, cursor = await _page(session, path, "", seen, signatures=signatures)
    while cursor:
        _require_new(seen, [f"/{cursor}"])
        page, cursor = await _page(session, path, cursor, seen, signatures=signatures)
        listing.folders.extend(page.folders)
        listing.files.extend(page.files)
    return listing


async def _page(session: Requester, path: str, cursor: str, seen: set[str], *, signatures: bool) -> tuple[Listing, str]:
    answer = await session.request(ListFolder, FolderPage, path=path, cursor=cursor, signatures=signatures)
    page = answer.page
    listing = Listing(list(page.folders), list(page.files))
    _require_new(seen, [folder.path for folder in page.folders], in_folder=path)
    _require_new(seen, [file.path for file in page.files], in_folder=path)
    return listing, page.next


async def list_trash(session: Requester) -> list[File]:
    """List the files that the caller may restore."""
    files: list[File] = []
    cursor, seen = "", set[str]()
    while True:
        answer = await session.request(ListTrash, FolderPage, cursor=cursor)
        files.extend(answer.page.files)
        cursor = answer.page.next
        if not cursor:
            return files
        _require_new(seen, [cursor])


async def show_file(session: Requester, path: str, version: int = 0) -> File:
    """Show one file with its signature, version 0 being the newest; RemoteProtocolError if another one is shown."""
    return _as_asked((await session.request(ShowFile, FileShown, path=path, version=version)).file, path, version)


def _as_asked(file: File, path: str, version: int) -> File:
    if file.path != path or version not in {0, file.version.number}:
        raise RemoteProtocolError("the server showed another file than was asked for")
    return file


async def show_with_receipt(session: Requester, path: str, version: int = 0) -> tuple[File, str]:
    """Show one of our own files as ``show_file`` does, and have the server acknowledge it once more.

    Raises:
        RemoteProtocolError: another file or version is shown.
    """
    answer = await session.request(ShowFile, FileShown, path=path, version=version, receipt=True)
    return _as_asked(answer.file, path, version), answer.receipt


async def make_folder(session: Requester, path: str) -> bool:
    """Make a folder and those above it; False if it was there already."""
    return (await session.request(MakeFolder, Done, path=path)).changed


async def move(session: Requester, old: str, new: str) -> File | None:
    """Move a file or folder to another path, and return the file; None for a folder."""
    answer: Reply = await session.request(Move, (FileShown, Done), old=old, new=new)
    return answer.file if isinstance(answer, FileShown) else None


async def delete(session: Requester, path: str, *, recursive: bool = False) -> Deleted:
    """Move a file, or with ``recursive`` a folder and all in it, to the trash."""
    return (await session.request(Delete, FileDeleted, path=path, recursive=recursive)).deleted


async def restore(session: Requester, path: str) -> File:
    """Bring back what was last deleted from a path."""
    return (await session.request(Restore, FileShown, path=path)).file


def _require_new(seen: set[str], shown: Iterable[str], *, in_folder: str | None = None) -> None:
    """Refuse an entry that comes twice or lies elsewhere, so that a listing ends and leads nowhere else."""
    for path in shown:
        if in_folder is not None and (not path or split_path(path)[0] != in_folder):
            raise RemoteProtocolError("a listing shows what does not lie in that folder")
        if path in seen:
            raise RemoteProtocolError("a listing shows the same again")
        seen.add(path)

"""Requests about files and folders, one function each; refusals are raised."""

from __future__ import annotations

from dataclasses import dataclass, field

from sft.client.requester import Requester
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


async def list_folder(session: Requester, path: str, *, signatures: bool = False) -> Listing:
    """List one folder (``""`` is the root), all pages of it."""
    listing, cursor = Listing(), ""
    while True:
        answer = await session.request(
            ListFolder, FolderPage, path=path, cursor=cursor, signatures=signatures
        )
        listing.folders.extend(answer.page.folders)
        listing.files.extend(answer.page.files)
        cursor = answer.page.next
        if not cursor:
            return listing


async def list_trash(session: Requester) -> list[File]:
    """List what the caller may restore."""
    files: list[File] = []
    cursor = ""
    while True:
        answer = await session.request(ListTrash, FolderPage, cursor=cursor)
        files.extend(answer.page.files)
        cursor = answer.page.next
        if not cursor:
            return files


async def show_file(session: Requester, path: str, version: int = 0) -> File:
    """Show one file with its signature; version 0 is the newest."""
    return (await session.request(ShowFile, FileShown, path=path, version=version)).file


async def make_folder(session: Requester, path: str) -> bool:
    """Make a folder and those above it; False if it was there already."""
    return (await session.request(MakeFolder, Done, path=path)).changed


async def move(session: Requester, old: str, new: str) -> File | None:
    """Give a file or folder another path; gives the file, None for a folder."""
    answer: Reply = await session.request(Move, (FileShown, Done), old=old, new=new)
    return answer.file if isinstance(answer, FileShown) else None


async def delete(session: Requester, path: str, *, recursive: bool = False) -> Deleted:
    """Move a file, or with ``recursive`` a folder and all in it, to the trash."""
    return (await session.request(Delete, FileDeleted, path=path, recursive=recursive)).deleted


async def restore(session: Requester, path: str) -> File:
    """Bring back what was last deleted from a path."""
    return (await session.request(Restore, FileShown, path=path)).file

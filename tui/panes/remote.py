"""The side of the server: a page of records becomes the entries of a pane."""

from __future__ import annotations

from sft.client.trust import SignatureState
from sft.model.names import split_path
from sft.model.records import File, Folder
from tui.gateway import Gateway, Listed
from tui.panes.entry import Entry, EntryKind, Reader, Sheet


def folder_reader(gateway: Gateway, path: str) -> Reader:
    """Read the pages of a folder."""

    async def read(cursor: str, full: bool) -> Sheet:  # noqa: FBT001 - as Reader has it
        return _sheet(await gateway.files.list_folder(path, cursor, judged=full))

    return read


def trash_reader(gateway: Gateway) -> Reader:
    """Read the pages of the trash."""

    async def read(cursor: str, full: bool) -> Sheet:  # noqa: FBT001 - as Reader has it
        del full
        return _sheet(await gateway.files.list_trash(cursor), whole_paths=True)

    return read


def entry_of(file: File, state: SignatureState | None, *, whole_path: bool = False) -> Entry:
    """Make an entry of a file."""
    version = file.version
    return Entry(
        kind=EntryKind.FILE,
        name=file.path if whole_path else split_path(file.path)[1],
        path=file.path,
        size=version.size,
        at=version.dated_at,
        version=version.number,
        author=version.author,
        owner=file.owner,
        owner_id=file.owner_id,
        state=state,
        until=file.trash_ends_at,
    )


def _sheet(page: Listed, *, whole_paths: bool = False) -> Sheet:
    folders = tuple(_folder(folder) for folder in page.folders)
    files = tuple(
        entry_of(file, state, whole_path=whole_paths)
        for file, state in zip(page.files, page.states, strict=True)
    )
    return Sheet(folders + files, page.next)


def _folder(folder: Folder) -> Entry:
    return Entry(
        EntryKind.FOLDER,
        split_path(folder.path)[1],
        folder.path,
        at=folder.created_at,
        inside=(folder.files, folder.folders),
    )

"""The side of the server: one of its folders, or its trash; pages of records become the entries of the pane."""

from __future__ import annotations

import sys
from collections.abc import Callable

from sft.client.trust import SignatureState
from sft.errors import NotFoundError, SftError
from sft.model.names import split_path
from sft.model.records import File, Folder, TrashedFolder
from tui.connection_words import absence_of
from tui.gateway import Gateway, Listed
from tui.panes.columns import Shelf
from tui.panes.drawing import Draw
from tui.panes.entry import UP, Entry, EntryKind
from tui.panes.paging import PagedRows
from tui.text import shown


class RemoteSide:
    """Where the pane of the server stands; ``path`` is the folder that is shown, or was before the trash."""

    def __init__(self, gateway: Gateway, draw: Draw, now: Callable[[], float]) -> None:
        self.path = ""
        self.in_trash = False
        self._gateway = gateway
        self._draw = draw
        self._now = now
        self._account = ""

    def has_other_account(self) -> bool:
        """Note which account is in use; another one than before begins at its root."""
        account = self._gateway.connection.account
        if account == self._account:
            return False
        self._account, self.path, self.in_trash = account, "", False
        return True

    @property
    def shelf(self) -> Shelf:
        return Shelf.TRASH if self.in_trash else Shelf.REMOTE

    @property
    def absence(self) -> str:
        return absence_of(self._gateway.connection, self._now())

    @property
    def location(self) -> str:
        return "\0trash" if self.in_trash else self.path

    @property
    def title(self) -> tuple[str, str]:
        server = shown(self._gateway.connection.account)
        if self.absence:
            return server or "server", ""
        return (f"trash of {server}", "") if self.in_trash else (server, self.folder_text)

    @property
    def folder_text(self) -> str:
        """The folder as people write it, harmless."""
        return f"/{shown(self.path)}"

    def rows(self, expected: int | None) -> PagedRows:
        if self.in_trash:
            return PagedRows(self._read_trash, self._draw, lead=(UP,))
        path = self.path

        async def read(cursor: str, full: bool) -> tuple[list[Entry], str]:  # noqa: FBT001 - as Reader has it
            return _entries(await self._gateway.files.list_folder(path, cursor, judged=full))

        return PagedRows(read, self._draw, lead=(UP,) if path else (), expected=expected)

    async def _read_trash(self, cursor: str, full: bool) -> tuple[list[Entry], str]:  # noqa: FBT001 - as Reader has it
        del cursor, full
        return [_trashed(each) for each in await self._gateway.files.list_trash()], ""

    def enter(self, entry: Entry) -> None:
        self.path = entry.path

    def go_up(self) -> bool:
        if not self.in_trash and not self.path:
            return False
        self.path = self.path if self.in_trash else split_path(self.path)[0]
        self.in_trash = False
        return True

    def retreat(self, error: SftError) -> bool:
        # A trash that shows nothing: its title would stand over the folder's lines.
        return (self.in_trash or isinstance(error, NotFoundError)) and self.go_up()

    def shows_change_in(self, folder: str) -> bool:
        """Return whether a change in a folder of the server is seen here."""
        parent = split_path(folder)[0]
        return self.in_trash or self.path in {folder, parent} or not folder


def _entries(page: Listed) -> tuple[list[Entry], str]:
    entries = [_folder(folder) for folder in page.folders]
    entries += [_file(file, state) for file, state in zip(page.files, page.states, strict=True)]
    return entries, page.next


def _file(file: File, state: SignatureState) -> Entry:
    version = file.version
    return Entry(
        kind=EntryKind.FILE,
        path=file.path,
        size=version.size,
        at=version.dated_at,
        version=version.number,
        author=sys.intern(version.author),  # one text for all of theirs
        owner=sys.intern(file.owner),
        owner_id=file.owner_id,
        state=state,
        until=file.trash_ends_at,
        file_id=file.id,
        signed_as=version.signed_name if version.signed_name != file.path else "",
    )


def _trashed(deleted: TrashedFolder | File) -> Entry:
    if isinstance(deleted, File):
        return _file(deleted, SignatureState.NOT_LOOKED_AT)
    return Entry(
        EntryKind.FOLDER,
        deleted.path,
        at=deleted.trashed_at,
        inside=(deleted.files, deleted.folders - 1),
        owner=sys.intern(deleted.trashed_by),
        until=deleted.trash_ends_at,
    )


def _folder(folder: Folder) -> Entry:
    return Entry(EntryKind.FOLDER, folder.path, at=folder.created_at, inside=(folder.files, folder.folders))

"""The side of the server: one of its folders, or its trash; pages of records become the entries of the pane."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from msgspec import structs

from sft.client.api.search import NameQuestion
from sft.client.trust import SignatureState
from sft.errors import NotFoundError, SftError
from sft.model.access import Permission, allows
from sft.model.names import split_path
from sft.model.records import File, Folder, TrashedFolder
from tui.connection_words import absence_of
from tui.gateway import Gateway, Listed
from tui.panes.columns import Shelf
from tui.panes.comparison import Opposite
from tui.panes.drawing import Draw
from tui.panes.entry import UP, Entry, EntryKind, FoundEntry, TrashedEntry, TrashedFolderEntry
from tui.panes.paging import PagedRows
from tui.text import shown


class RemoteSide:
    """Where the pane of the server stands: in a folder, in the trash, or before what a search has found.

    Args:
        admins: names them, harmless, for whoever may store nothing; empty where that cannot be known.

    Attributes:
        path: the folder that is shown, or was before.
        question: what is searched for; None in a folder and in the trash.
        opposite: what files here are compared with.
    """

    def __init__(
        self, gateway: Gateway, draw: Draw, now: Callable[[], float], admins: Callable[[], Awaitable[str]]
    ) -> None:
        self.path = ""
        self.in_trash = False
        self.question: NameQuestion | None = None
        self.opposite = Opposite()
        self._admins = admins
        self._admins_named = ""
        self._gateway = gateway
        self._draw = draw
        self._now = now
        self._account = ""

    def has_other_account(self) -> bool:
        """Note which account is in use; another one than before begins at its root."""
        account = self._gateway.connection.account
        if account == self._account:
            return False
        self.opposite.begin()
        self._account, self.path, self.in_trash, self.question = account, "", False, None
        return True

    @property
    def shelf(self) -> Shelf:
        return Shelf.TRASH if self.in_trash else Shelf.REMOTE if self.question is None else Shelf.FOUND

    @property
    def absence(self) -> str:
        return absence_of(self._gateway.connection, self._now())

    @property
    def location(self) -> str:
        if self.question is not None:
            return f"\0found {self.question.text}"
        return "\0trash" if self.in_trash else self.path

    @property
    def _may_store(self) -> bool:
        role = self._gateway.connection.role
        return role is None or allows(role, Permission.FILE_WRITE)

    @property
    def emptiness(self) -> str:
        """What is shown where nothing lies, and what can be done about that."""
        if self.question is not None:
            return f"No name on this server holds {shown(self.question.text)}.\ns asks for another; esc goes back."
        if self.in_trash:
            return "Nothing that you could bring back\nis in the trash. T goes back."
        if self._may_store:
            return "Nothing here yet.\ntab, space, c stores from your computer.\nn makes a folder."
        names = f": {self._admins_named}" if self._admins_named else ""
        return f"Nothing here yet.\nYou can read; storing needs a maintainer.\nAn admin can make you one{names}."

    @property
    def title(self) -> tuple[str, str]:
        server = shown(self._gateway.connection.account)
        if self.absence:
            return server or "server", ""
        if self.question is not None:
            return f"found on {server}", shown(self.question.text)
        return (f"trash of {server}", "") if self.in_trash else (server, self.folder_text)

    @property
    def folder_text(self) -> str:
        """The folder as people write it, harmless."""
        return f"/{shown(self.path)}"

    def rows(self, expected: int | None) -> PagedRows:
        if self.in_trash:
            return PagedRows(self._read_trash, self._draw, lead=(UP,))
        if self.question is not None:
            return PagedRows(partial(self._search, self.question), self._draw, lead=(UP,))
        path = self.path

        async def read(cursor: str, full: bool) -> tuple[list[Entry], str]:  # noqa: FBT001 - as Reader has it
            listed = await self._gateway.files.list_folder(path, cursor, judged=full)
            if not cursor:
                self.opposite.begin(path)
            if self.opposite.folder == path:
                self.opposite.add(listed.files)
            page = _entries(listed)
            if not cursor and not page[0] and not self._may_store:
                self._admins_named = await self._admins()
            return page

        return PagedRows(read, self._draw, lead=(UP,) if path else (), expected=expected)

    async def _search(
        self,
        question: NameQuestion,
        cursor: str,
        full: bool,  # noqa: FBT001 - as Reader has it
    ) -> tuple[list[Entry], str]:
        entries, following = _entries(await self._gateway.files.search(question, cursor, judged=full))
        return [FoundEntry(*structs.astuple(entry)) for entry in entries], following

    async def _read_trash(self, cursor: str, full: bool) -> tuple[list[Entry], str]:  # noqa: FBT001 - as Reader has it
        del cursor, full
        return [_trashed(each) for each in await self._gateway.files.list_trash()], ""

    def enter(self, entry: Entry) -> None:
        self.stand_in(entry.path)

    def stand_in(self, folder: str) -> None:
        """Stand in a folder, by its path."""
        self.path, self.in_trash, self.question = folder, False, None

    def go_up(self) -> bool:
        if self.in_trash or self.question is not None:
            self.in_trash, self.question = False, None
            return True
        if not self.path:
            return False
        self.path = split_path(self.path)[0]
        return True

    def retreat(self, error: SftError) -> bool:
        # A trash that shows nothing: its title would stand over the folder's lines.
        return (self.in_trash or self.question is not None or isinstance(error, NotFoundError)) and self.go_up()

    def shows_change_in(self, folder: str) -> bool:
        """Return whether a change in a folder of the server is seen here."""
        if self.question is not None:
            return False  # it would all be looked through again
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
        entry = _file(deleted, SignatureState.NOT_LOOKED_AT)
        by = "" if deleted.expires_at is not None else deleted.trashed_by or ""
        return TrashedEntry(
            **msgspec.structs.asdict(entry), deleted_at=deleted.trashed_at or 0, deleted_by=sys.intern(by)
        )
    return TrashedFolderEntry(
        EntryKind.FOLDER,
        deleted.path,
        folder_id=deleted.id,
        at=deleted.trashed_at,
        inside=(deleted.files, deleted.folders - 1),
        owner=sys.intern(deleted.trashed_by),
        until=deleted.trash_ends_at,
    )


def _folder(folder: Folder) -> Entry:
    return Entry(EntryKind.FOLDER, folder.path, at=folder.created_at, inside=(folder.files, folder.folders))

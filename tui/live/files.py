"""The files of the server in use: listed by pages, shown, moved, deleted and restored."""

from __future__ import annotations

from sft.client.api import files
from sft.model.records import Deleted, File
from tui.gateway import Details, Listed
from tui.live.pages import details_of, folder_page
from tui.live.session_access import SessionAccess


class LiveFiles:
    """Files and folders."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access

    async def list_folder(self, path: str, cursor: str = "", *, judged: bool = True) -> Listed:
        """Give one page of a folder."""
        listing, states, following = await self._access.ask(
            lambda session: folder_page(session, path, cursor, judged=judged)
        )
        return Listed(
            tuple(listing.folders),
            tuple(listing.files),
            tuple(
                self._access.checked.get((file.id, file.version.number), state)
                for file, state in zip(listing.files, states, strict=True)
            ),
            following,
        )

    async def list_trash(self, cursor: str = "") -> Listed:
        """Give what can be restored."""
        del cursor
        found = await self._access.ask(files.list_trash)
        return Listed((), tuple(found), tuple(None for _ in found), "")

    async def details(self, path: str, version: int = 0) -> Details:
        """Show one version of a file."""
        return await self._access.ask(
            lambda session: details_of(
                session, self._access.state, self._access.checked, path, version
            )
        )

    async def make_folder(self, path: str) -> bool:
        """Make a folder."""
        return await self._access.ask(lambda session: files.make_folder(session, path))

    async def move(self, old: str, new: str) -> File | None:
        """Give a file or folder another path."""
        return await self._access.ask(lambda session: files.move(session, old, new))

    async def delete(self, path: str, *, recursive: bool = False) -> Deleted:
        """Move to the trash."""
        return await self._access.ask(
            lambda session: files.delete(session, path, recursive=recursive)
        )

    async def restore(self, path: str) -> File:
        """Bring back what was last deleted from a path."""
        return await self._access.ask(lambda session: files.restore(session, path))

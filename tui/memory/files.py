"""The files of the world in memory, as the real gateway gives them."""

from __future__ import annotations

from sft.client.trust import SignatureState
from sft.crypto.keys import PublicKey
from sft.errors import SftError
from sft.model.records import Deleted, File
from tui.gateway import Details, Listed
from tui.memory import moving, shelves
from tui.memory.computer import Computer


class Files:
    """Files and folders."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    async def list_folder(self, path: str, cursor: str = "", *, judged: bool = True) -> Listed:
        """Give one page of a folder."""
        await self._computer.turn("folder")
        return self._computer.known(shelves.page(self._computer.world, path, cursor, judged=judged))

    async def list_trash(self, cursor: str = "") -> Listed:
        """Give what can be restored."""
        del cursor
        await self._computer.turn("trash")
        return shelves.trash(self._computer.world, self._computer.me)

    async def details(self, path: str, version: int = 0) -> Details:
        """Show one version of a file."""
        await self._computer.turn("details")
        file = self._computer.world.file(path, version)
        state = self._computer.checked.get(path, shelves.state_of(self._computer.world, file))
        author = self._computer.world.user_by_id(file.version.author_id)
        error: SftError | None = None
        if state in {SignatureState.UNKNOWN, SignatureState.BAD}:
            error = moving.judgment(self._computer.world, file)
        return Details(
            file=file,
            state=state,
            words=PublicKey.decode(file.version.public_key).words(),
            first_seen_at=None if state is SignatureState.UNKNOWN else author.created_at,
            receipt_kept=author.id == self._computer.me.id,
            error=error,
        )

    async def make_folder(self, path: str) -> bool:
        """Make a folder."""
        await self._computer.turn("make_folder")
        return shelves.make_folder(self._computer.world, self._computer.me, path)

    async def move(self, old: str, new: str) -> File | None:
        """Give a file or folder another path."""
        await self._computer.turn("move")
        return shelves.move(self._computer.world, self._computer.me, old, new)

    async def delete(self, path: str, *, recursive: bool = False) -> Deleted:
        """Move to the trash."""
        await self._computer.turn("delete")
        return shelves.delete(self._computer.world, self._computer.me, path, recursive=recursive)

    async def restore(self, path: str) -> File:
        """Bring back."""
        await self._computer.turn("restore")
        return shelves.restore(self._computer.world, self._computer.me, path)

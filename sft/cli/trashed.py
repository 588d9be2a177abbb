"""What names and patterns mean in the trash.

Rules. A name is what was deleted under it, by itself or with a folder above it, which the server knows alone; one that is
nothing's own stands for what was deleted from the folder of that name. A pattern fits a deleted folder as one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sft.cli.batch import ActOnOne, Batch
from sft.client.api.files import list_trash
from sft.client.api.tree import has_pattern, matches
from sft.client.session import Session
from sft.errors import NotFoundError, SftError
from sft.model.names import parse_path
from sft.model.records import File, TrashedFolder


class Trash:
    """What can be restored, asked for once and only where a name is nothing's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deleted: list[TrashedFolder | File] | None = None

    async def over(self, several: Batch, names: Sequence[str], act: ActOnOne) -> None:
        """Act on each of several names or patterns in turn."""
        for name in names:
            if has_pattern(name):
                await several.over(self._session, await self.like(name), act)
                continue
            try:
                line, document = await act(self._session, name)
            except NotFoundError as error:
                below = await self.below(parse_path(name))
                if not below:
                    several.failed(name, error)
                await several.over(self._session, below, act)
            except SftError as error:
                several.failed(name, error)
            else:
                several.done(line, document)

    async def below(self, folder: str) -> list[str]:
        """List what was deleted from a folder, whatever lies there now."""
        return _paths(each for each in await self._all() if each.path.startswith(f"{folder}/"))

    async def like(self, pattern: str) -> list[str]:
        """List what fits a pattern, everything in a deleted folder as that folder; NotFoundError for nothing."""
        paths = _paths(each for each in await self._all() if _fits(pattern, each))
        if not paths:
            raise NotFoundError(what="deleted file", name=pattern)
        return paths

    async def _all(self) -> list[TrashedFolder | File]:
        if self._deleted is None:
            self._deleted = await list_trash(self._session)
        return self._deleted


def _paths(deleted: Iterable[TrashedFolder | File]) -> list[str]:
    return sorted({each.path for each in deleted})


def _fits(pattern: str, deleted: TrashedFolder | File) -> bool:
    whole = isinstance(deleted, TrashedFolder) and pattern.strip("/") == f"{deleted.path}/**"
    return whole or matches(pattern, deleted.path)

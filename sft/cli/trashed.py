"""What names and patterns mean in the trash.

Rules. A name is what was deleted under it, by itself or with a folder above it, which the server knows alone; one that is
nothing's own stands for what was deleted from the folder of that name. A pattern fits a deleted folder as one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from sft.cli.batch import ActOnOne, Batch
from sft.client.api.files import list_trash
from sft.client.api.tree import has_pattern, matches
from sft.client.session import Session
from sft.errors import NotFoundError, SftError
from sft.model.names import parse_path
from sft.model.records import File, TrashedFolder


class Meaning(Struct, frozen=True):
    """What a name or pattern stands for, as the trash lists it.

    Args:
        held: the path of each thing and the files in it, 1 for what the server knows alone.
        below: whether the name is nothing's own, and these were deleted from the folder of that name.
    """

    held: dict[str, int]
    below: bool


class Trash:
    """What can be restored, asked for once and only where it is needed."""

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

    async def meaning(self, name: str, *, recursive: bool) -> Meaning:
        """Settle what a name or pattern means before anything is done; ``recursive`` prefers what lies below a name.

        Raises:
            NotFoundError: a pattern fits nothing.
        """
        listed = await self._all()
        files: dict[str, int] = {}
        for each in listed:  # the last deleted first: that one is meant
            files.setdefault(each.path, each.files if isinstance(each, TrashedFolder) else 1)
        if has_pattern(name):
            return Meaning({path: files[path] for path in await self.like(name)}, below=False)
        path = parse_path(name)
        inside = any(isinstance(each, TrashedFolder) and path.startswith(f"{each.path}/") for each in listed)
        own = path in files or (inside and not recursive)
        below = [] if own else await self.below(path)
        return Meaning({one: files.get(one, 1) for one in below or [path]}, below=bool(below))

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

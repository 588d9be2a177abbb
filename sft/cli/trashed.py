"""What names and patterns mean in the trash.

Rules. A name is what was deleted under it last, by itself or with a folder above it; one that is nothing's own stands for what
was deleted from the folder of that name. A pattern fits a deleted folder as one thing. What is done then is done with the very
thing that was shown here, whatever is deleted there meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from sft.cli.batch import Batch
from sft.cli.json_output import Document
from sft.client.api.trash import list_trash, show_trashed, trash_seen
from sft.client.api.tree import has_pattern, matches
from sft.client.session import Session
from sft.errors import NotFoundError, SftError
from sft.model.names import parse_path
from sft.model.records import File, TrashedFolder, TrashSeen

Held = Mapping[str, TrashedFolder | File]
"""Things in the trash, by their paths."""

ActOnSeen = Callable[[Session, str, TrashSeen], Awaitable[tuple[str, Document]]]
"""Acts on what was seen at a path; return the line and the document of what was done."""


class Meaning(Struct, frozen=True):
    """What a name or pattern stands for.

    Args:
        below: whether the name is nothing's own, and these were deleted from the folder of that name.
    """

    held: Held
    below: bool


class Trash:
    """What can be restored, listed once and only where it is needed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deleted: list[TrashedFolder | File] | None = None

    async def over(self, several: Batch, names: Sequence[str], act: ActOnSeen) -> None:
        """Act on each of several names or patterns in turn."""
        for name in names:
            try:
                meaning = await self.meaning(name, recursive=False)
            except SftError as error:
                several.failed(name, error)
            else:
                await self.act_on(several, meaning.held, act)

    async def act_on(self, several: Batch, held: Held, act: ActOnSeen) -> None:
        """Act on each of several things in turn."""

        async def one(session: Session, path: str) -> tuple[str, Document]:
            return await act(session, path, trash_seen(held[path]))

        await several.over(self._session, list(held), one)

    async def meaning(self, name: str, *, recursive: bool) -> Meaning:
        """Settle what a name or pattern means before anything is done.

        Args:
            recursive: what lies below a name is preferred to what lies there in a deleted folder.

        Raises:
            NotFoundError: it fits nothing.
            NotYoursError: only what belongs to others was deleted there.
        """
        if has_pattern(name):
            return Meaning(await self._like(name), below=False)
        path = parse_path(name)
        try:
            own = await show_trashed(self._session, path)
        except NotFoundError:
            below = await self._below(path)
            if not below:
                raise
            return Meaning(below, below=True)
        if recursive and not any(each.path == path for each in await self._all()):
            below = await self._below(path)
            if below:
                return Meaning(below, below=True)
        return Meaning({path: own}, below=False)

    async def apart(self, held: Held) -> Held:
        """Leave out what goes with a folder that is there too."""
        inside = {
            path
            for path, each in held.items()
            for folder, other in held.items()
            if path.startswith(f"{folder}/") and each.trashed_at == other.trashed_at
        }
        if not inside:
            return held
        by_themselves = {each.id for each in await self._all()}
        return {path: each for path, each in held.items() if path not in inside or each.id in by_themselves}

    async def _below(self, folder: str) -> Held:
        """List what was deleted from a folder, whatever lies there now."""
        return _last(each for each in await self._all() if each.path.startswith(f"{folder}/"))

    async def _like(self, pattern: str) -> Held:
        """List what fits a pattern, everything in a deleted folder as that folder; NotFoundError for nothing."""
        held = _last(each for each in await self._all() if _fits(pattern, each))
        if not held:
            raise NotFoundError(what="deleted file", name=pattern)
        return held

    async def _all(self) -> list[TrashedFolder | File]:
        if self._deleted is None:
            self._deleted = await list_trash(self._session)
        return self._deleted


def _last(deleted: Iterable[TrashedFolder | File]) -> Held:
    """Keep of each path what was deleted last: it is listed first."""
    found: dict[str, TrashedFolder | File] = {}
    for each in deleted:
        found.setdefault(each.path, each)
    return dict(sorted(found.items()))


def _fits(pattern: str, deleted: TrashedFolder | File) -> bool:
    whole = isinstance(deleted, TrashedFolder) and pattern.strip("/") == f"{deleted.path}/**"
    return whole or matches(pattern, deleted.path)

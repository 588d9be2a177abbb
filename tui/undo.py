"""Taking back the last act: a deletion, a move, a new folder, a restoring; one level, on any screen.

Rules. What somebody else did meanwhile is never undone with it: before each step the server is asked whether what the act left
is there still, by the file's id and version, the folder's time or the deletion's, and where it is not, that is said. What the
server itself demands of an act (``seen``, a folder that is empty, a name that is free) is left to it. No act is taken
back twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sft.client.api.trash import trash_seen
from sft.errors import ConnectionLostError, NotFoundError
from sft.model.names import split_path
from sft.model.records import Deleted, File, FileSeen, Folder, RestoredFolder, TrashedFolder, TrashSeen
from sft.model.text import count_text, shown_name
from tui.gateway import Details, Listed


class UndoFiles(Protocol):
    """What of the server's files an undo asks (``tui.gateway.Files``)."""

    async def list_folder(self, path: str, cursor: str = "", *, judged: bool = True) -> Listed: ...

    async def details(self, path: str, version: int = 0) -> Details: ...

    async def last_deleted(self, path: str, ends_at: int) -> TrashedFolder | File | None: ...

    async def move(self, old: str, new: str) -> File | None: ...

    async def delete(self, path: str, *, recursive: bool = False, seen: FileSeen | None = None) -> Deleted: ...

    async def restore(self, path: str, seen: TrashSeen) -> File | RestoredFolder: ...


class OthersActedError(Exception):
    """Somebody did something meanwhile that would be undone too; ``args`` is the sentence."""


class UndoStep(Protocol):
    """One change that can be taken back.

    Attributes:
        path: what the person knows it by.
    """

    @property
    def path(self) -> str: ...

    async def take_back(self, files: UndoFiles) -> str:
        """Take it back, and return the path where something is now; OthersActedError if that would undo more."""


@dataclass(frozen=True, slots=True)
class DeletedStep:
    """Something went to the trash, which it leaves at ``ends_at``."""

    path: str
    ends_at: int

    async def take_back(self, files: UndoFiles) -> str:
        last = await files.last_deleted(self.path, self.ends_at)
        if last is None:
            raise OthersActedError(f"{_name(self.path)} is not in the trash any more: somebody brought it back.")
        if last.trash_ends_at != self.ends_at:
            raise OthersActedError(f"Another {_name(self.path)} was deleted since. T shows both.")
        return (await files.restore(self.path, trash_seen(last))).path


@dataclass(frozen=True, slots=True)
class MovedStep:
    """A file or folder has another path.

    Args:
        seen: the file; None of a folder.
        made_at: when the folder was made.
    """

    old: str
    new: str
    seen: FileSeen | None
    made_at: int | None = None

    @property
    def path(self) -> str:
        return self.new

    async def take_back(self, files: UndoFiles) -> str:
        try:
            there = await self._is_there(files)
        except NotFoundError:
            there = False
        if not there:
            raise OthersActedError(f"Somebody moved, deleted or replaced {_name(self.new)} since.")
        await files.move(self.new, self.old)
        return self.old

    async def _is_there(self, files: UndoFiles) -> bool:
        if self.seen is None:
            folder = await folder_at(files, self.new)
            return folder is not None and folder.created_at == self.made_at
        file = (await files.details(self.new)).file
        return FileSeen(file.id, file.version.number) == self.seen


@dataclass(frozen=True, slots=True)
class MadeStep:
    """A folder was made, at ``made_at``; the server deletes one that is empty alone."""

    path: str
    made_at: int

    async def take_back(self, files: UndoFiles) -> str:
        there = await folder_at(files, self.path)
        if there is None or there.created_at != self.made_at:
            raise OthersActedError(f"Somebody moved, deleted or replaced {_name(self.path)} since.")
        await files.delete(self.path)
        return self.path


@dataclass(frozen=True, slots=True)
class RestoredStep:
    """A file came back from the trash."""

    path: str
    seen: FileSeen

    async def take_back(self, files: UndoFiles) -> str:
        await files.delete(self.path, seen=self.seen)
        return self.path


@dataclass(frozen=True, slots=True)
class LastAct:
    """What was done last.

    Args:
        account: at which server, as whom.
        what: the act, as it is taken back: ``deletion``.
    """

    account: str
    what: str
    steps: tuple[UndoStep, ...]


class Undo:
    """The one act that can be taken back now."""

    def __init__(self) -> None:
        self._last: LastAct | None = None

    def note(self, account: str, what: str, steps: Sequence[UndoStep]) -> str:
        """Note an act; return what its message says of that, empty where nothing of it can be taken back."""
        self._last = LastAct(account, what, tuple(steps)) if steps else None
        return "u undoes" if steps else ""

    def reason_against(self, account: str) -> str:
        """Why nothing can be taken back; empty if it can."""
        if self._last is None:
            return "Nothing to undo. u takes back the last deletion, move, new folder or restoring of a file."
        if self._last.account != account:
            return f"What was done last was done at {shown_name(self._last.account)}."
        return ""

    async def take_back(self, files: UndoFiles) -> tuple[str, list[str]]:
        """Take the last act back, its last step first.

        Returns:
            What to say, and the folders of the server that have changed.

        Raises:
            OthersActedError: a step would undo what somebody else did; what was taken back before it is.
            ConnectionLostError: what is not known to be taken back can be yet.
        """
        last, self._last = self._last, None
        if last is None:
            return "", []
        back: list[str] = []
        changed: set[str] = set()
        for step in reversed(last.steps):
            try:
                back.append(await step.take_back(files))
            except ConnectionLostError:
                if self._last is None:
                    self._last = replace(last, steps=last.steps[: len(last.steps) - len(back)])
                raise
            changed |= {split_path(path)[0] for path in (step.path, back[-1])}
        whole = [path for path in back if not any(path.startswith(f"{other}/") for other in back)]
        what = _name(whole[0]) if len(whole) == 1 else f"{count_text(len(whole))} things"
        return f"{what}: {last.what} undone.", sorted(changed)


async def folder_at(files: UndoFiles, path: str) -> Folder | None:
    """Return the folder that lies at a path; None where none does."""
    cursor = ""
    while True:
        page = await files.list_folder(split_path(path)[0], cursor, judged=False)
        found = next((folder for folder in page.folders if folder.path == path), None)
        cursor = page.next
        if found is not None or page.files or not cursor:
            return found


async def missing_above(files: UndoFiles, path: str, known: str) -> list[str]:
    """Return the folders above a path that are not there yet, the outermost first; ``known`` is, and all above it."""
    above: list[str] = []
    folder = split_path(path)[0]
    while folder not in {known, ""}:
        above.insert(0, folder)
        folder = split_path(folder)[0]
    for number, each in enumerate(above):
        if await folder_at(files, each) is None:
            return above[number:]
    return []


def _name(path: str) -> str:
    return shown_name(split_path(path)[1])

"""Marks of the files of this computer: whether each is what the server has of the same name in the folder opposite.

Rules. Nothing is asked of the server and no file is read: the last listing of that folder, what this computer kept of what it
read, stored and got, and a ``stat``. Only lines that are drawn are looked at, some at a time, off the loop. Unknown is no mark.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from msgspec import Struct

from sft.client.local_versions import AskedVersion, LocalVersion
from sft.client.transfers.queue.job import Taken
from sft.client.transfers.queue.transfer_queue import TransferQueue
from sft.model.names import join_path, split_path
from sft.model.records import File
from tui.gateway import Gateway
from tui.glyphs import Glyphs
from tui.panes.drawing import Draw
from tui.panes.entry import Entry, EntryKind
from tui.widgets.rows import ListRow

_KEPT_FILES: Final = 20_000  # of listings: some 5 MB
_KEPT_MARKS: Final = 2000
_AT_ONCE: Final = 200  # several screens
_DIGEST_BYTES: Final = 32  # what the digests that are kept here tell apart


class LocalStanding(StrEnum):
    """How a file here stands to the server's newest version of that name."""

    SAME = "same"
    CHANGED = "changed here"
    NEWER = "newer there"
    BOTH = "changed on both sides"


class NewestThere(Struct, frozen=True, gc=False):
    """The newest version of a file on the server, as it was listed last."""

    file_id: bytes
    version: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class LastTaken:
    """What was stored from a file here, or got into it, last.

    Args:
        at: when, in Unix seconds.
    """

    taken: Taken
    at: int


def compare(there: NewestThere, here: LocalVersion, base: LastTaken | None) -> LocalStanding | None:
    """Compare; None where it is not known."""
    if here.is_newest:
        return LocalStanding.SAME
    kept = here.older
    if base is not None and base.taken.changed_ns == here.changed_ns and here.is_newest is None:
        kept = base.taken.version
    if kept:
        return LocalStanding.SAME if kept == there.version else LocalStanding.NEWER if kept < there.version else None
    if base is None:
        return None
    was_written = here.modified_at > base.at
    if base.taken.version == there.version:
        differs = here.is_newest is False or here.size != there.size
        return LocalStanding.CHANGED if differs or was_written else None
    if base.taken.version < there.version:
        return LocalStanding.BOTH if was_written else LocalStanding.NEWER
    return None


class Opposite:
    """The folder of the server that was listed last, and the newest version of each file there; of many, those listed last."""

    def __init__(self) -> None:
        self.folder = ""
        self._files: dict[str, NewestThere] = {}

    def begin(self, folder: str = "") -> None:
        """Note that a folder is listed from its beginning: what was there is not there any more."""
        self.folder = folder
        self._files = {}

    def add(self, files: Sequence[File]) -> None:
        """Note files of a page of it."""
        for file in files:
            version = file.version
            there = NewestThere(file.id, version.number, version.size, version.digest[:_DIGEST_BYTES])
            self._files[split_path(file.path)[1]] = there
        while len(self._files) > _KEPT_FILES:
            del self._files[next(iter(self._files))]

    def find(self, name: str) -> NewestThere | None:
        return self._files.get(name)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line, and what it was compared with: a mark holds for these alone."""

    entry: Entry
    path: str
    there: NewestThere


class Comparisons:
    """Marks of lines that are drawn.

    Args:
        wanted: called when lines want marks that are not there yet.
    """

    def __init__(
        self, gateway: Gateway, queue: TransferQueue, opposite: Opposite, *, wanted: Callable[[], None]
    ) -> None:
        self._gateway = gateway
        self._queue = queue
        self._opposite = opposite
        self._call = wanted
        self._known: dict[_Asked, LocalStanding | None] = {}
        self._wanted: OrderedDict[_Asked, None] = OrderedDict()

    def of(self, entry: Entry) -> LocalStanding | None:
        """Return the mark of a line, as far as it is known yet."""
        if entry.kind is not EntryKind.FILE:
            return None
        there = self._opposite.find(entry.name)
        if there is None:
            return None
        asked = _Asked(entry, join_path(self._opposite.folder, entry.name), there)
        if asked in self._known:
            return self._known[asked]
        if asked not in self._wanted:
            self._wanted[asked] = None
            if len(self._wanted) == 1:
                self._call()
            elif len(self._wanted) > _AT_ONCE:
                self._wanted.popitem(last=False)  # out of sight by now
        return None

    async def look(self) -> bool:
        """Find out what is wanted; return whether any mark came of it."""
        try:
            return await self._look()
        finally:
            self._wanted.clear()  # else no line would be looked at any more

    async def _look(self) -> bool:
        found = False
        while self._wanted:
            asked = list(self._wanted)
            places = {(one.entry.path, one.path) for one in asked}
            bases = {place: LastTaken(*taken) for place, taken in self._queue.taken_at(places).items()}
            local = await self._gateway.local.local_versions(
                [AskedVersion(one.entry.path, one.there.file_id, one.there.version, one.there.digest) for one in asked]
            )
            if len(self._known) > _KEPT_MARKS:
                self._known.clear()
            for one, here in zip(asked, local, strict=True):
                base = bases.get((one.entry.path, one.path))
                mark = self._known[one] = None if here is None else compare(one.there, here, base)
                self._wanted.pop(one, None)
                found = found or mark is not None
        return found

    def forget(self) -> None:
        """Look anew: a transfer has ended, so that more is known."""
        self._known.clear()


def marking(draw: Draw, marks: Comparisons, glyphs: Glyphs) -> Draw:
    """Draw entries as ever, with their marks."""
    signs = {
        LocalStanding.SAME: (glyphs.verified, "good"),
        LocalStanding.CHANGED: (glyphs.up, "strong"),
        LocalStanding.NEWER: (glyphs.down, "second"),
        LocalStanding.BOTH: (glyphs.doubt, "doubt"),
    }

    def draw_marked(entry: Entry) -> ListRow[Entry]:
        row, mark = draw(entry), marks.of(entry)
        if mark is None:
            return row
        sign, tone = signs[mark]
        return replace(row, cells={**row.cells, "mark": sign}, tones={**row.tones, "mark": tone})

    return draw_marked

"""What lies in a folder, and who deleted it, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sft.model.text import counted, day_text, size_text
from tui.panes.entry import Entry, EntryKind, TrashedEntry
from tui.text import shown


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted among entries.

    Args:
        others: links, devices and the like.
        size: of the files, in bytes; what lies in folders is not counted.
    """

    folders: int = 0
    files: int = 0
    others: int = 0
    size: int = 0

    @classmethod
    def of(cls, entries: Collection[Entry]) -> Tally:
        kinds = Counter(entry.kind for entry in entries)
        folders, files = kinds[EntryKind.FOLDER], kinds[EntryKind.FILE]
        return cls(folders, files, len(entries) - folders - files, sum(entry.size for entry in entries))

    def __add__(self, more: Tally) -> Tally:
        return Tally(
            self.folders + more.folders, self.files + more.files, self.others + more.others, self.size + more.size
        )

    @property
    def words(self) -> str:
        """What there is, with the size of the files beside them."""
        parts = [counted(count, what) for count, what in ((self.folders, "folder"), (self.others, "other")) if count]
        if self.files:
            parts.append(f"{counted(self.files, 'file')}, {size_text(self.size)}")
        return "; ".join(parts)


def inside_words(entry: Entry) -> str:
    """Say what lies in a folder."""
    files, folders = entry.inside or (0, 0)
    inside = [counted(count, what) for count, what in ((folders, "folder"), (files, "file")) if count]
    return ", ".join(inside) or "empty"


def deleted_words(entry: Entry, now: float) -> str:
    """Say when what is in the trash was deleted, and by whom."""
    if not isinstance(entry, TrashedEntry):
        return f"{day_text(entry.at or 0, now)} by {shown(entry.owner)}"
    by = f" by {shown(entry.deleted_by)}" if entry.deleted_by else ": its time was over"
    return f"{day_text(entry.deleted_at, now)}{by}"

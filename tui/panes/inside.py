"""What lies in a folder, and who deleted it, in words."""

from __future__ import annotations

from sft.model.text import count_text, day_text
from tui.panes.entry import Entry
from tui.text import shown


def inside_words(entry: Entry) -> str:
    """Say what lies in a folder."""
    files, folders = entry.inside or (0, 0)
    inside = []
    if folders:
        inside.append(f"{count_text(folders)} folder{'' if folders == 1 else 's'}")
    if files or not folders:
        inside.append(f"{count_text(files)} file{'' if files == 1 else 's'}")
    return ", ".join(inside)


def deleted_words(entry: Entry, now: float) -> str:
    """Say when a folder of the trash was deleted, and by whom."""
    return f"{day_text(entry.at or 0, now)} by {shown(entry.owner)}"

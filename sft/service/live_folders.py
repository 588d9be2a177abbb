"""Which folders hang on the root, asked of unverified rows: for passing over what lies below deleted folders unloaded.

Rules. A folder is asked for once, whatever lies in it, and those above it likewise. What is shown is asked again, of
verified rows.
"""

from __future__ import annotations

from collections.abc import Collection

from sft.store.folders import ROOT_ID, parents_of
from sft.store.rows import ReadTransaction


class LiveFolders:
    """What one transaction says of folders, by their rows' ids."""

    def __init__(self, reading: ReadTransaction) -> None:
        self._reading = reading
        self._known: dict[int, bool] = {ROOT_ID: True}

    def learn(self, folder_ids: Collection[int]) -> int:
        """Ask for these and for those above them, a level at a time; return how many were asked for."""
        way: dict[int, int | None] = {}
        level = {folder for folder in folder_ids if folder not in self._known}
        while level:
            found = parents_of(self._reading, level)
            way.update((folder, found.get(folder)) for folder in level)
            above = {parent for parent in found.values() if parent is not None}
            level = {parent for parent in above if parent not in self._known and parent not in way}
        for folder in way:
            self._note(folder, way)
        return len(way)

    def __contains__(self, folder_id: int) -> bool:
        """Whether a folder that was learned hangs on the root."""
        return self._known[folder_id]

    def _note(self, folder: int | None, way: dict[int, int | None]) -> None:
        passed: list[int] = []
        while folder is not None and folder not in self._known and len(passed) <= len(way):  # or they go round
            passed.append(folder)
            folder = way[folder]
        hangs_on_root = folder is not None and self._known.get(folder, False)
        self._known.update(dict.fromkeys(passed, hangs_on_root))

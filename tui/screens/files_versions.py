"""What is done with the versions of a file, and with what lies in the trash, beyond looking: got, brought back, destroyed.

Rules. What nothing brings back wants its name typed. An old content that is brought back is got and verified first, and is a
version of whoever brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sft.model.names import split_path
from sft.model.text import count_text, counted, shown_name
from tui.dialogs.destroy import Destroy
from tui.dialogs.versions import VersionAct, Versions
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind, TrashedEntry, TrashedFolderEntry
from tui.screens.files_context import FilesContext

_SEVERAL = "destroy"


class VersionActs:
    """What is done with versions."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_versions(self) -> None:
        """List the versions of a file, and do with one of them what is chosen."""
        entry = self._files.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._files.report("Only a file has versions.", Severity.WARNING)
        else:
            self._files.start(partial(self._versions, entry))

    async def _versions(self, entry: Entry) -> None:
        chosen = await self._files.app.push_screen_wait(Versions(entry.path, entry.version))
        if chosen is None:
            return
        if chosen.act is VersionAct.GET:
            folder, title = str(self._files.local_side.path), f"{entry.name} v{chosen.number}"
            self._files.sft.queue.get([entry.path], folder, title, version=chosen.number)
        elif chosen.act is VersionAct.BRING_BACK:
            await self._bring_back(entry, chosen.number)
        else:
            await self._destroy(entry, chosen.number)

    async def _bring_back(self, entry: Entry, number: int) -> None:
        name = shown_name(entry.name)
        self._files.report(f"Version {number} of {name} is got and verified, then stored again.")
        newest = await self._files.gateway.files.restore_version(entry.path, number)
        self._files.report(
            f"{name}: version {number} is the newest again, as version {newest}, signed by you.", Severity.SUCCESS
        )
        self._files.remote.read(anew=True)

    async def _destroy(self, entry: Entry, number: int) -> None:
        lines = ["Nobody can get its content any more; who stored it and when stays known.", "The others stay."]
        question = Destroy(f"version {number} of {shown_name(entry.name)}", lines, typed=entry.name)
        if await self._files.app.push_screen_wait(question):
            await self._files.gateway.files.destroy_version(entry.path, entry.file_id, number)
            said = f"The content of version {number} of {shown_name(entry.name)} is destroyed."
            self._files.report(said, Severity.SUCCESS)

    async def destroy_trashed(self, entries: Sequence[TrashedEntry | TrashedFolderEntry]) -> None:
        """Destroy for good what is shown in the trash."""
        one = len(entries) == 1
        name = split_path(entries[0].path)[1]
        what = shown_name(name) if one else f"{count_text(len(entries))} things"
        lines = ["It lies in the trash now, and could be brought back until its time is over."]
        question = Destroy(what, lines if one else [], typed=name if one else _SEVERAL)
        if not await self._files.app.push_screen_wait(question):
            return
        files = 0
        try:
            for entry in entries:
                files += (await self._files.gateway.files.destroy_trashed(entry.path, entry.seen)).files
            self._files.report(f"{what}: {counted(files, 'file')} destroyed.", Severity.SUCCESS)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)

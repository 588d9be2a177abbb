"""The acts of Files that look for names on the whole server: asking, and going to where something lies.

Rules. What is found stands in the list of the server as the trash does: get, verify and the rest are about it there. Enter goes
to its folder, with the cursor on it; esc goes back to where one was.
"""

from __future__ import annotations

from sft.client.api.search import name_question
from sft.errors import UsageError
from sft.model.names import split_path
from tui.dialogs.ask import TextPrompt
from tui.panes.entry import Entry, EntryKind
from tui.screens.files_context import FilesContext


class SearchActs:
    """What is found."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_search(self) -> None:
        self._files.start(self._search)

    async def _search(self) -> None:
        before = self._files.remote_side.question
        text = await self._files.app.push_screen_wait(
            TextPrompt(
                "Find on the server",
                label="Words of a name; *.pdf; from:ada since:yesterday larger:10M",
                value=before.text if before is not None else "", act="Find", check=self._checked,
            )
        )  # fmt: skip
        if text is not None:
            side = self._files.remote_side
            side.question, side.in_trash = name_question(text, self._files.now), False
            what = "Names with" if side.question is None or side.question.criteria is None else "Files like"
            self._files.report(f"{what} {text}, on the whole server; esc goes back.")
            self._files.remote.read()
            self._files.remote.display = True
            self._files.remote.lines.focus()

    def _checked(self, text: str) -> str:
        question = name_question(text, self._files.now)
        if question is None:
            raise UsageError(problem="There is no letter to look for", remedy="Type a part of a name")
        return question.text

    def leave(self) -> bool:
        """Go back to the folder that was shown before; return whether anything was searched for."""
        if self._files.is_local or self._files.remote_side.question is None:
            return False
        self._files.remote.go_up()
        return True

    def go_to(self, entry: Entry) -> None:
        """Show a folder that was found, or the one in which a file lies, with the cursor on it."""
        side = self._files.remote_side
        is_folder = entry.kind is EntryKind.FOLDER
        side.question, side.path = None, entry.path if is_folder else split_path(entry.path)[0]
        self._files.remote.read(at="" if is_folder else entry.path)

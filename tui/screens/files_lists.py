"""The acts of Files that change what its lists show, and nothing else: folder, trash, filter, order, selection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sft.client.api.tree import matches
from sft.model.names import parse_path, split_path
from sft.model.text import count_text, shell_word
from tui.dialogs.ask import TextPrompt
from tui.messages import ActsChanged
from tui.screens.files_context import FilesContext
from tui.screens.typed_paths import checked_local


class ListActs:
    """What is shown."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_trash(self) -> None:
        self._files.remote_side.in_trash = not self._files.remote_side.in_trash
        self._files.remote.read()
        self._files.remote.lines.focus()

    def act_filter(self) -> None:
        self._files.pane.open_filter()

    def act_sort(self) -> None:
        pane = self._files.pane
        pane.sort(pane.sorting.next)
        self._files.report(f"Sorted {pane.sorting.words}.")

    def act_hidden(self) -> None:
        side = self._files.local_side
        side.hidden = not side.hidden
        self._files.local.read(anew=True)
        self._files.report(f"Names that begin with a dot are {'shown' if side.hidden else 'hidden'}.")

    def act_select_pattern(self) -> None:
        self._files.start(self._select_pattern)

    async def _select_pattern(self) -> None:
        pane = self._files.pane
        pattern = await self._files.app.push_screen_wait(
            TextPrompt("Select by pattern", label="Such as *.pdf", value="*", act="Select")
        )
        if pattern and pane.rows is not None:
            await pane.rows.complete()
            selectable = await pane.rows.selectable()
            fitting = {path for path in selectable if matches(pattern, split_path(path)[1])}
            pane.lines.select_keys(pane.lines.selected | fitting)
            self._files.post_message(ActsChanged())

    def act_go_to(self) -> None:
        self._files.start(self._go_to)

    async def _go_to(self) -> None:
        is_local = self._files.is_local
        value = str(self._files.local_side.path) if is_local else f"/{self._files.remote_side.path}"
        check = checked_local if is_local else partial(parse_path, root=True)
        path = await self._files.app.push_screen_wait(
            TextPrompt("Go to a folder", label="Path", value=value, act="Go", check=check)
        )
        if path is None:
            return
        if is_local:
            self._files.local_side.path = Path(path)
            self._files.local.read()
        else:
            self._files.remote_side.path = path
            self._files.remote.read()

    def act_copy(self) -> None:
        """Copy the path, as a shell needs it."""
        paths = self._files.pane.chosen
        self._files.app.copy_to_clipboard(" ".join(shell_word(path) for path in paths))
        count = "The path was" if len(paths) == 1 else f"{count_text(len(paths))} paths were"
        self._files.report(f"{count} sent to the terminal's clipboard.")

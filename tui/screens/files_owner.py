"""The act of Files that hands things over to somebody else.

Rules. It asks whom, and says what that means: only they and admins hand anything back. One thing after the other, and the list
is read anew whatever came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sft.model.access import Permission, allows
from sft.model.names import split_path
from sft.model.records import OwnerChange, User, UserState
from sft.model.text import count_text, counted, shown_name
from tui.dialogs.owner import ChooseOwner
from tui.messages import Severity
from tui.panes.entry import EntryKind
from tui.screens.files_context import FilesContext


class OwnerActs:
    """What is handed over."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_owner(self) -> None:
        self._files.start(partial(self._hand_over, self._files.pane.chosen))

    async def _hand_over(self, paths: Sequence[str]) -> None:
        people = [user for user in await self._files.gateway.people.users() if _may_own(user)]
        found = self._files.pane.found(paths)
        names = [split_path(path)[1] for path in paths]
        has_folders = any(path in found and found[path].kind is EntryKind.FOLDER for path in paths)
        me = self._files.connection.user_id
        question = ChooseOwner(names, people, me=me, has_folders=has_folders)
        owner = await self._files.app.push_screen_wait(question)
        if owner is None:
            return
        try:
            done = [await self._files.gateway.files.change_owner(path, owner) for path in paths]
            self._files.report(handed_over(done), Severity.SUCCESS)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)


def _may_own(user: User) -> bool:
    return user.state is UserState.ACTIVE and allows(user.role, Permission.FILE_WRITE)


def handed_over(done: Sequence[OwnerChange]) -> str:
    """Tell what was handed over, one thing at least."""
    first = done[0]
    one = len(done) == 1
    what = shown_name(split_path(first.path)[1]) if one else f"{count_text(len(done))} things"
    said = f"{what} {'belongs' if one else 'belong'} to {shown_name(first.owner)} now"
    files = sum(each.files for each in done if each.folders)
    return (
        f"{said}, and so {'does' if files == 1 else 'do'} the {counted(files, 'file')} in it." if files else f"{said}."
    )

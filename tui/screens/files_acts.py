"""What the acts of the Files screen do: questions first where something is destroyed, then a worker that asks the server."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sft.client.api.tree import matches
from sft.errors import LocalFileError, SftError
from sft.limits import TRASH_SECONDS
from sft.model.names import join_path, parse_component, parse_path, safe, split_path
from sft.model.text import count_text, day_text, shown_name, size_text
from tui.dialogs.ask import Ask
from tui.dialogs.confirm import Confirm
from tui.dialogs.versions import Versions
from tui.messages import ActsChanged, Tone
from tui.panes.entry import Entry, EntryKind
from tui.text import folder_text, shown
from tui.workers import begin

if TYPE_CHECKING:
    from tui.screens.files import FilesView

_NAMED = 4  # names in a question; the rest is counted


class FilesActs:
    """Does what was asked of the view."""

    def __init__(self, view: FilesView) -> None:
        self._view = view

    # -- moving files ------------------------------------------------------------------------------------------

    def act_transfer(self) -> None:
        """Put what is chosen here, or get what is chosen there."""
        view = self._view
        names = view.pane.chosen
        title = self._title(names)
        if view.is_here:
            view.sft.queue.put(names, view.there_path, title)
            view.say(f"{title} goes to /{shown(view.there_path)}")
        else:
            view.sft.queue.get(names, str(view.here_path), title)
            view.say(f"{title} comes to {folder_text(str(view.here_path), str(Path.home()))}")
        view.pane.lines.select_keys(set())

    def act_verify(self) -> None:
        """Read and judge what is chosen."""
        view = self._view
        names = view.pane.chosen
        view.sft.queue.verify(names, self._title(names))
        view.pane.lines.select_keys(set())

    def act_versions(self) -> None:
        """List the versions of a file; one of them can be got."""
        entry = self._view.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._view.say("Only a file has versions.", Tone.DOUBT)
            return
        self._work(partial(self._versions, entry))

    async def _versions(self, entry: Entry) -> None:
        view = self._view
        version = await view.app.push_screen_wait(Versions(entry.path, entry.version))
        if version is not None:
            title = f"{entry.name} v{version}"
            view.sft.queue.get([entry.path], str(view.here_path), title, version=version)

    # -- on the server ---------------------------------------------------------------------------------------------

    def act_new_folder(self) -> None:
        """Ask for a name and make a folder in the server's pane."""
        self._work(self._new_folder)

    async def _new_folder(self) -> None:
        view = self._view
        where = f"/{shown(view.there_path)}"
        name = await view.app.push_screen_wait(
            Ask("New folder", label=f"Name, in {where}", act="Make it", check=parse_path)
        )
        if name is None:
            return
        path = join_path(view.there_path, name)
        try:
            made = await view.gateway.files.make_folder(path)
        except SftError as error:
            view.say_error(error)
            return
        view.say(f"{shown_name(name)} is {'made' if made else 'there already'}.", Tone.GOOD)
        view.read_there(anew=True)

    def act_rename(self) -> None:
        """Ask for another name or path."""
        entry = self._view.pane.current
        if entry is None or entry.kind is EntryKind.UP:
            self._view.say("The cursor stands on no file or folder.", Tone.DOUBT)
            return
        self._work(partial(self._rename, entry))

    async def _rename(self, entry: Entry) -> None:
        view = self._view
        folder, name = split_path(entry.path)
        stem = name.rpartition(".")[0] if entry.kind is EntryKind.FILE else name
        lines = ["Its signature stays as it is: who reads it sees that it was moved."]
        new = await view.app.push_screen_wait(
            Ask(
                f"Rename {shown_name(name)}",
                lines=lines if entry.kind is EntryKind.FILE else [],
                label="New name; or a path such as /archive/name",
                value=safe(name), select_to=len(stem or name), act="Rename", check=_checked,
            )
        )  # fmt: skip
        if new is None or new == name:
            return
        target = new.lstrip("/") if new.startswith("/") else join_path(folder, new)
        try:
            await view.gateway.files.move(entry.path, target)
        except SftError as error:
            view.say_error(error)
            return
        there = split_path(target)[0]
        moved = f"{shown_name(name)} is {shown_name(split_path(target)[1])} now"
        view.say(f"{moved}, in /{shown(there)}." if there != folder else f"{moved}.", Tone.GOOD)
        view.read_there(anew=True)

    def act_delete(self) -> None:
        """Ask, then move to the trash."""
        self._work(partial(self._delete, self._view.pane.chosen))

    async def _delete(self, paths: Sequence[str]) -> None:
        view = self._view
        size = view.pane.chosen_bytes
        ends = day_text(view.now + TRASH_SECONDS, view.now)
        folders = [path for path in paths if self._is_folder(path)]
        one = len(paths) == 1
        what = shown_name(split_path(paths[0])[1]) if one else f"{count_text(len(paths))} things"
        if one and folders:
            what += " and all in it"
        lines = [*self._named(paths), ""]
        pronoun = "It goes" if one and not folders else "They go"
        lines.append(
            f"{pronoun} to the trash: restorable until {ends} (T). {size_text(size)}."
            if not folders
            else f"{pronoun} to the trash: files are restorable until {ends} (T)."
        )
        lines.append(
            "Nobody can list or get them meanwhile."
            if not one or folders
            else "Nobody can list or get it meanwhile."
        )
        question = Confirm(f"Delete {what} for everyone?", lines, act="Delete")
        if not await view.app.push_screen_wait(question):
            return
        done = 0
        for path in paths:
            try:
                await view.gateway.files.delete(path, recursive=path in folders)
            except SftError as error:
                view.say_error(error)
                break
            done += 1
        view.pane.lines.select_keys(set())
        view.read_there(anew=True)
        if done == len(paths):
            view.say(
                f"{what} {'is' if one else 'are'} in the trash until {ends}: T shows it.", Tone.GOOD
            )

    def act_restore(self) -> None:
        """Bring back what is chosen in the trash."""
        self._work(partial(self._restore, self._view.pane.chosen))

    async def _restore(self, paths: Sequence[str]) -> None:
        view = self._view
        for path in paths:
            try:
                file = await view.gateway.files.restore(path)
            except SftError as error:
                view.say_error(error)
                break
            name = shown_name(split_path(path)[1])
            number = file.version.number
            view.say(f"{name} is back: version {number}, signature unchanged.", Tone.GOOD)
        view.pane.lines.select_keys(set())
        view.read_there(anew=True)

    def act_trash(self) -> None:
        """Show the trash, or the folder again."""
        view = self._view
        view.in_trash = not view.in_trash
        view.read_there()
        view.there.lines.focus()

    # -- what is shown -------------------------------------------------------------------------------------------------

    def act_details(self) -> None:
        """Show or hide the details."""
        self._view.toggle_details()

    def act_filter(self) -> None:
        """Narrow the list by what is typed."""
        self._view.pane.open_filter()

    def act_clear(self) -> None:
        """Drop filter, then selection, then details over a pane."""
        view = self._view
        if not view.pane.clear() and view.details_asked and not view.has_class("-wide"):
            view.toggle_details(show=False)

    def act_sort(self) -> None:
        """Sort by what comes next."""
        order = self._view.pane.sort_next()
        self._view.say(f"Sorted by {order.value}.")

    def act_hidden(self) -> None:
        """Show or hide names that begin with a dot."""
        view = self._view
        view.hidden = not view.hidden
        view.read_here(anew=True)
        view.say(f"Names that begin with a dot are {'shown' if view.hidden else 'hidden'}.")

    def act_select_pattern(self) -> None:
        """Ask for a pattern and select what fits."""
        self._work(self._select_pattern)

    async def _select_pattern(self) -> None:
        view = self._view
        pane = view.pane
        pattern = await view.app.push_screen_wait(
            Ask("Select by pattern", label="Such as *.pdf", value="*", act="Select")
        )
        if not pattern or pane.rows is None:
            return
        try:
            await pane.rows.complete()
            selectable = await pane.rows.selectable()
        except SftError as error:
            view.say_error(error)
            return
        fitting = {key for key in selectable if matches(pattern, split_path(key)[1])}
        pane.lines.select_keys(pane.lines.selected | fitting)
        view.post_message(ActsChanged())

    def act_go_to(self) -> None:
        """Ask for a path and show that folder."""
        self._work(self._go_to)

    async def _go_to(self) -> None:
        view = self._view
        here = view.is_here
        value = str(view.here_path) if here else f"/{view.there_path}"
        check = _checked_here if here else lambda text: parse_path(text, root=True)
        path = await view.app.push_screen_wait(
            Ask("Go to a folder", label="Path", value=value, act="Go", check=check)
        )
        if path is None:
            return
        if here:
            view.here_path = Path(path)
            view.read_here()
        else:
            view.there_path = path
            view.read_there()

    def act_copy(self) -> None:
        """Copy the path, as a shell needs it."""
        view = self._view
        paths = view.pane.chosen
        view.app.copy_to_clipboard(" ".join(shlex.quote(path) for path in paths))
        count = "The path was" if len(paths) == 1 else f"{count_text(len(paths))} paths were"
        view.say(f"{count} sent to the terminal's clipboard.")

    def act_other_pane(self) -> None:
        """Give the other pane the keys."""
        view = self._view
        other = view.there if view.is_here else view.here
        other.display = True
        other.lines.focus()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _work(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        begin(self._view, job, group="acting")

    def _is_folder(self, path: str) -> bool:
        rows = self._view.pane.rows
        index = None if rows is None else rows.index_of(path)
        entry = None if rows is None or index is None else rows.entry(index)
        return entry is not None and entry.kind is EntryKind.FOLDER

    def _title(self, names: Sequence[str]) -> str:
        if len(names) > 1:
            return f"{count_text(len(names))} items"
        name = shown(names[0].rpartition("/")[2])
        return f"{name}/" if self._is_folder(names[0]) else name

    def _named(self, paths: Sequence[str]) -> list[str]:
        """Name what is deleted, with whose it is where that is not the person's own."""
        view = self._view
        rows = view.pane.rows
        lines = []
        for path in paths[:_NAMED]:
            index = None if rows is None else rows.index_of(path)
            entry = None if rows is None or index is None else rows.entry(index)
            whose = ""
            if entry is not None and entry.owner and entry.owner_id != view.connection.user_id:
                whose = f"   {shown(entry.owner)}'s"
            ending = "/" if entry is not None and entry.is_folder else ""
            lines.append(f"{shown(split_path(path)[1])}{ending}{whose}")
        if len(paths) > _NAMED:
            lines.append(f"and {count_text(len(paths) - _NAMED)} more")
        return lines


def _checked(text: str) -> str:
    if text.startswith("/"):
        return "/" + parse_path(text)
    return parse_component(text)


def _checked_here(text: str) -> str:
    try:
        path = Path(text).expanduser().resolve()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a home of nobody, too long, closed to us, a loop
        is_folder = False
    if not is_folder:
        raise LocalFileError(path=text, problem="is no folder", remedy="Name one that is there")
    return str(path)

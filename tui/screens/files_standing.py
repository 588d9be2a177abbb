"""What can be done in Files as things stand, why not what cannot, and what the message line says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sft.model.access import Caller, Permission, Resource, allows, may
from sft.model.text import count_text, shown_name, size_text
from tui.keys import ACTS, Action, acts_of
from tui.messages import Tone
from tui.panes.entry import EntryKind
from tui.text import cut_name, cut_path, folder_text, shown

if TYPE_CHECKING:
    from tui.screens.files import FilesView

_PATH_CELLS: Final = 40
_OWNED: Final = {"files.rename": "rename", "files.delete": "delete", "files.restore": "restore"}
_ON_SERVER: Final = frozenset({"files.rename", "files.delete", "files.verify", "files.versions"})
_OF_A_LINE: Final = _ON_SERVER | {"files.transfer", "files.restore", "files.copy"}
_NOT_IN_TRASH: Final = _ON_SERVER | {"files.transfer", "files.new_folder", "files.go_to"}
_STATE_WORDS: Final = {
    "signed": "signed by {}; not checked on this computer yet",
    "verified": "verified on this computer: the bytes are as {} signed them",
    "unknown": "signed by a key that is not known as {}'s",
    "bad": "not what {} signed: do not use it",
}


class Standing:
    """Looks at the view and says how things stand."""

    def __init__(self, view: FilesView) -> None:
        self._view = view

    def acts(self) -> list[Action]:
        """Give what makes sense on this side."""
        view, acts = self._view, acts_of("files")
        select = ACTS["list.select"]
        if view.in_trash and not view.is_here:
            return [*(act for act in acts if act.id not in _NOT_IN_TRASH), select]
        senseless = {"files.restore", "files.verify" if view.is_here else "files.hidden"}
        return [*(act for act in acts if act.id not in senseless), select]

    def label(self, act: Action) -> str:
        """Say which way a transfer goes, and where T leads."""
        view, glyphs = self._view, self._view.sft.glyphs
        if act.id == "files.transfer":
            return f"Put{glyphs.right}" if view.is_here else f"{glyphs.left}Get"
        if act.id == "files.trash" and view.in_trash:
            return "Leave trash"
        return act.label

    def reason_of_side(self, act: Action) -> str:
        """Say why not on this side."""
        if self._view.is_here and act.id in _ON_SERVER:
            return "Nothing on this computer is renamed, deleted or checked: that is for the server's side."
        return ""

    def reason(self, act: Action) -> str:
        """Say why not: the role, what is under the cursor, or whose file it is."""
        view = self._view
        role = view.connection.role
        stores = view.is_here and act.id == "files.transfer"
        if stores and role is not None and not allows(role, Permission.FILE_WRITE):
            return f"{role.value.capitalize()}s do not store files. An admin can change your role."
        if act.id in _OF_A_LINE and not view.pane.has_chosen:
            return "Nothing is chosen: the cursor stands on no file or folder."
        return self._reason_of_owner(act)

    def status(self) -> tuple[str, Tone]:
        """Say what is chosen, and what that means."""
        view, pane = self._view, self._view.pane
        ellipsis = view.sft.glyphs.ellipsis
        selected = pane.lines.selected
        if selected:
            said = f"{count_text(len(selected))} selected"
            size = size_text(pane.chosen_bytes)
            if view.is_here:
                to = cut_path(f"/{shown(view.there_path)}", _PATH_CELLS, ellipsis)
                return f"{said} here, {size}: c stores them in {to}", Tone.PLAIN
            if view.in_trash:
                return f"{said}, {size}: u brings them back", Tone.PLAIN
            here = folder_text(str(view.here_path), str(Path.home()))
            return (
                f"{said}, {size}: c gets them into {cut_path(here, _PATH_CELLS, ellipsis)}",
                Tone.PLAIN,
            )
        entry = pane.current
        if entry is None or view.is_here or entry.kind is not EntryKind.FILE or entry.state is None:
            return "", Tone.PLAIN
        said = _STATE_WORDS[entry.state.value].format(shown(entry.author))
        return f"{cut_name(shown(entry.name), _PATH_CELLS, ellipsis)}: {said}", Tone.PLAIN

    def _reason_of_owner(self, act: Action) -> str:
        view = self._view
        role, entry = view.connection.role, view.pane.current
        if (
            act.id not in _OWNED
            or role is None
            or entry is None
            or entry.kind is not EntryKind.FILE
        ):
            return ""
        if view.pane.lines.selected:
            return ""  # the server says which of them may not
        person = Caller(view.connection.user_id, None, "", role)
        if act.permission is None or may(person, act.permission, Resource(entry.owner_id)):
            return ""
        name, owner = shown_name(entry.name), shown_name(entry.owner)
        return f"{name} belongs to {owner}: only they or an admin may {_OWNED[act.id]} it."

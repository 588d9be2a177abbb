"""What can be done in Files as things stand, why not, and what is said of it: pure, over a snapshot of the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from sft.model.access import Caller, Permission, Resource, Role, may
from sft.model.names import split_path
from sft.model.records import File, RestoredFolder
from sft.model.text import count_text, day_text, shown_name, size_text
from tui.glyphs import Glyphs
from tui.keys import ACTS, Action, acts_of
from tui.panes.comparison import LocalStanding
from tui.panes.entry import Entry, EntryKind
from tui.panes.inside import Tally, inside_words
from tui.text import cut_path, shown

_PATH_CELLS: Final = 40
_NAMED: Final = 4  # names in a question; the rest is counted
_OWNED: Final = {
    "files.rename": "rename",
    "files.owner": "hand over",
    "files.delete": "delete",
    "files.restore": "restore",
    "files.expiry": "set the expiry of",
}
_ON_SERVER: Final = frozenset(
    {"files.rename", "files.owner", "files.delete", "files.verify", "files.why", "files.look", "files.versions"}
    | {"files.proof", "files.rights"}
)
_OF_A_LINE: Final = _ON_SERVER | {"files.transfer", "files.expiry", "files.restore", "files.copy"}
_NOT_IN_TRASH: Final = (_ON_SERVER - {"files.delete", "files.rights"}) | {
    "files.transfer",
    "files.expiry",
    "files.new_folder",
    "files.go_to",
}
_STATE_WORDS: Final = {  # at length, and where a name leaves less room
    "not looked at": ("its signature by {} was not looked at yet", "not looked at yet"),
    "signed": ("signed by {}; not checked on this computer yet", "signed, unread"),
    "verified": ("verified on this computer: the bytes are as {} signed them", "verified"),
    "unknown": ("not proved to be {}'s: i says why", "not proved: i says why"),
    "bad": ("not what {} signed: do not use it", "bad: do not use it"),
}

_MARK_WORDS: Final = {
    LocalStanding.SAME: ", the same bytes as the server's newest version",
    LocalStanding.CHANGED: ", changed here since it was stored or got",
    LocalStanding.NEWER: ": the server has a newer version",
    LocalStanding.BOTH: ", changed here; and the server has a newer version",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How the screen stands.

    Args:
        is_local: acts are about this computer.
        current: under the cursor.
        selected: how many are.
        weight: of those selected, else of the current one.
        local_text, remote_text: the folders that are shown, harmless.
        mark: how the current file here stands to the server's of that name; None where that is not known.
    """

    is_local: bool
    in_trash: bool
    role: Role | None
    user_id: int
    current: Entry | None
    selected: int
    weight: Tally
    local_text: str
    remote_text: str
    mark: LocalStanding | None = None


def acts(now: Snapshot) -> list[Action]:
    """Return the acts that make sense on this side."""
    senseless = {"files.restore", "files.verify" if now.is_local else "files.hidden"}
    if now.in_trash and not now.is_local:
        senseless = {*_NOT_IN_TRASH}
    return [*(act for act in acts_of("files") if act.id not in senseless), ACTS["list.select"]]


def label(now: Snapshot, act: Action, glyphs: Glyphs) -> str:
    """Return which way a transfer goes, and where T leads; else the label of the act."""
    if act.id == "files.transfer":
        return f"Put{glyphs.right}" if now.is_local else f"{glyphs.left}Get"
    if now.in_trash and not now.is_local:
        return {"files.trash": "Leave trash", "files.delete": "Destroy"}.get(act.id, act.label)
    return "Leave trash" if act.id == "files.trash" and now.in_trash else act.label


def reason_of_side(now: Snapshot, act: Action) -> str:
    """Why not on this side; empty if it can be done there."""
    if now.is_local and act.id in _ON_SERVER:
        return "Nothing on this computer is renamed, deleted or checked: that is for the server's side."
    return ""


def needed(now: Snapshot, act: Action) -> Permission | None:
    """Return what the role must hold for an act on this side."""
    is_put = now.is_local and act.id in {"files.transfer", "files.expiry"}
    return Permission.FILE_WRITE if is_put else act.permission


def reason(now: Snapshot, act: Action) -> str:
    """Why not: what is under the cursor, or whose file it is; empty if it can be done."""
    role, entry = now.role, now.current
    if act.id in _OF_A_LINE and not now.selected and (entry is None or not entry.can_be_chosen):
        return "Nothing is chosen: the cursor stands on no file or folder."
    # Of several that are selected, the server says which may not.
    if act.id not in _OWNED or now.is_local or now.selected or role is None or entry is None:
        return ""
    person, permission = Caller(now.user_id, None, "", role), act.permission
    is_file = entry.kind is EntryKind.FILE
    if not is_file or permission is None or may(person, permission, Resource(entry.owner_id)):
        return ""
    name, owner = shown_name(entry.name), shown_name(entry.owner)
    return f"{name} belongs to {owner}: only they or an admin may {_OWNED[act.id]} it."


def status(now: Snapshot, ellipsis: str, cells: int) -> str:
    """Return what is chosen, and what that means, in so many cells if its name lets it."""
    if now.selected:
        message, what = f"{count_text(now.selected)} selected", now.weight.words
        if now.is_local:
            to = cut_path(now.remote_text, _PATH_CELLS, ellipsis)
            return f"{message} here ({what}): c stores them in {to}"
        if now.in_trash:
            return f"{message} ({what}): u brings them back, d destroys them for good"
        return f"{message} ({what}): c gets them into {cut_path(now.local_text, _PATH_CELLS, ellipsis)}"
    entry = now.current
    if entry is None or entry.kind is EntryKind.UP:
        return ""
    said = _known_of(entry, now.mark, ellipsis)
    # The name whole, on two lines if need be; what is known of it as long as there is room.
    name = shown(entry.path if now.in_trash and not now.is_local else entry.name)
    return next(
        (f"{name}: {each}" for each in said if cell_len(name) + 2 + cell_len(each) <= cells), f"{name}: {said[-1]}"
    )


def _known_of(entry: Entry, mark: LocalStanding | None, ellipsis: str) -> list[str]:
    """Say what is known of a line, at length and in a word."""
    if entry.kind is EntryKind.FOLDER:
        return [inside_words(entry) if entry.inside else "folder"]
    if entry.kind is not EntryKind.FILE:
        return ["not sent"]
    size = size_text(entry.size)
    if entry.state is None:
        return [f"{size}{_MARK_WORDS[mark]}", size] if mark else [size]
    sentence, word = (words.format(shown(entry.author)) for words in _STATE_WORDS[entry.state.value])
    elsewhere = f"; signed as {cut_path(shown(entry.signed_as), _PATH_CELLS, ellipsis)}" if entry.signed_as else ""
    return [f"{sentence}{elsewhere}", f"{word}{'; moved' if elsewhere else ''}"]


def title(paths: Sequence[str], found: Mapping[str, Entry]) -> str:
    """Name what is chosen: the one, or how many."""
    if len(paths) > 1:
        return f"{count_text(len(paths))} items"
    name, entry = shown(paths[0].rpartition("/")[2]), found.get(paths[0])
    return f"{name}/" if entry is not None and entry.kind is EntryKind.FOLDER else name


@dataclass(frozen=True, slots=True)
class DeletionWords:
    """What a deletion is called, about what, and what it asks and reports.

    Args:
        gone: the beginning of the report, which ``done`` ends with what the server says.
    """

    title: str
    names: list[str]
    lines: list[str]
    gone: str

    def done(self, ends_at: int, now: float) -> str:
        """Report it, with the moment at which the server destroys what is in its trash."""
        return f"{self.gone} in the trash until {day_text(ends_at, now)}: T shows it."


def deletion(chosen: Sequence[tuple[str, Entry | None]], size_bytes: int, user_id: int) -> DeletionWords:
    """Word the deletion of what is chosen: each name with what is known of it."""
    has_folders = any(entry is not None and entry.kind is EntryKind.FOLDER for _, entry in chosen)
    one = len(chosen) == 1
    what = shown_name(chosen[0][0]) if one else f"{count_text(len(chosen))} things"
    if one and has_folders:
        what += " and all in it"
    goes, it = ("It goes", "it") if one else ("They go", "them")
    size = "" if has_folders else f" {size_text(size_bytes)}."
    names = [_named(name, entry, user_id) for name, entry in chosen[:_NAMED]]
    lines = [
        *([f"and {count_text(len(chosen) - _NAMED)} more"] if len(chosen) > _NAMED else []),
        "",
        f"{goes} to the trash, which says until when (T).{size}",
        f"Nobody can list or get {it} meanwhile.",
    ]
    gone = f"{what} {'is' if one else 'are'}"
    # Of one thing the name is said once, whole.
    asked = what if not one else "this folder and all in it" if has_folders else "this file"
    return DeletionWords(f"Delete {asked} for everyone?", names, lines, gone)


def restored(back: File | RestoredFolder) -> str:
    """Tell what came back from the trash."""
    name = shown_name(split_path(back.path)[1])
    if isinstance(back, File):
        return f"{name} is back: version {back.version.number}, signature unchanged."
    return f"{name} is back with {count_text(back.files)} file{'' if back.files == 1 else 's'} in it."


def _named(name: str, entry: Entry | None, user_id: int) -> str:
    """Name what is deleted, with whose it is where that is not the person's own."""
    if entry is None:
        return shown(name)
    whose = f"   {shown(entry.owner)}'s" if entry.owner and entry.owner_id != user_id else ""
    return f"{shown(name)}{'/' if entry.kind is EntryKind.FOLDER else ''}{whose}"

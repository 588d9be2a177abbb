"""How an entry is drawn in a list: the same for both sides, apart from their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sft.client.trust import SignatureState
from sft.model.text import age_text, count_text, day_text, local_time
from tui.glyphs import Glyphs
from tui.panes.entry import UP_PATH, Entry, EntryKind
from tui.text import shown, size_cell
from tui.widgets.rows import ListRow

_SIZE_CELLS: Final = 8
_AGE_CELLS: Final = 6
_MINUTE: Final = 60
_DRAWN: Final = 1000  # lines that are kept drawn
_ASIDE: Final = ("~", ".bak", ".tmp", ".part", ".minisig", ".sftproof", ".log")

_TONES: Final[Mapping[SignatureState, str]] = {
    SignatureState.NOT_LOOKED_AT: "muted",
    SignatureState.SIGNED: "muted",
    SignatureState.VERIFIED: "good",
    SignatureState.UNKNOWN: "doubt",
    SignatureState.BAD: "bad",
}


Draw = Callable[[Entry], ListRow[Entry]]


def drawer(glyphs: Glyphs, now: Callable[[], float]) -> Draw:
    """Make what draws entries; what was drawn within the same minute is not drawn again."""
    drawn: dict[Entry, ListRow[Entry]] = {}
    minute = 0.0

    def draw(entry: Entry) -> ListRow[Entry]:
        nonlocal minute
        if now() - minute >= _MINUTE or len(drawn) > _DRAWN:
            drawn.clear()
            minute = now()
        row = drawn.get(entry)
        if row is None:
            row = drawn[entry] = draw_anew(entry)
        return row

    def draw_anew(entry: Entry) -> ListRow[Entry]:
        if entry.kind is EntryKind.UP:
            return ListRow(UP_PATH, entry, {"mark": "", "name": ".."}, {"name": "muted"}, selectable=False)
        moment = now()
        cells = {"name": shown(entry.name), "from": shown(entry.author or entry.owner)}
        tones: dict[str, str] = dict.fromkeys(("age", "date", "from", "suffix"), "muted")
        if entry.kind is EntryKind.FOLDER:
            cells["name"] += "/"
            cells["size"] = inside_text(entry)
            tones |= {"name": "strong", "size": "muted"}
        elif entry.kind is EntryKind.FILE:
            cells["size"] = size_cell(entry.size)
            if is_aside(entry.name):
                tones["name"] = "muted"
        else:
            cells["size"] = "link" if entry.kind is EntryKind.LINK else "special"
            tones |= {"name": "muted", "size": "muted"}
        if entry.version > 1:
            cells["suffix"] = f"v{entry.version}"
        if entry.until is not None:
            cells["age"] = day_text(entry.until, moment)
            cells["from"] = shown(entry.owner)
        elif entry.at is not None and (entry.kind is EntryKind.FILE or entry.inside is None):
            cells["age"] = short_age(entry.at, moment)
            cells["date"] = local_time(entry.at, now=moment)
        if entry.state is not None:
            cells["mark"] = glyphs.state(entry.state)
            tones["mark"] = _TONES[entry.state]
        return ListRow(entry.path, entry, cells, tones, selectable=entry.can_be_chosen)

    return draw


def is_aside(name: str) -> bool:
    """Return whether a file is seldom what is looked for: hidden, in the making, or about another file."""
    return name.startswith(".") or name.casefold().endswith(_ASIDE)


def short_age(at: int, now: float) -> str:
    """Return an age in few cells: ``3 h``, ``28 Apr``, ``24 Jun``; of an earlier year that alone."""
    age = age_text(at, now)
    if len(age) <= _AGE_CELLS:
        return age
    return age[-4:] if age[-4:].isdecimal() else age[:_AGE_CELLS]


def inside_text(entry: Entry) -> str:
    """Return what lies in a folder, in the width of a size."""
    if entry.inside is None:
        return ""
    files, folders = entry.inside
    if not files and not folders:
        return "empty"
    # "2 folders" has no room, and one column has one word for them.
    count, noun = (files, "file") if files else (folders, "dir")
    words = (f"{noun}{'' if count == 1 else 's'}", "")
    texts = (f"{count_text(count)} {word}".strip() for word in words)
    return next((text for text in texts if len(text) <= _SIZE_CELLS), count_text(count))

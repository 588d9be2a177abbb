"""How an entry is drawn in a list: the same for both sides, apart from their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sft.client.trust import SignatureState
from sft.model.text import age_text, count_text, day_text, local_time
from tui.glyphs import Glyphs
from tui.panes.entry import UP_PATH, Entry, EntryKind
from tui.text import shown, size_cell
from tui.widgets.rows import Column, ListRow

_SIZE_CELLS: Final = 9
_WHEN_CELLS: Final = 6  # of an earlier year, the year alone
_MINUTE: Final = 60
_DRAWN: Final = 1000  # lines that are kept drawn

LOCAL_COLUMNS: Final = (
    Column("mark", width=1),
    Column("name", "name", is_name=True),
    Column("size", "size", _SIZE_CELLS, right=True),
    Column("when", "age", 6, right=True, from_width=28, roomy=(64, 17)),
)
REMOTE_COLUMNS: Final = (
    Column("mark", width=1),
    Column("name", "name", is_name=True),
    Column("version", "v", 2, right=True, from_width=44, roomy=(80, 4)),
    Column("size", "size", _SIZE_CELLS, right=True),
    Column("from", "from", 6, from_width=32, gap=2, roomy=(80, 12)),
    Column("age", "dated", 8, right=True, from_width=44, roomy=(80, 17)),
)
TRASH_COLUMNS: Final = (
    Column("mark", width=1),
    Column("name", "name", is_path=True),
    Column("size", "size", _SIZE_CELLS, right=True),
    Column("from", "owner", 6, from_width=40, gap=2, roomy=(80, 12)),
    Column("age", "until", 7, right=True, from_width=32, roomy=(80, 12)),
)
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
        roomy: dict[str, str] = {}
        cells = {"name": shown(entry.name), "from": shown(entry.author or entry.owner)}
        tones: dict[str, str] = {"age": "muted", "when": "muted", "from": "muted", "version": "muted"}
        if entry.kind is EntryKind.FOLDER:
            cells["name"] += "/"
            cells["size"] = inside_text(entry)
            tones |= {"name": "accent", "size": "muted"}
        elif entry.kind is EntryKind.FILE:
            cells["size"] = size_cell(entry.size)
        else:
            cells["size"] = "link" if entry.kind is EntryKind.LINK else "special"
            tones |= {"name": "muted", "size": "muted"}
        if entry.version:
            cells["version"] = str(entry.version)
        if entry.until is not None:
            cells["age"] = day_text(entry.until, moment)
            cells["from"] = shown(entry.owner)
        elif entry.at is not None and (entry.kind is EntryKind.FILE or entry.inside is None):
            age = age_text(entry.at, moment)
            cells["age"], cells["when"] = age, age if len(age) <= _WHEN_CELLS else age[-4:]
            roomy["age"] = roomy["when"] = local_time(entry.at, now=moment)
        if entry.state is not None:
            cells["mark"] = glyphs.state(entry.state)
            tones["mark"] = _TONES[entry.state]
        return ListRow(entry.path, entry, cells, tones, selectable=entry.can_be_chosen, roomy=roomy)

    return draw


def inside_text(entry: Entry) -> str:
    """Return what lies in a folder, in the width of a size."""
    if entry.inside is None:
        return ""
    files, folders = entry.inside
    if not files and not folders:
        return "empty"
    count, noun = (files, "file") if files else (folders, "folder")
    text = f"{count_text(count)} {noun}{'' if count == 1 else 's'}"
    return text if len(text) <= _SIZE_CELLS else count_text(count)

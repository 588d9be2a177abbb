"""Details in a few lines below the lists: the whole name, what is known, the verdict's sentence, the key in words."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.content import Content
from textual.widgets import Static

from sft.model.names import split_path
from sft.model.text import day_text, local_time, size_text
from tui.gateway import Details
from tui.glyphs import Glyphs
from tui.panes.details import verdict
from tui.panes.entry import Entry, EntryKind
from tui.panes.inside import deleted_words, inside_words
from tui.text import folder_text, name_text, shown
from tui.themes.styles import styles_of


class DetailsStrip(Static):
    """The strip: four lines, each in one."""

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._glyphs = glyphs

    def on_mount(self) -> None:
        self.border_title = Content("details")
        self.border_subtitle = Content("i hides")

    def show(self, lines: list[Text]) -> None:
        text = Text("\n").join(lines)
        text.no_wrap, text.overflow = True, "ellipsis"
        self.update(text, layout=False)

    def of_local(self, entry: Entry, now: float, to: str) -> list[Text]:
        if entry.kind is EntryKind.UP:
            return [self._quiet("The folder above.")]
        folder = folder_text(entry.path.rpartition("/")[0], str(Path.home()))
        what = {
            EntryKind.FOLDER: "folder",
            EntryKind.FILE: size_text(entry.size),
            EntryKind.LINK: "link: not sent",
        }.get(entry.kind, "neither file nor folder: not sent")
        dated = "" if entry.at is None else f"dated {local_time(entry.at, now=now)}"
        lines = [self._named(entry.name, folder), self._facts(what, dated)]
        if to and entry.kind in {EntryKind.FOLDER, EntryKind.FILE}:
            lines.append(self._quiet(f"c stores it in {shown(to)}"))
        return lines

    def of_folder(self, entry: Entry, now: float) -> list[Text]:
        if entry.kind is EntryKind.UP:
            return [self._quiet("The folder above.")]
        made = "" if entry.at is None else f"made {day_text(entry.at, now)}"
        folder = "/" + shown(split_path(entry.path)[0])
        return [self._named(entry.name, folder), self._facts(inside_words(entry), made)]

    def of_trashed(self, entry: Entry, now: float) -> list[Text]:
        folder, name = split_path(entry.path)
        deleted = f"deleted {deleted_words(entry, now)}"
        facts = (size_text(entry.size), f"version {entry.version}", f"owner {shown(entry.owner)}", deleted)
        if entry.kind is EntryKind.FOLDER:
            facts = (inside_words(entry), deleted, "", "")
        lines = [self._named(name, "/" + shown(folder)), self._facts(*facts)]
        if entry.until is not None:
            lines.append(Text(f"in the trash until {day_text(entry.until, now)}"))
            lines.append(self._quiet("Then the server destroys it. u brings it back."))
        return lines

    def of_file(self, details: Details, now: float) -> list[Text]:
        file, version = details.file, details.file.version
        folder, name = split_path(file.path)
        says, step = verdict(details, now, self._glyphs, styles_of(self.app.theme))
        if step:
            says.append_text(self._quiet(f"  {step}"))
        known = details.first_seen_at
        return [
            self._named(name, "/" + shown(folder)),
            self._facts(
                size_text(version.size),
                f"version {version.number}",
                f"dated {local_time(version.dated_at, now=now)}",
                f"stored {local_time(version.stored_at, now=now)} by {shown(version.author)}",
                f"owner {shown(file.owner)}" if file.owner_id != version.author_id else "",
                f"goes to the trash {local_time(file.expires_at, now=now)}" if file.expires_at is not None else "",
                f"signed as {shown(version.signed_name)}, moved since" if version.signed_name != file.path else "",
                "receipt kept" if details.receipt_kept else "",
            ),
            says,
            self._quiet(details.words + (f", key known since {day_text(known, now)}" if known is not None else "")),
        ]

    def _named(self, name: str, folder: str) -> Text:
        return Text.assemble(name_text(name, "bold"), self._quiet(f"  in {folder}"))

    def _facts(self, *facts: str) -> Text:
        return Text((" . " if self._glyphs.plain else " · ").join(filter(None, facts)))

    def _quiet(self, text: str) -> Text:
        return Text(text, styles_of(self.app.theme)["muted"])

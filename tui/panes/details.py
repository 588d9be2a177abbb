"""What is known of the entry under the cursor, with the verdict on its signature in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sft.client.logged import LogLine
from sft.client.trust import SignatureState, read_sentence, unread_sentence
from sft.client.trust_words import known_since
from sft.model.names import split_path
from sft.model.records import FileReader
from sft.model.text import count_text, day_text, local_time, shown_name, size_text
from tui.gateway import Details
from tui.glyphs import Glyphs
from tui.log_words import NO_TRACE, grade_of, reader_lines
from tui.panes.entry import Entry, EntryKind
from tui.panes.inside import deleted_words, inside_words
from tui.panes.layout import Place
from tui.text import error_text, folder_text, name_text, shown
from tui.themes.styles import styles_of

_TONE: Final = {
    SignatureState.NOT_LOOKED_AT: "muted",
    SignatureState.SIGNED: "muted",
    SignatureState.VERIFIED: "good",
    SignatureState.UNKNOWN: "doubt",
    SignatureState.BAD: "bad",
}


class DetailsPane(VerticalScroll, can_focus=False):
    """The third column, or in the place of a pane: there it takes the focus, to be scrolled."""

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield Static(id="details-text", markup=False)

    def on_mount(self) -> None:
        self.border_title = Content("details")
        self.border_subtitle = Content("i hides")

    def stand(self, place: Place, width: int) -> None:
        """Stand elsewhere, or not at all."""
        self.display = place in {Place.BESIDE, Place.OTHER_PANE, Place.WHOLE}
        self.can_focus = place in {Place.OTHER_PANE, Place.WHOLE}
        self.styles.width = width or "1fr"

    def show(self, lines: list[Text]) -> None:
        text = self.query_one("#details-text", Static)
        text.update(Text("\n").join(lines), layout=False)
        # Laying out the whole screen costs more than drawing it: only where the number of lines has changed.
        text.clear_cached_dimensions()
        size = text.size
        if text.get_content_height(self.size, self.size, size.width) != size.height:
            text.refresh(layout=True)
        self.scroll_home(animate=False)

    # -- what is said of what ------------------------------------------------------------------------------

    def of_local(self, entry: Entry, now: float, to: str) -> list[Text]:
        kinds = {
            EntryKind.UP: "the folder above",
            EntryKind.FOLDER: "folder",
            EntryKind.FILE: "file",
            EntryKind.LINK: "link: not sent",
            EntryKind.OTHER: "neither file nor folder: not sent",
        }
        if entry.kind is EntryKind.UP:
            return [self._quiet("The folder above.")]
        lines = [
            name_text(entry.name, "bold"),
            self._quiet(folder_text(entry.path.rpartition("/")[0], str(Path.home()))),
            Text(),
        ]
        size = f"{size_text(entry.size)} {self._dot} " if entry.kind is EntryKind.FILE else ""
        lines.append(Text(f"{size}{kinds[entry.kind]}"))
        if entry.at is not None:
            lines.append(Text(f"dated {local_time(entry.at, now=now)}"))
        if entry.kind in {EntryKind.FILE, EntryKind.FOLDER} and to:
            lines += [Text(), self._quiet(f"c stores it in {shown(to)}")]
        return lines

    def of_folder(self, entry: Entry, now: float) -> list[Text]:
        if entry.kind is EntryKind.UP:
            return [self._quiet("The folder above.")]
        lines = [
            name_text(entry.name, "bold"),
            self._quiet("/" + shown(split_path(entry.path)[0])),
            Text(),
            Text(inside_words(entry)),
        ]
        if entry.at is not None:
            lines.append(Text(f"made {day_text(entry.at, now)}"))
        return lines

    def of_trashed(self, entry: Entry, now: float) -> list[Text]:
        folder, name = split_path(entry.path)
        lines = [name_text(name, "bold"), self._quiet("/" + shown(folder)), Text()]
        if entry.kind is EntryKind.FOLDER:
            lines += [Text(inside_words(entry)), self._labeled("deleted", deleted_words(entry, now))]
        else:
            lines += [
                Text(f"{size_text(entry.size)} {self._dot} version {entry.version}"),
                self._labeled("owner", shown(entry.owner)),
                self._labeled("deleted", deleted_words(entry, now)),
            ]
        if entry.until is not None:
            lines += [
                Text(),
                self._labeled("in the trash until", day_text(entry.until, now)),
                self._quiet("Then the server destroys it. u brings it back."),
            ]
        return lines

    def of_file(
        self,
        details: Details,
        now: float,
        history: Sequence[tuple[LogLine, str]] = (),
        readers: Sequence[FileReader] | None = None,
    ) -> list[Text]:
        """Describe a file.

        Args:
            history: what the log says was done to it, the newest first, and who did it.
            readers: who has it and who has not; None where that is not ours to see, or not known.
        """
        file, version, dot = details.file, details.file.version, self._dot
        folder, name = split_path(file.path)
        lines = [
            name_text(name, "bold"),
            self._quiet("/" + shown(folder)),
            Text(),
            Text(f"{size_text(version.size)} {dot} version {version.number}"),
            self._labeled("dated", local_time(version.dated_at, now=now)),
            self._labeled("stored", f"{local_time(version.stored_at, now=now)} by {shown(version.author)}"),
        ]
        if file.owner_id != version.author_id:
            lines.append(self._labeled("owner", shown(file.owner)))
        if file.trash_ends_at is not None:
            lines.append(self._labeled("in the trash until", day_text(file.trash_ends_at, now)))
        elif file.expires_at is not None:
            lines.append(self._labeled("goes to the trash", local_time(file.expires_at, now=now)))
        lines += [Text(), self._head("SIGNATURE"), *self._verdict(details, now), Text()]
        lines += [self._quiet(group) for group in details.words.split(" ")]
        if details.first_seen_at is not None:
            lines.append(self._quiet(known_since(day_text(details.first_seen_at, now))))
        if version.signed_name != file.path:
            lines.append(Text(f"signed as {shown_name(version.signed_name)}, moved since"))
        if history or details.receipt_kept:
            lines += [Text(), self._head("LOG"), *(each for one in history for each in self._happened(*one, now))]
            if details.receipt_kept:
                lines.append(self._labeled("receipt:", "kept on this computer"))
        if readers is not None:
            lines += [
                Text(),
                self._head("READ BY"),
                *map(Text, reader_lines(readers, self._glyphs)),
                self._quiet(NO_TRACE),
            ]
        if version.number > 1:
            lines += [Text(), self._head("VERSIONS"), Text(f"{version.number}; V lists them")]
        return lines

    def _happened(self, line: LogLine, who: str, now: float) -> list[Text]:
        version = f" v{line.version}" if line.version else ""
        grade = grade_of(line, who, self._glyphs, broad=False)
        return [
            Text(f"{count_text(line.number)} {line.words}{version}{f' {grade}' if grade else ''}"),
            self._quiet(f"  {who}, {local_time(line.time, now=now)}"),
        ]

    def _verdict(self, details: Details, now: float) -> list[Text]:
        says, step = verdict(details, now, self._glyphs, styles_of(self.app.theme))
        return [says, self._quiet(step)] if step else [says]

    @property
    def _dot(self) -> str:
        return "." if self._glyphs.plain else "·"

    def _quiet(self, text: str) -> Text:
        return Text(text, styles_of(self.app.theme)["muted"])

    def _head(self, text: str) -> Text:
        return Text(text, styles_of(self.app.theme)["heading"])

    def _labeled(self, label: str, value: str) -> Text:
        return Text.assemble((f"{label} ", styles_of(self.app.theme)["muted"]), value)


def verdict(details: Details, now: float, glyphs: Glyphs, styles: Mapping[str, Style]) -> tuple[Text, str]:
    """Say what the signature is worth, and what can be done about it."""
    sign, style = glyphs.state(details.state), styles[_TONE[details.state]]
    author = details.file.version.author
    step = ""
    if details.error is not None:
        message, step = error_text(details.error, now)
    elif details.state is SignatureState.VERIFIED:
        message = read_sentence(author)
    else:
        message = unread_sentence(author)
        step = "v checks without keeping it, c gets it."
    return Text.assemble((f"{sign} ", style), (message, "" if _TONE[details.state] == "muted" else style)), step

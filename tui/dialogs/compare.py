"""What changed from one version of a text to another, with the author of each line in the margin; both were verified first.

Rules. As ``tui.dialogs.preview``: nothing of a version is shown that does not hold, and the bytes stay in memory.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from sft.client.transfers.look import LOOK_BYTES, LookedInto
from sft.client.trust import SignatureState
from sft.errors import SftError
from sft.model.names import split_path
from sft.model.text import counted, local_time, shown_name, size_text
from tui.dialogs.dialog import SCROLLING, Dialog
from tui.preview.differences import Compared, Difference, DiffSide, compared
from tui.preview.lines import lines_of, text_of
from tui.text import cut, error_text, shown
from tui.themes.styles import styles_of

_AUTHOR_CELLS: Final = 10
_TONE: Final = {DiffSide.OLD: "bad", DiffSide.NEW: "good", DiffSide.BOTH: "plain", DiffSide.LEFT_OUT: "muted"}


class Compare(Dialog[None]):
    """Shows it.

    Args:
        old, new: numbers of two versions.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    page = True

    def __init__(self, path: str, old: int, new: int) -> None:
        super().__init__(f"{shown_name(split_path(path)[1])}: version {old} and version {new}", safe="Close")
        self._path = path
        self._numbers = (old, new)

    def content(self) -> ComposeResult:
        yield Static("Reading both, to verify them first…", id="compare-text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._compare)

    async def _compare(self) -> None:
        styles = styles_of(self.app.theme)
        found: list[LookedInto] = []
        for number in self._numbers:
            try:
                looked = await self.sft.gateway.files.look(self._path, number)
            except SftError as error:
                message, step = error_text(error, self.sft.now())
                sign = self.sft.glyphs.state(SignatureState.BAD)
                message = f"{sign} Version {number}: {message}\n"
                self._show(Text.assemble((message, styles["bad"]), (step, styles["muted"])))
                return
            if looked is None:
                self._show(Text(f"Version {number} is larger than {size_text(LOOK_BYTES)}: that is not looked into."))
                return
            found.append(looked)
        difference = await asyncio.to_thread(_difference, found[0].content, found[1].content)
        if isinstance(difference, int):
            number = self._numbers[difference]
            self._show(Text(f"Version {number} is no text: only texts are compared. Both are verified."))
            return
        self._show(self._text(found[0], found[1], difference))

    def _text(self, old: LookedInto, new: LookedInto, difference: Compared) -> Text:
        styles, glyphs, now = styles_of(self.app.theme), self.sft.glyphs, self.sft.now()
        lines = []
        for side, each in ((DiffSide.OLD, old), (DiffSide.NEW, new)):
            version = each.file.version
            said = f"{side.value} version {version.number} by {shown_name(version.author)}"
            verified = f", stored {local_time(version.stored_at, now=now)} {glyphs.verified} verified"
            lines.append(Text.assemble((said, styles[_TONE[side]]), (verified, styles["muted"])))
        lines += [Text(_said(difference, same=old.content == new.content), styles["title"]), Text()]
        authors = {DiffSide.OLD: shown(old.file.version.author), DiffSide.NEW: shown(new.file.version.author)}
        margin = min(max(map(cell_len, authors.values())), _AUTHOR_CELLS)
        lines += [self._line(each, authors.get(each.side, ""), margin) for each in difference.shown]
        return Text("\n").join(lines)

    def _line(self, each: Difference, author: str, margin: int) -> Text:
        styles, glyphs = styles_of(self.app.theme), self.sft.glyphs
        tone = styles[_TONE[each.side]]
        who = set_cell_size(cut(author, margin, glyphs.ellipsis), margin)
        if each.side is DiffSide.LEFT_OUT:
            return Text(f"{who}   {glyphs.ellipsis}", tone)
        return Text.assemble((f"{who} ", styles["muted"]), (f"{each.side.value} {each.line}", tone))

    def _show(self, text: Text) -> None:
        self.query_one("#compare-text", Static).update(text)
        self.call_after_refresh(self._hint_at_more)


def _difference(old: bytes, new: bytes) -> Compared | int:
    """Compare two contents; or say which of them is no text."""
    before, after = text_of(old), text_of(new)
    if before is None or after is None:
        return 0 if before is None else 1
    return compared(lines_of(before), lines_of(after))


def _said(difference: Compared, *, same: bool) -> str:
    if not difference.shown:
        return "The same bytes." if same else "The same lines: only how they end differs."
    said = f"{counted(difference.gone, 'line')} went, {counted(difference.come, 'line')} came"
    if difference.is_rough:
        said += "; too many to be compared one by one"
    return said + ("; not all of them are shown." if difference.is_cut else ".")

"""What may be done with one thing on the server, or with a person, by whom, and why: act by act; and everybody who may do one.

Rules. The server says it, of what decides each act. One asks about oneself; an admin about somebody else too, and who may.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, cast

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.client.api.rights import PersonRight
from sft.client.right_words import ground_words, right_sentence
from sft.errors import SftError
from sft.model.names import split_path
from sft.model.rights import ASKED_RIGHTS, About
from sft.model.text import shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.next_steps import next_step
from tui.text import shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

OF_FILE: Final = ("get", "put", "mv", "rm", "owner", "expire", "readers")
OF_FOLDER: Final = ("get", "mv", "rm", "owner")
OF_TRASHED: Final = ("restore", "destroy")
OF_PERSON: Final = ("role", "disable", "enable", "remove", "quota", "reset-key")
_MOST_LINES: Final = 12
_OF_PERSON: Final = re.compile(r"the (\w+) of \{\}")
_WORDS: Final = {"put": "replace {}"}  # what is there already is stored anew


class Rights(Dialog[None]):
    """Shows what somebody may do with it.

    Args:
        about: path or name.
        acts: words of ``ASKED_RIGHTS``.
        user: who asks.
        asks_of_others: they may ask about everybody.
    """

    wide = True

    def __init__(self, about: str, acts: Sequence[str], user: str, *, asks_of_others: bool) -> None:
        super().__init__(f"Who may do what with {shown_name(split_path(about)[1])}", safe="Close")
        if asks_of_others:
            self._buttons += [
                DialogButton("Who may", "who may", key="w"),
                DialogButton("Somebody else", "somebody else", key="o"),
            ]
        self._about = about
        self._acts = acts
        self._user = user

    def content(self) -> ComposeResult:
        yield static(shown(self._user), "strong", id="rights-user")
        columns = [Column("mark", width=1), Column("act", width=22, gap=1), Column("why", gap=2)]
        rows = RowList(columns, glyphs=self.sft.glyphs, id="rights-list")
        rows.styles.height = len(self._acts) + 1
        rows.empty = "Asking…"
        yield rows
        yield static("", "dialog-muted dialog-space", id="rights-why")

    def first_focus(self) -> Widget:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._read)

    async def _read(self) -> None:
        try:
            found = await self.sft.gateway.files.rights(self._about, self._acts, self._user)
        except SftError as error:
            self.complain(error)
            return
        self.query_one("#rights-user", Static).update(Content(shown(self._user)))
        rows = [self._row(act, right) for act, right in zip(self._acts, found, strict=True)]
        self.query_one(RowList).show(ListRows(rows))

    def _row(self, act: str, right: PersonRight) -> ListRow[tuple[str, PersonRight]]:
        glyphs = self.sft.glyphs
        words = _WORDS.get(act, ASKED_RIGHTS[act].words)
        if ASKED_RIGHTS[act].about is About.PERSON:
            words = _OF_PERSON.sub(r"their \1", words).replace("{}", "them")
        words = words.replace("{}", "it")
        cells = {"mark": glyphs.verified if right.error is None else glyphs.bad, "act": words}
        cells["why"] = shown(ground_words(right, act)) if right.error is None else "no: below is why"
        styles = {"mark": "good" if right.error is None else "bad", "why": "muted"}
        return ListRow(act, (act, right), cells, styles)

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        if event.row is None:
            return
        act, right = cast("tuple[str, PersonRight]", event.row.value)
        now = self.sft.now()
        step = "" if right.error is None else next_step(right.error, now=now)
        said = " ".join(filter(None, [right_sentence(right, act, self._about, now=now), step]))
        self.query_one("#rights-why", Static).update(Content(said))

    def answer(self, name: str) -> None:
        row = self.query_one(RowList).current
        if name == "safe" or (name == "who may" and row is None):
            self.dismiss(None)
        elif name == "who may" and row is not None:
            act, _ = cast("tuple[str, PersonRight]", row.value)
            self.app.push_screen(Allowed(self._about, act))
        else:
            self.work(self._of_somebody_else)

    async def _of_somebody_else(self) -> None:
        asked = await self.app.push_screen_wait(TextPrompt("About whom?", label="Their name", act="Ask"))
        if asked:
            self._user = asked
            await self._read()


class Allowed(Dialog[None]):
    """Shows who may do one thing, and why."""

    wide = True

    def __init__(self, about: str, act: str) -> None:
        words = ASKED_RIGHTS[act].words.format(shown_name(split_path(about)[1]))
        super().__init__(f"Who may {words}", safe="Close")
        self._about = about
        self._act = act

    def content(self) -> ComposeResult:
        columns = [Column("name", width=16), Column("role", width=10, gap=2), Column("why", gap=2)]
        rows = RowList(columns, glyphs=self.sft.glyphs, id="allowed-list")
        rows.styles.height = _MOST_LINES
        rows.empty = "Asking…"
        yield rows

    def first_focus(self) -> Widget:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._read)

    async def _read(self) -> None:
        rows = self.query_one(RowList)
        try:
            allowed = await self.sft.gateway.files.allowed(self._about, self._act)
        except SftError as error:
            self.complain(error)
            return
        rows.empty = "Nobody can now."
        rows.show(ListRows([self._row(each) for each in allowed]))

    def _row(self, right: PersonRight) -> ListRow[str]:
        cells = {"name": shown(right.user), "role": shown(right.role), "why": shown(ground_words(right, self._act))}
        return ListRow(right.user, right.user, cells, {"why": "muted"})

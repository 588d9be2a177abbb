"""Changes the passphrase of the key on this computer; a wrong old one is reported, and nothing is lost.

Rules. What was typed stays in the fields alone and leaves with the dialog. Taking the protection away asks once more, for three
times enter would do it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import PassphraseWrongError, SftError
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog, static

Change = Callable[[str | None, str | None], Awaitable[bool]]
"""Opens the key with the old one and protects it by the new one; False where a fault was reported."""


class ChangePassphrase(Dialog[bool]):
    """Gives whether the key has a passphrase now, or None where nothing changed.

    Args:
        protected: there is one to change.
        who: whose key it is, harmless.
    """

    def __init__(self, change: Change, *, protected: bool, who: str) -> None:
        super().__init__("Passphrase of your key", act="Change")
        self._change = change
        self._protected = protected
        self._who = who

    def content(self) -> ComposeResult:
        if self._protected:
            yield from self._row("Old", "passphrase-old", "")
        yield from self._row("New", "passphrase-new", "empty: none")
        yield from self._row("Again", "passphrase-again", "")
        says = (
            "It protects the key on this computer alone: nobody else knows it and nobody can reset "
            "it. Whoever forgets it asks an admin for a new key; no file is lost."
        )
        yield static(says, "dialog-muted dialog-space")

    def _row(self, name: str, id_: str, says: str) -> ComposeResult:
        with Horizontal(classes="field"):
            yield static(name, "field-name")
            yield Input(id=id_, compact=True, password=True)
            yield static(says, "field-says")

    def _field(self, name: str) -> Input:
        return self.query_one(f"#passphrase-{name}", Input)

    def first_focus(self) -> Widget:
        return self.query(Input).first()

    def act(self) -> None:
        self.work(self._go)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "passphrase-again":
            self.act()
        else:
            self.focus_next(Input)

    async def _go(self) -> None:
        old = self._field("old").value if self._protected else None
        field = self._field("new")
        new = field.value
        if new != self._field("again").value:
            self.complain("The two new ones differ. Type them again.", field)
        elif not new and not self._protected:
            self.complain("Your key has none now. Type a new one, or esc.", field)
        elif new or await self._agreed():
            await self._ask(old, new or None)

    async def _ask(self, old: str | None, new: str | None) -> None:
        self.complain("Opening your key…" if not self.sft.glyphs.plain else "Opening your key...")
        try:
            done = await self._change(old, new)
        except PassphraseWrongError:
            field = self._field("old")
            field.value = ""
            self.complain("That passphrase does not open the key. Type it again.", field)
        except SftError as error:
            self.complain(error)
        else:
            self.dismiss(new is not None if done else None)

    async def _agreed(self) -> bool:
        lines = [f"Whoever reads the files of this computer can then act as {self._who}."]
        title = "Leave your key without a passphrase?"
        answer = await self.app.push_screen_wait(Confirm(title, lines, act="Leave it open"))
        return answer is True

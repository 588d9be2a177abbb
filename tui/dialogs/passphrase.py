"""Changes the passphrase of the key on this computer; a wrong old one is said, and nothing is lost.

Rules. What was typed stays in the fields alone and leaves with the dialog. Taking the protection away asks once more, for three
times enter would do it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import PassphraseWrongError, SftError
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog, DialogButton
from tui.text import error_text
from tui.workers import begin

Change = Callable[[str | None, str | None], Awaitable[bool]]
"""Opens the key with the old one and protects it by the new one; False where a fault was said."""


class ChangePassphrase(Dialog[bool]):
    """Gives whether the key has a passphrase now, or None where nothing changed.

    Args:
        protected: there is one to change.
        who: whose key it is, harmless.
    """

    def __init__(self, change: Change, *, protected: bool, who: str) -> None:
        super().__init__()
        self._change = change
        self._protected = protected
        self._who = who
        self._working = False
        self.title_text = "Passphrase of your key"

    def content(self) -> ComposeResult:
        """Ask for the old one, if there is one, and twice for the new one."""
        if self._protected:
            yield from self._field("Old", "passphrase-old", "")
        yield from self._field("New", "passphrase-new", "empty: none")
        yield from self._field("Again", "passphrase-again", "")
        says = (
            "It protects the key on this computer alone: nobody else knows it and nobody can reset "
            "it. Whoever forgets it asks an admin for a new key; no file is lost."
        )
        yield Static(Content(says), classes="dialog-muted dialog-space", markup=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Cancel", "cancel"), DialogButton("Change", "act")]

    def first_focus(self) -> Widget | None:
        """The first field."""
        return self.query(Input).first()

    def answer(self, name: str) -> None:
        """Change it, or leave it."""
        if name != "act":
            self.dismiss(None)
        elif not self._working:
            begin(self, self._go, group="passphrase")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "passphrase-again":
            self.answer("act")
        else:
            self.focus_next(Input)

    def _field(self, name: str, id_: str, says: str) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Static(Content(name), classes="field-name", markup=False)
            yield Input(id=id_, compact=True, password=True)
            yield Static(Content(says), classes="field-says", markup=False)

    def _typed(self, id_: str) -> str:
        return self.query_one(f"#{id_}", Input).value

    async def _go(self) -> None:
        old = self._typed("passphrase-old") if self._protected else None
        new = self._typed("passphrase-new")
        if new != self._typed("passphrase-again"):
            self._refuse("The two new ones differ. Type them again.", "passphrase-new")
        elif not new and not self._protected:
            self._refuse("Your key has none now. Type a new one, or esc.", "passphrase-new")
        elif new or await self._agreed():
            self._working = True
            try:
                await self._ask(old, new or None)
            finally:
                self._working = False

    async def _ask(self, old: str | None, new: str | None) -> None:
        self.complain("Opening your key…" if not self.sft.glyphs.plain else "Opening your key...")
        try:
            done = await self._change(old, new)
        except PassphraseWrongError:
            self.query_one("#passphrase-old", Input).value = ""
            self._refuse("That passphrase does not open the key. Type it again.", "passphrase-old")
        except SftError as error:
            said, step = error_text(error, self.sft.now())
            self.complain(f"{said} {step}.")
        else:
            self.dismiss(new is not None if done else None)

    async def _agreed(self) -> bool:
        lines = [f"Whoever reads the files of this computer can then act as {self._who}."]
        title = "Leave your key without a passphrase?"
        answer = await self.app.push_screen_wait(Confirm(title, lines, act="Leave it open"))
        return answer is True

    def _refuse(self, text: str, field: str) -> None:
        self.complain(text)
        self.query_one(f"#{field}", Input).focus()

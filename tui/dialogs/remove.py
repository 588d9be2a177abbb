"""Removes a person for good: says what happens, asks who gets the files, wants the name typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.model.records import User
from sft.model.text import count_text, shown_name, size_text
from tui.dialogs.dialog import Dialog, DialogButton
from tui.text import cut_name, shown
from tui.widgets.choice import Choice, Option


class Remove(Dialog[str]):
    """Gives the name of who gets the files, or None.

    Args:
        heirs: who may own files, the first one marked.
        me: who removes; never empty-handed, so the files go there where nobody is asked.
    """

    def __init__(self, user: User, heirs: Sequence[User], *, me: str) -> None:
        super().__init__()
        self._user = user
        self._heirs = heirs
        self._me = me
        self._person = shown(shown_name(user.name))
        self.title_text = f"Remove {cut_name(self._person, 40)} for good?"

    def content(self) -> ComposeResult:
        """Say what happens, and ask."""
        user, name = self._user, self._person
        yield Static(Content(f"{name} is signed out now and never comes back."), markup=False)
        if user.files:
            yield Static(Content(self._files()), markup=False)
            options = [
                Option(heir.name, shown(heir.name), self._says(heir)) for heir in self._heirs
            ]
            yield Choice(options, self.sft.glyphs, most=4, label_cells=20, id="remove-heir")
        else:
            yield Static(Content("No file belongs to them."), markup=False)
        yield Static(
            Content(f"There is no way back. Type {shown(user.name)}:"),
            classes="dialog-space",
            markup=False,
        )
        yield Input(id="remove-name", compact=True)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways; the second one once the name stands there."""
        act = DialogButton("Remove", "act", destroys=True)
        act.disabled = True
        return [DialogButton("Keep", "safe"), act]

    def first_focus(self) -> Widget | None:
        """Who gets the files, else the field."""
        return next(iter(self.query(Choice)), None) or self.query_one("#remove-name", Input)

    @on(Choice.Chosen)
    def _chosen(self) -> None:
        self.query_one("#remove-name", Input).focus()

    @on(Input.Changed, "#remove-name")
    def _typing(self) -> None:
        self.complain("")
        for button in self.query(DialogButton):
            if button.name == "act":
                button.disabled = not self._fits()

    @on(Input.Submitted, "#remove-name")
    def _submitted(self) -> None:
        self.answer("act")

    def answer(self, name: str) -> None:
        """Give the heir, or nothing."""
        if name != "act":
            self.dismiss(None)
        elif not self._fits():
            self.complain(f"That is not {self._person}.")
        else:
            choice = next(iter(self.query(Choice)), None)
            self.dismiss(choice.value if choice is not None else self._me)

    def _fits(self) -> bool:
        # A name that nobody can type is typed as it is shown.
        typed = self.query_one("#remove-name", Input).value.strip()
        return typed in {self._user.name, shown(self._user.name)}

    def _files(self) -> str:
        user = self._user
        one = user.files == 1
        files = "One file" if one else f"{count_text(user.files)} files"
        stays = "stays, signed by them; it" if one else "stay, signed by them; they"
        return f"{files} ({size_text(user.bytes_stored)}) {stays} will belong to:"

    def _says(self, heir: User) -> str:
        return f"{heir.role.value}, you" if heir.name == self._me else heir.role.value

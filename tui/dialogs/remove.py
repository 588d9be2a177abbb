"""Removes a person for good: says what happens, asks who gets the files, wants the name typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from sft.model.records import User
from sft.model.text import count_text, shown_name, size_text
from tui.dialogs.dialog import Dialog, static
from tui.text import cut_name, shown
from tui.widgets.choice import Choice, Option


class Remove(Dialog[str]):
    """Gives the name of who gets the files, or None.

    Args:
        heirs: who may own files, the first one marked.
        me: who removes; never empty-handed, so the files go there where nobody is asked.
    """

    def __init__(self, user: User, heirs: Sequence[User], *, me: str) -> None:
        self._user = user
        self._heirs = heirs
        self._me = me
        self._person = shown(shown_name(user.name))
        title = f"Remove {cut_name(self._person, 40)} for good?"
        super().__init__(title, act="Remove", safe="Keep", destroys=True)
        self.allow_act(allowed=False)  # before the name stands there
        self._field = Input(id="remove-name", compact=True)

    def content(self) -> ComposeResult:
        user = self._user
        yield static(f"{self._person} is signed out now and never comes back.")
        if user.files:
            yield static(self._files())
            options = [Option(heir.name, shown(heir.name), self._says(heir)) for heir in self._heirs]
            yield Choice(options, self.sft.glyphs, most=4, label_cells=20, id="remove-heir")
        else:
            yield static("No file belongs to them.")
        yield static(f"There is no way back. Type {shown(user.name)}:", "dialog-space")
        yield self._field

    def first_focus(self) -> Widget:
        """Who gets the files, else the field."""
        return self._choice or self._field

    @property
    def _choice(self) -> Choice | None:
        return next(iter(self.query(Choice)), None)

    @on(Choice.Chosen)
    def _chosen(self) -> None:
        self._field.focus()

    @on(Input.Changed, "#remove-name")
    def _typing(self) -> None:
        self.complain("")
        self.allow_act(allowed=self._fits())

    @on(Input.Submitted, "#remove-name")
    def act(self) -> None:
        if not self._fits():
            self.complain(f"That is not {self._person}.")
        else:
            self.dismiss(self._choice.value if self._choice is not None else self._me)

    def _fits(self) -> bool:
        # A name that nobody can type is typed as it is shown.
        return self._field.value.strip() in {self._user.name, shown(self._user.name)}

    def _files(self) -> str:
        user = self._user
        one = user.files == 1
        files = "One file" if one else f"{count_text(user.files)} files"
        stays = "stays, signed by them; it" if one else "stay, signed by them; they"
        return f"{files} ({size_text(user.bytes_stored)}) {stays} will belong to:"

    def _says(self, heir: User) -> str:
        return f"{heir.role.value}, you" if heir.name == self._me else heir.role.value

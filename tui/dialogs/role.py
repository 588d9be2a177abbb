"""Gives a person another role: the arrows mark one, enter takes it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.model.access import Role
from sft.model.records import User
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, DialogButton
from tui.dialogs.invite import role_options
from tui.text import cut_name, shown
from tui.widgets.choice import Choice


class ChooseRole(Dialog[Role]):
    """Gives another role than the present one, or None.

    Args:
        is_me: the person changes their own role.
    """

    def __init__(self, user: User, *, is_me: bool) -> None:
        super().__init__()
        self._user = user
        self._person = shown(shown_name(user.name))
        self._is_me = is_me
        self.title_text = f"Role of {cut_name(self._person, 40)}"

    def content(self) -> ComposeResult:
        """Show the roles."""
        now = self._user.role
        yield Choice(
            role_options(now), self.sft.glyphs, value=now.value, label_cells=10, id="role-choice"
        )
        says = (
            "It holds at once. A transfer that the new role does not allow stops and keeps nothing."
        )
        if self._is_me:
            says += " This is you: another admin would have to give your role back."
        yield Static(Content(says), classes="dialog-muted dialog-space", markup=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Keep", "safe"), DialogButton("Change role", "act")]

    def first_focus(self) -> Widget | None:
        """The roles, the present one marked: enter at once changes nothing."""
        return self.query_one(Choice)

    @on(Choice.Chosen)
    def _chosen(self) -> None:
        self.answer("act")

    def answer(self, name: str) -> None:
        """Give the marked role."""
        role = Role(self.query_one(Choice).value)
        if name != "act":
            self.dismiss(None)
        elif role is self._user.role:
            self.complain(f"{self._person} has this role already. Esc keeps it.")
        else:
            self.dismiss(role)

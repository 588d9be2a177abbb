"""Gives a person another role: the arrows mark one, enter takes it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from sft.model.access import Role
from sft.model.records import User
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, static
from tui.dialogs.invite import role_options
from tui.text import cut_name, shown
from tui.widgets.choice import Choice


class ChooseRole(Dialog[Role]):
    """Gives another role than the present one, or None.

    Args:
        is_me: the person changes their own role.
    """

    def __init__(self, user: User, *, is_me: bool) -> None:
        self._user = user
        self._person = shown(shown_name(user.name))
        self._is_me = is_me
        super().__init__(f"Role of {cut_name(self._person, 40)}", act="Change role", safe="Keep")

    def content(self) -> ComposeResult:
        now, glyphs = self._user.role, self.sft.glyphs
        yield Choice(role_options(now), glyphs, value=now.value, label_cells=10, id="role-choice")
        says = "It holds at once. A transfer that the new role does not allow stops and keeps nothing."
        if self._is_me:
            says += " This is you: another admin would have to give your role back."
        yield static(says, "dialog-muted dialog-space")

    def first_focus(self) -> Widget:
        """The roles, the present one marked: enter at once changes nothing."""
        return self.query_one(Choice)

    @on(Choice.Chosen)
    def act(self) -> None:
        role = Role(self.query_one(Choice).value)
        if role is self._user.role:
            self.complain(f"{self._person} has this role already. Esc keeps it.")
        else:
            self.dismiss(role)

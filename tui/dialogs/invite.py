"""Makes an invitation: for whom, as what, until when. A refusal is shown in the dialog, and what was typed stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import NameTakenError, SftError
from sft.model.access import Role
from sft.model.names import parse_user_name
from sft.model.text import ROLE_ADDS, invitation_seconds, local_time
from tui.dialogs.dialog import Dialog, static
from tui.gateway import Invited
from tui.text import cut_name, error_text, shown
from tui.widgets.choice import Choice, Option


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an invitation shall grant; without a name, whoever joins chooses one."""

    name: str | None
    role: Role
    seconds: int


Make = Callable[[Wanted], Awaitable[Invited | None]]
"""Asks the server; None where it could not even be asked, which has been reported."""


def role_options(now: Role | None = None) -> list[Option]:
    """Return the roles with what each may do."""
    return [
        Option(role.value, role.value, ROLE_ADDS[role] + (" (now)" if role is now else "")) for role in reversed(Role)
    ]


class Invite(Dialog[Invited]):
    """Gives the invitation that was made, or None."""

    def __init__(self, server: str, make: Make) -> None:
        super().__init__(f"Invite to {cut_name(shown(server), 40)}", act="Make invitation")
        self._make = make
        self._name_field = Input(id="invite-name", compact=True, max_length=80)
        self._span_field = Input("2 days", id="invite-span", compact=True, max_length=30)

    def content(self) -> ComposeResult:
        with Horizontal(classes="field"):
            yield static("Name", "field-name")
            yield self._name_field
            yield static("empty: they choose", "field-says")
        with Horizontal(classes="field"):
            yield static("Role", "field-name")
            yield Choice(role_options(), self.sft.glyphs, id="invite-role", label_cells=10)
        with Horizontal(classes="field -last"):
            yield static("For", "field-name")
            yield self._span_field
            yield static("", "field-says", id="invite-until")

    def first_focus(self) -> Widget:
        return self._name_field

    @on(Input.Submitted, "#invite-name")
    @on(Choice.Chosen)
    def _next_field(self) -> None:
        self.focus_next()

    @on(Input.Changed, "#invite-span")
    def _until_when(self, event: Input.Changed) -> None:
        now = self.sft.now()
        try:
            ends = local_time(now + invitation_seconds(event.value), now=now, weekday=True)
        except SftError:
            message = "12 h, 2 days, 1 week"
        else:
            message = f"once, until {ends}"
        self.query_one("#invite-until", Static).update(Content(message))

    @on(Input.Submitted, "#invite-span")
    def act(self) -> None:
        field = self._name_field
        try:
            name = parse_user_name(field.value.strip()) if field.value.strip() else None
            field = self._span_field
            seconds = invitation_seconds(field.value)
        except SftError as error:
            self.complain(error, field)
            return
        self.complain("")
        wanted = Wanted(name, Role(self.query_one(Choice).value), seconds)
        self.work(partial(self._ask, wanted))

    async def _ask(self, wanted: Wanted) -> None:
        try:
            self.dismiss(await self._make(wanted))
        except NameTakenError as error:
            message, _ = error_text(error, self.sft.now())
            self.complain(f"{message} Choose another name.", self._name_field)
        except SftError as error:
            self.complain(error)

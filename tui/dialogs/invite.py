"""Makes an invitation: for whom, as what, until when. A refusal is said in the dialog, and what was typed stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import NameTakenError, SftError
from sft.model.access import Role
from sft.model.names import parse_user_name
from sft.model.text import invitation_seconds, local_time
from tui.dialogs.dialog import Dialog, DialogButton
from tui.gateway import Invited
from tui.text import cut_name, error_text, shown
from tui.widgets.choice import Choice, Option
from tui.workers import begin

# ROLE_WORDS, each as what it adds to the one above it.
_MAY: Final = {
    Role.GUEST: "reads every file",
    Role.MAINTAINER: "also stores; manages what is theirs",
    Role.ADMIN: "everything, also people",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an invitation shall grant; without a name, whoever joins chooses one."""

    name: str | None
    role: Role
    seconds: int


Make = Callable[[Wanted], Awaitable[Invited | None]]
"""Asks the server; None where it could not even be asked, which has been said."""


def role_options(now: Role | None = None) -> list[Option]:
    """Give the roles with what each may do."""
    return [
        Option(role.value, role.value, _MAY[role] + (" (now)" if role is now else ""))
        for role in reversed(Role)
    ]


class Invite(Dialog[Invited]):
    """Gives the invitation that was made, or None."""

    def __init__(self, server: str, make: Make) -> None:
        super().__init__()
        self.title_text = f"Invite to {cut_name(shown(server), 40)}"
        self._make = make
        self._asking = False

    def content(self) -> ComposeResult:
        """Ask for the three things."""
        with Horizontal(classes="field"):
            yield Static(Content("Name"), classes="field-name", markup=False)
            yield Input(id="invite-name", compact=True, max_length=80)
            yield Static(Content("empty: they choose"), classes="field-says", markup=False)
        with Horizontal(classes="field"):
            yield Static(Content("Role"), classes="field-name", markup=False)
            yield Choice(role_options(), self.sft.glyphs, id="invite-role", label_cells=10)
        with Horizontal(classes="field -last"):
            yield Static(Content("For"), classes="field-name", markup=False)
            yield Input("2 days", id="invite-span", compact=True, max_length=30)
            yield Static("", id="invite-until", classes="field-says", markup=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Cancel", "cancel"), DialogButton("Make invitation", "act")]

    def first_focus(self) -> Widget | None:
        """The name."""
        return self.query_one("#invite-name", Input)

    def answer(self, name: str) -> None:
        """Make it, or leave it."""
        if name != "act":
            self.dismiss(None)
        elif not self._asking:
            self._go()

    @on(Input.Submitted, "#invite-name")
    @on(Choice.Chosen)
    def _next_field(self) -> None:
        self.focus_next()

    @on(Input.Submitted, "#invite-span")
    def _last_field(self) -> None:
        self.answer("act")

    @on(Input.Changed, "#invite-span")
    def _until_when(self, event: Input.Changed) -> None:
        now = self.sft.now()
        try:
            ends = local_time(now + invitation_seconds(event.value), now=now, weekday=True)
        except SftError:
            said = "12 h, 2 days, 1 week"
        else:
            said = f"once, until {ends}"
        self.query_one("#invite-until", Static).update(Content(said))

    def _go(self) -> None:
        name, span = self.query_one("#invite-name", Input), self.query_one("#invite-span", Input)
        field = name
        try:
            wanted_name = parse_user_name(name.value.strip()) if name.value.strip() else None
            field = span
            seconds = invitation_seconds(span.value)
        except SftError as error:
            self._refuse(error)
            field.focus()
            return
        role = Role(self.query_one(Choice).value)
        self._asking = True
        self.complain("")
        begin(self, partial(self._ask, Wanted(wanted_name, role, seconds)), group="inviting")

    async def _ask(self, wanted: Wanted) -> None:
        try:
            self.dismiss(await self._make(wanted))
        except NameTakenError as error:
            said, _ = error_text(error, self.sft.now())
            self.complain(f"{said} Choose another name.")
            self.query_one("#invite-name", Input).focus()
        except SftError as error:
            self._refuse(error)
        finally:
            self._asking = False

    def _refuse(self, error: SftError) -> None:
        said, step = error_text(error, self.sft.now())
        self.complain(f"{said} {step}.")

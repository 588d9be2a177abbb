"""Ends every key of somebody who lost them, or from whom they were stolen, and makes the link by which they come back.

Rules. It cannot be undone, so the name is typed. A refusal is shown here, and what was typed stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import SftError
from sft.model.records import KeyEnd, User
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, static
from tui.dialogs.own_keys import Revocation
from tui.gateway import Invited
from tui.text import cut_name, shown
from tui.widgets.choice import Choice, Option

_NAME_CELLS: Final = 40

Reset = Callable[[Revocation], Awaitable[Invited | None]]
"""Asks the server; None where a fault was reported."""


class OfferNewKey(Dialog[Invited]):
    """Gives the link that was made, or None."""

    wide: ClassVar[bool] = True

    def __init__(self, user: User, reset: Reset) -> None:
        self._person = shown(shown_name(user.name))
        title = f"A new key for {cut_name(self._person, _NAME_CELLS)}?"
        super().__init__(title, act="End their keys, make the link", safe="Keep", destroys=True)
        self.allow_act(allowed=False)  # before the name stands there
        self._user = user
        self._reset = reset
        self._since = Input(id="reset-since", compact=True, max_length=30)
        self._typed_name = Input(id="reset-name", compact=True)

    def content(self) -> ComposeResult:
        yield static(
            "Every key of theirs ends now, and a link is made: whoever has it comes back as them with a new key, once, "
            "within a day. Everybody is shown that you did this. No file is lost."
        )
        yield static("")
        options = [
            Option(KeyEnd.RETIRED.value, "Lost", "what they signed stays good"),
            Option(KeyEnd.COMPROMISED.value, "Stolen", "nothing of it counts from a number of the log on"),
        ]
        yield Choice(options, self.sft.glyphs, label_cells=8, id="reset-why")
        with Horizontal(classes="form-row dialog-space", id="reset-since-row"):
            yield static("from number", "form-name")
            yield self._since
            yield static("empty: all that was signed", "form-says")
        yield static(f"There is no way back. Type {shown(self._user.name)}:", "dialog-space")
        yield self._typed_name

    def on_mount(self) -> None:
        super().on_mount()
        self._moved()

    def first_focus(self) -> Widget:
        """Why, the harmless cause marked."""
        return self.query_one(Choice)

    @property
    def _is_stolen(self) -> bool:
        return self.query_one(Choice).value == KeyEnd.COMPROMISED.value

    @on(Choice.Moved)
    def _moved(self) -> None:
        self.query_one("#reset-since-row").display = self._is_stolen
        self.call_after_refresh(self._fit)

    @on(Choice.Chosen)
    def _chosen(self) -> None:
        (self._since if self._is_stolen else self._typed_name).focus()

    @on(Input.Submitted, "#reset-since")
    def _since_typed(self) -> None:
        self._typed_name.focus()

    @on(Input.Changed, "#reset-name")
    def _typing(self) -> None:
        self.complain("")
        self.allow_act(allowed=self._fits())

    @on(Input.Submitted, "#reset-name")
    def act(self) -> None:
        typed = self._since.value.strip().replace(",", "") if self._is_stolen else ""
        if typed and not (typed.isascii() and typed.isdigit()):
            self.complain("That is no number of the log: Activity (4) says them.", self._since)
        elif not self._fits():
            self.complain(f"That is not {self._person}.", self._typed_name)
        else:
            reason = KeyEnd.COMPROMISED if self._is_stolen else KeyEnd.RETIRED
            self.work(partial(self._ask, Revocation(reason, int(typed or 0))))

    def _fits(self) -> bool:
        # A name that nobody can type is typed as it is shown.
        return self._typed_name.value.strip() in {self._user.name, shown(self._user.name)}

    async def _ask(self, wanted: Revocation) -> None:
        try:
            self.dismiss(await self._reset(wanted))
        except SftError as error:
            self.complain(error)

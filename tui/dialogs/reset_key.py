"""Ends every key of somebody who lost them, or from whom they were stolen, and makes the link by which they come back.

Rules. It cannot be undone, so the name is typed. A refusal is shown here, and what was typed stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import SftError
from sft.model.records import User
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, static
from tui.dialogs.key_end import NO_NUMBER, KeyEndFields, Revocation
from tui.gateway import Invited
from tui.text import cut_name, shown
from tui.widgets.choice import Choice

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
        self._end = KeyEndFields(lost="what they signed stays good", says="empty: all that was signed")
        self._typed_name = Input(id="reset-name", compact=True)

    def content(self) -> ComposeResult:
        yield static(
            "Every key of theirs ends now, and a link is made: whoever has it comes back as them with a new key, once, "
            "within a day. Everybody is shown that you did this. No file is lost."
        )
        yield from self._end.parts(self.sft.glyphs)
        yield static(f"There is no way back. Type {shown(self._user.name)}:", "dialog-space")
        yield self._typed_name

    def on_mount(self) -> None:
        super().on_mount()
        self._moved()

    def first_focus(self) -> Widget:
        """Why, the harmless cause marked."""
        return self.query_one(Choice)

    @on(Choice.Moved)
    def _moved(self) -> None:
        self._end.show_row()
        self.call_after_refresh(self._fit)

    @on(Choice.Chosen)
    def _chosen(self) -> None:
        (self._end.since if self._end.is_stolen else self._typed_name).focus()

    @on(Input.Submitted, "#key-end-since")
    def _since_typed(self) -> None:
        self._typed_name.focus()

    @on(Input.Changed, "#reset-name")
    def _typing(self) -> None:
        self.complain("")
        self.allow_act(allowed=self._fits())

    @on(Input.Submitted, "#reset-name")
    def act(self) -> None:
        revocation = self._end.revocation()
        if revocation is None:
            self.complain(NO_NUMBER, self._end.since)
        elif not self._fits():
            self.complain(f"That is not {self._person}.", self._typed_name)
        else:
            self.work(partial(self._ask, revocation))

    def _fits(self) -> bool:
        # A name that nobody can type is typed as it is shown.
        return self._typed_name.value.strip() in {self._user.name, shown(self._user.name)}

    async def _ask(self, wanted: Revocation) -> None:
        try:
            self.dismiss(await self._reset(wanted))
        except SftError as error:
            self.complain(error)

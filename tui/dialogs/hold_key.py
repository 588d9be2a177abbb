"""Asks for the passphrase of a key and for how long an agent is to hold it; a wrong one, or no time, is asked for again.

Rules. The passphrase stays in the field and leaves with the dialog.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import PassphraseWrongError, SftError, UsageError
from sft.model.text import held_seconds, shown_name
from tui.dialogs.dialog import Dialog, static
from tui.text import cut_name, shown

_SPAN: Final = "1d"
_NAME_CELLS: Final = 40

Unlock = Callable[[str, int], Awaitable[int | None]]
"""Opens the key and hands it to an agent for so many seconds; None where a fault was reported."""


class HoldKey(Dialog[int]):
    """Gives until when the key is held, in Unix seconds, or None."""

    def __init__(self, user: str, unlock: Unlock) -> None:
        super().__init__(f"Unlock the key of {cut_name(shown(shown_name(user)), _NAME_CELLS)}", act="Unlock")
        self._unlock = unlock
        self._passphrase = Input(id="hold-passphrase", compact=True, password=True)
        self._span = Input(_SPAN, id="hold-span", compact=True, max_length=20)

    def content(self) -> ComposeResult:
        yield static("An agent holds it for that time: neither commands nor sft ask for its passphrase then.")
        with Horizontal(classes="form-row dialog-space"):
            yield static("passphrase", "form-name")
            yield self._passphrase
        with Horizontal(classes="form-row"):
            yield static("for", "form-name")
            yield self._span
        yield static(
            "Such as 8h or 1d. Whatever runs as you can have it sign meanwhile. L ends it, and so does logging out.",
            "dialog-muted dialog-space",
        )

    def first_focus(self) -> Widget:
        return self._passphrase

    @on(Input.Submitted, "#hold-passphrase")
    def _next_field(self) -> None:
        self._span.focus()

    @on(Input.Submitted, "#hold-span")
    def act(self) -> None:
        try:
            seconds = held_seconds(self._span.value)
        except UsageError as error:
            self.complain(error, self._span)
            return
        self.work(partial(self._ask, seconds))

    async def _ask(self, seconds: int) -> None:
        self.show_progress(f"Opening your key{self.sft.glyphs.ellipsis}")
        try:
            self.dismiss(await self._unlock(self._passphrase.value, seconds))
        except PassphraseWrongError:
            self._passphrase.value = ""
            self.complain("That passphrase does not open the key. Type it again.", self._passphrase)
        except SftError as error:
            self.complain(error)

"""Asks about the person's own keys: vouching for another device, a new key in place of this one, the end of one.

Rules. What cannot be undone says so before, and the words of a key stand there before anybody vouches for it. A passphrase
stays in its field and leaves with the dialog. A refusal is shown within, and what was typed stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError, PassphraseWrongError, SftError
from sft.model.names import parse_device_name
from sft.model.records import DeviceKey
from sft.model.text import shell_name, shown_name
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.dialogs.key_end import NO_NUMBER, KeyEndFields, Revocation
from tui.gateway import Account
from tui.text import cut_name, key_words, shown
from tui.widgets.choice import Choice

Vouch = Callable[[PublicKey, str], Awaitable[DeviceKey | None]]
"""Asks the server to take a key; None where a fault was reported."""
Rotate = Callable[[str | None], Awaitable[Account | None]]
"""Makes a key that follows, with the passphrase of the one that is here; None where a fault was reported."""


class NewDevice(Dialog[DeviceKey]):
    """Gives the key of another device that was vouched for, or None.

    Args:
        link: with which the other device begins.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+y", "copy", show=False)]
    wide = True

    def __init__(self, link: str, user: str, vouch: Vouch) -> None:
        super().__init__("Another device of yours", act="Vouch for it")
        self._buttons.insert(1, DialogButton("Copy the line", "copy", key="ctrl+y"))
        self.allow_act(allowed=False)  # before a key is whole
        self._link = link
        self._user = user
        self._vouch = vouch
        self._key_field = Input(id="device-key", compact=True, max_length=200)
        self._name_field = Input(id="device-name", compact=True, max_length=80, placeholder="such as desk")

    def content(self) -> ComposeResult:
        yield static(f"There, sft join --user {shown(shell_name(self._user))} takes this line, which is no secret:")
        yield static(shown(self._link), "dialog-space", id="device-link")
        yield static("It says which key it has made there. That key (RW...)", "dialog-label")
        yield self._key_field
        yield static("", id="device-words")
        yield static("How that device is called", "dialog-label")
        yield self._name_field

    def first_focus(self) -> Widget:
        return self._key_field

    def answer(self, name: str) -> None:
        if name == "copy":
            self.action_copy()
        else:
            super().answer(name)

    def action_copy(self) -> None:
        """Send the line to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._link)
        self.show_progress("Sent to the terminal's clipboard: the line for the other device.")

    @on(Input.Changed, "#device-key")
    def _typing(self) -> None:
        key = self._key()
        self.complain("")
        says = "" if key is None else f"{key.words()}: the same words stand on the other device, or it is not yours."
        self.query_one("#device-words", Static).update(Content(says))
        self.allow_act(allowed=key is not None)
        self.call_after_refresh(self._fit)

    @on(Input.Submitted, "#device-key")
    def _typed(self) -> None:
        if self._key() is None:
            self.complain("Not a whole key yet: copy it from RW to its end.", self._key_field)
        else:
            self._name_field.focus()

    @on(Input.Submitted, "#device-name")
    def act(self) -> None:
        self.work(self._go)

    async def _go(self) -> None:
        key = self._key()
        if key is None:
            self.complain("Not a whole key yet: copy it from RW to its end.", self._key_field)
            return
        try:
            name = parse_device_name(self._name_field.value.strip())
        except SftError as error:
            self.complain(error, self._name_field)
            return
        try:
            self.dismiss(await self._vouch(key, name))
        except SftError as error:
            self.complain(error)

    def _key(self) -> PublicKey | None:
        try:
            return PublicKey.parse(self._key_field.value)
        except KeyFormatError:
            return None


class RotateOwnKey(Dialog[Account]):
    """Gives the account with its new key, or None.

    Args:
        protected: the key that is here has a passphrase, and the new one will have the same.
    """

    def __init__(self, rotate: Rotate, *, protected: bool) -> None:
        super().__init__("A new key for this computer?", act="Make a new key", safe="Keep this one", key="y")
        self._rotate = rotate
        self._field = Input(id="rotate-passphrase", compact=True, password=True) if protected else None

    def content(self) -> ComposeResult:
        yield static("The key that is here vouches for the new one and then signs no more, for good.")
        yield static("What it signed stays good, and nobody else has to do anything.")
        if self._field is not None:
            with Horizontal(classes="form-row dialog-space"):
                yield static("passphrase", "form-name")
                yield self._field
                yield static("of this key, and of the new", "form-says")

    def first_focus(self) -> Widget | None:
        return self._field or super().first_focus()

    @on(Input.Submitted)
    def act(self) -> None:
        self.work(self._go)

    async def _go(self) -> None:
        self.show_progress(f"Making your key, then asking the server{self.sft.glyphs.ellipsis}")
        try:
            self.dismiss(await self._rotate(None if self._field is None else self._field.value))
        except PassphraseWrongError:
            if self._field is not None:
                self._field.value = ""
            self.complain("That passphrase does not open the key. Type it again.", self._field)
        except SftError as error:
            self.complain(error)


class RevokeOwnKey(Dialog[Revocation]):
    """Gives how a key of the person's ends, or None; one that has ended already can still have been stolen."""

    wide = True

    def __init__(self, key: DeviceKey) -> None:
        self._device = shown(shown_name(key.device))
        super().__init__(f"Revoke {cut_name(self._device, 40)}?", act="Revoke", safe="Keep", destroys=True)
        self._key = key
        lost = "" if key.ended_at is not None else "or out of use: what it signed stays good"
        self._end = KeyEndFields(lost=lost, says="empty: all that it signed")

    def content(self) -> ComposeResult:
        yield static(key_words(self._key.public_key), "dialog-muted")
        yield static(
            "This key has ended. Was it stolen before, others are told not to use what it signed then."
            if self._key.ended_at is not None
            else "It is signed out now and never comes back. Every file stays."
        )
        yield from self._end.parts(self.sft.glyphs)

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
        if self._end.is_stolen:
            self._end.since.focus()
        else:
            self._buttons[-1].focus()  # the question stands until its button is pressed

    @on(Input.Submitted)
    def act(self) -> None:
        revocation = self._end.revocation(self._key.start_leaf)
        if revocation is None:
            self.complain(NO_NUMBER, self._end.since)
        else:
            self.dismiss(revocation)

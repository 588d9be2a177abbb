"""The Identity screen: this device's key, what protects it, and whom this computer has pinned.

Rules. Everything here lies on this computer, so it is shown without a connection too. What is copied is what the line stands
for, whole, however much of it fits. The secret key is never shown and never leaves.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.worker import Worker

from sft.client.connection_info import Status
from sft.errors import SftError
from sft.model.names import safe_name
from sft.model.text import shown_name
from tui.dialogs.passphrase import ChangePassphrase
from tui.dialogs.write import WriteFile
from tui.gateway import Keyring
from tui.keys import Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, Tone
from tui.screens.identity_rows import (
    OWN_COLUMNS,
    PINNED_COLUMNS,
    about_pin,
    own_rows,
    pin_words,
    pinned_row,
)
from tui.text import cut_name, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRows
from tui.workers import begin

OWN: Final = "identity-own"
PINNED: Final = "identity-pinned"
_BORDER: Final = 2
_EMPTY: Final = 2  # lines of a list that says why it is empty


class IdentityView(View):
    """This device and whom it knows."""

    place = "identity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("identity")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._keyring: Keyring | None = None
        self._worker: Worker[object] | None = None

    def compose(self) -> ComposeResult:
        """Put both lists under one another."""
        glyphs = self.sft.glyphs
        with Vertical(id="identity-body"):
            yield RowList(OWN_COLUMNS, header=False, glyphs=glyphs, id=OWN)
            yield RowList(PINNED_COLUMNS, glyphs=glyphs, id=PINNED)

    def on_mount(self) -> None:
        """Show that nothing is known yet."""
        self._show()

    # -- reading and showing ------------------------------------------------------------------------

    def shown(self) -> None:
        """Read everything anew."""
        if self.connection.status is Status.NONE:
            self._keyring = None
            self._show()
        else:
            begin(self, self._read, group="identity-read", exclusive=True)

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        keyring = self._keyring
        if keyring is not None and keyring.account.name != event.connection.account:
            self._keyring = None
        if self.display:
            self.shown()

    async def _read(self) -> None:
        account = self.connection.account
        await self.attempt(self._fetch(account))
        self._show()

    async def _fetch(self, account: str) -> None:
        keyring = await self.gateway.local.keyring()
        if account == self.connection.account:
            self._keyring = keyring

    def on_resize(self) -> None:
        """Words take as many lines as the room asks for."""
        self._show()

    def _show(self) -> None:
        own, pinned = self.query_one(f"#{OWN}", RowList), self.query_one(f"#{PINNED}", RowList)
        keyring, glyphs = self._keyring, self.sft.glyphs
        width = max(self.size.width - _BORDER, 0)
        if keyring is None:
            own.empty = "No server is in use: 5 shows those you joined."
            rows, people = [], []
        else:
            rows = own_rows(keyring, glyphs, self.now, width)
            people = [pinned_row(pin, glyphs, self.now, width) for pin in keyring.people]
        pinned.empty = "Nobody yet: a person is pinned when this computer first sees their key."
        own.border_title = Content("this device")
        pinned.border_title = Content(f"people pinned here  {len(people):,}")
        own.styles.height = max(len(rows), _EMPTY) + _BORDER
        own.show(ListRows(rows))
        pinned.show(ListRows(people))
        self.post_message(ActsChanged())

    @on(RowList.Highlighted)
    def _moved(self) -> None:
        self.post_message(ActsChanged())

    def home(self) -> RowList:
        """Give the lines about this device."""
        return self.query_one(f"#{OWN}", RowList)

    def status_line(self) -> tuple[str, Tone]:
        """Say what is pinned of the person under the cursor; else what this screen is for."""
        pinned = self.query_one(f"#{PINNED}", RowList)
        if pinned.has_focus and pinned.current is not None:
            said, in_doubt = about_pin(pinned.current.value, self.now)
            return said, Tone.DOUBT if in_doubt else Tone.PLAIN
        if self._keyring is None:
            return "", Tone.PLAIN
        return "Compare key words by phone or in person: equal words are the same key.", Tone.PLAIN

    def on_descendant_focus(self) -> None:
        """What is said depends on the list."""
        self.post_message(ActsChanged())

    # -- acts -----------------------------------------------------------------------------------------

    def reason_against(self, act: Action) -> str:
        """Without an account there is no key."""
        if self._keyring is None:
            return "No server is in use: 5 shows those you joined."
        return super().reason_against(act)

    def act_copy(self) -> None:
        """Send what the line stands for to the terminal's clipboard."""
        pinned, own = self.query_one(f"#{PINNED}", RowList), self.query_one(f"#{OWN}", RowList)
        if pinned.has_focus and pinned.current is not None:
            pin = pinned.current.value
            text = "\n".join(pin_words(pin))
            called = f"The words of {cut_name(shown(shown_name(pin.name)), 40)}'s key"
        elif own.current is not None:
            text, called = own.current.value.copied, own.current.value.called
        else:
            return
        self.app.copy_to_clipboard(text)
        self.say(f"Sent to the terminal's clipboard: {called[:1].lower()}{called[1:]}.")

    def act_export(self) -> None:
        """Write the public key to a file."""
        if self._keyring is not None and self._free():
            self._worker = begin(self, partial(self._export, self._keyring), group="identity-act")

    def act_passphrase(self) -> None:
        """Change the passphrase."""
        if self._keyring is not None and self._free():
            job = partial(self._change_passphrase, self._keyring)
            self._worker = begin(self, job, group="identity-act")

    def _free(self) -> bool:
        return self._worker is None or self._worker.is_finished

    async def _export(self, keyring: Keyring) -> None:
        try:
            text = await self.gateway.local.public_key_file()
        except SftError as error:
            self.say_error(error)
            return
        account = keyring.account
        leaf = safe_name(f"{account.user}-{account.server}.pub")
        path = await self.app.push_screen_wait(
            WriteFile(
                "Export your public key",
                lines=[
                    "Anybody may have it: with this file, minisign alone checks what you signed.",
                    "The secret key stays on this computer.",
                ],
                folder=self.sft.here,
                name=leaf,
                text=text,
            )
        )
        if path is not None:
            self.say(f"Your public key is in {shown(str(path))}.", Tone.GOOD)

    async def _change_passphrase(self, keyring: Keyring) -> None:
        who = cut_name(shown(shown_name(keyring.account.user)), 40)
        protected = await self.app.push_screen_wait(
            ChangePassphrase(self._change, protected=keyring.account.protected, who=who)
        )
        if protected is None:
            return
        if protected:
            self.say("Your key has a new passphrase.", Tone.GOOD)
        else:
            said = f"Your key has no passphrase now: whoever reads this computer's files is {who}."
            self.say(said, Tone.DOUBT)
        await self._read()

    async def _change(self, old: str | None, new: str | None) -> bool:
        try:
            await self.gateway.local.change_passphrase(old, new)
        except SftError:
            raise
        except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal
            self.say_fault(error)
            return False
        return True

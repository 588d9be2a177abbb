"""The Identity screen: the person and their quota, this device's key, what protects it, other keys, whom this computer pinned.

Rules. What lies on this computer is shown without a connection too; the other keys are the log's to say. What is copied is what
the line stands for, whole, however much of it fits. The secret key is never shown and never leaves. What is asked about keys
says what will be before, and one act runs at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.worker import Worker

from sft.client.connection_info import Status
from sft.crypto.keys import PublicKey
from sft.errors import SftError
from sft.model.names import safe_name
from sft.model.records import DeviceKey, KeyEnd, QuotaReport
from sft.model.text import count_text, shown_name
from tui.connection_words import STATUS_WORDS
from tui.dialogs.own_keys import NewDevice, RevokeOwnKey, RotateOwnKey
from tui.dialogs.passphrase import ChangePassphrase
from tui.dialogs.read_words import ReadWords
from tui.dialogs.write import WriteFile
from tui.gateway import Account, IdentityInfo
from tui.keys import Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, Severity
from tui.screens.held_key_acts import HeldKeyActs
from tui.screens.identity_rows import OWN_COLUMNS, PINNED_COLUMNS, about_pin, own_rows, pin_words, pinned_row
from tui.text import cut_name, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRows
from tui.workers import start_worker

_OWN: Final = "identity-own"
_PINNED: Final = "identity-pinned"
_BORDER: Final = 2
_EMPTY: Final = 2  # lines of a list that says why it is empty


class IdentityView(View):
    """This device and whom it knows."""

    screen_id = "identity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("identity")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.keyring: IdentityInfo | None = None
        self._keys: list[DeviceKey] = []
        self._quota: QuotaReport | None = None
        self._worker: Worker[object] | None = None
        self._held_key = HeldKeyActs(self)
        self.doers = (self._held_key,)

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        with Vertical(id="identity-body"):
            yield RowList(OWN_COLUMNS, header=False, glyphs=glyphs, id=_OWN)
            yield RowList(PINNED_COLUMNS, glyphs=glyphs, id=_PINNED)

    def on_mount(self) -> None:
        self._show()

    @property
    def _own(self) -> RowList:
        return self.query_one(f"#{_OWN}", RowList)

    @property
    def _pinned(self) -> RowList:
        return self.query_one(f"#{_PINNED}", RowList)

    # -- reading and showing ------------------------------------------------------------------------

    def shown(self) -> None:
        if self.connection.status is Status.NONE:
            self._forget()
            self._show()
        else:
            start_worker(self, self.read, group="identity-read", exclusive=True)

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        keyring = self.keyring
        if keyring is not None and keyring.account.name != event.connection.account:
            self._forget()
        if self.display:
            self.shown()

    def _forget(self) -> None:
        self.keyring, self._keys, self._quota = None, [], None

    async def read(self) -> None:
        account = self.connection.account
        await self.attempt(self._fetch(account))
        self._show()
        if self.connection.online:
            await self.attempt(self._fetch_from_server(account))
            self._show()

    async def _fetch(self, account: str) -> None:
        keyring = await self.gateway.local.keyring()
        if account == self.connection.account:
            self.keyring = keyring

    async def _fetch_from_server(self, account: str) -> None:
        keys, quota = await self.gateway.keys.all(), await self.gateway.people.quota()
        if account == self.connection.account:
            self._keys, self._quota = keys, quota

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        own, pinned = self._own, self._pinned
        keyring, glyphs = self.keyring, self.sft.glyphs
        width = max(self.size.width - _BORDER, 0)
        if keyring is None:
            own.empty = STATUS_WORDS[Status.NONE].reason
            rows, people = [], []
        else:
            rows = own_rows(keyring, self._keys, self._quota, glyphs, self.now, width)
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
        return self._own

    def status_line(self) -> tuple[str, Severity]:
        pinned = self._pinned
        if pinned.has_focus and pinned.current is not None:
            message, in_doubt = about_pin(pinned.current.value, self.now)
            return message, Severity.WARNING if in_doubt else Severity.INFO
        if self.keyring is None:
            return "", Severity.INFO
        return ("Compare key words by phone or in person: equal words are the same key.", Severity.INFO)

    def on_descendant_focus(self) -> None:
        self.post_message(ActsChanged())

    # -- acts -----------------------------------------------------------------------------------------

    def reason_against(self, act: Action) -> str:
        if self.keyring is None:
            return STATUS_WORDS[Status.NONE].reason
        reason = super().reason_against(act)
        if not reason and act.name == "revoke" and self._other_key is None:
            return "The cursor stands on no other key of yours: K has another one follow the one that is here."
        if not reason and act.name in {"unlock", "lock"}:
            return self._held_key.reason_against(act.name)
        if not reason and act.name == "rotate" and self.sft.queue.running:
            return "Transfers are signed with this key: let them end first, or stop them (2)."
        return reason

    @property
    def _other_key(self) -> DeviceKey | None:
        """The key under the cursor, where that is another one than this computer's."""
        line = self._own.current
        return None if line is None or self._pinned.has_focus else line.value.key

    def act_copy(self) -> None:
        """Send what the line stands for to the terminal's clipboard."""
        own, pinned = self._own, self._pinned
        if pinned.has_focus and pinned.current is not None:
            pin = pinned.current.value
            text = "\n".join(pin_words(pin))
            called = f"The words of {cut_name(shown(shown_name(pin.name)), 40)}'s key"
        elif own.current is not None:
            text, called = own.current.value.copied, own.current.value.called
        else:
            return
        self.app.copy_to_clipboard(text)
        self.report(f"Sent to the terminal's clipboard: {called[:1].lower()}{called[1:]}.")

    def act_words(self) -> None:
        if self.keyring is not None:
            self.app.push_screen(ReadWords("your key", self.keyring.account.key_words))

    def act_export(self) -> None:
        if self.keyring is not None:
            self.start(partial(self._export, self.keyring))

    def act_passphrase(self) -> None:
        if self.keyring is not None:
            self.start(partial(self._change_passphrase, self.keyring))

    def act_new_device(self) -> None:
        if self.keyring is not None:
            self.start(partial(self._vouch, self.keyring))

    def act_rotate(self) -> None:
        if self.keyring is not None:
            self.start(partial(self._rotate, self.keyring))

    def act_revoke(self) -> None:
        if self._other_key is not None:
            self.start(partial(self._revoke, self._other_key))

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._worker is None or self._worker.is_finished:
            self._worker = start_worker(self, job, group="identity-act", keys_wait=True)

    async def _export(self, keyring: IdentityInfo) -> None:
        try:
            text = await self.gateway.local.public_key_file()
        except SftError as error:
            self.report_error(error)
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
                folder=self.sft.local_folder,
                name=leaf,
                text=text,
            )
        )
        if path is not None:
            self.report(f"Your public key is in {shown(str(path))}.", Severity.SUCCESS)

    async def _change_passphrase(self, keyring: IdentityInfo) -> None:
        who = cut_name(shown(shown_name(keyring.account.user)), 40)
        protected = await self.app.push_screen_wait(
            ChangePassphrase(self._change, protected=keyring.account.protected, who=who)
        )
        if protected is None:
            return
        if protected:
            self.report("Your key has a new passphrase.", Severity.SUCCESS)
        else:
            message = f"Your key has no passphrase now: whoever can read your files here can act as {who}."
            self.report(message, Severity.WARNING)
        await self.read()

    async def _change(self, old: str | None, new: str | None) -> bool:
        async def changed() -> bool:
            await self.gateway.local.change_passphrase(old, new)
            return True

        return await self.unless_fault(changed()) or False

    # -- the person's keys ------------------------------------------------------------------------------

    async def _vouch(self, keyring: IdentityInfo) -> None:
        link = await self.gateway.keys.device_link()

        async def vouched(key: PublicKey, device: str) -> DeviceKey | None:
            return await self.unless_fault(self.gateway.keys.add(key, device))

        added = await self.app.push_screen_wait(NewDevice(link, keyring.account.user, vouched))
        if added is not None:
            message = f"{_device(added)} is a device of yours now."
            self.report(message, Severity.SUCCESS, "There: the same sft join again")
            await self.read()

    async def _rotate(self, keyring: IdentityInfo) -> None:
        async def rotated(passphrase: str | None) -> Account | None:
            return await self.unless_fault(self.gateway.keys.rotate(passphrase))

        account = await self.app.push_screen_wait(RotateOwnKey(rotated, protected=keyring.account.protected))
        if account is not None:
            message = f"Your new key: {account.key_words}. The one before says so itself."
            self.report(message, Severity.SUCCESS)
        await self.read()

    async def _revoke(self, key: DeviceKey) -> None:
        how = await self.app.push_screen_wait(RevokeOwnKey(key))
        if how is None:
            return
        if await self.attempt(self.gateway.keys.revoke(key.public_key, how.reason, how.cut_off)):
            stolen = how.reason is KeyEnd.COMPROMISED
            tail = f": nothing of it counts from {count_text(how.cut_off)} of the log on" if stolen else ""
            self.report(f"{_device(key)} is revoked{tail}.", Severity.SUCCESS)
        await self.read()


def _device(key: DeviceKey) -> str:
    return cut_name(shown(shown_name(key.device)), 40)

"""The Identity screen: this device's key, what protects it, and whom this computer has pinned.

Rules. Everything here lies on this computer, so it is shown without a connection too. What is copied is what the line stands
for, whole, however much of it fits. The secret key is never shown and never leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.worker import Worker

from sft.client.connection_info import Status
from sft.client.pins import Pin
from sft.errors import SftError
from sft.model.access import Role
from sft.model.names import safe_name
from sft.model.text import ROLE_WORDS, count_text, day_text, shown_name
from tui.connection_words import STATUS_WORDS
from tui.dialogs.passphrase import ChangePassphrase
from tui.dialogs.write import WriteFile
from tui.gateway import Account, IdentityInfo
from tui.glyphs import Glyphs
from tui.keys import Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, Severity
from tui.text import cut_name, key_words, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows
from tui.workers import start_worker

_OWN: Final = "identity-own"
_PINNED: Final = "identity-pinned"
_OWN_COLUMNS: Final = (Column("title", "", 10), Column("gap", "", 1, from_width=90), Column("says"))
_PINNED_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 20, is_name=True),
    Column("seen", "first seen here", 15, from_width=66),
    Column("words", "key in words", gap=2),
    Column("keys", "", 6, right=True, from_width=110),
)
_SHORT: Final = {"key in words": "your key", "minisign key": "minisign"}
_BESIDE_WORDS: Final = 13  # cells that a line has besides eight words
_WHOLE_WORDS: Final = 116  # cells in which eight words stand between the other columns
_BORDER: Final = 2
_EMPTY: Final = 2  # lines of a list that says why it is empty


class IdentityView(View):
    """This device and whom it knows."""

    screen_id = "identity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("identity")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._keyring: IdentityInfo | None = None
        self._worker: Worker[object] | None = None

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        with Vertical(id="identity-body"):
            yield RowList(_OWN_COLUMNS, header=False, glyphs=glyphs, id=_OWN)
            yield RowList(_PINNED_COLUMNS, glyphs=glyphs, id=_PINNED)

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
            self._keyring = None
            self._show()
        else:
            start_worker(self, self._read, group="identity-read", exclusive=True)

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
        self._show()

    def _show(self) -> None:
        own, pinned = self._own, self._pinned
        keyring, glyphs = self._keyring, self.sft.glyphs
        width = max(self.size.width - _BORDER, 0)
        if keyring is None:
            own.empty = STATUS_WORDS[Status.NONE].reason
            rows, people = [], []
        else:
            rows = _own_rows(keyring, glyphs, self.now, width)
            people = [_pinned_row(pin, glyphs, self.now, width) for pin in keyring.people]
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
            message, in_doubt = _about_pin(pinned.current.value, self.now)
            return message, Severity.WARNING if in_doubt else Severity.INFO
        if self._keyring is None:
            return "", Severity.INFO
        return ("Compare key words by phone or in person: equal words are the same key.", Severity.INFO)

    def on_descendant_focus(self) -> None:
        self.post_message(ActsChanged())

    # -- acts -----------------------------------------------------------------------------------------

    def reason_against(self, act: Action) -> str:
        if self._keyring is None:
            return STATUS_WORDS[Status.NONE].reason
        return super().reason_against(act)

    def act_copy(self) -> None:
        """Send what the line stands for to the terminal's clipboard."""
        own, pinned = self._own, self._pinned
        if pinned.has_focus and pinned.current is not None:
            pin = pinned.current.value
            text = "\n".join(_pin_words(pin))
            called = f"The words of {cut_name(shown(shown_name(pin.name)), 40)}'s key"
        elif own.current is not None:
            text, called = own.current.value.copied, own.current.value.called
        else:
            return
        self.app.copy_to_clipboard(text)
        self.report(f"Sent to the terminal's clipboard: {called[:1].lower()}{called[1:]}.")

    def act_export(self) -> None:
        if self._keyring is not None and self._free():
            self._worker = start_worker(self, partial(self._export, self._keyring), group="identity-act")

    def act_passphrase(self) -> None:
        if self._keyring is not None and self._free():
            job = partial(self._change_passphrase, self._keyring)
            self._worker = start_worker(self, job, group="identity-act")

    def _free(self) -> bool:
        return self._worker is None or self._worker.is_finished

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
            message = f"Your key has no passphrase now: whoever reads this computer's files is {who}."
            self.report(message, Severity.WARNING)
        await self._read()

    async def _change(self, old: str | None, new: str | None) -> bool:
        try:
            await self.gateway.local.change_passphrase(old, new)
        except SftError:
            raise
        except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal
            self.report_fault(error)
            return False
        return True


# -- lines: pure, from what this computer keeps to what is shown and copied


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """One line of what is kept: what ``y`` copies, and what that is called."""

    copied: str
    called: str


def _own_rows(keyring: IdentityInfo, glyphs: Glyphs, now: float, width: int) -> list[ListRow[IdentityLine]]:
    """Make the lines about this device and its key, whose words take two lines where one has no room."""
    account = keyring.account
    who = f"{shown(shown_name(account.user))} on {shown(account.server)}"
    rows = [_row("you", who, IdentityLine(account.user, "Your name"))]
    if account.role in list(Role):
        role = Role(account.role)
        says = f"{role.value}: {ROLE_WORDS[role]}"
        rows.append(_row("role", says, IdentityLine(role.value, "Your role")))
    since = f", joined {day_text(account.joined_at, now)}" if account.joined_at else ""
    device = f"{shown(account.device)}{since}"
    rows.append(_row("device", device, IdentityLine(account.device, "The name of this device")))
    rows += _words_rows("key in words", account.key_words, "Your key in words", width)
    rows.append(_row("minisign key", account.minisign_key, IdentityLine(account.minisign_key, "Your minisign key")))
    rows.append(_passphrase_row(account, glyphs))
    address = shown(account.address)
    rows.append(_row("server", address, IdentityLine(account.address, "The server's address")))
    called = "The server's key in words"
    rows += _words_rows("its key", account.server_words, called, width)
    pinned = f"{day_text(account.pinned_at, now)}; sft stops if the server ever shows another key"
    rows.append(_row("pinned", pinned, IdentityLine(account.server_words, called)))
    receipts = f"{count_text(keyring.receipts)} kept: what the server said it stored, signed by it"
    rows.append(_row("receipts", receipts, IdentityLine(str(keyring.receipts), "How many receipts")))
    return rows


def _pinned_row(pin: Pin, glyphs: Glyphs, now: float, width: int) -> ListRow[Pin]:
    """Make the line of a person as this computer saw them first."""
    words = _pin_words(pin)
    first = words[0] if words else "no key that this computer would take"
    seen = min(pin.keys.values(), default=None)
    later = len(pin.shown_later)
    cells = {
        "mark": glyphs.doubt if later else "",
        "name": shown(pin.name),
        "words": first if width >= _WHOLE_WORDS else first.partition(" ")[0],
        "seen": glyphs.dash if seen is None else day_text(seen, now),
        "keys": f"{len(words)} keys" if len(words) > 1 else "",
    }
    if later:
        cells["seen"] = "another since"
    tones = {"mark": "doubt", "seen": "doubt" if later else "muted"}
    return ListRow(str(pin.user_id), pin, cells, tones)


def _pin_words(pin: Pin) -> list[str]:
    """Return the words of a person's pinned keys, the first seen first."""
    return [key_words(key) for key, _ in sorted(pin.keys.items(), key=lambda item: item[1])]


def _about_pin(pin: Pin, now: float) -> tuple[str, bool]:
    """Return what is pinned of a person, and whether it is in doubt."""
    name = shown(shown_name(pin.name))
    words = _pin_words(pin)
    if pin.shown_later:
        at = day_text(min(pin.shown_later.values()), now)
        message = f"The server shows another key for {name} since {at}: let {name} confirm its words."
        return message, True
    return (f"{name}: {' and '.join(words)}" if words else f"{name} has no key pinned here.", not words)


def _row(title: str, says: str, line: IdentityLine, *, tone: str = "", key: str = "") -> ListRow[IdentityLine]:
    tones = {"title": "muted"}
    key = key or title
    title = _SHORT.get(title, title)
    if tone:
        tones["says"] = tone
    return ListRow(key, line, {"title": title, "says": says}, tones)


def _words_rows(title: str, words: str, called: str, width: int) -> list[ListRow[IdentityLine]]:
    line = IdentityLine(words, called)
    if width >= len(words) + _BESIDE_WORDS or " " not in words:
        return [_row(title, words, line)]
    first, _, second = words.partition(" ")
    return [_row(title, first, line), _row("", second, line, key=f"{title} 2")]


def _passphrase_row(account: Account, glyphs: Glyphs) -> ListRow[IdentityLine]:
    if account.protected:
        says = "set: the key on this computer opens with it alone"
        return _row("passphrase", says, IdentityLine("set", "What the line says"))
    name = shown(shown_name(account.user))
    says = f"{glyphs.doubt} none: whoever reads this computer's files can act as {name}"
    return _row("passphrase", says, IdentityLine("none", "What the line says"), tone="doubt")

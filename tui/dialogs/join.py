"""Joining: what the pasted link says, then a name, a passphrase twice and a device; after a refusal what was typed stays.

Rules. The key is made on this computer before the server hears of it: after an attempt that failed the same form goes on with
that key, and asks for its passphrase once. Enter goes from field to field and joins from the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import KeyUnknownError, PassphraseWrongError, SftError
from sft.model.links import InvitationLink, Link
from sft.model.names import parse_device_name, parse_user_name
from sft.model.text import shown_name
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.gateway import Account
from tui.text import cut_name, shown
from tui.widgets.link_input import link_lines, rows

_OF_THE_NAME: Final = frozenset({"NAME_TAKEN", "NAME_RESERVED", "USER_NAME_NOT_ALLOWED"})


@dataclass(frozen=True, slots=True)
class JoinedAs:
    """A new account, and what opens its key for the connection that follows."""

    account: Account
    passphrase: str | None = field(repr=False)


class Join(Dialog[JoinedAs]):
    """Gives the new account, or None.

    Args:
        earlier: what an earlier attempt with this link left.
        suggested: names for the person and for this computer.
    """

    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own way
        (0, "-low"),
        (30, "-high"),
    ]
    wide = True

    def __init__(self, link: Link, earlier: Account | None, suggested: tuple[str, str]) -> None:
        self._server = shown(link.server_name)
        super().__init__(f"Join {cut_name(self._server, 50)}", act="Join")
        self._buttons.insert(1, DialogButton("Make a passphrase", "words", key="ctrl+g"))
        self._link = link
        self._earlier = earlier
        self._suggested = suggested

    def content(self) -> ComposeResult:
        with Vertical(id="join-says"):
            yield from rows(link_lines(self._link, self.sft.now()))
        reserved = self._link.user_name if isinstance(self._link, InvitationLink) else None
        suggested_name, suggested_device = self._suggested
        earlier = self._earlier
        name = reserved or (earlier.user if earlier else "") or suggested_name
        device = (earlier.device if earlier else "") or suggested_device
        with Vertical(id="join-fields"):
            says = "as the invitation says" if reserved else "what colleagues see"
            yield from self._row("your name", "join-name", name, says)
            yield from self._row("passphrase", "join-passphrase", "", "", secret=True)
            yield from self._row("again", "join-again", "", "", secret=True)
            yield from self._row("this device", "join-device", device, "this computer's name")
        warns = (
            f"Everyone on {self._server} can read every file stored there. Losing your key loses no "
            "file: an admin gives you a new one."
        )
        yield static(warns, "dialog-muted dialog-space", id="join-warns")

    def show_below(self, text: str, strong: str) -> None:
        """Show it in place of the standing words: small screens have no room for both."""
        super().show_below(text, strong)
        self.query_one("#join-warns").display = not text

    def on_mount(self) -> None:
        self._show_passphrase()
        super().on_mount()

    def first_focus(self) -> Widget:
        """The name, marked: typing replaces it."""
        name = self._input("name")
        name.action_select_all()
        return name

    def answer(self, name: str) -> None:
        if name == "words":
            self._make_words()
        else:
            super().answer(name)

    def act(self) -> None:
        self.work(self._go)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "join-device":
            self.act()
        elif event.input.id != "join-again" or self._is_typed_twice():
            self.focus_next(Input)

    # -- the fields ------------------------------------------------------------------------------

    def _row(self, name: str, id_: str, value: str, says: str, *, secret: bool = False) -> ComposeResult:
        with Horizontal(classes="form-row", id=f"{id_}-row"):
            yield static(name, "form-name")
            yield Input(value, id=id_, compact=True, password=secret, max_length=200)
            yield static(says, "form-says", id=f"{id_}-says")

    def _input(self, name: str) -> Input:
        return self.query_one(f"#join-{name}", Input)

    def _show_passphrase(self) -> None:
        """Ask twice for a new key, once for one that is here already, never for one without."""
        earlier = self._earlier
        says = "ctrl+g makes one; empty: none"
        if earlier is not None:
            says = "of the key made at first"
            self.query_one("#join-passphrase-row").display = earlier.protected
        self.query_one("#join-again-row").display = earlier is None
        self._buttons[1].display = earlier is None
        self.query_one("#join-passphrase-says", Static).update(Content(says))

    def _make_words(self) -> None:
        """Fill in a passphrase for a key that is still to be made."""
        if self._earlier is not None or self._is_working:
            return
        words = self.sft.gateway.local.suggested_passphrase()
        for name in ("passphrase", "again"):
            self._input(name).value = words
        self.show_progress("Write it down, it is shown this once: ", words)
        self._input("device").focus()

    # -- joining -----------------------------------------------------------------------------------

    async def _go(self) -> None:
        wanted = self._checked()
        if wanted is None:
            return
        user_name, device, passphrase = wanted
        if self._earlier is None and passphrase is None and not await self._agreed(user_name):
            self._input("passphrase").focus()
            return
        dots = self.sft.glyphs.ellipsis
        doing = f"Making your key, then asking {self._server}{dots}"
        self.show_progress(doing if self._earlier is None else f"Asking {self._server}{dots}")
        try:
            account = await self.sft.gateway.accounts.join(
                self._link, user_name=user_name, device=device, passphrase=passphrase
            )
        except SftError as error:
            await self._refused(error)
        else:
            self.dismiss(JoinedAs(account, passphrase))

    def _checked(self) -> tuple[str, str, str | None] | None:
        """Return name, device and passphrase; None where something will not do, which is shown."""
        values = []
        for name, parse in (("name", parse_user_name), ("device", parse_device_name)):
            try:
                values.append(parse(self._input(name).value.strip()))
            except SftError as error:
                self.complain(error, self._input(name))
                return None
        passphrase = self._input("passphrase").value
        if self._earlier is None and not self._is_typed_twice():
            return None
        return values[0], values[1], passphrase or None

    def _is_typed_twice(self) -> bool:
        """Return whether both passphrases are the same; else ask for the second one again."""
        again = self._input("again")
        if again.value == self._input("passphrase").value:
            return True
        again.value = ""
        self.complain("The two passphrases differ. Type the second one again.", again)
        return False

    async def _agreed(self, user_name: str) -> bool:
        who = shown(shown_name(user_name))
        lines = [f"Whoever reads the files of this computer can then act as {who}."]
        question = Confirm("Join without a passphrase?", lines, act="Leave it open", safe="Type one")
        agreed = await self.app.push_screen_wait(question)
        return agreed is True

    async def _refused(self, error: SftError) -> None:
        # The key may exist now: then it is opened the next time, not made.
        self._earlier = await self.sft.gateway.accounts.pending(self._link)
        self._show_passphrase()
        if isinstance(error, PassphraseWrongError):
            field = self._input("passphrase")
            field.value = ""
            self.complain(error, field)
        elif error.code in _OF_THE_NAME:
            self.complain(error, self._input("name"))
            self._input("name").action_select_all()
        elif isinstance(error, KeyUnknownError) and self._earlier:
            says = (
                "Nobody joins without an invitation. Are you somebody there already? On a device of yours, Identity (5), "
                f"n vouches for the key of this one; then Join here again. {self._earlier.key_words}: "
            )
            self.show_below(says, self._earlier.minisign_key)
        else:
            self.complain(error)

"""Opens the key of an account with its passphrase; a wrong one is said and asked for again.

Rules. The passphrase stays in the field and leaves with the dialog. Whether the server then answers is not this question.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import (
    KeyFormatError,
    KeyLockedError,
    LocalFileError,
    PassphraseWrongError,
    SftError,
)
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, DialogButton
from tui.gateway import Account
from tui.text import cut_name, shown
from tui.widgets.link_says import one_line
from tui.workers import begin


class Unlock(Dialog[bool]):
    """Gives True once the key is open, or None.

    Args:
        account: whose key it is.
    """

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account
        self._working = False
        self.title_text = f"Unlock {cut_name(shown(account.name), 50)}"

    def content(self) -> ComposeResult:
        """Ask for the passphrase."""
        who = shown(shown_name(self._account.user))
        where = shown(self._account.server)
        yield Static(Content(f"The key of {who} on {where} is locked."), markup=False)
        with Horizontal(classes="form-row dialog-space"):
            yield Static(Content("passphrase"), classes="form-name", markup=False)
            yield Input(id="unlock-passphrase", compact=True, password=True)
        says = (
            "It opens the key on this computer until you quit, and is never sent. Forgotten? There "
            "is no way round it, and no file is lost: an admin lets you in again with a new key."
        )
        yield Static(Content(says), classes="dialog-muted dialog-space", markup=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Stay locked", "cancel"), DialogButton("Unlock", "act")]

    def first_focus(self) -> Widget | None:
        """The field."""
        return self._field

    def answer(self, name: str) -> None:
        """Open it, or leave it."""
        if name != "act":
            self.dismiss(None)
        elif not self._working:
            begin(self, self._go, group="unlock")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.answer("act")

    @property
    def _field(self) -> Input:
        return self.query_one("#unlock-passphrase", Input)

    async def _go(self) -> None:
        self.doing(f"Opening your key{self.sft.glyphs.ellipsis}")
        self._working = True
        try:
            await self.sft.gateway.use(self._account.name, self._field.value)
        except (PassphraseWrongError, KeyLockedError):
            self._field.value = ""
            self._field.focus()
            self.complain("That passphrase does not open the key. Type it again.")
        except (KeyFormatError, LocalFileError) as error:
            self.complain(one_line(error, self.sft.now()))
        except SftError:
            self.dismiss(True)  # the key is open; how the server stands, the connection says
        else:
            self.dismiss(True)
        finally:
            self._working = False

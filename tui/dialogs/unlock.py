"""Opens the key of an account with its passphrase; a wrong one is reported and asked for again.

Rules. The passphrase stays in the field and leaves with the dialog. Whether the server then answers is not this question.
"""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import KeyFormatError, KeyLockedError, LocalFileError, PassphraseWrongError, SftError
from sft.model.text import shown_name
from tui.dialogs.dialog import Dialog, static
from tui.gateway import Account
from tui.text import cut_name, shown


class Unlock(Dialog[bool]):
    """Gives True once the key is open, or None."""

    def __init__(self, account: Account) -> None:
        title = f"Unlock {cut_name(shown(account.name), 50)}"
        super().__init__(title, act="Unlock", safe="Stay locked")
        self._account = account
        self._field = Input(id="unlock-passphrase", compact=True, password=True)

    def content(self) -> ComposeResult:
        who = shown(shown_name(self._account.user))
        yield static(f"The key of {who} on {shown(self._account.server)} is locked.")
        with Horizontal(classes="form-row dialog-space"):
            yield static("passphrase", "form-name")
            yield self._field
        says = (
            "It opens the key on this computer until you quit, and is never sent. Forgotten? There "
            "is no way round it, and no file is lost: an admin gives you a new key."
        )
        yield static(says, "dialog-muted dialog-space")

    def first_focus(self) -> Widget:
        return self._field

    @on(Input.Submitted)
    def act(self) -> None:
        self.work(self._unlock)

    async def _unlock(self) -> None:
        self.show_progress(f"Opening your key{self.sft.glyphs.ellipsis}")
        try:
            await self.sft.gateway.use(self._account.name, self._field.value)
        except (PassphraseWrongError, KeyLockedError):
            self._field.value = ""
            message = "That passphrase does not open the key. Type it again."
            self.complain(message, self._field)
        except (KeyFormatError, LocalFileError) as error:
            self.complain(error)
        except SftError:
            self.dismiss(True)  # the key is open; how the server stands, the connection says
        else:
            self.dismiss(True)

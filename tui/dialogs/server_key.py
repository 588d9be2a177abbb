"""The server's key: the full stop when another one is shown, and the one way on, a server link that a person gave.

Rules. The safe answer has the focus and leaves everything as it is. Nothing here asks "trust it anyway?": a new key is pinned
from a link alone, and what it says stands there before.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from sft.crypto.keys import ServerPublic
from sft.errors import LinkIncompleteError, SftError
from sft.model.links import ServerLink, parse_server_link
from sft.model.text import day_text
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.gateway import Account
from tui.text import cut_name, shown
from tui.widgets.link_input import LinkInput, LinkLine, key_lines, rows


class ServerKeyStop(Dialog[bool]):
    """Gives True if a server link shall be pasted, or None.

    Args:
        seen: the words of the key that was shown; empty where they are not known.
        evidence: the file that keeps what was shown; empty where there is none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", show=False)]
    wide = True

    def __init__(self, account: Account, seen: str, evidence: str) -> None:
        self._account = account
        self._seen = seen
        self._evidence = evidence
        name = cut_name(shown(account.name), 24)
        title = f"STOP: {name} shows another key than the one you pinned"
        super().__init__(title, safe="Stay disconnected", classes="-stop")
        self._buttons.append(DialogButton("Paste server link", "link", key="p"))
        if evidence:
            self._buttons.append(DialogButton("Evidence", "evidence", key="w"))

    def content(self) -> ComposeResult:
        yield static(
            "sft cannot tell a server set up again without its old key from someone in between. "
            "Nothing was sent: not your name, no file, no request."
        )
        pinned = day_text(self._account.pinned_at, self.sft.now())
        with Vertical(id="stop-keys", classes="dialog-space"):
            yield from rows(key_lines("pinned", self._account.server_words))
            yield from rows([("", f"on this computer since {pinned}")])
        with Vertical(id="stop-seen", classes="dialog-space"):
            seen = key_lines("shown", shown(self._seen)) if self._seen else [("shown", "another")]
            yield from rows(seen)
        with Vertical(classes="dialog-space"):
            yield from rows(
                [
                    ("Ask", 'an admin, by phone or in person: "Was its key replaced?"'),
                    ("Yes", "They give you a server link: p pastes it."),
                    ("No", "Stay away, and tell them."),
                ]
            )

    def action_copy(self) -> None:
        """Send the words of both keys to the terminal's clipboard."""
        if self._seen:
            self.app.copy_to_clipboard(f"pinned: {self._account.server_words}\nshown: {self._seen}\n")
            self.show_progress("Sent to the terminal's clipboard: the words of both keys.")

    def answer(self, name: str) -> None:
        if name == "evidence":
            self.show_progress(f"Kept as {shown(self._evidence)} (y copies both keys)")
        else:
            self.dismiss(True if name == "link" else None)


class PasteServerLink(Dialog[str]):
    """Gives the text of a server link that fits the account, or None.

    Args:
        seen: the words of the key that the server shows instead of the pinned one, if it does.
    """

    wide = True

    def __init__(self, account: Account, seen: str = "") -> None:
        title = f"Server link of {cut_name(shown(account.name), 50)}"
        super().__init__(title, act="Pin this key")
        self.allow_act(allowed=False)  # before a link is whole
        self._account = account
        self._seen = seen
        self._link: ServerLink | None = None

    def content(self) -> ComposeResult:
        yield static(
            "It comes from the operator (sftd link), by a person whom you know: phone or "
            "in person. It replaces the key that is pinned here."
        )
        yield static("Paste it here", "dialog-label")
        yield LinkInput(id="server-link")
        yield Vertical(id="link-says", classes="dialog-space")

    def first_focus(self) -> Widget:
        return self.query_one(LinkInput)

    def act(self) -> None:
        self.dismiss(self._link.text() if self._link is not None else None)

    @on(Input.Changed, "#server-link")
    async def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._link, lines = None, []
        self.complain("")
        if event.value:
            try:
                self._link = parse_server_link(event.value)
                lines = self._lines(self._link)
            except LinkIncompleteError:
                self.complain("Not a whole link yet: copy it from sft:// to the end.")
            except SftError as error:
                self.complain(error)
        here = (self._account.server, self._account.server_id)
        wrong = self._link is not None and (self._link.server_name, self._link.server_id) != here
        if wrong:
            self.complain(f"This link is of another server, not of {shown(self._account.server)}.")
        self.allow_act(allowed=self._link is not None and not wrong)
        says = self.query_one("#link-says", Vertical)
        await says.remove_children()
        with self.app.batch_update():
            await says.mount_all([_Rows(lines)] if lines else [])

    @on(Input.Submitted, "#server-link")
    def _submitted(self, event: Input.Submitted) -> None:
        # A pasted line break must not pin a key: enter goes to the button, which wants its own.
        event.stop()
        if not self._buttons[-1].disabled:
            self._buttons[-1].focus()

    def _lines(self, link: ServerLink) -> list[LinkLine]:
        words = ServerPublic(link.server_key).words()
        verdict = "It is not the pinned key: this one will be pinned."
        if words == self._account.server_words:
            verdict = "It is the pinned key: only the address is taken."
        elif self._seen and words == self._seen:
            verdict = "It is the key that the server shows now."
        elif self._seen:
            verdict = "It is neither the pinned key nor the one that the server shows now."
        return [
            ("server", f"{shown(link.server_name)} at {shown(link.address)}"),
            *key_lines("its key", words),
            ("", verdict),
        ]


class _Rows(Vertical):
    """What a link says."""

    def __init__(self, lines: list[LinkLine]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        yield from rows(self._lines)

"""Shows a new invitation: the link on bare lines, which a mouse can mark whole; copied, written or shown as a QR code on a key.

Rules. The link is a secret and is shown once. A program cannot know whether a terminal took what was sent to its clipboard:
it says that it was sent, no more. How long it holds is counted down, and whoever joins with it meanwhile is named at once, as
the server tells it.
"""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.model.links import is_loopback, parse_invitation
from sft.model.names import safe_name
from sft.model.text import local_time, shown_name
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.dialogs.qr_code import QrCode
from tui.dialogs.write import WriteFile
from tui.gateway import Invited
from tui.messages import NoticeArrived
from tui.text import cut_name, shown
from tui.widgets.invitation_countdown import InvitationCountdown


class ShowLink(Dialog[str]):
    """Stays until it is closed; gives the harmless name of who has joined with it meanwhile, or None."""

    def __init__(self, invited: Invited) -> None:
        self._link = invited.link
        self._invitation = invited.invitation
        name = self._invitation.name
        self._person = None if name is None else shown(shown_name(name))
        whom = "an invitation" if self._person is None else f"the invitation for {self._person}"
        # The edge has no corner here.
        super().__init__(f" Made: {cut_name(whom, 60)} ", safe="Close")
        over = " Nobody joins with this line any more."
        self._state = InvitationCountdown(self._invitation, over=over, classes="link-says", id="link-state")
        self._buttons += [
            DialogButton("Copy", "copy", key="y"),
            DialogButton("Write to a file", "write", key="w"),
            DialogButton("QR code", "code", key="q"),
        ]

    def first_focus(self) -> Widget:
        """Return what loses nothing: one Enter too many in the dialog before must not close the only view of the link."""
        return self._buttons[1]

    def content(self) -> ComposeResult:
        yield static(shown(self._link), id="link-text")
        made, now = self._invitation, self.sft.now()
        until = local_time(made.expires_at, now=now, weekday=True)
        whom = "whoever has it" if self._person is None else self._person
        alone = "one person" if self._person is None else self._person
        lines = [
            f"For {whom}, {made.role.value}, once, until {until}.",
            f"Whoever has this line can join with it: send it to {alone} alone.",
            "It is shown only now and kept nowhere.",
        ]
        if works_here_only(self._link):
            lines.append(
                "It works on this machine only: the server listens nowhere else. Its operator can "
                "change that: sftd serve --listen 0.0.0.0:PORT --public HOST:PORT"
            )
        for line in lines:
            yield static(line, "link-says")
        yield self._state
        yield static("", "link-says", id="link-done")

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        event.stop()
        self._state.hear(event)

    def answer(self, name: str) -> None:
        if name == "copy":
            self.app.copy_to_clipboard(self._link)
            # Whether it arrived cannot be known.
            self._report("The terminal was asked to copy it. If a paste shows something else, w writes a file.")
        elif name == "write":
            self.work(self._write)
        elif name == "code":
            self._show_code()
        else:
            self.dismiss(self._state.joined)

    def action_dismiss_safely(self) -> None:
        self.dismiss(self._state.joined)

    def _show_code(self) -> None:
        if self.sft.glyphs.plain:
            self._report("A QR code needs signs that this terminal is not told to have (SFT_ASCII, or no UTF-8).")
            return
        code = QrCode(self._link, self._invitation)
        width, height = code.needed
        if self.size.width < width or self.size.height < height:
            self._report(
                f"The QR code needs {width} columns and {height} lines; here are {self.size.width} by {self.size.height}."
            )
        else:
            self.app.push_screen(code)

    async def _write(self) -> None:
        leaf = f"invitation-{self._invitation.name or self._invitation.id}.txt"
        path = await self.app.push_screen_wait(
            WriteFile(
                "Write the invitation to a file",
                lines=["A new file that only you can read (0600)."],
                # Not where files are put from: who has it can join.
                folder=Path.home(),
                name=safe_name(leaf),
                text=self._link + "\n",
            )
        )
        if path is not None:
            self._report(f"{self.sft.glyphs.verified} Written to {shown(str(path))}, for you alone.")

    def _report(self, text: str) -> None:
        done = self.query_one("#link-done", Static)
        done.update(Content(text))
        done.add_class("-shown")


def works_here_only(link: str) -> bool:
    """Return whether the address in an invitation leads to the reader's own machine."""
    return is_loopback(parse_invitation(link).host)

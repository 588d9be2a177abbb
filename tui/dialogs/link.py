"""Shows a new invitation: the link on bare lines, which a mouse can mark whole; copied or written on a key.

Rules. The link is a secret and is shown once. A program cannot know whether a terminal took what was sent to its clipboard:
it says that it was sent, no more.
"""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sft.model.links import is_loopback, parse_invitation
from sft.model.names import safe_name
from sft.model.text import local_time, shown_name
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.dialogs.write import WriteFile
from tui.gateway import Invited
from tui.text import cut_name, shown


class ShowLink(Dialog[None]):
    """Stays until it is closed."""

    def __init__(self, invited: Invited) -> None:
        self._link = invited.link
        self._invitation = invited.invitation
        name = self._invitation.name
        self._person = None if name is None else shown(shown_name(name))
        whom = "an invitation" if self._person is None else f"the invitation for {self._person}"
        # The edge has no corner here.
        super().__init__(f" Made: {cut_name(whom, 60)} ", safe="Close")
        self._buttons += [DialogButton("Copy", "copy", key="y"), DialogButton("Write to a file", "write", key="w")]

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
                "change that: sftd serve --listen ... --public HOST:PORT"
            )
        for line in lines:
            yield static(line, "link-says")
        yield static("", "link-says", id="link-done")

    def answer(self, name: str) -> None:
        if name == "copy":
            self.app.copy_to_clipboard(self._link)
            # Whether it arrived cannot be known.
            self._report("The terminal was asked to copy it. If a paste shows something else, w writes a file.")
        elif name == "write":
            self.work(self._write)
        else:
            self.dismiss(None)

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

"""What a computer that has joined nothing shows: one field for the invitation, and the ways for whoever has none."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.dialogs.dialog import DialogButton
from tui.glyphs import Glyphs
from tui.messages import ActChosen
from tui.widgets.link_input import LinkField


class WelcomePane(VerticalScroll):
    """The first start.

    Args:
        demo: this program can show a demo on this computer.
    """

    def __init__(self, glyphs: Glyphs, now: float, *, demo: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._now = now
        self._demo = demo

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome-box"):
            yield Static(Content("Welcome to sft"), id="welcome-title", markup=False)
            says = "Every file is encrypted, signed by its author and checked by you."
            yield Static(Content(says), classes="welcome-quiet", markup=False)
            wanted = "Paste the invitation that an admin of your server sent you:"
            yield Static(Content(wanted), id="welcome-wanted", markup=False)
            yield LinkField(self._glyphs, self._now)
            with Vertical(id="welcome-else"):
                if self._demo:
                    with Horizontal():
                        yield Static(Content("No invitation?"), classes="welcome-when", markup=False)
                        yield DialogButton("Explore a demo on this computer", "demo", key="F2")
                with Horizontal():
                    yield Static(Content("You run the server?"), classes="welcome-when", markup=False)
                    yield Static(Content("sftd invite --role admin"), markup=False)

    @on(DialogButton.Pressed)
    def _pressed(self, event: DialogButton.Pressed) -> None:
        event.stop()
        self.post_message(ActChosen("servers.demo"))

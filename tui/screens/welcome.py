"""What a computer that has joined nothing shows: one field for the invitation, and the ways for whoever has none."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.glyphs import Glyphs
from tui.widgets.link_input import LinkField


class WelcomePane(VerticalScroll):
    """The first start.

    Args:
        demo: this program can show a demo on this computer.
    """

    def __init__(self, glyphs: Glyphs, now: float, *, demo: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, can_focus=False)
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
                    yield self._way("No invitation?", "e", "explores a demo on this computer")
                yield self._way("You run the server?", "", "twistd sft invite --role admin")

    def _way(self, when: str, key: str, says: str) -> Static:
        parts: list[str | tuple[str, str]] = [
            (f"{when:<22}", "$quiet"),
            (f"{key}  " if key else "", "$accent bold"),
            says,
        ]
        return Static(Content.assemble(*parts), markup=False)

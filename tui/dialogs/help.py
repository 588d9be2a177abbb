"""What can be done here: every key of this screen, of lists and of everywhere, and why not where something cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.dialogs.dialog import static
from tui.dialogs.palette import Offer
from tui.glyphs import Glyphs
from tui.keys import shown_key
from tui.themes.styles import styles_of

_KEY_CELLS = 14
_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "pgup", "pagedown": "pgdn"}


class Help(ModalScreen[None]):
    """One page, scrolled by the usual keys.

    Args:
        sections: a title and what can be done there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "leave", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]

    def __init__(self, sections: Sequence[tuple[str, Sequence[Offer]]], glyphs: Glyphs) -> None:
        super().__init__()
        self._sections = sections
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as page:
            page.border_title = Content("Help")
            page.border_subtitle = Content("esc closes")
            for title, offers in self._sections:
                yield static(title, "help-title")
                for offer in offers:
                    yield Static(self._line(offer), markup=False)
                    if offer.reason:
                        yield static(offer.reason, "help-reason")
            yield static("Signs", "help-title")
            for sign, meaning in _meanings(self._glyphs):
                line = Text(no_wrap=False, end="")
                line.append(f"{sign:>{_KEY_CELLS}}  ", styles_of(self.app.theme)["key"])
                line.append(meaning)
                yield Static(line, markup=False)

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def action_scroll_down(self) -> None:
        self.query_one("#help", VerticalScroll).scroll_down(animate=False)

    def action_scroll_up(self) -> None:
        self.query_one("#help", VerticalScroll).scroll_up(animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)

    def _shown(self, key: str) -> str:
        """Write a key, an arrow as one where the terminal has them."""
        key = shown_key(key)
        if self._glyphs.plain:  # the terminal has no arrows
            return key
        base, plus, last = key.rpartition("+")
        return f"{base}{plus}{_ARROWS.get(last, last)}"

    def _line(self, offer: Offer) -> Text:
        act = offer.act
        keys = " ".join(self._shown(key) for key in act.keys.split(",") if key) or ":"
        styles = styles_of(self.app.theme)
        line = Text(no_wrap=False, end="")
        line.append(f"{keys:>{_KEY_CELLS}}  ", styles["muted" if offer.reason else "key"])
        line.append(act.description, styles["muted"] if offer.reason else "")
        return line


def _meanings(glyphs: Glyphs) -> list[tuple[str, str]]:
    return [
        (glyphs.signed, "signed: the signature over content, name and version as stated holds"),
        (glyphs.verified, "verified: this computer has read the bytes, and they are what was signed"),
        ("", "on this computer's side: the same bytes as the server's newest version in the folder opposite"),
        (glyphs.doubt, "needs you, or is in doubt; on this computer's side: changed both here and there"),
        (glyphs.unknown, "signed by a key that nobody vouched for, or not proved yet"),
        (glyphs.bad, "bad or failed: do not use it"),
        (glyphs.selected, "selected; in the header: connected; of people: here now; of invitations: open"),
        (glyphs.disabled, "disabled, removed or ended"),
        (f"{glyphs.up} {glyphs.down}", "on its way to the server; from the server"),
        ("", "on this computer's side: changed here since it was stored or got; the server has a newer version"),
        (glyphs.paused, "paused"),
    ]  # fmt: skip

"""What every dialog has: a title, content, a row of buttons, the safe one first and focused, esc as the safe answer.

Rules. A dialog asks once and says what will happen. It gives a value to whoever pushed it; esc gives ``None``, which changes
nothing. All texts are harmless already and shown without markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from tui.context import AppContext

T = TypeVar("T")
_MOST_PERCENT = 92  # of the screen's height; dialog.tcss says the same
_AROUND_LINES = 6  # border, padding and buttons


class DialogButton(Button):
    """A button of a dialog.

    Args:
        name: of the answer that it gives.
        key: a letter that presses it while no field has the focus.
    """

    def __init__(self, label: str, name: str, *, key: str = "", destroys: bool = False) -> None:
        text = Content(f"{key}  {label}" if key else label)
        kind = "destroys" if destroys else "acts" if name == "act" else None
        super().__init__(text, name=name, classes=kind, compact=True)
        self.letter = key


class Dialog(ModalScreen[T | None]):
    """A question over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_safely", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("left,up", "app.focus_previous", show=False),
    ]
    title_text: str = ""
    wide: bool = False

    @property
    def sft(self) -> AppContext:
        """The app that this stands in."""
        return cast("AppContext", self.app)

    def compose(self) -> ComposeResult:
        """Put title, content and buttons together."""
        with Vertical(id="dialog", classes="-wide-dialog" if self.wide else "") as frame:
            frame.border_title = Content(f"{self.title_text}")
            with VerticalScroll(id="dialog-content", can_focus=False):
                yield from self.content()
            yield Static("", id="dialog-problem", markup=False)
            with Horizontal(id="dialog-buttons"):
                yield from self.buttons()

    def content(self) -> Sequence[Widget] | ComposeResult:
        """Give what stands between title and buttons."""
        return []

    def buttons(self) -> Sequence[DialogButton]:
        """Give the buttons, the safe one first."""
        return [DialogButton("Close", "close")]

    def answer(self, name: str) -> None:
        """Take a pressed button; the first one is always safe."""
        del name
        self.dismiss(None)

    def complain(self, text: str) -> None:
        """Say under the content why an answer will not do."""
        self.say_below(text, "")

    def doing(self, text: str, strong: str = "") -> None:
        """Say there what an answer has begun, and after it what is to stand out."""
        self.say_below(text, strong)
        self.query_one("#dialog-problem").add_class("-doing")

    def say_below(self, text: str, strong: str) -> None:
        """Put words under the content, the last of them standing out."""
        problem = self.query_one("#dialog-problem", Static)
        problem.update(Content.assemble(text, (strong, "bold $foreground")))
        problem.set_class(bool(text), "-shown")
        problem.remove_class("-doing")
        self.call_after_refresh(self._fit)

    def on_mount(self) -> None:
        """Put the focus where nothing happens by accident."""
        first = self.first_focus()
        if first is not None:
            first.focus()

    def on_resize(self) -> None:
        """Keep the buttons in sight on small screens: the content scrolls."""
        self._fit()

    def _fit(self) -> None:
        content = self.query_one("#dialog-content")
        problem = self.query_one("#dialog-problem")
        said = problem.size.height + 1 if problem.display else 0
        most = self.size.height * _MOST_PERCENT // 100 - _AROUND_LINES - said
        content.styles.max_height = max(most, 3)

    def first_focus(self) -> Widget | None:
        """Give what has the focus at first: the safe button, unless there is something to fill in."""
        return next(iter(self.query(DialogButton)), None)

    def action_dismiss_safely(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.name or "")

    def on_key(self, event: events.Key) -> None:
        """Press the button whose letter was typed; fields have taken theirs before."""
        for button in self.query(DialogButton):
            if button.letter and button.letter == event.character and not button.disabled:
                event.stop()
                button.press()
                return

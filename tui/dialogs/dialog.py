"""What every dialog has: a title, content, a row of buttons, the safe one first and focused, esc as the safe answer.

Rules. A dialog asks once and says what will happen. It gives a value to whoever pushed it; esc gives ``None``, which changes
nothing. All texts are harmless already and shown without markup.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from sft.errors import SftError
from tui.context import AppContext
from tui.runtime.dirty_lines import DirtyLines
from tui.text import error_line
from tui.workers import start_worker

T = TypeVar("T")
_MOST_PERCENT = 92  # of the screen's height; dialog.tcss says the same
_AROUND_LINES = 6  # border, padding and buttons
_AROUND_PAGE = 3
SCROLLING: Final[tuple[Binding, ...]] = (
    Binding("up,k", "scroll(-1)", show=False),
    Binding("down,j", "scroll(1)", show=False),
    Binding("pageup", "scroll(-10)", show=False),
    Binding("pagedown", "scroll(10)", show=False),
)
"""Of a dialog that shows a long text."""


def static(text: str, classes: str = "", *, id: str | None = None) -> Static:  # noqa: A002
    """Make a line of harmless text."""
    return Static(Content(text), classes=classes, id=id, markup=False)


class DialogButton(Button):
    """A button of a dialog.

    Args:
        name: of the answer that it gives.
        key: presses it; a letter only while no field has the focus.
    """

    def __init__(self, label: str, name: str, *, key: str = "", destroys: bool = False) -> None:
        text = Content(f"{key}  {label}" if key else label)
        kind = "destroys" if destroys else "acts" if name == "act" else None
        super().__init__(text, name=name, classes=kind, compact=True)
        self.key = key


class Dialog(ModalScreen[T | None], Generic[T]):
    """A question over the screen.

    Args:
        act: what the button says that does it; without one, the dialog only shows something.
        safe: what the button says that changes nothing.
        key: a letter that presses the acting one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_safely", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("left,up", "app.focus_previous", show=False),
    ]
    wide: ClassVar[bool] = False
    page: ClassVar[bool] = False  # it takes all the room there is

    def __init__(
        self,
        title: str,
        *,
        act: str = "",
        safe: str = "Cancel",
        key: str = "",
        destroys: bool = False,
        classes: str | None = None,
    ) -> None:
        super().__init__(classes=classes)
        self._compositor = DirtyLines()
        self._title = title
        self._buttons = [DialogButton(safe, "safe")]
        if act:
            self._buttons.append(DialogButton(act, "act", key=key, destroys=destroys))
        self._is_working = False
        self._focused_before: Widget | None = None
        self.has_begun = False  # keys typed ahead wait for its focus

    @property
    def sft(self) -> AppContext:
        return cast("AppContext", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-page" if self.page else "-wide-dialog" if self.wide else "") as frame:
            frame.border_title = Content(self._title)
            with VerticalScroll(id="dialog-content", can_focus=False):
                yield from self.content()
            yield static("", id="dialog-problem")
            with Horizontal(id="dialog-buttons"):
                yield from self.buttons()

    def content(self) -> ComposeResult:
        """Yield what stands between title and buttons."""
        yield from ()

    def buttons(self) -> Sequence[DialogButton]:
        """Return the buttons, the safe one first."""
        return self._buttons

    def first_focus(self) -> Widget | None:
        """Return what has the focus at first: the safe button, unless there is something to fill in."""
        return self._buttons[0]

    # -- answers ------------------------------------------------------------------------------------

    def answer(self, name: str) -> None:
        """Take a pressed button; the safe one and esc change nothing."""
        if name == "act":
            self.act()
        else:
            self.dismiss(None)

    def act(self) -> None:
        """Do what the acting button says."""

    def allow_act(self, *, allowed: bool) -> None:
        """Let the acting button be pressed, or not."""
        self._buttons[-1].disabled = not allowed

    def work(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start what takes time; while something is under way, nothing else begins."""
        if not self._is_working:
            self._is_working = True
            start_worker(self, lambda: self._guarded(job), group=type(self).__name__)

    async def _guarded(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await job()
        finally:
            self._is_working = False

    def action_dismiss_safely(self) -> None:
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Show more of what has no room."""
        self.query_one("#dialog-content").scroll_relative(y=lines, animate=False)
        if self.page:
            self.call_after_refresh(self._hint_at_more)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.name or "")

    def on_key(self, event: events.Key) -> None:
        """Press the button whose key was typed; fields have taken their letters before."""
        for button in self.query(DialogButton):
            if button.key and button.key in {event.character, event.key} and not button.disabled:
                event.stop()
                button.press()
                return

    # -- what stands under the content ----------------------------------------------------------------

    def complain(self, problem: str | SftError, field: Widget | None = None) -> None:
        """Show why an answer will not do, and give the field that is to be mended the focus."""
        text = problem if isinstance(problem, str) else error_line(problem, self.sft.now())
        self.show_below(text, "")
        if field is not None:
            field.focus()

    def show_progress(self, text: str, strong: str = "") -> None:
        """Show what an answer has begun, and after it what is to stand out."""
        self.show_below(text, strong)
        self.query_one("#dialog-problem").add_class("-doing")

    def show_below(self, text: str, strong: str) -> None:
        """Put words under the content, the last of them standing out."""
        problem = self.query_one("#dialog-problem", Static)
        problem.update(Content.assemble(text, (strong, "bold $foreground")))
        problem.set_class(bool(text), "-shown")
        problem.remove_class("-doing")
        self.call_after_refresh(self._fit)

    def on_mount(self) -> None:
        first = self.first_focus()
        if first is not None:
            self.set_focus(first)
        self.has_begun = True

    def on_screen_suspend(self) -> None:
        """Leave the place to a dialog that comes over this one: no rags of both."""
        self._focused_before = self.focused
        self.add_class("-covered")

    def on_screen_resume(self) -> None:
        """Stand there again; what is hidden has lost the focus, which goes back once it is in sight."""
        self.remove_class("-covered")
        before, self._focused_before = self._focused_before, None
        if before is not None:
            self.has_begun = False
            self.call_after_refresh(self._focus_again, before)

    def _focus_again(self, before: Widget) -> None:
        if before.is_attached:
            self.set_focus(before)
        self.has_begun = True

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Keep the buttons in sight on small screens: the content scrolls."""
        content = self.query_one("#dialog-content")
        problem = self.query_one("#dialog-problem")
        percent, around = (100, _AROUND_PAGE) if self.page else (_MOST_PERCENT, _AROUND_LINES)
        room = self.size.height * percent // 100 - around
        # Of a long problem on a small screen the content leaves all but the line that has the focus.
        problem.styles.max_height = max(room - 2, 1)
        message = problem.size.height + 1 if problem.display else 0
        content.styles.max_height = max(room - message, 1 if message else 3)
        if self.page:
            self.call_after_refresh(self._hint_at_more)

    def _hint_at_more(self) -> None:
        """Say in the frame that there is more than has room, as long as that is so."""
        content = self.query_one("#dialog-content")
        more = content.max_scroll_y > content.scroll_y
        self.query_one("#dialog").border_subtitle = Content(f"{self.sft.glyphs.down} more" if more else "")

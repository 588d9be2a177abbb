"""One conflict, decided by one key over the list in which it arose: skip, keep beside, replace; esc leaves it for later.

Rules. What stands there and what would come is said before. It takes no key in its first moments: what was typed before it was
seen was meant for the list. Which ways there are, ``resolve_conflicts`` knows; whatever is not a single file waits there.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from sft.client.transfers.queue.job import Decision, Failure, Job, JobState
from sft.model.names import split_path
from tui.context import AppContext
from tui.dialogs.dialog import DialogButton
from tui.dialogs.resolve_conflicts import place_of, short_ways, what_is_there
from tui.text import shown

_SEEN_SECONDS: Final = 0.4
_KEYS: Final = {Decision.SKIP: "s", Decision.BESIDE: "b", Decision.REPLACE: "r"}


def single_conflict(job: Job) -> Failure | None:
    """Return what one key can decide: the one conflict of a job of one file."""
    if job.state is not JobState.NEEDS_YOU or job.files > 1 or len(job.names) > 1 or len(job.failures) != 1:
        return None
    return job.failures[0] if job.failures[0].is_conflict else None


class DecideHere(ModalScreen[Decision | None]):
    """Gives the decision, or None for later.

    Attributes:
        is_seen: its keys are heard.
    """

    AUTO_FOCUS = ""  # enter decides nothing
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "later", show=False),
        *(Binding(key, f"decide('{decision.value}')", show=False) for decision, key in _KEYS.items()),
    ]

    def __init__(self, context: AppContext, job: Job, failure: Failure) -> None:
        super().__init__()
        self._about = context
        self._job = job
        self._failure = failure
        self._ways = short_ways(context, job, failure)
        self.is_seen = False

    def compose(self) -> ComposeResult:
        name = shown(split_path(self._failure.place)[1])
        with Vertical(id="decide-here"):
            there = what_is_there(self._about, self._job, self._failure)
            where = place_of(self._job)
            yield Static(Content(f"{name} is {where} already: {there}"), markup=False)
            with Horizontal():
                for decision, words in self._ways.items():
                    yield DialogButton(f"[{_KEYS[decision]}] {words}", decision.value)
                yield DialogButton("esc later", "")

    def on_mount(self) -> None:
        self.set_timer(_SEEN_SECONDS, partial(setattr, self, "is_seen", True))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._give(event.button.name or "")

    def action_decide(self, value: str) -> None:
        if self.is_seen:
            self._give(value)

    def action_later(self) -> None:
        if self.is_seen:
            self.dismiss(None)

    def _give(self, value: str) -> None:
        decision = Decision(value) if value else None
        if decision is None or decision in self._ways:
            self.dismiss(decision)

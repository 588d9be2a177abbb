"""What the acts of the People screen know of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

from sft.model.records import User
from sft.model.text import shown_name
from tui.text import cut_name, shown
from tui.view_context import ViewContext


class PeopleContext(ViewContext, Protocol):
    """The screen, as its acts find it."""

    users: list[User]

    @property
    def user(self) -> User | None:
        """The person under the cursor."""

    @property
    def selected(self) -> list[User]:
        """Those who are selected."""

    def select_people(self, users: Sequence[User]) -> None:
        """Have these selected, and nobody else."""

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin an act, one at a time."""

    async def read(self, *, invitation_at: int | None = None) -> None:
        """Read all lists anew."""


def name_of(name: str) -> str:
    """Write a person's name as sentences have it: harmless, and cut."""
    return cut_name(shown(shown_name(name)), 40)

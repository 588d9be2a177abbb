"""What the acts of the People screen know of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from sft.client.connection_info import ConnectionInfo
from sft.errors import SftError
from sft.model.records import User
from sft.model.text import shown_name
from tui.gateway import Gateway
from tui.messages import Severity
from tui.text import cut_name, shown

T = TypeVar("T")


class PeopleContext(Protocol):
    """The screen, as its acts find it."""

    users: list[User]

    @property
    def app(self) -> Any:
        """The app, which shows dialogs."""

    @property
    def gateway(self) -> Gateway: ...

    @property
    def connection(self) -> ConnectionInfo: ...

    @property
    def now(self) -> float: ...

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

    def report(self, text: str, severity: Severity = Severity.INFO, next_step: str = "") -> None: ...

    def report_error(self, error: SftError) -> None: ...

    async def attempt(self, asked: Awaitable[object]) -> bool:
        """Wait for something and report its refusal or fault; return whether it worked."""

    async def unless_fault(self, asked: Awaitable[T]) -> T | None:
        """Wait for what a dialog asks: refusals are the dialog's to show, a fault is reported here."""


def name_of(name: str) -> str:
    """Write a person's name as sentences have it: harmless, and cut."""
    return cut_name(shown(shown_name(name)), 40)

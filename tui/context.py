"""What screens and dialogs find around them, so that none of them has to know the app that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sft.client.transfers.queue.transfer_queue import TransferQueue
from sft.errors import SftError
from tui.gateway import Gateway
from tui.glyphs import Glyphs


class Speaking(Protocol):
    """A screen that can say what went wrong."""

    def say_error(self, error: SftError) -> None:
        """Say a refusal in its own words."""

    def say_fault(self, error: BaseException) -> None:
        """Say that this program has a fault."""


class Showing(Protocol):
    """What shows one of the numbered screens."""

    place: str

    @property
    def view(self) -> Speaking:
        """The screen that is shown."""

    def go(self, place: str) -> None:
        """Show another one."""


class AppContext(Protocol):
    """The app, as far as it concerns what stands in it.

    Args:
        here: the folder of this computer in which the app began.
        now: Unix seconds.
    """

    gateway: Gateway
    queue: TransferQueue
    glyphs: Glyphs
    here: Path
    now: Callable[[], float]

    @property
    def frame(self) -> Showing:
        """What shows the screens."""

"""What screens and dialogs find around them, so that none of them has to know the app that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sft.client.transfers.queue.job import Job
from sft.client.transfers.queue.transfer_queue import TransferQueue
from sft.errors import SftError
from tui.gateway import Gateway
from tui.glyphs import Glyphs
from tui.keys import Action
from tui.tour import Did, Tour
from tui.undo import Undo


class Reporting(Protocol):
    """A screen that can report what went wrong."""

    def report_error(self, error: SftError) -> None: ...

    def report_fault(self, error: BaseException) -> None:
        """Report a fault of this program."""


class Showing(Protocol):
    """What shows one of the numbered screens."""

    screen_id: str

    @property
    def admins(self) -> str:
        """Names of admins of the server in use, harmless; empty before they were read."""

    async def read_admins(self) -> str:
        """Ask the server for them, unless they are known; empty where it does not tell."""

    @property
    def view(self) -> Reporting:
        """The screen that is shown."""

    async def go(self, screen_id: str) -> None: ...


class AppContext(Protocol):
    """The app, as far as it concerns what stands in it.

    Args:
        local_folder: the folder of this computer in which the app began.
        now: Unix seconds.
    """

    gateway: Gateway
    queue: TransferQueue
    undo: Undo
    glyphs: Glyphs
    local_folder: Path
    now: Callable[[], float]
    tour: Tour

    @property
    def frame(self) -> Showing:
        """What shows the screens."""

    def keys_wait(self) -> AbstractContextManager[None]:
        """Let keys wait while what they are for is on its way; two seconds at most."""

    def ordered_in_files(self, job: Job) -> None:
        """Note that a person ordered a transfer in Files just now: what stops it is asked about there."""

    def reason_against(self, act: Action) -> str:
        """Why an act of everywhere cannot be done now; empty if it can."""

    def perform(self, act: Action) -> None:
        """Do an act of everywhere."""

    def did(self, what: Did) -> None:
        """Note what a person has done, where a tour goes on."""

    def begin_tour(self) -> None:
        """Lead through the demo."""

    def end_tour(self) -> None:
        """End the tour, if one goes on."""

"""The one way out: what still runs is named, and nothing is lost by leaving.

Rules. ``q``, F10 and ctrl+q ask only while something is unfinished. ctrl+c copies what is marked, else asks; twice in a row it
leaves at once. SIGTERM leaves without a question. The queue is kept in every case. ctrl+z stops the whole job, and after ``fg``
the connection is looked at: it may have ended meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Final, NoReturn

from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Input

from sft.client.transfers.queue.transfer_queue import TransferQueue
from tui.dialogs.confirm import Confirm
from tui.runtime.terminal import Terminal

_TWICE_SECONDS: Final = 2.0


class Quitting:
    """Ends the app."""

    def __init__(self, app: App[int], queue: TransferQueue) -> None:
        self._app = app
        self._queue = queue
        self._interrupted_at = float("-inf")
        self.last_words = ""

    def ask(self) -> None:
        """Leave; ask first if transfers are unfinished."""
        lines = self._unfinished()
        if not lines:
            self._app.exit(0)
            return
        self._question(lines)

    def interrupt(self) -> None:
        """Copy what is marked; else ask; a second one leaves."""
        field = self._app.focused
        in_field = field.selected_text if isinstance(field, Input) else ""
        marked = in_field or self._app.screen.get_selected_text()
        if marked:
            self._app.copy_to_clipboard(marked)
            return
        now = asyncio.get_running_loop().time()
        if now - self._interrupted_at < _TWICE_SECONDS:
            self._app.exit(130)
            return
        self._interrupted_at = now
        if isinstance(self._app.screen, ModalScreen):
            return
        self._question(self._unfinished() or ["Nothing is running. ctrl+c once more quits too."])

    def at_once(self, status: int) -> NoReturn:
        """End the process without waiting for anything but the terminal."""
        driver = self._app._driver  # noqa: SLF001 - the toolkit has no other way to it
        with contextlib.suppress(Exception):  # nothing is left to do about a fault here
            if driver is not None:
                driver.stop_application_mode()
                driver.close()
        os._exit(status)

    def reason_against_suspending(self) -> str:
        """Why the app cannot be stopped for a while; empty if it can."""
        driver = self._app._driver  # noqa: SLF001 - the toolkit has no other way to it
        if driver is None or not driver.can_suspend:
            return "No shell waits here that could bring sft back."
        return ""

    def suspend(self) -> None:
        """Stop until ``fg``."""
        driver = self._app._driver  # noqa: SLF001 - the toolkit has no other way to it
        if isinstance(driver, Terminal):
            driver.stop_job()

    def _question(self, lines: list[str]) -> None:
        question = Confirm("Quit sft?", lines, act="Quit", safe="Stay", key="q", destroys=False)
        self._app.push_screen(question, lambda yes: self._app.exit(0) if yes else None)

    def _unfinished(self) -> list[str]:
        running = self._queue.running
        waiting = self._queue.unfinished - running
        if not running and not waiting:
            return []
        parts = []
        if running:
            parts.append(f"{running} transfer{'s' * (running != 1)} run{'s' * (running == 1)}")
        if waiting:
            parts.append(f"{waiting} wait{'s' * (waiting == 1)}")
        goes = "It goes" if running + waiting == 1 else "They go"
        return [
            ", ".join(parts) + ".",
            f"{goes} on when sft runs again. Files that are done stay done;",
            "a large one that is under way goes on from where it is.",
        ]

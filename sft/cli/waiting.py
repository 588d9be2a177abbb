"""A word on standard error while a server that was asked says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sft.cli.console import Console
from sft.limits import QUIET_SECONDS
from sft.model.names import safe

if TYPE_CHECKING:
    from sft.client.session import Session

LOOK_SECONDS: Final = 2.0


@contextmanager
def silence_told(console: Console, reactor: Any, session: Session) -> Iterator[None]:
    """Say so, once each time, when there has been no answer for a while in the block."""
    told = False
    timer: Any = None

    def look() -> None:
        nonlocal told, timer
        timer = reactor.callLater(LOOK_SECONDS, look)
        silent = session.quiet_seconds >= QUIET_SECONDS
        if silent and not told:
            console.note(f"No answer from {safe(session.server_name)} for {QUIET_SECONDS} s; still waiting.")
        told = silent

    timer = reactor.callLater(LOOK_SECONDS, look)
    try:
        yield
    finally:
        if timer.active():
            timer.cancel()

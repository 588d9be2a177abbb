"""Words on standard error while something is waited for: on a terminal a line within a second, everywhere a word after ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sft.cli.console import Console
from sft.limits import QUIET_SECONDS
from sft.model.names import safe

LOOK_SECONDS: Final = 0.5


@contextmanager
def wait_told(
    console: Console, reactor: Any, name: str, quiet_seconds: Callable[[], float] | None = None, *, late: str = ""
) -> Iterator[None]:
    """Show on a terminal what the block waits for, and say once each time when that has taken ten seconds.

    Args:
        name: what is waited for, made harmless here.
        quiet_seconds: how long nothing has come of it; since the block began if not given.
        late: what is said after ten seconds, if not that there is no answer.
    """
    began = reactor.seconds()
    name = safe(name)
    ours = ""
    told = False
    timer: Any = None

    def look() -> None:
        nonlocal told, timer, ours
        timer = reactor.callLater(LOOK_SECONDS, look)
        seconds = reactor.seconds() - began if quiet_seconds is None else quiet_seconds()
        silent = seconds >= QUIET_SECONDS
        if silent and not told:
            console.note(late or f"No answer from {name} for {QUIET_SECONDS} s; still waiting.")
        told = silent
        # Whatever else draws there says more.
        if console.may_draw and console.open_line in {"", ours}:
            ours = f"waiting for {name}, {int(seconds)} s" if seconds >= LOOK_SECONDS else ""
            console.draw(ours)

    timer = reactor.callLater(LOOK_SECONDS, look)
    try:
        yield
    finally:
        timer.cancel()
        if ours and console.open_line == ours:
            console.draw("")

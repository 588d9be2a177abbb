"""The one door to the full-screen UI: what it needs, and how it is opened.

Rules. The UI is loaded when it is opened, and no earlier: no other command pays for it. What can be told in a sentence is told
before it opens, where the terminal still is as the person left it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sft.errors import NotJoinedError, SftError, UsageError
from sft.model.names import safe

if TYPE_CHECKING:
    from sft.cli.invocation import Invocation


BeginDemo = Callable[[], Path]
"""Starts a private server that ends with the UI; gives the state folder of its admin (blocks)."""


class Screens(Protocol):
    """Opens the UI; see ``full_screen``."""

    def __call__(  # noqa: D102
        self,
        environ: Mapping[str, str],
        *,
        account: str = "",
        here: Path | None = None,
        begin_demo: BeginDemo | None = None,
        until_quit: bool = False,
        offline: bool = False,
    ) -> int: ...


def full_screen(
    environ: Mapping[str, str],
    *,
    account: str = "",
    here: Path | None = None,
    begin_demo: BeginDemo | None = None,
    until_quit: bool = False,
    offline: bool = False,
) -> int:
    """Open the UI; gives the exit status.

    Args:
        account: to use at first; the default one if empty.
        here: the folder of this computer that is shown at first.
        begin_demo: what is offered to whoever has joined nothing.
        until_quit: the state of these accounts goes when the UI ends.
        offline: show a world in memory in place of the servers that this computer has joined.
    """
    from tui import start

    if offline:
        return start.run_offline(environ, here=here)
    return start.run(
        environ, account=account, here=here, begin_demo=begin_demo, until_quit=until_quit
    )


def require_terminal(invocation: Invocation) -> None:
    """Check that a person can see and use the UI.

    Raises:
        UsageError: there is no terminal, or JSON is asked for.
    """
    remedy = (
        "Name what to do in place of it: sft ls, sft put FILE, sft get FILE; sft --help lists all"
    )
    if invocation.console.json:
        raise UsageError(problem="The full-screen UI gives no JSON", remedy=remedy)
    if not invocation.on_terminal:
        raise UsageError(
            problem="The full-screen UI needs a terminal, for input and for output", remedy=remedy
        )


def open_screens(invocation: Invocation) -> int:
    """Open the UI on the account that is asked for, else the default one; say the exit status.

    Raises:
        UsageError: there is no terminal.
        ProfileUnknownError: the account that is asked for is none of this computer's.
        LocalFileError: what this computer keeps cannot be read.
    """
    require_terminal(invocation)
    account = ""
    with contextlib.suppress(NotJoinedError):  # the UI asks for an invitation
        account = invocation.profile().name
    with contextlib.ExitStack() as left_behind:

        def begin_demo() -> Path:
            from sft.demo.exhibit import Exhibit

            return left_behind.enter_context(Exhibit()).begin()

        status = invocation.surroundings.screens(
            invocation.environ, account=account, begin_demo=begin_demo
        )
    return ended(invocation, status)


def ended(invocation: Invocation, status: int) -> int:
    """Say where the details of a fault are, if the UI ended by one."""
    if status == SftError.exit_status:
        invocation.console.warn(f"     Details: {safe(str(invocation.log.path))}")
    return status

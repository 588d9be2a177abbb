"""The one door to the full-screen UI, which is loaded when it is opened and no earlier: no other command pays for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol


class Screens(Protocol):
    """Opens the UI, as ``full_screen`` does."""

    def __call__(
        self,
        environ: Mapping[str, str],
        *,
        account: str = "",
        here: Path | None = None,
        begin_demo: Callable[[], Path] | None = None,
        until_quit: bool = False,
    ) -> int: ...


def full_screen(
    environ: Mapping[str, str],
    *,
    account: str = "",
    here: Path | None = None,
    begin_demo: Callable[[], Path] | None = None,
    until_quit: bool = False,
) -> int:
    """Open the UI; return the exit status. Arguments are those of ``tui.start.run``; ``here`` is its local folder."""
    from tui import start

    return start.run(environ, account=account, local_folder=here, begin_demo=begin_demo, until_quit=until_quit)

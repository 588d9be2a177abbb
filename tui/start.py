"""Starts the full-screen UI.

Rules. What comes from outside (environment, terminal, folders) is read here and handed down. A terminal is needed:
whoever calls this has made sure of one.
"""

from __future__ import annotations

import locale
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sft.client.fault_log import FaultLog
from sft.client.state import state_from
from tui.app import SftApp
from tui.glyphs import Glyphs, glyphs_for
from tui.live import LiveGateway
from tui.live.accounts import BeginDemo
from tui.preferences import read_preferences
from tui.runtime import loop


def run(
    environ: Mapping[str, str],
    *,
    account: str = "",
    local_folder: Path | None = None,
    begin_demo: BeginDemo | None = None,
    until_quit: bool = False,
) -> int:
    """Run the UI over the accounts of this computer; return the exit status.

    Args:
        account: to use at first; the default one if empty.
        local_folder: the folder of this computer that is shown at first; the current one unless told.
        begin_demo: what is offered to whoever has joined nothing: starts a private server that ends with the UI, and
            returns the state folder of its admin (blocks).
        until_quit: the state folder goes when the UI ends: it is the demo, and a tour leads through it.
    """
    state = state_from(environ)
    preferences = read_preferences(state.config)

    def make(reactor: Any) -> SftApp:
        return SftApp(
            LiveGateway(reactor, state, environ, begin_demo=begin_demo, until_quit=until_quit),
            glyphs=_glyphs(environ),
            start=account,
            local_folder=local_folder,
            preferences=preferences,
            tour=until_quit,
        )

    return loop.run(make, FaultLog(state.data).keep)


def _glyphs(environ: Mapping[str, str]) -> Glyphs:
    return glyphs_for(environ, locale.getpreferredencoding(do_setlocale=False))

"""The acts of everywhere: help, palette, quitting, the theme, and trying again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sft.client.connection_info import Status
from sft.errors import SftError
from tui.keys import Action
from tui.starting import offer_help, offer_palette
from tui.themes import DARK, LIGHT, THEMES
from tui.workers import begin

if TYPE_CHECKING:
    from tui.app import SftApp

_THEME_FILE: Final = "theme"


class GlobalActions:
    """Does them."""

    def __init__(self, app: SftApp) -> None:
        self._app = app

    def reason_against(self, act: Action) -> str:
        """Say why an act cannot be done now; empty if it can."""
        if act.name == "again" and self._app.gateway.connection.status is Status.NONE:
            return "No server is in use."
        if act.name == "suspend":
            return self._app.leaving.reason_against_suspending()
        return ""

    def do(self, name: str) -> object:
        """Do one of them."""
        app = self._app
        acts: dict[str, Callable[[], object]] = {
            "palette": lambda: offer_palette(app),
            "help": lambda: offer_help(app),
            "quit": app.leaving.ask,
            "interrupt": app.leaving.interrupt,
            "suspend": app.leaving.suspend,
            "theme": self._switch_theme,
            "again": self._again,
        }
        return acts[name]()

    async def restore_theme(self) -> None:
        """Take the theme that was chosen last."""
        try:
            kept = await self._app.gateway.local.load(_THEME_FILE)
        except SftError:  # a disk that does not read is no reason to end; the queue says it
            return
        chosen = (kept or b"").decode(errors="replace")
        if chosen in {theme.name for theme in THEMES}:
            self._app.theme = chosen

    def _switch_theme(self) -> None:
        app = self._app
        app.theme = LIGHT.name if app.theme == DARK.name else DARK.name
        begin(app, self._keep_theme, group="keeping")

    async def _keep_theme(self) -> None:
        app = self._app
        await app.frame.view.attempt(app.gateway.local.save(_THEME_FILE, app.theme.encode()))

    def _again(self) -> None:
        self._app.gateway.again()
        self._app.frame.view.shown()

"""The app: the five screens in one frame, themes, keys, and the ways in and out.

Rules. It is given a gateway, a queue, signs and a clock, and makes none of them. What happens outside arrives as
messages. A fault of our own ends it with a reference to the log; no traceback, and so no local variable, reaches the
terminal.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from sft.client.transfers.queue.transfer_queue import TransferQueue
from tui.event_bridge import EventBridge
from tui.gateway import Gateway
from tui.global_actions import GlobalActions
from tui.glyphs import FINE, Glyphs
from tui.job_sentences import said_of
from tui.keys import ACTS
from tui.messages import Said, Tone
from tui.preferences import Preferences
from tui.quitting import Quitting
from tui.runtime.key_queue import KeyQueue
from tui.runtime.scrollbars import draw_whole_cells
from tui.runtime.terminal import Terminal
from tui.starting import first_account, frame_of
from tui.themes import DARK, LIGHT, THEMES
from tui.workers import begin

STYLES: Final = (
    "frame.tcss",
    "widgets/row_list.tcss",
    "widgets/dock.tcss",
    "widgets/filter_line.tcss",
    "dialogs/dialog.tcss",
    "dialogs/pages.tcss",
    "screens/files.tcss",
    "screens/transfers.tcss",
    "screens/people.tcss",
    "screens/identity.tcss",
    "screens/servers.tcss",
)


class SftApp(App[int], inherit_bindings=False):
    """The full-screen UI.

    Args:
        start: account to use at first; the default one if empty.
        now: Unix seconds.
        preferences: keys that the person gave to acts, and dark or light.
        here: the folder of this computer that is shown at first.
    """

    TITLE = "sft"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = [Path(__file__).parent / name for name in STYLES]  # noqa: RUF012 - as the toolkit declares it
    # In fields and dialogs too: a person who wants out is not left to guess.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(act.keys, f"act('{act.id}')", act.says, show=False, priority=True, id=act.id)
        for act in (ACTS["app.interrupt"],)
    ]

    def __init__(
        self,
        gateway: Gateway,
        *,
        glyphs: Glyphs = FINE,
        now: Callable[[], float] = time.time,
        start: str = "",
        here: Path | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        draw_whole_cells()
        self.glyphs = glyphs  # the toolkit asks for the theme's variables at once
        super().__init__(driver_class=Terminal)
        self.gateway = gateway
        self.now = now
        self.queue = TransferQueue(gateway, describe=said_of, now=now)
        self.start = start
        self.here = here or Path.cwd()
        self.touched_at = 0.0
        self.leaving = Quitting(self)
        self.everywhere = GlobalActions(self)
        self._one_by_one = KeyQueue(self, super().on_event)
        for theme in THEMES:
            self.register_theme(theme)
        self.preferences = preferences or Preferences()
        self.theme = (DARK if self.preferences.dark else LIGHT).name

    async def on_mount(self) -> None:
        """Listen to the world, show the frame and connect."""
        self.set_keymap(self.preferences.keymap)
        self.app_resume_signal.subscribe(self, self.leaving.resumed)
        self.frame = frame_of(self)
        EventBridge(self).begin()
        await self.push_screen(self.frame)
        await self.queue.load()
        await self.everywhere.restore_theme()
        for problem in self.preferences.problems:
            self.frame.post_message(Said(problem, Tone.DOUBT))
        begin(self, partial(first_account, self), group="connecting", exclusive=True)

    async def on_unmount(self) -> None:
        """Leave the server and keep the queue."""
        await self.queue.close()
        await self.gateway.close()

    async def on_event(self, event: events.Event) -> None:
        """Note when the person last did something, and take keys one by one."""
        if isinstance(event, events.InputEvent):
            self.touched_at = asyncio.get_running_loop().time()
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._one_by_one.take(event)
        else:
            await super().on_event(event)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every role a color, also while a theme is being changed, and frames what the terminal can draw."""
        plain = self.glyphs.plain
        edges = {"edge": "ascii" if plain else "round", "edge-heavy": "ascii" if plain else "heavy"}
        return {**DARK.variables, **edges}

    async def action_act(self, act_id: str) -> None:
        """Do what works in dialogs too."""
        self.everywhere.do(ACTS[act_id].name)

    # -- faults -------------------------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        # The toolkit would print the traceback with every local variable.
        fault = self._exception
        text = "".join(traceback.format_exception(fault)) if fault else traceback.format_exc()
        ref = self.gateway.local.keep_fault(text)
        self.leaving.last_words = f"sft had a fault of its own. Report it with the reference {ref}."
        self._close_messages_no_wait()

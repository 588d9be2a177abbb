"""The app: the six screens in one frame, themes, keys, what happens outside, and the ways in and out.

Rules. It is given a gateway, signs and a clock, and makes none of them. What happens outside is passed on as messages. A
fault of our own ends it with a reference to the log; no traceback, and so no local variable, reaches the terminal.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from sft.client.connection_info import ConnectionInfo, Event, Status
from sft.client.quota_words import KIND as QUOTA
from sft.client.quota_words import quota_near_text
from sft.client.transfers.queue.job import Direction, Failure, Job, JobState
from sft.client.transfers.queue.run import RunResult
from sft.client.transfers.queue.transfer_queue import TransferQueue
from sft.client.trust import SignatureState
from sft.errors import KeyLockedError, SftError
from tui.command_log import CommandLog
from tui.connection_words import reason_of
from tui.dialogs.command_log import ShowCommandLog
from tui.dialogs.decide_here import DecideHere, single_conflict
from tui.dialogs.themes import ChooseTheme
from tui.gateway import Gateway
from tui.glyphs import FINE, Glyphs
from tui.job_sentences import said_of, sentence_of
from tui.keys import ACTS, Action
from tui.main_screen import MainScreen
from tui.messages import (
    ConnectionChanged,
    FilesJudged,
    LocalFolderChanged,
    NoticeArrived,
    Notification,
    ServerChanged,
    Severity,
    TransfersMoved,
)
from tui.preferences import Preferences
from tui.quitting import Quitting
from tui.runtime.changed_cells import ChangedCells
from tui.runtime.escaped_keys import keys_of
from tui.runtime.key_queue import KeyQueue
from tui.runtime.scrollbars import draw_whole_cells
from tui.runtime.terminal import Terminal
from tui.themes import known_name, theme_named
from tui.themes.roles import DARK
from tui.tour import Did, Tour
from tui.undo import OthersActedError, Undo
from tui.workers import start_worker

_STYLES: Final = (
    "frame.tcss",
    "widgets/row_list.tcss",
    "widgets/dock.tcss",
    "widgets/filter_line.tcss",
    "dialogs/dialog.tcss",
    "dialogs/pages.tcss",
    "screens/files.tcss",
    "screens/transfers.tcss",
    "screens/people.tcss",
    "screens/activity.tcss",
    "screens/identity.tcss",
    "screens/servers.tcss",
    "screens/status.tcss",
)
_THEME_FILE: Final = "theme"


class SftApp(App[int], inherit_bindings=False):
    """The full-screen UI.

    Args:
        start: account to use at first; the default one if empty.
        now: Unix seconds.
        preferences: keys that the person gave to acts, and a theme.
        local_folder: the folder of this computer that is shown at first.
        tour: lead through what is there: it is the demo.
    """

    TITLE = "sft"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = [Path(__file__).parent / name for name in _STYLES]  # noqa: RUF012 - as the toolkit declares it
    # In fields and dialogs too: a person who wants out is not left to guess.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(act.keys, f"act('{act.id}')", act.description, show=False, priority=True, id=act.id)
        for act in (ACTS["app.interrupt"],)
    ]

    def __init__(
        self,
        gateway: Gateway,
        *,
        glyphs: Glyphs = FINE,
        now: Callable[[], float] = time.time,
        start: str = "",
        local_folder: Path | None = None,
        preferences: Preferences | None = None,
        tour: bool = False,
    ) -> None:
        draw_whole_cells()
        self.glyphs = glyphs  # the toolkit asks for the theme's variables at once
        super().__init__(driver_class=Terminal)
        self._changed_cells = ChangedCells()
        self.commands = CommandLog(gateway, now)
        self.gateway = self.commands.noting()
        self.now = now
        self.queue = TransferQueue(gateway, describe=said_of, now=now)
        self.local_folder = local_folder or Path.cwd()
        self.undo = Undo()
        self._last_order = 0, 0  # the last job that was ordered, and by which key of all
        self.key_queue = KeyQueue(self, super().on_event)
        self.quitting = Quitting(self, self.queue)
        self._quota_near = ""  # what the server told of a quota while a put ran
        self._start = start
        self.tour = Tour()
        self.tour.is_over = not tour
        self.preferences = preferences or Preferences()
        self.use_theme(self.preferences.theme)

    async def on_mount(self) -> None:
        self.set_keymap(self.preferences.keymap)
        self.app_resume_signal.subscribe(self, self._resumed)
        self.frame = MainScreen(self.local_folder)
        self.frame.fit(self.size)
        self.gateway.listen(self._event_arrived)
        self.queue.listen(self._queue_changed)
        self.queue.when_landed(self._job_ended)
        self.queue.when_ordered(self.commands.ordered)
        with self.keys_wait():  # a passphrase may be typed already
            await self.push_screen(self.frame)
            await self.queue.load()
            await self._restore_theme()
        for problem in self.preferences.problems:
            self.frame.post_message(Notification(problem, Severity.WARNING))
        start_worker(self, self._use_first_account, group="connecting", exclusive=True, keys_wait=True)

    async def on_unmount(self) -> None:
        await self.frame.keep()
        await self.queue.close()
        await self.gateway.close()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # The toolkit's one way to the terminal, for whatever was drawn.
        if isinstance(renderable, CompositorUpdate):
            renderable = self._changed_cells.of(renderable, self.size)
        super()._display(screen, renderable)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize):
            self._changed_cells.forget()  # terminals move what stands there
        if isinstance(event, events.Key) and not event.is_forwarded:
            given = [key for keys in self.preferences.keymap.values() for key in keys.split(",")]
            for key in keys_of(event, given, typing=isinstance(self.focused, Input)):
                await self.key_queue.take(key)
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            await self.key_queue.take(event)
        else:
            await super().on_event(event)

    def push_screen(self, screen: Any, *of: Any, **how: Any) -> Any:
        """Show a dialog: keys that wait are for it."""
        if screen is not self.frame:
            self.key_queue.let_go()
        return super().push_screen(screen, *of, **how)

    def keys_wait(self) -> AbstractContextManager[None]:
        return self.key_queue.held()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name a color for every role, also while a theme is being changed, and frames that the terminal can draw."""
        plain = self.glyphs.plain
        edges = {"edge": "ascii" if plain else "round", "edge-heavy": "ascii" if plain else "heavy"}
        return {**DARK.variables, **edges}

    async def _use_first_account(self) -> None:
        """Use the account that was asked for, or the first; without any, show where to join."""
        servers = self.frame.servers
        try:
            accounts = [one for one in await self.gateway.accounts.all() if one.joined]
        except SftError as error:
            await self.frame.go("servers")
            servers.report_error(error)
            return
        wanted = [one for one in accounts if one.name == self._start]
        first = wanted or [one for one in accounts if one.in_use_first] or accounts
        if not first:
            await self.frame.go("servers")
            return
        try:
            await self.frame.go("files")
            if not first[0].locked:
                self.key_queue.let_go()  # nothing will be asked
            await self.gateway.use(first[0].name)
        except KeyLockedError:
            servers.ask_about(first[0].name)
        except SftError as error:
            if not self.gateway.connection.online:
                servers.report_error(error)

    # -- acts of everywhere ---------------------------------------------------------------------------------------

    async def action_act(self, act_id: str) -> None:
        self.perform(ACTS[act_id])

    def reason_against(self, act: Action) -> str:
        """Why an act of everywhere cannot be done now; empty if it can."""
        if act.name == "again" and self.gateway.connection.status is Status.NONE:
            return "No server is in use."
        if act.name == "undo":
            connection = self.gateway.connection
            nothing = self.undo.reason_against(connection.account)
            return nothing or ("" if connection.online else reason_of(connection, self.now()))
        if act.name == "suspend":
            return self.quitting.reason_against_suspending()
        return ""

    def perform(self, act: Action) -> None:
        acts: dict[str, Callable[[], object]] = {
            "quit": self.quitting.ask,
            "interrupt": self.quitting.interrupt,
            "suspend": self.quitting.suspend,
            "theme": self._choose_theme,
            "commands": lambda: self.push_screen(ShowCommandLog(self.commands)),
            "again": self._again,
            "undo": self._undo,
        }
        acts[act.name]()

    def _undo(self) -> None:
        start_worker(self, self._take_back, group="acting")

    async def _take_back(self) -> None:
        view = self.frame.view
        try:
            words, changed = await self.undo.take_back(self.gateway.files)
        except OthersActedError as acted:
            view.report(f"Not undone. {acted}", Severity.WARNING)
            changed = [""]  # some of it may have been
        except SftError as error:
            view.report_error(error)
            changed = [""]  # likewise
        else:
            view.report(words, Severity.SUCCESS)
        for folder in changed:
            self.frame.view_of("files").post_message(ServerChanged(folder))

    def _again(self) -> None:
        self._draw_anew()
        self.gateway.again()
        self.frame.view.shown()

    def _resumed(self, _: object) -> None:
        self.gateway.again()  # the connection may have ended meanwhile
        self._draw_anew()

    def _draw_anew(self) -> None:
        """Draw everything: others may have written on the terminal."""
        self._changed_cells.forget()
        self.refresh(layout=True)

    async def _restore_theme(self) -> None:
        try:
            kept = await self.gateway.local.load(_THEME_FILE)
        except SftError:  # a disk that does not read is no reason to end; the queue reports it
            return
        chosen = known_name((kept or b"").decode(errors="replace"))
        if chosen is not None:
            self.use_theme(chosen)

    def use_theme(self, name: str) -> None:
        """Draw everything in a theme that is offered."""
        self.register_theme(theme_named(name))
        self.theme = name

    def _choose_theme(self) -> None:
        start_worker(self, self._ask_for_theme, group="theme", exclusive=True)

    async def _ask_for_theme(self) -> None:
        before = self.theme
        name = await self.push_screen_wait(ChooseTheme(before, self.use_theme))
        self.use_theme(name or before)
        if name is not None:
            await self.gateway.local.save(_THEME_FILE, name.encode())

    # -- the tour ---------------------------------------------------------------------------------------------------

    def begin_tour(self) -> None:
        """Lead through the demo."""
        self.tour = Tour()
        self.frame.show_tour(self.tour.line)

    def did(self, what: Did) -> None:
        """Note what a person has done, where a tour goes on."""
        if self.tour.note(what):
            self.frame.show_tour(self.tour.line)

    def end_tour(self) -> None:
        """End the tour, if one goes on."""
        if self.tour.end():
            self.frame.show_tour("")

    def action_end_tour(self) -> None:
        self.end_tour()

    # -- what happens outside -------------------------------------------------------------------------------------

    def _event_arrived(self, event: Event) -> None:
        if isinstance(event, ConnectionInfo):
            self.queue.connection_changed(event)
            self.frame.post_message(ConnectionChanged(event))
            for view in self.frame.mounted_views():
                view.post_message(ConnectionChanged(event))
        else:
            if event.kind == QUOTA and any(
                job.direction is Direction.PUT and job.state is JobState.RUNNING for job in self.queue.jobs
            ):
                self._quota_near = quota_near_text(event.values) or ""  # said with what becomes of the put
            people = self.frame.view_of("people")
            for place in (self.frame.servers, *([people] if people.is_attached else []), *self.screen_stack[1:]):
                place.post_message(NoticeArrived(event))

    def _queue_changed(self) -> None:
        self.frame.post_message(TransfersMoved())
        transfers = self.frame.view_of("transfers")
        if transfers.is_attached:
            transfers.post_message(TransfersMoved())

    def _job_ended(self, job: Job, outcome: RunResult) -> None:
        files = self.frame.view_of("files")
        if job.direction is Direction.PUT and outcome.done:
            files.post_message(ServerChanged(job.to))
        elif job.direction is Direction.GET and outcome.done:
            files.post_message(LocalFolderChanged(job.to))
        for judged in outcome.judged:
            self.did(Did.VERIFIED if judged.state is SignatureState.VERIFIED else Did.MET_FORGERY)
        if job.direction is Direction.PUT and outcome.done:
            self.did(Did.STORED)
        if outcome.judged:
            files.post_message(FilesJudged(tuple(outcome.judged)))
        failure = single_conflict(job)
        if failure is not None and self._looks_on(job):
            start_worker(self.frame, partial(self._decide_here, job, failure), group="deciding", exclusive=True)
            return
        near = ""
        if job.direction is Direction.PUT:
            near, self._quota_near = self._quota_near, ""
        notification = sentence_of(job, outcome, near)
        if notification is not None:
            self.frame.post_message(notification)

    def ordered_in_files(self, job: Job) -> None:
        self._last_order = job.id, self.key_queue.sent

    def _looks_on(self, job: Job) -> bool:
        """Return whether the person has ordered this last, and pressed no key since: a question takes no key from the list."""
        return (
            self._last_order == (job.id, self.key_queue.typed)
            and self.screen is self.frame
            and self.frame.screen_id == "files"
        )

    async def _decide_here(self, job: Job, failure: Failure) -> None:
        decision = await self.push_screen_wait(DecideHere(self, job, failure))
        if decision is not None:
            self.queue.resolve(job.id, {failure.name: decision})

    # -- the end --------------------------------------------------------------------------------------------------

    @property
    def last_words(self) -> str:
        """What is written on the terminal when the app has ended."""
        return self.quitting.last_words

    def end_at_once(self, status: int) -> None:
        self.quitting.at_once(status)

    def _fatal_error(self) -> None:
        # The toolkit would print the traceback with every local variable.
        fault = self._exception
        text = "".join(traceback.format_exception(fault)) if fault else traceback.format_exc()
        ref = self.gateway.local.keep_fault(text)
        self.quitting.last_words = f"sft had a fault of its own. Report it with the reference {ref}."
        self._close_messages_no_wait()

"""One of the numbered screens: what it can do now, why not, and what it says of itself.

Rules. A view binds the acts of its place (``tui.keys``) and does each in a method ``act_NAME``, its own or one of its
``doers``. Before that the same table is asked that footer, help and palette ask: what a role may not do is never tried, and
the message line says why. The server's refusal is what counts; this only saves the way there.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar, Final, TypeVar, cast

from textual.containers import Vertical
from textual.widget import Widget

from sft.client.connection_info import ConnectionInfo
from sft.errors import SftError
from sft.model.access import ACTS as ROLE_ACTS
from sft.model.access import allows
from tui.connection_words import reason_of
from tui.context import AppContext
from tui.gateway import Gateway
from tui.keys import ACTS, Action, acts_of
from tui.messages import ActsChanged, Notification, Severity
from tui.text import error_text
from tui.workers import start_worker

T = TypeVar("T")

_UNREAD: Final = "3 names them."  # admins, before they were read


class View(Vertical):
    """The content of a numbered screen. Subclasses have an id and bind its acts."""

    screen_id: ClassVar[str]

    @property
    def sft(self) -> AppContext:
        return cast("AppContext", self.app)

    @property
    def gateway(self) -> Gateway:
        return self.sft.gateway

    @property
    def connection(self) -> ConnectionInfo:
        return self.gateway.connection

    @property
    def now(self) -> float:
        return self.sft.now()

    # -- what can be done ------------------------------------------------------------------------------

    lists_select: ClassVar[bool] = False
    doers: Sequence[object] = ()  # what has a method ``act_NAME`` for each act that is not done by the view itself

    def acts_here(self) -> list[Action]:
        """Return the acts that make sense as things stand, whether allowed or not."""
        return acts_of(self.screen_id)

    def label_of(self, act: Action) -> str:
        """Return what an act is called here and now, in the footer."""
        return act.label

    def offered(self) -> list[tuple[Action, str]]:
        """Return the acts that the footer may show, which can be done now, and what each is called."""
        return [(act, self.label_of(act)) for act in self.acts_here() if act.weight and not self.reason_against(act)]

    def reason_against(self, act: Action) -> str:
        """Return why an act cannot be done now; empty if it can."""
        connection = self.connection
        if act.asks and not connection.online:
            return reason_of(connection, self.now)
        role = connection.role
        if act.permission is not None and role is not None and not allows(role, act.permission):
            deed = act.deed or ROLE_ACTS[act.permission]
            who = self.sft.frame.admins or _UNREAD[:-1]
            return f"{role.value.capitalize()}s do not {deed}. An admin can change your role: {who}."
        return ""

    async def _refuse(self, act: Action) -> None:
        """Say what a role may not do, and by name who can change it."""
        await self.sft.frame.read_admins()
        self.report(self.reason_against(act), Severity.WARNING)

    def method_of(self, act: Action) -> Callable[[], object]:
        """Return what does an act of this screen: a method of the view, or of one of its doers."""
        name = f"act_{act.name}"
        method: Callable[[], object] = getattr(next(doer for doer in (self, *self.doers) if hasattr(doer, name)), name)
        return method

    async def action_act(self, act_id: str) -> None:
        """Do an act, or say why not."""
        act = ACTS[act_id]
        reason = self.reason_against(act)
        if reason:
            if self.connection.online and reason.endswith(_UNREAD):
                start_worker(self, partial(self._refuse, act), group="refusing")
            else:
                self.report(reason, Severity.WARNING)
            return
        try:
            done = self.method_of(act)()
            if inspect.isawaitable(done):
                await done
        except SftError as error:
            self.report_error(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours is reported, it ends nothing
            self.report_fault(error)
        self.post_message(ActsChanged())

    # -- where the focus goes ------------------------------------------------------------------------------

    def home(self) -> Widget | None:
        """Return what has the focus when the screen is first shown."""
        return None

    def status_line(self) -> tuple[str, Severity]:
        """Return what stands in the message line while nothing else does."""
        return "", Severity.INFO

    def shown(self) -> None:
        """Note that this screen was chosen: read what may be old."""

    # -- saying things -----------------------------------------------------------------------------------------

    def report(self, text: str, severity: Severity = Severity.INFO, next_step: str = "") -> None:
        """Show a harmless sentence in the message line."""
        self.post_message(Notification(text, severity, next_step, of_view=True))

    def report_error(self, error: SftError) -> None:
        message, step = error_text(error, self.now)
        self.report(message, Severity.ERROR, step)

    async def attempt(self, asked: Awaitable[object]) -> bool:
        """Wait for something and report its refusal or fault; return whether it worked."""
        try:
            await asked
        except SftError as error:
            self.report_error(error)
            return False
        except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal
            self.report_fault(error)
            return False
        return True

    async def unless_fault(self, asked: Awaitable[T]) -> T | None:
        """Wait for what a dialog asks; refusals are the dialog's to show, a fault is reported here."""
        try:
            return await asked
        except SftError:
            raise
        except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal
            self.report_fault(error)
            return None

    def report_fault(self, error: BaseException) -> None:
        """Report a fault of this program; details go to the log."""
        ref = self.gateway.local.keep_fault("".join(traceback.format_exception(error)))
        self.report("sft had a fault of its own.", Severity.ERROR, f"Report it with the reference {ref}")

"""Keeps one account connected: connects, notices that the line is gone, and tries again with growing pauses.

Rules. Whether the line lives is looked at twice a second, and at once when somebody's request says that it is gone. A
server that lets this key in no more, or shows another key than the pinned one, is not tried again by itself: that is for a
person to settle, who then says when. Nor is one whose admin ended the session: coming back at once would undo that. A server
that is asked and says nothing is told as such; the line is kept, for it may only be busy.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from sft.client.api.people import show_self
from sft.client.profiles import Profile
from sft.client.session import Session
from sft.errors import (
    KeyLockedError,
    LockedOutError,
    LoginRefusedError,
    PassphraseWrongError,
    RemovedError,
    ServerKeyChangedError,
    SessionEndedError,
    SftError,
    VersionUnknownError,
)
from sft.model.access import OPERATOR, Role
from tui.gateway import ConnectionInfo, Event, ServerNotice, Status
from tui.live.as_future import crossing

_LOOK_SECONDS: Final = 0.5
_PING_SECONDS: Final = 120.0  # the server ends a session after 15 idle minutes
_SILENT_SECONDS: Final = 10.0
_LEAVE_SECONDS: Final = 1.0  # a server that does not say good-bye holds up nobody who quits
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_KEPT: Final = frozenset({Status.ONLINE, Status.AWAY, Status.REFUSED, Status.STOPPED})

_STATUS_OF: Final[tuple[tuple[type[SftError], Status], ...]] = (
    (KeyLockedError, Status.LOCKED),
    (PassphraseWrongError, Status.LOCKED),
    (ServerKeyChangedError, Status.STOPPED),
    (LoginRefusedError, Status.REFUSED),
    (VersionUnknownError, Status.REFUSED),
)


class Notice(Protocol):
    """What the server says unasked."""

    @property
    def kind(self) -> str:
        """Which it is."""

    @property
    def values(self) -> dict[str, str | int]:
        """What it is about."""


Connect = Callable[[Callable[[Notice], None]], Awaitable[Session]]


class Reconnector:
    """One account's connection.

    Args:
        connect: logs in; given who is told of notices.
        emit: told of every change, and of notices.
        now: Unix seconds.
    """

    def __init__(
        self,
        profile: Profile,
        connect: Connect,
        emit: Callable[[Event], None],
        now: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._emit = emit
        self._now = now
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._dialing: asyncio.Future[Session] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._doubted = False
        self._ended = False
        self._farewell: SftError | None = None
        self.session: Session | None = None
        self.connection = ConnectionInfo(
            Status.CONNECTING, profile.name, profile.server_name, profile.address,
            profile.user_name, profile.user_id, Role(profile.role) if profile.role else None,
            since=now(),
        )  # fmt: skip

    async def begin(self) -> None:
        """Connect for the first time, and keep it so.

        Raises:
            SftError: it could not be; what can be tried again is.
        """
        if self._ended:
            return
        self._emit(self.connection)
        try:
            await self._log_in()
        finally:
            if self.connection.status in _KEPT and not self._ended:
                self._task = asyncio.create_task(self._keep())
                self._task.add_done_callback(_not_lost)

    def again(self) -> None:
        """Try now; where the server only says nothing, over a new line."""
        if self.connection.silent_since is not None and self.session is not None:
            self.session.abort()
        self._hurry.set()

    def doubt(self) -> None:
        """Find out whether the server still answers: a request has been waiting for long."""
        self._doubted = True
        self._hurry.set()

    async def end(self) -> None:
        """Leave; nothing is told any more."""
        self._ended = True
        for going in (self._dialing, self._asking):
            if going is not None:
                going.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        session, self.session = self.session, None
        dialed = self._dialing
        if (
            dialed is not None
            and dialed.done()
            and not dialed.cancelled()
            and not dialed.exception()
        ):
            came = dialed.result()
            if came is not session:  # it came while we left, and nobody took it
                came.abort()
        if session is None:
            return
        try:
            await asyncio.wait_for(crossing(session.close()), _LEAVE_SECONDS)
        except TimeoutError:
            session.abort()

    # -- inside ---------------------------------------------------------------------------------------

    async def _log_in(self) -> None:
        self._farewell = None
        self._dialing = asyncio.ensure_future(self._connect(self._noticed))
        try:
            session = await self._dialing
        except SftError as error:
            status = next((s for kind, s in _STATUS_OF if isinstance(error, kind)), Status.AWAY)
            self._become(status, error)
            raise
        except Exception:
            self._become(Status.AWAY, None)
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._ended and task is not None and not task.cancelling():
                return  # another account is used by now
            raise
        if self._ended:
            session.abort()
            return
        self.session = session
        self._become(
            Status.ONLINE, None, server=session.server_name, user=session.user_name,
            user_id=session.user_id, role=session.role, address=session.address,
        )  # fmt: skip

    async def _keep(self) -> None:
        pauses = iter(_PAUSES)
        while True:
            if self.connection.online:
                await self._while_alive()
                pauses = iter(_PAUSES)
            if self.connection.status is Status.AWAY:
                pause = next(pauses, _PAUSES[-1])
                again_at = self._now() + pause
                self._set(dataclasses.replace(self.connection, again_at=again_at))
                await self._wait(pause)
            elif self.connection.status in _KEPT:
                await self._wait(None)
            else:
                return
            try:
                await self._log_in()
            except SftError:
                pass  # it is told by the status
            except Exception as error:  # noqa: BLE001 - a fault of ours is no reason to give up
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a try to connect failed", "exception": error}
                )

    async def _while_alive(self) -> None:
        """Come back when the line is gone, and that is known to be so."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        session = self.session
        while session is not None and session.alive:
            await self._wait(_LOOK_SECONDS)
            waits = self._asking is not None and not self._asking.done()
            seconds = loop.time() - asked_at
            if not waits and (self._doubted or seconds >= _PING_SECONDS):
                asked_at, self._doubted = loop.time(), False
                self._asking = asyncio.create_task(self._ask_role(session))
            elif waits and seconds >= _SILENT_SECONDS and self.connection.silent_since is None:
                silent_since = self._now() - seconds
                self._set(dataclasses.replace(self.connection, silent_since=silent_since))
        self.session = None
        if session is not None:
            session.abort()
        if self._asking is not None:
            self._asking.cancel()
        if self._farewell is not None:
            self._become(Status.REFUSED, self._farewell)
        else:
            self._become(Status.AWAY, None)

    async def _ask_role(self, session: Session) -> None:
        try:
            shown = await crossing(show_self(session))
        except SftError:
            return  # the line is looked at next
        self._set(dataclasses.replace(self.connection, role=shown.user.role, silent_since=None))

    async def _wait(self, seconds: float | None) -> None:
        """Wait so long, or until somebody wants it now."""
        self._hurry.clear()
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return

    def _noticed(self, notice: Notice) -> None:
        if self._ended:
            return
        if notice.kind == "role":
            try:
                role = Role(str(notice.values.get("role", "")))
            except ValueError:
                return
            self._set(dataclasses.replace(self.connection, role=role))
        elif notice.kind == "ended":
            self._farewell = _farewell(notice.values, self.connection.server)
        self._emit(ServerNotice(notice.kind, dict(notice.values)))
        self._hurry.set()

    def _become(self, status: Status, error: SftError | None, **fields: object) -> None:
        since = self.connection.since if status is self.connection.status else self._now()
        changed = dataclasses.replace(
            self.connection, status=status, error=error, since=since, again_at=None,
            silent_since=None,
        )  # fmt: skip
        self._set(dataclasses.replace(changed, **fields) if fields else changed)  # type: ignore[arg-type]  # named above

    def _set(self, connection: ConnectionInfo) -> None:
        if connection != self.connection and not self._ended:
            self.connection = connection
            self._emit(connection)


def _not_lost(task: asyncio.Task[None]) -> None:
    """Let a fault of ours reach the loop's log: nobody waits for this task."""
    if not task.cancelled():
        task.result()


def _farewell(values: dict[str, str | int], server: str) -> SftError:
    """Say why the server lets go of us."""
    by = str(values.get("by", ""))
    by = "The operator" if by in {OPERATOR, ""} else by
    why = values.get("why")
    if why == "removed":
        return RemovedError(by=by, server=server)
    return LockedOutError(by=by, server=server) if why == "disabled" else SessionEndedError(by=by)

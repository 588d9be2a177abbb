"""One account's session, kept: connects, notices that the connection is gone, and tries again with growing pauses.

Rules. Whether the connection lives is looked at twice a second, and at once when a request finds it gone. A server that lets
this key in no more, shows another key than the pinned one, or contradicts its own log, is not tried again by itself: that is
for a person to settle, who then says when. Nor is one whose admin ended the session: coming back at once would undo that. A
server that is asked and says nothing is reported as silent; the connection is kept, for it may only be busy. Runs on the
reactor's thread alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from sft.client.api.people import show_self
from sft.client.carried_over import CarriedOver
from sft.client.coming_back import PAUSES_SECONDS, Pauses
from sft.client.concurrency import ticking
from sft.client.connecting import connect
from sft.client.connection_info import (
    KEY_ADDED,
    KEY_FOLLOWED,
    ConnectionInfo,
    EventListener,
    ServerNotice,
    Status,
    farewell_of,
)
from sft.client.identity import Ask
from sft.client.profiles import Profile, Profiles
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.client.witnessed import LogStanding, log_standing
from sft.crypto.keys import PublicKey
from sft.errors import (
    AccountChangedError,
    ConnectionLostError,
    KeyLockedError,
    LedgerError,
    LoginRefusedError,
    PassphraseWrongError,
    ServerKeyChangedError,
    SftError,
    VersionUnknownError,
)
from sft.model.access import Role
from sft.transport.threads import Pool as Pool  # noqa: PLC0414 - the UI shares it
from sft.wire.messages import Notice

T = TypeVar("T")


_KEPT: Final = frozenset({Status.ONLINE, Status.AWAY, Status.REFUSED, Status.STOPPED})

_STATUS_OF: Final[tuple[tuple[type[SftError], Status], ...]] = (
    (KeyLockedError, Status.LOCKED),
    (PassphraseWrongError, Status.LOCKED),
    (ServerKeyChangedError, Status.STOPPED),
    (LedgerError, Status.STOPPED),
    (AccountChangedError, Status.REFUSED),
    (LoginRefusedError, Status.REFUSED),
    (VersionUnknownError, Status.REFUSED),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """When the connection is looked at, asked about, and tried again.

    Args:
        ping_seconds: a quiet session is asked for; the server ends one after 15 idle minutes.
        doubt_seconds: a request that takes longer makes the server be asked whether it answers.
        silent_seconds: without an answer for so long it is reported as silent.
        close_seconds: a server that does not say good-bye holds up nobody who quits.
        pauses: before each further try, as ``Pauses`` takes them.
    """

    look_seconds: float = 0.5
    ping_seconds: float = 120.0
    doubt_seconds: float = 5.0
    silent_seconds: float = 10.0
    close_seconds: float = 1.0
    pauses: tuple[float, ...] = PAUSES_SECONDS


Connect = Callable[..., Coroutine[Any, Any, Session]]
"""Opens a session, as ``sft.client.session.connect``."""


class Reconnector:
    """One account's session.

    Args:
        emit: called with every change, and with notices.
        keep_fault: writes down the traceback of a fault of our own.
        now: Unix seconds.
    """

    def __init__(
        self,
        reactor: Any,
        state: StateFolder,
        profile: Profile,
        *,
        ask: Ask,
        pool: Pool,
        emit: EventListener,
        keep_fault: Callable[[str], object],
        timing: Timing = Timing(),
        connect: Connect = connect,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._state = state
        self._ask = ask
        self._pool = pool
        self._emit = emit
        self._keep_fault = keep_fault
        self._timing = timing
        self._connect = connect
        self._now = now
        self._waiting: Deferred[None] | None = None
        self._dialing: Deferred[Session] | None = None
        self._keeping: Deferred[None] | None = None
        self._asking: Deferred[None] | None = None
        self._doubted = False
        self._ended = False
        self._quiet = False
        self._farewell: SftError | None = None
        self._carried_over = CarriedOver()
        self._begun_at: int | None = None
        self.session: Session | None = None
        self.connection = ConnectionInfo(
            Status.CONNECTING, profile.name, profile.server_name, profile.address,
            profile.user_name, profile.user_id, Role(profile.role) if profile.role else None,
            since=now(),
        )  # fmt: skip

    async def begin(self) -> None:
        """Connect for the first time, and keep it so; SftError if that could not be. What can be tried again is."""
        if self._ended:
            return
        self._emit(self.connection)
        try:
            await self._log_in()
        finally:
            if self.connection.status in _KEPT and not self._ended:
                self._keeping = Deferred.fromCoroutine(self._keep())
                self._keeping.addErrback(self._note_fault)

    async def ask(self, act: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Run an act over the session; ConnectionLostError if it is gone or breaks meanwhile: it is looked at now."""
        session = self.session
        if session is None or not session.alive:
            self._look()
            raise ConnectionLostError
        with ticking(self._reactor, self._timing.doubt_seconds, self._doubt, now=False):
            try:
                return await act(session)
            except (ConnectionLostError, LedgerError):
                self._look()
                raise

    def again(self) -> None:
        """Try now; where the server is silent, over a new connection."""
        if self.connection.silent_since is not None and self.session is not None:
            self.session.abort()
        self._hurry()

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Emit nothing meanwhile: whoever has this very session ended knows why. What it has become is emitted then."""
        before, self._quiet = self.connection, True
        try:
            yield
        finally:
            self._quiet = False
            if self.connection != before and not self._ended:
                self._emit(self.connection)

    async def end(self) -> None:
        """Leave; nothing is emitted any more."""
        self._ended = True
        for going in (self._dialing, self._asking, self._keeping):
            if going is not None:
                going.cancel()
        session, self.session = self.session, None
        if session is not None:
            await self._close(session)
        await self._pool.run(self._carried_over.leave)

    async def _close(self, session: Session) -> None:
        closing = Deferred.fromCoroutine(session.close())
        closing.addTimeout(self._timing.close_seconds, self._reactor)
        try:
            await closing
        except defer.TimeoutError:
            session.abort()

    # -- inside ---------------------------------------------------------------------------------------

    async def _log_in(self) -> None:
        self._farewell = None
        self._dialing = Deferred.fromCoroutine(self._dial())
        try:
            session = await self._dialing
        except CancelledError:
            if self._ended:
                return  # another account is used by now
            raise
        except SftError as error:
            status = next((s for kind, s in _STATUS_OF if isinstance(error, kind)), Status.AWAY)
            self._become(status, error)
            raise
        except Exception:
            self._become(Status.AWAY, None)
            raise
        standing, policy_error = await self._witnessed(session)
        if self._ended:
            session.abort()
            return
        session.carried_over = self._carried_over
        self._begun_at = session.log.begun_at = min(session.log.begun_at, self._begun_at or session.log.begun_at)
        self.session = session
        self._become(
            Status.ONLINE, None, server=session.server_name, user=session.user_name,
            user_id=session.user_id, role=session.role, address=session.address,
            standing=standing, policy_error=policy_error,
        )  # fmt: skip
        if session.followed is not None:
            self._emit(ServerNotice(KEY_FOLLOWED, {"words": session.server_key.words()}))
        for added in session.added_keys:
            self._emit(ServerNotice(KEY_ADDED, {"words": PublicKey.decode(added.public_key).words()}))

    async def _witnessed(self, session: Session) -> tuple[LogStanding | None, SftError | None]:
        """See how far the log is witnessed, or why that cannot be said: a login alone shows cosignatures."""
        try:
            return await self._pool.run(log_standing, self._state, session.server_id, now=self._now()), None
        except SftError as error:
            return None, error

    async def _dial(self) -> Session:
        # Its address may have been mended since.
        profile = await self._pool.run(Profiles(self._state).choose, self.connection.account)
        return await self._connect(
            self._reactor, self._state, profile,
            ask=self._ask, pool=self._pool, on_notice=self._noticed,
        )  # fmt: skip

    async def _keep(self) -> None:
        pauses = Pauses(seconds=self._timing.pauses)
        while not self._ended:
            if self.connection.online:
                await self._while_alive()
                pauses.begin_anew()
            if self.connection.status is Status.AWAY:
                seconds = pauses.next() or 0.0
                self._change(again_at=self._now() + seconds)
                await self._wait(seconds)
            elif self.connection.status in _KEPT:
                await self._wait(None)
            else:
                return
            try:
                await self._log_in()
            except CancelledError:
                raise
            except SftError:
                pass  # the status says it
            except Exception:  # noqa: BLE001 - a fault of ours is no reason to give up
                self._keep_fault(traceback.format_exc())

    async def _while_alive(self) -> None:
        """Come back when the connection is gone, and that is known to be so."""
        asked_at = self._reactor.seconds()
        session = self.session
        while session is not None and session.alive and _contradiction(session) is None:
            await self._wait(self._timing.look_seconds)
            is_asking = self._asking is not None and not self._asking.called
            seconds = self._reactor.seconds() - asked_at
            if not is_asking and (self._doubted or seconds >= self._timing.ping_seconds):
                asked_at, self._doubted = self._reactor.seconds(), False
                self._asking = Deferred.fromCoroutine(self._ask_role(session))
                self._asking.addErrback(self._note_fault)
            is_silent = is_asking and seconds >= self._timing.silent_seconds
            if is_silent and self.connection.silent_since is None:
                self._change(silent_since=self._now() - seconds)
        self.session = None
        if session is not None:
            with contextlib.suppress(SftError):
                await session.keep_head()
            session.abort()
        if self._asking is not None:
            self._asking.cancel()
        contradiction = None if session is None else _contradiction(session)
        if contradiction is not None:
            self._become(Status.STOPPED, contradiction)
        else:
            self._become(Status.AWAY if self._farewell is None else Status.REFUSED, self._farewell)

    async def _ask_role(self, session: Session) -> None:
        try:
            shown = await show_self(session)
        except SftError:
            return  # the connection is looked at next
        self._change(role=shown.user.role, silent_since=None)
        with contextlib.suppress(SftError):
            await session.keep_head()  # the interface stays open for days, and may be killed

    async def _wait(self, seconds: float | None) -> None:
        """Wait so long, or until ``_hurry``."""
        waiting = self._waiting = Deferred[None]()
        timer = None if seconds is None else self._reactor.callLater(seconds, _fire, waiting)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer is not None and timer.active():
                timer.cancel()

    def _hurry(self) -> None:
        if self._waiting is not None:
            # Not from within whatever asks for it.
            self._reactor.callLater(0, _fire, self._waiting)

    def _look(self) -> None:
        """See now what a request has seen."""
        if self.connection.online:
            self.again()

    def _doubt(self) -> None:
        """Find out whether a server that keeps somebody waiting still answers."""
        if self.connection.online:
            self._doubted = True
            self._hurry()

    def _noticed(self, notice: Notice) -> None:
        if self._ended or notice.kind in {KEY_ADDED, KEY_FOLLOWED}:
            return
        if self._quiet and (notice.kind, notice.values.get("why")) == ("ended", "key"):
            self._hurry()
            return
        if notice.kind == "role":
            try:
                role = Role(str(notice.values.get("role", "")))
            except ValueError:
                return
            self._change(role=role)
        elif notice.kind == "ended":
            self._farewell = farewell_of(notice.values, self.connection.server)
        self._emit(ServerNotice(notice.kind, dict(notice.values)))
        self._hurry()

    def _become(self, status: Status, error: SftError | None, **fields: Any) -> None:
        since = self.connection.since if status is self.connection.status else self._now()
        self._change(status=status, error=error, since=since, again_at=None, silent_since=None, **fields)

    def _change(self, **fields: Any) -> None:
        connection = dataclasses.replace(self.connection, **fields)
        if connection != self.connection and not self._ended:
            self.connection = connection
            if not self._quiet:
                self._emit(connection)

    def _note_fault(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._keep_fault(failure.getTraceback())


def _contradiction(session: Session) -> LedgerError | None:
    """Return what the server's log did not hold to, if anything."""
    return session.log.failed


def _fire(waiting: Deferred[None]) -> None:
    if not waiting.called:
        waiting.callback(None)

"""A logged-in connection as its client uses it: requests out, answers back to whoever asked.

Rules. A request's id is taken when it leaves, so ids rise by one; at most as many are in flight as the protocol allows, the
rest wait for a slot. Everything that arrives goes to the listener of its id, in order. When the connection ends, every listener
is told once, and nothing can be asked any more. Runs on the thread of its loop alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from msgspec.structs import replace

from sft.client.loop import Tasks, Waiting, loop_of
from sft.client.pace import Pace, moves_content
from sft.client.peer_watch import FOR_EVER, Awaited, PeerWatch
from sft.crypto.keys import ServerPublic
from sft.errors import (
    ConnectionLostError,
    FrameForgedError,
    LedgerError,
    LocalProtocolError,
    RemoteProtocolError,
    RequestError,
    SftError,
    TamperedError,
)
from sft.limits import SILENCE_SECONDS
from sft.transport.credit import CreditPool
from sft.transport.protocol import WireProtocol
from sft.transport.rate import RateLimit
from sft.wire.connection import Connection
from sft.wire.events import DataReceived, Event, LoginRefused, MessageReceived, Welcomed
from sft.wire.handshake import Welcome
from sft.wire.messages import (
    CheckVault,
    CollectTrash,
    Credit,
    FileBegins,
    FilesContent,
    FileShown,
    FilesShown,
    LogHead,
    Message,
    Notice,
    RebuildVault,
    Refusal,
    Reply,
    Request,
    RotateMasterKey,
    UserList,
    UserShown,
)

if TYPE_CHECKING:
    from sft.client.log_follower import LogFollower
    from sft.transport.threads import Pool

R = TypeVar("R", bound=Reply)

_PROVED: Final = (FileBegins, FileShown, FilesContent, FilesShown, UserList, UserShown)
_JOBS: Final = frozenset({CheckVault, RebuildVault, RotateMasterKey, CollectTrash})  # which may take hours


class ReplyListener(Awaited, Protocol):
    """Whoever began a request: takes what comes for its id."""

    def replied(self, reply: Reply) -> None:
        """Take the reply; a refusal is one too."""

    def credited(self, chunks: int) -> None:
        """Note that so many more chunks may be sent."""

    def received(self, chunk: bytes, *, last: bool) -> None: ...

    def broken(self, error: SftError) -> None:
        """Note that nothing more will come."""


class ServerConnection:
    """One connection to a server, from its first byte to its last.

    Args:
        reactor: Twisted's, or the loop of a command; its clock times the deadlines.
        connection: the sans-IO side, made for this attempt.
        address: where it leads, as people write it.
        on_notice: called with what the server says unasked.
        keep_fault: writes down what was changed on the way (on the pool).
        log: follows the server's log; None for the operator, who is told none.
    """

    def __init__(
        self,
        reactor: Any,
        wire: Connection,
        pool: Pool,
        *,
        address: str = "",
        on_notice: Callable[[Notice], None] | None = None,
        keep_fault: Callable[[str], object] | None = None,
        log: LogFollower | None,
    ) -> None:
        self.reactor = reactor
        self.pool = pool
        self.address = address
        self.protocol = WireProtocol(reactor, wire, self)
        self.receive_credit = CreditPool()
        self.read_ahead_credit = CreditPool()
        self._tasks: Tasks = loop_of(reactor)
        self.welcomed: Waiting[Welcome] = self._tasks.waiting()
        self.lost: SftError | None = None
        self.farewell: Notice | None = None  # the server said that it ends the session, and why
        self.log = log
        self._welcome: Welcome | None = None
        self._wire = wire
        self._on_notice = on_notice
        self._keep_fault = keep_fault
        self._listeners: dict[int, ReplyListener] = {}
        self._watch = PeerWatch(reactor, self.protocol, self._listeners.values)
        self._waiters: deque[Waiting[None]] = deque()
        self._ends: list[Waiting[None]] = []
        self._ended = False
        self._pace: Pace | None = None

    # -- what it is ---------------------------------------------------------------------------------

    @property
    def welcome(self) -> Welcome:
        """What the server said at login; LocalProtocolError before that."""
        if self._welcome is None:
            raise LocalProtocolError("not logged in")
        return self._welcome

    @property
    def server_key(self) -> ServerPublic:
        return ServerPublic(self.welcome.server.public_key)

    @property
    def successions(self) -> tuple[str, ...]:
        """The notes that say which keys the server's one followed, oldest first: they came with it, and led to it."""
        return self._wire.successions

    @property
    def server_id(self) -> bytes:
        """Hash of the server's first key."""
        return self.welcome.server.server_id

    @property
    def server_name(self) -> str:
        return self.welcome.server.name

    @property
    def alive(self) -> bool:
        """Whether requests can still be sent."""
        return not self._ended and self.protocol.alive

    # -- requests ---------------------------------------------------------------------------------------

    @staticmethod
    def sign_act(act: str, **fields: object) -> bytes:
        """Sign nothing: a bare connection is the operator's."""
        del act, fields
        return b""

    async def request(self, kind: type[Request], reply: type[R] | tuple[type[R], ...], /, **fields: Any) -> R:
        """Send a request and wait for its answer.

        Args:
            kind: the request; ``fields`` are its fields but the id.
            reply: what answers it.

        Raises:
            RequestError: the server refused.
            ConnectionLostError: the connection broke before the answer.
        """
        (given,) = await self.request_all(kind, reply, **fields)
        return given

    async def request_all(
        self, kind: type[Request], reply: type[R] | tuple[type[R], ...], /, **fields: Any
    ) -> Sequence[R]:
        """Send a request and wait for its answer, as ``request`` does; return its frames, one at least."""
        await self.acquire_slot(content=moves_content(kind, fields))
        answer = _Answer(FOR_EVER if kind in _JOBS else SILENCE_SECONDS, self._tasks.waiting())
        self.begin(kind, answer, **fields)
        given: list[R] = []
        for each in await answer.given:
            if not isinstance(each, reply):
                raise RemoteProtocolError(f"{type(each).__name__} answers {kind.__name__}")
            given.append(each)
        return given

    def limit(self, bytes_per_second: int) -> None:
        """Move content no faster than that, both ways together; questions and what has no content are not held up."""
        rate = RateLimit(self.reactor, bytes_per_second)
        self._pace = Pace(rate, self.protocol.send, self._tasks.waiting)
        self.protocol.outbox.rate = rate

    async def acquire_slot(self, *, content: bool = False) -> None:
        """Wait until one more request may leave; whoever goes on without another wait may ``begin`` it.

        Args:
            content: it moves content, and waits until the rate allows some.

        Raises:
            ConnectionLostError: the connection is gone.
            LedgerError: the server contradicted itself: it is asked nothing more.
        """
        if self.log is not None and self.log.failed is not None:
            self.lost = self.log.failed
            self.protocol.fail(self.lost)
            raise self.lost
        if content and self._pace is not None:
            await self._pace.turn()
        if self.alive and (self._waiters or not self._wire.may_request):
            waiting: Waiting[None] = self._tasks.waiting()
            self._waiters.append(waiting)
            try:
                await waiting
            finally:
                if waiting in self._waiters:
                    self._waiters.remove(waiting)
        if not self.alive:
            raise self.lost or ConnectionLostError()

    def begin(self, kind: type[Request], listener: ReplyListener, /, **fields: Any) -> int:
        """Send a request that has its slot, and return its id."""
        request_id = self._wire.next_request_id
        message = cast("Any", kind)(id=request_id, **fields)
        self._listeners[request_id] = listener
        try:
            self.protocol.outbox.send(message)
        except SftError:
            del self._listeners[request_id]
            raise
        self._watch.begin()
        if self._pace is not None:
            self._pace.begun(request_id, kind, fields)
        return request_id

    @property
    def quiet_seconds(self) -> float:
        """How long the server has said nothing to what is asked; 0 where nothing is."""
        return self._watch.quiet_seconds

    def send(self, message: Message) -> None:
        """Send what belongs to a request that was begun: credit, commit, cancel."""
        if self._pace is None or not self._pace.holds(message):
            self.protocol.send(message)

    async def close(self) -> None:
        """End with the authenticated close, and wait until the transport is down."""
        if self._ended:
            return
        down: Waiting[None] = self._tasks.waiting()
        self._ends.append(down)
        self.protocol.close()
        await down

    def abort(self) -> None:
        self.protocol.fail(ConnectionLostError("given up here"))

    # -- the protocol calls these ---------------------------------------------------------------------------

    def connected(self) -> None: ...

    def received(self, event: Event) -> None:
        try:
            self._received(event)
        except LedgerError as error:
            self.lost = error
            self.protocol.fail(error)

    def _received(self, event: Event) -> None:
        if isinstance(event, MessageReceived):
            self._message(event.message)
        elif isinstance(event, DataReceived):
            listener = self._listeners.get(event.request_id)
            if self._pace is not None:
                self._pace.received(event.request_id, len(event.chunk))
            if event.last:
                self._forget(event.request_id)
            if listener is not None:
                listener.received(event.chunk, last=event.last)
            if event.last:
                self._next_turn()
        elif isinstance(event, Welcomed):
            self._welcome = event.welcome
            self._begin_log(event.welcome)
            self.protocol.logged_in()
            self.welcomed.callback(event.welcome)
        elif isinstance(event, LoginRefused):
            refusal = RequestError.from_wire(event.code, event.values, event.ref)
            self.lost = refusal
            self.welcomed.errback(refusal)

    def ended(self, reason: SftError | None) -> None:
        """Tell every listener and waiter, once."""
        self._ended = True
        self._watch.end()
        self.lost = self.lost or reason or ConnectionLostError("the server ended the session")
        if not self.welcomed.called:
            self.welcomed.errback(self.lost)
        lost = self.lost
        if not isinstance(lost, ConnectionLostError | RequestError | LedgerError):
            told = TamperedError if isinstance(lost, FrameForgedError) else ConnectionLostError
            if told is TamperedError and self._keep_fault is not None:
                self.pool.run(self._keep_fault, f"{self.address}: {lost.detail}, after the login")
            lost = self.lost = told(f"{type(lost).__name__}: {lost.detail}")
        listeners = list(self._listeners.values())
        self._listeners.clear()
        for listener in listeners:
            listener.broken(lost)
        turns, self._waiters = self._waiters, deque()
        for waiting in turns:
            waiting.callback(None)
        ends, self._ends = self._ends, []
        for down in ends:
            down.callback(None)
        if self._pace is not None:
            self._pace.end()

    def busy(self) -> bool:
        return bool(self._listeners)

    # -- inside --------------------------------------------------------------------------------------------

    def _message(self, message: object) -> None:
        if isinstance(message, Reply):
            message = self._held(message)
            listener = self._listeners.get(message.id)
            if self._pace is not None:
                self._pace.answered(message)
            if not _goes_on(message):
                self._forget(message.id)
            if listener is not None:
                listener.replied(message)
            self._next_turn()
        elif isinstance(message, Credit):
            listener = self._listeners.get(message.id)
            if listener is not None:
                listener.credited(message.chunks)
        elif isinstance(message, LogHead):
            if self.log is not None:
                self.log.follow(message.note, message.consistency)
        elif isinstance(message, Notice):
            if message.kind == "ended":
                self.farewell = message
            if self._on_notice is not None:
                self._on_notice(message)

    def _begin_log(self, welcome: Welcome) -> None:
        if self.log is None:
            if welcome.user_id:
                raise LocalProtocolError("a user's session that follows no log")
            return  # the operator's: the control socket lies in the server's own home
        if not self.log.is_of(welcome.server.server_id) or not welcome.user_id:
            return  # another server, or nobody: whoever dialed refuses it, and nothing is believed without a head
        self.log.begin(self.server_key, welcome.head, welcome.consistency)
        if welcome.cosigned:
            self.log.take_cosigned(welcome.cosigned, welcome.cosigned_consistency)
        if welcome.evidence is None:
            self.log.refuse("who you are there", None)
        self._welcome = replace(welcome, evidence=self.log.hold(welcome.evidence))

    def _held(self, reply: Reply) -> Reply:
        """Return a reply with its evidence held under the head that was told last: it proves nothing under a later one."""
        if self.log is None or not isinstance(reply, _PROVED) or reply.evidence is None:
            return reply
        return replace(reply, evidence=self.log.hold(reply.evidence))

    def _forget(self, request_id: int) -> None:
        self._listeners.pop(request_id, None)
        if self._pace is not None:
            self._pace.over(request_id)

    def _next_turn(self) -> None:
        while self._waiters and self.alive and self._wire.may_request:
            self._waiters.popleft().callback(None)


def _goes_on(reply: Reply) -> bool:
    """Return whether more of the same answer follows."""
    return isinstance(reply, FileBegins) or (isinstance(reply, FilesContent) and reply.more)


class _Answer:
    """A plain request's listener: one answer, of one frame or several, then nothing."""

    def __init__(self, patience_seconds: float, given: Waiting[Sequence[Reply]]) -> None:
        self.patience_seconds = patience_seconds
        self.given = given
        self._frames: list[Reply] = []

    @property
    def owed(self) -> bool:
        return bool(self._frames)

    def replied(self, reply: Reply) -> None:
        if isinstance(reply, Refusal):
            self.given.errback(refusal_error(reply))
            return
        self._frames.append(reply)
        if not _goes_on(reply):
            self.given.callback(self._frames)

    def credited(self, chunks: int) -> None:
        raise RemoteProtocolError(f"credit of {chunks} for what is no transfer")

    def received(self, chunk: bytes, *, last: bool) -> None:
        raise RemoteProtocolError(f"{len(chunk)} bytes of data for what is no transfer, last={last}")

    def broken(self, error: SftError) -> None:
        self.given.errback(error)


def refusal_error(refusal: Refusal) -> RequestError:
    return RequestError.from_wire(refusal.code, refusal.values, refusal.ref)

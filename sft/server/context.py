"""What all sessions of one server share, and the ways into its threads.

Rules. Made once by whoever starts the server, with every part already open. Reads run on two
threads of their own and those of logins and of the operator on a third, so that nobody who is in keeps
anybody out; acts run on the one writing thread, files on the pool, of which uploads that sync take half,
maintenance on a thread that may take hours; each comes back to the reactor as a Deferred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred

from sft.crypto.keys import ServerKey
from sft.errors import RequestError, TransferEndedError
from sft.model.events import DomainEvent
from sft.model.policy import ServerPolicy
from sft.model.records import ServerInfo
from sft.model.status import OptionInForce
from sft.server.admission import Admission
from sft.server.counts import Counts
from sft.server.damage_notes import DamageNotes
from sft.server.event_log import EventLog
from sft.server.group_commit import GroupCommit
from sft.server.hooks import Hooks
from sft.server.last_refusals import LastRefusals
from sft.server.limited_log import LimitedLog
from sft.server.login_failures import FailureCount
from sft.server.resumable_uploads import ResumableUploads
from sft.server.sessions import Sessions
from sft.server.shares import Shares
from sft.server.throughput import Moved, Throughput
from sft.server.turns import Turns
from sft.server.witnessing import Witnessing
from sft.service import commits
from sft.service.log.heads import HeadSigner
from sft.service.log.ledger import Ledger
from sft.service.maintenance.report import JobContext
from sft.service.maintenance.row_keys import RowKeys
from sft.service.pending import Committed, Pending
from sft.service.storage import DamagedContent, FileStorage
from sft.store.database import ReadPool
from sft.store.rows import ReadTransaction
from sft.store.writer import Act, Writer
from sft.transport.threads import Pool, fire
from sft.vault.master_key_store import MasterKeyStore

READ_STEPS_AT_ONCE: Final = 4  # two work, and two are at hand when these end

R = TypeVar("R")
I = TypeVar("I")  # noqa: E741 - as in sft.store.writer


@dataclass(slots=True, kw_only=True)
class ServerContext:
    """One running server."""

    reactor: Any
    info: ServerInfo
    storage: FileStorage  # of sessions that begin now; another where another key follows the server's
    readers: ReadPool
    writer: Writer
    ledger: Ledger
    head_signer: HeadSigner
    witnessing: Witnessing | None = None  # None for an operator's command, which asks nobody
    hooks: Hooks | None = None  # None until the server has started
    pool: Pool
    reading_pool: Pool
    entry_pool: Pool
    maintenance_pool: Pool
    master_keys: MasterKeyStore
    row_keys: RowKeys
    event_log: EventLog
    clock: Callable[[], int]
    admission: Admission
    shares: Shares = field(default_factory=Shares)
    keep_server_key: Callable[[bytes], None] = lambda _point: None  # for the operator's commands; blocks
    successions: tuple[str, ...] = ()  # notes that say which keys the server's one followed, oldest first
    sessions: Sessions = field(default_factory=Sessions)
    watchers: list[Callable[[Sequence[DomainEvent]], None]] = field(default_factory=list)
    listening: str = ""  # where; "" for an operator's command
    options: tuple[OptionInForce, ...] = ()  # of the configuration, as they rule; none of an operator's command
    waiting_options: tuple[str, ...] = ()  # of the configuration, until a restart
    stopping: bool = False  # long work ends at its next page
    strangers: LimitedLog = field(init=False)  # what the log says of those who have not logged in
    refusals: LimitedLog = field(init=False)
    counts: Counts = field(init=False)
    throughput: Throughput = field(init=False)
    last_refusals: LastRefusals = field(init=False)
    login_failures: FailureCount = field(init=False)
    damage: LimitedLog = field(init=False)
    damage_notes: DamageNotes = field(init=False)
    reading_turns: Turns = field(init=False)
    settling_turns: Turns = field(init=False)  # of uploads whose bytes are made durable: half of the pool's threads
    group_commit: GroupCommit[Pending, Committed | Exception] = field(init=False)
    resumable_uploads: ResumableUploads = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counts(self.clock())
        self.throughput = Throughput(self.reactor, self.moved_bytes, self._throughput_failed)
        self.last_refusals = LastRefusals(self.clock)
        self.strangers = LimitedLog(self.event_log, self.reactor, "strangers", "source")
        self.refusals = LimitedLog(self.event_log, self.reactor, "refusals", "by")
        self.login_failures = FailureCount(self.event_log, self.reactor, self.act, self.clock)
        self.damage = LimitedLog(self.event_log, self.reactor, "damage", "what")
        self.damage_notes = DamageNotes(self.reactor, self.event_log, self.act)
        self.storage.damaged = self._met_damage
        self.group_commit = GroupCommit(partial(self.act_all, commits.commit))
        self.resumable_uploads = ResumableUploads(self)
        self.reading_turns = Turns(self.reading_pool, at_once=READ_STEPS_AT_ONCE)
        self.settling_turns = Turns(self.pool, at_once=max(1, self.pool.threads // 2), together=1)

    @property
    def server_key(self) -> ServerKey:
        return self.storage.server_key

    @property
    def policy(self) -> ServerPolicy:
        """What the operator's configuration says now."""
        return self.readers.policy

    def read(self, query: Callable[..., R], *args: Any, **kwargs: Any) -> Deferred[R]:
        """Run a query in one read transaction; of several sessions that wait, each has its turn."""
        session_id = getattr(args[0], "session_id", 0) if args else 0
        return self.reading_turns.run(session_id, self.readers.run, query, *args, **kwargs)

    def read_apart(self, query: Callable[..., R], *args: Any, **kwargs: Any) -> Deferred[R]:
        """Read for a login, or for the operator."""
        return self.entry_pool.run(self.readers.run, query, *args, **kwargs)

    def _met_damage(self, content: DamagedContent) -> None:
        """Take a damage that somebody met; from any thread."""
        if not self.stopping:
            self.damage_notes.met(content)

    def moved_bytes(self) -> tuple[Moved, dict[int, Moved]]:
        """Add up what the network carried since the start, received and sent: in all, and by each session that is live."""
        live = {each.session_id: each.moved_bytes for each in self.sessions.all()}
        counts = self.counts
        received = counts.received_bytes + sum(each for each, _ in live.values())
        return (received, counts.sent_bytes + sum(each for _, each in live.values())), live

    def _throughput_failed(self, failure: Any) -> None:
        self.event_log.failed(failure, "throughput-fault")

    def stop_limited_logs(self) -> None:
        """Say what they left out; idempotent."""
        for log in (self.strangers, self.refusals, self.damage):
            log.stop()

    @property
    def pools(self) -> tuple[Pool, ...]:
        return self.pool, self.reading_pool, self.entry_pool, self.maintenance_pool

    def act(
        self, act: Callable[[Any, Sequence[I]], Sequence[R | RequestError]], item: I, *, size: int = 0
    ) -> Deferred[R]:
        """Have the writer do one act; fires after its commit, before the events of it are told."""
        answered: Deferred[R] = Deferred()
        self.writer.submit(act, item, size=size, arrived=partial(fire, answered))
        return answered

    def act_all(
        self, act: Callable[[Any, Sequence[I]], Sequence[R | RequestError]], items: Sequence[tuple[I, int]]
    ) -> Deferred[list[R | Exception]]:
        """Have the writer do one act for several inputs, each with its size: what became of each, in order.

        Fires after the commit of the last, before the events of that are told.
        """
        answered: Deferred[list[R | Exception]] = Deferred()
        if items:
            self.writer.submit_all(act, items, arrived=answered.callback)
        else:
            answered.callback([])
        return answered

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Tell the event log, the live sessions and who else watches what acts did: the one way in which they hear of it."""
        self.event_log.tell(events)
        self.counts.tell(events)
        self.sessions.tell(events)
        for watcher in list(self.watchers):
            watcher(events)

    @property
    def job_context(self) -> JobContext:
        """What the jobs of maintenance work with."""
        return JobContext(self.storage, self.begin_read, self.act_blocking)

    def begin_read(self) -> AbstractContextManager[ReadTransaction]:
        """Begin a read transaction for maintenance's own thread; TransferEndedError once the server stops."""
        if self.stopping:
            raise TransferEndedError(problem="the server stops")
        return self.readers.reading()

    def act_blocking(self, act: Act[I, R], item: I) -> R:
        """Have the writer do one act and wait: for maintenance's own thread, never for the reactor's."""
        return self.writer.submit(act, item).result()

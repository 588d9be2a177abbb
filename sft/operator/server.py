"""A running server: what starts, in which order, and how it stops.

    start   lock → network listener, which lets nobody in yet → open and recover → control socket → people
    stop    no new connections → transfers under way may finish for a few seconds → sessions close
            → writer, database, vault → lock

Rules. Nothing is made before it is sure that somebody can connect. A start that fails leaves nothing behind. Nothing here
prints: ``sft.operator.service`` and the operator's commands do.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory

from sft.crypto.keys import InvitationKey
from sft.errors import BackupRunningError, HomeError, ListenError, TransferEndedError, UsageError
from sft.hardening import keep_memory_private
from sft.model.access import OPERATOR
from sft.model.links import format_address, invitation_link
from sft.model.records import Invitation
from sft.model.text import shell_word
from sft.operator.bootstrap import OpenedHome, open_home
from sft.operator.configuration import Configuration
from sft.operator.control_socket import ControlSocket
from sft.operator.home import Home, HomeLock
from sft.operator.listening import listen_at
from sft.operator.options import OPTIONS
from sft.operator.witnesses import Witnesses, read_policy
from sft.server.context import ServerContext
from sft.server.event_log import EventLog
from sft.server.factory import ControlFactory, NetworkFactory
from sft.server.hooks import Hooks
from sft.server.jobs import RunningJob
from sft.server.periodic import Periodic
from sft.server.room_watch import RoomWatch
from sft.server.scrubbing import Scrubbing
from sft.service import invitations, settings
from sft.service.maintenance import rotation, row_keys
from sft.transport.protocol import WireProtocol
from sft.transport.threads import Pool

if TYPE_CHECKING:
    from sft.server.health_page import HealthFactory

DRAIN_SECONDS: Final = 5
LOCK_SECONDS: Final = 5  # a command that has the home alone, such as one that lists people, takes one or two
STOP_SECONDS: Final = 60  # aborts take milliseconds; a page of long work, on a slow disk, seconds


class Reloaded(Struct, frozen=True):
    """What of another configuration a running server takes.

    Attributes:
        configuration: what rules now.
        taken: names of the options that changed.
        waiting: of those that the next start takes.
    """

    configuration: Configuration
    taken: tuple[str, ...]
    waiting: tuple[str, ...]

    @classmethod
    def between(cls, now: Configuration, wanted: Configuration) -> Reloaded:
        changed = [each for each in OPTIONS if getattr(now, each.name) != getattr(wanted, each.name)]
        taken = {each.name: getattr(wanted, each.name) for each in changed if each.reloads}
        waiting = tuple(each.name for each in changed if not each.reloads)
        return cls(replace(now, **taken), tuple(taken), waiting)


class Server:
    """One server over one home.

    Args:
        given: what rules this start.
        flags: what of it ``sftd serve`` was given.
        listen: HOST:PORT, or a Twisted endpoint string; None serves the control socket alone.
        on_fatal: called when the database can no longer be trusted to be durable.
    """

    def __init__(
        self,
        reactor: Any,
        home: Home,
        given: Configuration,
        *,
        flags: Mapping[str, Any] = MappingProxyType({}),
        listen: str | None,
        event_log: EventLog,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self._reactor = reactor
        self._home = home
        self._given = given
        self._flags = flags
        self._listen = listen
        self._event_log = event_log
        self._on_fatal = on_fatal
        self._lock = HomeLock(home)
        self._ports: list[IListeningPort] = []
        self._opening = Pool(reactor, threads=1, name="opening")
        self.opened: OpenedHome | None = None
        self._periodic: Periodic | None = None
        self._scrubbing: Scrubbing | None = None
        self._control: ControlSocket | None = None
        self._room_watch: RoomWatch | None = None
        self._witnesses: Witnesses | None = None
        self._health: HealthFactory | None = None
        self.address = ""
        self._links_say = ""

    async def start(self, *, locked: HomeLock | None = None) -> None:
        """Start; raises what is wrong and leaves nothing behind."""
        _harden()
        if locked is None:
            self._home.make()
            await self._take_lock()
        else:
            self._lock = locked
        self._opening.start()
        try:
            gate = None if self._listen is None else await self._listen_closed(self._listen)
            await self._start(gate)
        except BaseException:
            await self.stop()
            raise

    async def _take_lock(self) -> None:
        """Take the home; a command that was given to it a moment ago ends first."""
        if not self._lock.take():
            await self._until(lambda: self._lock.is_servers() or self._lock.take(), LOCK_SECONDS)
        if not self._lock.is_taken:
            problem, remedy = "another server runs on it", "Stop that one, or use another --home"
            if not self._lock.is_servers():
                problem, remedy = "a command works on it that has not ended", "Let that end, then start again"
            raise HomeError(home=str(self._home.path), problem=problem, remedy=remedy)
        if self._listen is not None:
            self._lock.say_server()

    async def _listen_closed(self, listen: str) -> _Gate:
        """Listen, and let nobody in yet: a port in use or a missing address is told before anything is made."""
        gate = _Gate()
        port = await listen_at(self._reactor, listen, gate)
        self._ports.append(port)
        gate.close(port)
        if not self._given.public and not isinstance(port.getHost(), IPv4Address | IPv6Address):
            raise UsageError(
                problem=f"No link can say where {listen} is",
                remedy=f"The same with what links shall say: --listen {shell_word(listen)} --public HOST:PORT",
            )
        return gate

    async def _listen_for_monitoring(self, listen: str) -> None:
        """Answer who watches from now on: first that the server starts."""
        # What it loads, the library of Prometheus, is for whoever watches.
        from sft.server.health_page import HealthFactory

        factory = HealthFactory(self._reactor)
        try:
            self._ports.append(await listen_at(self._reactor, listen, factory))
        except ListenError as error:
            raise ListenError(
                error.detail,
                listen=listen,
                reason=error.values["reason"],
                remedy="Choose another port: monitoring in HOME/sft.toml",
            ) from error
        self._health = factory

    async def _start(self, gate: _Gate | None) -> None:
        if gate is not None and self._given.monitoring:
            await self._listen_for_monitoring(self._given.monitoring)
        policy = read_policy(self._home)
        self.opened = await self._opening.run(
            open_home,
            self._home,
            self._given,
            flags=self._flags,
            reactor=self._reactor,
            event_log=self._event_log,
            on_fatal=lambda error: self._reactor.callFromThread(self._on_fatal, error),
        )
        context = self.opened.context
        context.writer.hand_out(context.tell, self._reactor.callFromThread)
        for pool in context.pools:
            pool.start()
        self._control = ControlSocket(self._reactor, self._home, self._lock, ControlFactory(context), self._event_log)
        await self._control.listen()
        hooks = context.hooks = Hooks(
            self._reactor,
            context.ledger,
            read=context.read_apart,
            act=context.act,
            event_log=self._event_log,
            now=context.clock,
        )
        hooks.know(self._given.hooks)
        if gate is not None:
            context.listening = self._listen or ""
            if self._health is not None:
                self._health.context = context
            await self._keep_address(context, gate.port)
            context.listening = self.address or context.listening
            gate.open(NetworkFactory(context))
            self._periodic = Periodic(context)
            self._periodic.start()
            self._control.start_looking()
            self._scrubbing = Scrubbing(context)
            self._scrubbing.start()
            await hooks.change(self._given.hooks)
            context.watchers.append(hooks.tell)
            self._room_watch = RoomWatch(context)
            await self._room_watch.start()
            context.throughput.start()
            self._witnesses = Witnesses(context, self._home, policy)
            self._witnesses.start()
            context.witnessing = self._witnesses.witnessing
            keyring = context.storage.vault.keyring
            if keyring.rotating or keyring.older_row_key is not None:
                Deferred.fromCoroutine(_go_on(context)).addErrback(context.event_log.failed, "rotation-fault")

    async def _keep_address(self, context: ServerContext, port: IListeningPort) -> None:
        """Have links say where the server listens, unless ``public`` says better."""
        host = port.getHost()
        if isinstance(host, IPv4Address | IPv6Address):
            self.address = format_address(host.host, host.port)
            self._links_say = link_address(host.host, host.port)
            await self._change_settings(context, self._given)

    async def _change_settings(self, context: ServerContext, given: Configuration) -> None:
        """Have what links and clients are told say what rules."""
        change = settings.SettingsChange(
            name=given.name or None,
            address=given.public or self._links_say or None,
            registration=settings.Registration(given.registration),
        )
        if await context.act(settings.change_settings, change):
            context.info = await context.read_apart(settings.server_info)

    async def look_at_control(self) -> None:
        """Make the control socket again where somebody removed it."""
        if self._control is not None:
            await self._control.look()

    async def reload(self, given: Configuration) -> Reloaded:
        """Take what can be taken while people are served; what cannot waits for the next start.

        Raises:
            StoreError, ServerFullError: nothing was taken.
        """
        done = Reloaded.between(self._given, given)
        context = self.context
        await self._change_settings(context, done.configuration)
        if context.hooks is not None:
            await context.hooks.change(done.configuration.hooks)
        context.readers.policy = done.configuration.policy
        if self._periodic is not None:
            await self._periodic.take_retention()
        context.admission.change_exempt(done.configuration.exempt_networks)
        self._given = done.configuration
        context.waiting_options = done.waiting
        return done

    @property
    def context(self) -> ServerContext:
        """What its sessions share, while it runs; RuntimeError before and after."""
        if self.opened is None:
            raise RuntimeError("the server does not run")
        return self.opened.context

    async def stop(self, *, drain_seconds: float = DRAIN_SECONDS) -> None:
        """Stop; what is acknowledged is durable, what is under way may finish for a few seconds."""
        listened = bool(self._ports) or self._control is not None
        try:
            await self._end_work(drain_seconds)
        finally:
            # Threads that nobody ended keep the process for ever, whatever else failed.
            opened, self.opened = self.opened, None
            try:
                if opened is not None:
                    for pool in opened.context.pools:
                        pool.stop()
                    await self._opening.run(opened.close)
            finally:
                self._opening.stop()
                if listened:
                    self._home.control.unlink(missing_ok=True)
                self._lock.drop()

    async def _end_work(self, drain_seconds: float) -> None:
        for running in (self._periodic, self._scrubbing, self._room_watch, self._witnesses):
            if running is not None:
                running.stop()
        if self._health is not None:
            self._health.drop_connections()
            self._health = None
        ports, self._ports = self._ports, []
        for port in ports:
            stopping = port.stopListening()
            if isinstance(stopping, Deferred):
                await stopping
        if self._control is not None:
            await self._control.stop()
        if self.opened is None:
            return
        context = self.opened.context
        if context.hooks is not None:
            await context.hooks.stop()
        sessions = context.sessions
        await self._until(lambda: not any(session.has_work() for session in sessions.all()), drain_seconds)
        for session in sessions.all():
            session.stop()
        for stranger in context.admission.connections():
            if isinstance(stranger, WireProtocol):
                stranger.close()
        context.throughput.stop()
        await context.login_failures.stop()
        # What still works with open files ends before these are closed under it.
        context.stopping = True
        await context.resumable_uploads.close()
        await self._until(lambda: not (context.pool.busy or context.maintenance_pool.busy), STOP_SECONDS)
        context.stop_limited_logs()

    async def first_admin(self) -> str | None:
        """Make the invitation of a new server, and return its link; an old one's admins are whom its rows name."""
        if self.opened is None or not self.opened.is_new:
            return None
        context = self.opened.context
        key = InvitationKey.generate()
        made: Invitation | None = await context.act(invitations.first_admin, invitations.FirstAdmin(key.point))
        if made is None:
            return None
        info = context.info
        return invitation_link(
            made,
            key.seed,
            address=info.address,
            server_id=info.server_id,
            server_key=info.public_key,
            server_name=info.name,
        ).text()

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so, at most for some seconds; the reactor goes on meanwhile."""
        end = self._reactor.seconds() + seconds
        await self._pause(0)
        while not done() and self._reactor.seconds() < end:
            await self._pause(0.02)

    def _pause(self, seconds: float) -> Deferred[None]:
        waited: Deferred[None] = Deferred()
        self._reactor.callLater(seconds, waited.callback, None)
        return waited


class _Gate(Factory):
    """A listener's factory while there is no server behind it: who connects waits in the system's queue."""

    noisy = False

    def __init__(self) -> None:
        self.port: Any = None
        self._behind: NetworkFactory | None = None

    def close(self, port: IListeningPort) -> None:
        self.port = port
        self.port.stopReading()

    def open(self, behind: NetworkFactory) -> None:
        self._behind = behind
        self.port.startReading()

    def buildProtocol(self, addr: Any) -> Any:
        return None if self._behind is None else self._behind.buildProtocol(addr)


async def _go_on(context: ServerContext) -> None:
    """Finish changes of keys that were interrupted, while people are served; an operator's command never does.

    Where a backup is being taken they wait for the next start: both keys read until then.
    """
    with contextlib.suppress(TransferEndedError, BackupRunningError):
        if context.storage.vault.keyring.rotating:
            running = RunningJob(context, rotation.rotate.__name__, OPERATOR)
            await running.run(partial(rotation.finish_rotation, running.job_context, context.master_keys))
        if context.storage.vault.keyring.older_row_key is not None:
            running = RunningJob(context, row_keys.renew_keys.__name__, OPERATOR)
            parts = running.job_context, context.master_keys, context.row_keys
            await running.run(partial(row_keys.finish_row_key, *parts))


def _harden() -> None:
    """No core dumps, which would hold keys; as many open files as the system allows."""
    keep_memory_private()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def link_address(host: str, port: int) -> str:
    """Return how links name a listener that no ``--public`` names: by the computer's name where it listens everywhere."""
    everywhere = host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return format_address(os.uname().nodename if everywhere else host, port)

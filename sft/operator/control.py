"""Running one operator command: over the control socket of whatever serves the home, or serving it for itself.

There is one code path for every administrative act: the product's own protocol. Connect; refused →
try the lock; got it → serve the control socket, no network port, and go on; not got it → a server
is starting or stopping: again, for five seconds. A first start is waited for as long.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred

from sft.cli.console import Console
from sft.cli.failures import no_text, report, unforeseen
from sft.cli.run import Interrupted, execute
from sft.cli.waiting import wait_told
from sft.client.connecting import OnNotice, connect_operator
from sft.client.connection import ServerConnection
from sft.client.fault_log import FaultLog
from sft.crypto.keys import ServerPublic
from sft.errors import ConnectionLostError, HomeError, NoServerError, SftError, UnreachableError
from sft.model.text import count_text, size_text
from sft.operator.home import Home, HomeLock, HomeState
from sft.operator.next_steps import at_home, steps_at
from sft.server.event_log import EventLog
from sft.transport.threads import Pool
from sft.wire.messages import Notice

if TYPE_CHECKING:
    from sft.operator.server import Server

PATIENCE_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.1
STOP_SECONDS: Final = 75  # a server of our own may end long work for a minute


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the operator: its home, connection, options and console, and the time."""

    home: Home
    session: ServerConnection
    options: Any
    console: Console
    now: float
    named: str = ""  # the home, as --home named it

    def typed(self, text: str) -> str:
        """Return a text whose commands are about the same home when they are typed."""
        return at_home(text, self.named)


Work = Callable[[Command], Awaitable[int]]


def run_command(home: Home, work: Work, options: Any, named: str) -> int:
    """Run a command to its end; return the exit status.

    Args:
        named: the home as ``--home`` named it, for what can be typed next.
    """
    log = FaultLog(home.path)
    try:
        return execute(lambda reactor: perform(reactor, home, work, options, named), log.keep, STOP_SECONDS)
    except Interrupted as interrupted:
        return interrupted.exit_status


async def perform(reactor: Any, home: Home, work: Work, options: Any, named: str = "") -> int:
    """Run a command on a reactor that runs already; errors are printed, the exit status is returned."""
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    steps = steps_at(named)
    try:
        return await _run(reactor, home, work, options, console, named)
    except CancelledError:
        raise  # a signal
    except Exception as error:  # noqa: BLE001 - no traceback reaches a person
        told = no_text(error, sys.argv) or error
        if isinstance(told, SftError):
            return report(console, told, now=time.time(), steps=steps)
        log = FaultLog(home.path)
        status = report(console, unforeseen(error, log), now=time.time(), steps=steps)
        console.warn(f"     Details: {log.path}")
        return status


async def _run(reactor: Any, home: Home, work: Work, options: Any, console: Console, named: str) -> int:
    pool = Pool(reactor)
    pool.start()
    try:
        session, server = await _reach(reactor, home, pool, console)
        try:
            with wait_told(console, reactor, session.server_name, lambda: session.quiet_seconds):
                return await work(Command(home, session, options, console, time.time(), named))
        finally:
            await session.close()
            if server is not None:
                await server.stop()
    finally:
        pool.stop()


def _show_work(console: Console, notice: Notice) -> None:
    """Show on a terminal how far a long work is, until the next line is written."""
    if notice.kind == "working":
        size, total = int(notice.values["bytes"]), int(notice.values.get("of_bytes", 0))
        of = f" of {size_text(total)} ({min(100, 100 * size // total)} %)" if total else ""
        done = f"{count_text(int(notice.values['versions']))} versions, {size_text(size)}{of}"
        _draw(console, f"working: {done}")


async def _reach(reactor: Any, home: Home, pool: Pool, console: Console) -> tuple[ServerConnection, Server | None]:
    on_notice = partial(_show_work, console)
    with wait_told(console, reactor, f"the server of {home.path}"):
        await _first_start(reactor, home)
        require_server(home)
        session, lock = await _session_or_lock(reactor, home, pool, on_notice)
    if session is not None:
        return session, None
    # Only now: a command that reaches a running server loads neither database nor vault.
    from sft.operator.server import Server

    configuration = home.configuration()
    server = Server(reactor, home, configuration, listen=None, event_log=EventLog(), on_fatal=lambda _: None)
    opening = wait_told(console, reactor, f"{home.path} to open", late=f"{home.path} is still being opened.")
    # Not over the line on which a passphrase is asked for.
    with nullcontext() if configuration.master_key == "passphrase" else opening:
        await server.start(locked=lock)
    try:
        return await _connect(reactor, home, pool, on_notice), server
    except BaseException:
        await server.stop()
        raise


async def _first_start(reactor: Any, home: Home) -> None:
    """Let a first start that is under way make the home."""
    until = reactor.seconds() + PATIENCE_SECONDS
    while home.is_being_made() and reactor.seconds() <= until:
        await _pause(reactor)


async def _session_or_lock(
    reactor: Any, home: Home, pool: Pool, on_notice: OnNotice
) -> tuple[ServerConnection | None, HomeLock]:
    """Reach the server that serves a home, or take the lock if none does."""
    until = reactor.seconds() + PATIENCE_SECONDS
    while True:
        lock = HomeLock(home)
        try:
            return await _connect(reactor, home, pool, on_notice), lock
        except (UnreachableError, ConnectionLostError):
            if lock.take():
                return None, lock
        if reactor.seconds() > until:
            raise HomeError(
                home=str(home.path),
                problem="a server holds it that does not answer",
                remedy="Look whether it starts or stops; then again. Was its socket removed? It is made again in a minute",
            )
        await _pause(reactor)


async def _connect(reactor: Any, home: Home, pool: Pool, on_notice: OnNotice) -> ServerConnection:
    key = ServerPublic(home.server_key())
    return await connect_operator(reactor, str(home.control), key, pool=pool, on_notice=on_notice)


def _pause(reactor: Any) -> Deferred[None]:
    waited: Deferred[None] = Deferred()
    reactor.callLater(PAUSE_SECONDS, waited.callback, None)
    return waited


def upgrade(home: Home) -> int:
    """Bring the database to this program's version, under the home's lock, with no server running; return the exit status."""
    from sft.operator.bootstrap import open_master_keys
    from sft.store import migration
    from sft.store.revision import current_revision, needed_revision, require_no_later

    console = Console(sys.stdout, sys.stderr, os.environ)
    lock = HomeLock(home)
    try:
        require_server(home)
        if not lock.take():
            raise HomeError(home=str(home.path), problem="a server runs on it", remedy="Stop it, then upgrade")
        before, needed = current_revision(home.database), needed_revision()
        copy = None
        require_no_later(before)  # before it is copied
        if before != needed:
            keyring = open_master_keys(home, home.configuration().master_key).open()
            _draw(console, "copying the database first")
            copy = migration.keep_copy(home.database)
            _draw(console, f"bringing the database to version {needed}")
            try:
                migration.upgrade(home.database, migration.MigrationMacs.of(keyring.row_key, keyring.server_id))
            except BaseException:
                with suppress(SftError, OSError):
                    if current_revision(home.database) == before:  # as it was: nobody needs the copy
                        copy.unlink()
                raise
        after = current_revision(home.database)
    finally:
        lock.drop()
    was = " already" if before == after else f" (was {before})"
    console.result(f"the database is at version {after}{was}")
    if copy is not None:
        console.note(f"A copy of it as it was: {copy}. Remove it when all is well.")
        console.note(
            f"The way back: stop the server, install the sft of before, remove {home.database.name}-wal and -shm, and put the "
            "copy in the database's place."
        )
    return 0


def _draw(console: Console, line: str) -> None:
    if console.may_draw:
        console.draw(line)


def require_server(home: Home) -> None:
    """Refuse a home in which there is no server, or not yet."""
    if home.is_being_made():
        raise HomeError(
            home=str(home.path),
            problem="its first start is under way",
            remedy="Look whether it waits for a passphrase; then again",
        )
    if not home.path.is_dir() or home.state() is HomeState.NEW:
        raise NoServerError(home=str(home.path))

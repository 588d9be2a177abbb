"""The one thread that writes: acts of many sessions, decided in order, committed together.

Rules. An act is a function of a transaction and a list of inputs that gives one result, or one
RequestError, per input; it judges the inputs in order, and one that it refuses has written nothing.
Whatever is queued goes into one transaction, up to a number and a size: acts of one kind that
follow one another get their inputs as one list. A result is handed out after the commit returned,
never before. Any exception rolls the whole group back, and then each input runs alone, so that one
fault ends one act: an act may see an input twice, and keeps nothing of the first time. A commit
that fails leaves unknown what the disk holds: the writer ends, tells its owner, and takes nothing
more; the next start reads what is there. Only a full disk is told from that: SQLite then wrote no
whole commit. Checkpoints happen here, between transactions.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from sft.errors import RequestError, ServerFullError, StoreError
from sft.limits import GROUP_ACTS, GROUP_BYTES
from sft.store.connections import is_busy, is_disk_full, store_error
from sft.store.database import Database
from sft.store.rows import Transaction

In = TypeVar("In")
Out = TypeVar("Out")

Clock = Callable[[], int]  # Unix seconds
Act = Callable[[Transaction, Sequence[In]], Sequence[Out | RequestError]]


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One input on its way through the writer."""

    act: Act[Any, Any]
    item: Any
    size: int
    future: Future[Any]


class _CommitFailedError(Exception):
    """Nobody knows whether the disk holds the group."""


class Writer:
    """Runs acts on its own thread.

    Args:
        database: whose writing connection it takes.
        clock: what acts take for now.
        on_fatal: called once, on the writer's thread, when a commit failed.
    """

    def __init__(
        self, database: Database, clock: Clock, *, on_fatal: Callable[[BaseException], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_fatal = on_fatal
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._held: _Task | None = None  # taken from the queue, but too large for its group
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="sft-writer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, act: Act[In, Out], item: In, *, size: int = 0) -> Future[Out]:
        """Ask for an act; any thread may.

        Args:
            act: what decides and writes.
            item: what it decides about.
            size: bytes that it will write, for the bound of a group.

        Returns:
            A future that ends after the commit: with the act's result, or with its RequestError as
            the exception. Its callbacks run on the writer's thread.
        """
        task = _Task(act, item, size, Future())
        with self._lock:
            if self._open:
                self._queue.put(task)
                return task.future
        task.future.set_exception(_ended())
        return task.future

    def stop(self) -> None:
        """Do what is queued, and end."""
        with self._lock:
            if self._open:
                self._open = False
                self._queue.put(None)
        self._thread.join()

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        group: list[_Task] | None = []
        try:
            while (group := self._next_group()) is not None:
                self._do(group)
                self._checkpoint()
        except BaseException as error:  # noqa: BLE001 -- the owner must hear of it, whatever it is
            self._end(error, group or [])

    def _checkpoint(self) -> None:
        try:
            self._database.checkpoint()
        except sqlite3.Error as error:
            if not is_disk_full(error):  # then the log stays as long as it is, and loses nothing
                raise

    def _next_group(self) -> list[_Task] | None:
        """Wait for work, and take what one commit may hold; None ends the thread."""
        first = self._held or self._queue.get()
        self._held = None
        if first is None:
            return None
        group, size = [first], first.size
        while len(group) < GROUP_ACTS:
            try:
                task = self._queue.get_nowait()
            except Empty:
                break
            if task is None:
                self._queue.put(None)  # the last there is: nothing follows it
                break
            if size + task.size > GROUP_BYTES:
                self._held = task
                break
            group.append(task)
            size += task.size
        return [task for task in group if task.future.set_running_or_notify_cancel()]

    def _do(self, group: Sequence[_Task]) -> None:
        """Run a group to its end: every future of it is done afterwards."""
        try:
            results = self._commit(group)
        except _CommitFailedError as error:
            raise error.__cause__ or error from None
        except Exception as error:  # noqa: BLE001 -- an act may raise anything
            if len(group) > 1 and not is_busy(error):
                for task in group:
                    self._do([task])
                return
            for task in group:
                task.future.set_exception(_as_ours(error, task))
            return
        for task, result in zip(group, results, strict=True):
            if isinstance(result, RequestError):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)

    def _commit(self, group: Sequence[_Task]) -> list[Any]:
        """Decide and write a group in one transaction; what is returned is on the disk."""
        results: list[Any] = []
        with self._database.write_engine.connect() as connection:
            outer = connection.begin()
            try:
                transaction = Transaction(connection, self._database.row_macs, self._clock())
                for act, tasks in groupby(group, key=lambda task: task.act):
                    results += self.transact(transaction, act, [task.item for task in tasks])
            except BaseException:
                outer.rollback()
                raise
            try:
                outer.commit()
            except Exception as error:
                _roll_back(connection)
                if not is_disk_full(error):
                    raise _CommitFailedError from error
                raise
        return results

    def transact(
        self, transaction: Transaction, act: Act[In, Out], inputs: Sequence[In]
    ) -> Sequence[Out | RequestError]:
        """Run one act: the one function through which everything that changes something goes.

        A log leaf for each result that is no refusal belongs here, in the same transaction.
        """
        results = act(transaction, inputs)
        if len(results) != len(inputs):
            raise TypeError(f"{act!r} gave {len(results)} results for {len(inputs)} inputs")
        return results

    def _end(self, error: BaseException, group: Sequence[_Task]) -> None:
        """Let nobody wait for what will not be done."""
        with self._lock:
            self._open = False
        waiting = [self._held] if self._held else []
        while True:
            try:
                task = self._queue.get_nowait()
            except Empty:
                break
            if task is not None:
                waiting.append(task)
        left = [task for task in group if not task.future.done()]
        left += [task for task in waiting if task.future.set_running_or_notify_cancel()]
        for task in left:
            task.future.set_exception(_ended())
        self._on_fatal(error)


def _roll_back(connection: Connection) -> None:
    # For SQLAlchemy a transaction is over when its commit fails; for SQLite it may still be open.
    driver = connection.connection.driver_connection
    if driver is not None:
        with suppress(sqlite3.Error):
            driver.rollback()


def _as_ours(error: Exception, task: _Task) -> Exception:
    if is_disk_full(error):
        return ServerFullError(str(error), size_bytes=task.size)
    return store_error(error) if isinstance(error, SQLAlchemyError) else error


def _ended() -> StoreError:
    return StoreError(problem="the writer has ended")

"""The one thread that writes: acts of many sessions, decided in order, committed together.

Rules. An act is a function of a transaction and a list of inputs that returns one result, or one RequestError, per input; it
judges the inputs in order, and one that it refuses has written and logged nothing. Whatever is queued goes into one
transaction, up to a number and a size: acts of one kind that follow one another get their inputs as one list. What they
logged is given, in order, to one step before the commit, inside the transaction, and to one after it. Then, never before,
results are handed out, and after them the events. Any exception rolls the whole group back, and then each input runs alone,
so that one fault ends one act: an act may see an input twice, and keeps nothing of the first time. A commit that fails leaves
unknown what the disk holds, and one that the step after it does not follow is not what it should be: their inputs end with
``OutcomeUnknownError``, as nothing else does, the writer ends, tells its owner, and takes nothing more; the next start reads
what is there. Only a full disk is told from that: SQLite then wrote no whole commit, and the group is done once more where
room could be made.
Checkpoints happen here, between transactions.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sft.errors import DatabaseBusyError, OutcomeUnknownError, RequestError, ServerFullError, StoreError
from sft.limits import GROUP_ACTS, GROUP_BYTES
from sft.model.events import DomainEvent
from sft.store.connections import BEGIN_WRITING, COMMIT, is_busy, is_disk_full, store_error
from sft.store.database import Database
from sft.store.rows import Transaction

In = TypeVar("In")
Out = TypeVar("Out")

Clock = Callable[[], int]  # Unix seconds
Act = Callable[[Transaction, Sequence[In]], Sequence[Out | RequestError]]
Events = Sequence[DomainEvent]


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One input on its way through the writer."""

    act: Act[Any, Any]
    item: Any
    size: int
    arrived: Callable[[Future[Any]], None]
    future: Future[Any]


class _CommitFailedError(Exception):
    """Nobody knows whether the disk holds the group, or what follows from it was not done."""


class Writer:
    """Runs acts on its own thread.

    Args:
        database: whose writing connection it takes.
        clock: what acts take for now.
        on_fatal: called once, on the writer's thread, when a commit failed.
        on_events: gets what a group logged, after its commit; on the writer's thread (see ``hand_out``).
        before_commit: gets it once a group, inside the transaction, also where nothing was logged; what it raises rolls the
            group back.
        after_commit: gets it once more when all of that is on the disk and nobody knows it yet; what it raises ends the writer.
        make_room: asked where the disk is full; returns whether it gave up room that was held, as it can only once.
        entropy: gives so many random bytes.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        on_fatal: Callable[[BaseException], None],
        on_events: Callable[[Events], None] = lambda _: None,
        before_commit: Callable[[Transaction, Events], None] = lambda _transaction, _events: None,
        after_commit: Callable[[Events], None] = lambda _: None,
        make_room: Callable[[], bool] = lambda: False,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_fatal = on_fatal
        self._on_events = on_events
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._make_room = make_room
        self._entropy = entropy
        self._call: Callable[[Callable[[], None]], None] = lambda step: step()
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._held: _Task | None = None  # taken from the queue, but too large for its group
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="sft-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hand_out(self, on_events: Callable[[Events], None], call: Callable[[Callable[[], None]], None]) -> None:
        """Hand out from now on by ``call``, which brings it to another thread; for a time when nothing is queued.

        A group is one call: first ``arrived`` of each of its inputs, then ``on_events``.
        """
        self._on_events, self._call = on_events, call

    def submit(
        self, act: Act[In, Out], item: In, *, size: int = 0, arrived: Callable[[Future[Out]], None] = lambda _: None
    ) -> Future[Out]:
        """Ask for an act; any thread may.

        Args:
            size: bytes that it will write, for the bound of a group.
            arrived: called with the future when that has ended, before the events of its group are told.

        Returns:
            A future that ends after the commit: with the act's result, or with its RequestError as
            the exception. Its callbacks run on the writer's thread.
        """
        task = _Task(act, item, size, arrived, Future())
        with self._lock:
            if self._open:
                self._queue.put(task)
                return task.future
        self._fail([task], _ended())
        return task.future

    def submit_all(
        self, act: Act[In, Out], items: Sequence[tuple[In, int]], *, arrived: Callable[[list[Out | Exception]], None]
    ) -> None:
        """Ask for one act for several inputs at once, each with its size, each judged by itself; any thread may.

        Args:
            arrived: called once all of them have ended, with the outcome of each, in order: as ``submit`` calls it, with
                the last of them.
        """
        futures: list[Future[Out]] = [Future() for _ in items]
        left = len(futures)

        def one_arrived(_: Future[Out]) -> None:
            nonlocal left
            left -= 1
            if not left:
                arrived([future.exception() or future.result() for future in futures])  # type: ignore[misc]

        tasks = [
            _Task(act, item, size, one_arrived, future) for (item, size), future in zip(items, futures, strict=True)
        ]
        with self._lock:
            if self._open:
                for task in tasks:
                    self._queue.put(task)
                return
        self._fail(tasks, _ended())

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
        except _CommitFailedError as failed:
            self._end(failed.__cause__ or failed, group or [], _unknown())
        except BaseException as error:  # noqa: BLE001 -- the owner must hear of it, whatever it is
            self._end(error, group or [], _ended())

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
            results, events = self._commit(group)
        except _CommitFailedError:
            raise
        except Exception as error:  # noqa: BLE001 -- an act may raise anything
            if is_disk_full(error) and self._make_room():
                self._do(group)
                return
            if len(group) > 1 and not is_busy(error):
                for task in group:
                    self._do([task])
                return
            for task in group:
                self._fail([task], _as_ours(error, task))
            return
        for task, result in zip(group, results, strict=True):
            if isinstance(result, RequestError):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)
        self._call(partial(self._tell, group, events))

    def _fail(self, tasks: Sequence[_Task], error: Exception) -> None:
        for task in tasks:
            task.future.set_exception(error)
        self._call(partial(self._tell, tasks, ()))

    def _tell(self, tasks: Sequence[_Task], events: Events) -> None:
        for task in tasks:
            task.arrived(task.future)
        if events:
            self._on_events(events)

    def _commit(self, group: Sequence[_Task]) -> tuple[list[Any], Events]:
        """Decide and write a group in one transaction; what is returned is on the disk."""
        results: list[Any] = []
        with self._database.write_connections.lend() as connection:
            connection.execute(BEGIN_WRITING)
            try:
                transaction = Transaction(
                    connection, self._database.row_macs, self._clock(), self._entropy, self._database.policy
                )
                for act, tasks in groupby(group, key=lambda task: task.act):
                    results += _decided(transaction, act, [task.item for task in tasks])
                self._before_commit(transaction, transaction.events)
            except BaseException:
                connection.rollback()
                raise
            try:
                connection.execute(COMMIT)
            except Exception as error:
                with suppress(sqlite3.Error):
                    connection.rollback()
                if not is_disk_full(error):
                    raise _CommitFailedError from error
                raise
        try:
            self._after_commit(transaction.events)
        except BaseException as error:
            # The group is on the disk, and was not told as it should be: nobody may hear of it in any other way.
            raise _CommitFailedError from error
        return results, transaction.events

    def _end(self, error: BaseException, group: Sequence[_Task], outcome: StoreError) -> None:
        """Let nobody wait for what will not be done; ``outcome`` is the group's."""
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
        self._fail([task for task in group if not task.future.done()], outcome)
        self._fail([task for task in waiting if task.future.set_running_or_notify_cancel()], _ended())
        self._on_fatal(error)


def _decided(transaction: Transaction, act: Act[In, Out], inputs: Sequence[In]) -> Sequence[Out | RequestError]:
    results = act(transaction, inputs)
    if len(results) != len(inputs):
        raise TypeError(f"{act!r} gave {len(results)} results for {len(inputs)} inputs")
    return results


def _as_ours(error: Exception, task: _Task) -> Exception:
    if is_disk_full(error):
        return ServerFullError(str(error), size_bytes=task.size)
    if is_busy(error):
        return DatabaseBusyError(str(error))
    return store_error(error) if isinstance(error, sqlite3.Error) else error


def _ended() -> StoreError:
    return StoreError(problem="the writer has ended")


def _unknown() -> StoreError:
    return OutcomeUnknownError(problem="a commit failed, and whether it is on the disk is not known")

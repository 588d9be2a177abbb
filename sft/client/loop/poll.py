"""A small event loop over poll(2): coroutines, timers, threads and sockets of one command, on one thread.

Rules. Timers and waits have the form of Twisted's reactor, so that the same protocol runs on both. Whoever gives a result runs
whoever waits for it, at once. What blocks runs in threads; the loop ends when its coroutine has ended and no such work goes
on, and leaves alone what only looks up a name.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sft.client.loop.poll_socket import connect_tcp, connect_unix
from sft.client.loop.poll_threads import Threads

T = TypeVar("T")

_WAKE_BYTES: Final = 4096
_MILLISECONDS: Final = 1000


_Function = Callable[[Any], Any]


class CancelledError(Exception):
    """What a cancelled coroutine gets where it waits."""


class _Running(threading.local):
    loop: PollLoop | None = None


_running: Final = _Running()


def running() -> PollLoop | None:
    """Return the loop that runs on this thread."""
    return _running.loop


class _Waiting(Generic[T]):
    """One result or fault to come, for a coroutine, or for functions as a Deferred calls them."""

    __slots__ = ("_fault", "_functions", "_given_up", "_result", "called", "task")

    def __init__(self) -> None:
        self.called = False
        self.task: _Task | None = None
        self._given_up = False
        self._result: Any = None
        self._fault: BaseException | None = None
        self._functions: deque[tuple[_Function, _Function]] = deque()

    def callback(self, result: Any, /) -> None:
        self._end(result, None)

    def errback(self, fault: BaseException, /) -> None:
        self._end(None, fault)

    def addCallbacks(self, callback: _Function, errback: _Function) -> Self:
        """Call one of two with the result or the exception; what that gives or raises takes its place.

        What it gives is not waited for, as a Deferred would: another of these instead of a result is a TypeError.
        """
        self._functions.append((callback, errback))
        if self.called:
            self._call()
        return self

    def addCallback(self, callback: _Function) -> Self:
        return self.addCallbacks(callback, _raised)

    def addErrback(self, errback: _Function) -> Self:
        return self.addCallbacks(_given, errback)

    def give_up(self) -> None:
        """Nobody waits any more; what comes is dropped."""
        self.called = self._given_up = True
        self.task = None

    def __await__(self) -> Generator[_Waiting[T], None, T]:
        if not self.called:
            yield self
        if self._fault is not None:
            raise self._fault
        result: T = self._result
        return result

    def _end(self, result: Any, fault: BaseException | None) -> None:
        if self._given_up:
            return
        if self.called:
            raise RuntimeError("what was waited for has come already")
        self.called, self._result, self._fault = True, result, fault
        self._call()
        task, self.task = self.task, None
        if task is not None:
            task.step()

    def _call(self) -> None:
        while self._functions:
            callback, errback = self._functions.popleft()
            try:
                self._result = _at_hand(callback(self._result) if self._fault is None else errback(self._fault))
            except Exception as fault:  # noqa: BLE001 - the next one gets it
                self._fault = fault
            else:
                self._fault = None


def _at_hand(result: Any) -> Any:
    if isinstance(result, _Waiting):
        raise TypeError("this loop does not wait within callbacks")
    return result


def _given(result: Any) -> Any:
    return result


def _raised(fault: BaseException) -> Any:
    raise fault


class _Task:
    """A coroutine that is under way."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], ended: Callable[[Any, BaseException | None], object]
    ) -> None:
        self._coroutine = coroutine
        self._ended = ended
        self._awaits: _Waiting[Any] | None = None
        self._cancelling = False
        self._over = False

    def step(self, fault: BaseException | None = None) -> None:
        """Go on until it waits again."""
        self._awaits = None
        try:
            awaits = self._coroutine.send(None) if fault is None else self._coroutine.throw(fault)
        except StopIteration as end:
            self._over = True
            self._ended(end.value, None)
        except BaseException as error:  # noqa: BLE001 - whoever asked gets it
            self._over = True
            self._ended(None, error)
        else:
            self._awaits = awaits
            awaits.task = self
            if self._cancelling:
                self.cancel()

    def cancel(self) -> None:
        """Raise CancelledError where it waits; where it does not, as soon as it does."""
        if self._over:
            return
        if self._awaits is None:
            self._cancelling = True
            return
        self._cancelling = False
        self._awaits.give_up()
        self.step(CancelledError())


class _Timer:
    """A call to come, in the form of Twisted's IDelayedCall."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def active(self) -> bool:
        return self._call is not None

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class PollLoop:
    """One loop, for one run, within its block.

    Args:
        clock: monotonic seconds.
        poller: as ``select.poll``.
    """

    cancelled = CancelledError

    def __init__(self, clock: Callable[[], float] = time.monotonic, poller: Any = None) -> None:
        self.seconds = clock
        self._timers: list[tuple[float, int, _Timer]] = []
        self._number = 0
        self._poll: Any = select.poll() if poller is None else poller
        self._watched: dict[int, Callable[[int], object]] = {}
        self._calls: deque[Callable[[], object]] = deque()
        self.working = 0  # threads whose work has not come back yet
        # Python closes both in a process that is started; pipe2(2), which macOS lacks, would spare two calls.
        self._woken, self.wake_descriptor = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self.wake_descriptor, False)
        self._closing = threading.RLock()
        self._closed = False
        self.watch(self._woken, select.POLLIN, self._drain)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._closing:
            self._closed = True
            os.close(self._woken)
            os.close(self.wake_descriptor)

    def run(self, coroutine: Coroutine[Any, Any, T], begun: Callable[[Callable[[], None]], object] | None = None) -> T:
        """Run a coroutine to its end; once.

        Args:
            begun: is given what cancels it.
        """
        outcome: list[tuple[T, BaseException | None]] = []
        task = _Task(coroutine, lambda result, fault: outcome.append((result, fault)))
        _running.loop = self
        try:
            if begun is not None:
                begun(task.cancel)
            task.step()
            while not outcome or self.working:
                self._turn()
        finally:
            _running.loop = None
        result, fault = outcome[0]
        if fault is not None:
            raise fault
        return result

    # -- what a client asks of it -------------------------------------------------------------------

    def waiting(self) -> _Waiting[Any]:
        return _Waiting()

    def spawn(
        self, coroutine: Coroutine[Any, Any, object], ended: Callable[[BaseException | None], object]
    ) -> Callable[[], None]:
        task = _Task(coroutine, lambda _, fault: ended(fault))
        task.step()
        return task.cancel

    async def connect_tcp(self, protocol: Any, host: str, port: int, seconds: float) -> None:
        await connect_tcp(self, protocol, host, port, seconds)

    async def connect_unix(self, protocol: Any, path: str, seconds: float) -> None:
        await connect_unix(self, protocol, path, seconds)

    def new_pool(self) -> Threads:
        return Threads(self)

    # -- what a protocol asks of its reactor --------------------------------------------------------

    def callLater(self, seconds: float, call: Callable[..., object], *args: Any) -> _Timer:
        timer = _Timer(lambda: call(*args))
        self._number += 1
        heapq.heappush(self._timers, (self.seconds() + seconds, self._number, timer))
        return timer

    def callFromThread(self, call: Callable[..., object], *args: Any) -> None:
        """Have the loop call something; from any thread, and from a signal's handler."""
        self._calls.append(lambda: call(*args))
        with self._closing, contextlib.suppress(BlockingIOError):  # full: it wakes anyway
            if not self._closed:  # a look-up of names that nobody waits for any more
                os.write(self.wake_descriptor, b"\0")

    def in_thread(self, work: Callable[[], T]) -> _Waiting[T]:
        """Do something in a thread of its own; the loop's end does not wait for it."""
        waiting, run = self.errand(work, lambda: None)
        threading.Thread(target=run, daemon=True).start()
        return waiting

    def errand(self, work: Callable[[], T], returned: Callable[[], object]) -> tuple[_Waiting[T], Callable[[], None]]:
        """Return what waits for some work, and what does it, for a thread to call; ``returned`` is called here at its end."""
        waiting: _Waiting[T] = _Waiting()

        def give(result: T | None, fault: BaseException | None) -> None:
            returned()
            if fault is None:
                waiting.callback(result)
            else:
                waiting.errback(fault)

        def run() -> None:
            try:
                result = work()
            except BaseException as fault:  # noqa: BLE001 - whoever waits for it gets it
                self.callFromThread(give, None, fault)
            else:
                self.callFromThread(give, result, None)

        return waiting, run

    # -- sockets ----------------------------------------------------------------------------------------

    def watch(self, descriptor: int, events: int, ready: Callable[[int], object]) -> None:
        """Call ``ready`` with what poll says of a descriptor, each time it says something."""
        self._watched[descriptor] = ready
        self._poll.register(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        if self._watched.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    # -- one turn -----------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Wait for a socket, a timer or a call, and do what is due."""
        for descriptor, events in self._poll.poll(self._patience()):
            ready = self._watched.get(descriptor)
            if ready is not None:
                ready(events)
        for _ in range(len(self._calls)):  # what they cause waits for the sockets first
            self._calls.popleft()()
        # Those that are due now, in the same way.
        now, due = self.seconds(), []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            timer.fire()

    def _patience(self) -> float | None:
        while self._timers and not self._timers[0][2].active():
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - self.seconds()) * _MILLISECONDS

    def _drain(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, _WAKE_BYTES)

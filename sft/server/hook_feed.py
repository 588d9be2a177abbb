"""One hook on its way through the log: what is delivered next, what becomes of a failure, and what is kept of how far it is.

    idle → woken → delivering → idle
                       ↓ ↑ after a pause
                     failing

Rules. One delivery at a time, in the order of the log; a leaf is passed by when it was taken, never before. A failure is tried
again after a pause that doubles, up to ten minutes, of which a part is left to chance, so that a receiver that comes back is
not met by all at once. A position is kept after its deliveries, once a second at most: a crash repeats some, under the same
ids. The event log has a line when a hook begins to fail and when it delivers again, not for each try. A stop keeps where it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import SftError
from sft.limits import HOOK_KEEP_SECONDS, HOOK_PAUSE_SECONDS
from sft.model.hooks import Hook
from sft.model.status import HookStatus
from sft.server.event_log import EventLog
from sft.service.maintenance.hooks import HookLeaf, HookPage

_LEAST_CHANCE: Final = 0.5
_DOUBLINGS: Final = 16
SHOWN_MOST: Final = 255  # characters, of a status


def pause_after(failures: int, chance: float) -> float:
    """Return for how many seconds a hook that failed so often in a row is left alone.

    Args:
        chance: 0 to 1.
    """
    whole = min(2.0 ** min(failures - 1, _DOUBLINGS), HOOK_PAUSE_SECONDS)
    return whole * (_LEAST_CHANCE + (1 - _LEAST_CHANCE) * chance)


class HookFeed:
    """One hook.

    Args:
        reactor: for pauses.
        position: the first leaf that may still have to be delivered.
        read: gives what comes next from a position on.
        deliver: tries once; says what is wrong, "" where it was taken.
        cut: ends the try that is under way.
        keep: makes a position durable.
        now: Unix seconds.
        chance: gives a number from 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        hook: Hook,
        position: int,
        *,
        read: Callable[[int], Awaitable[HookPage]],
        deliver: Callable[[HookLeaf], Awaitable[str]],
        cut: Callable[[], None],
        keep: Callable[[int], Awaitable[object]],
        event_log: EventLog,
        now: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self.hook = hook
        self.position = position
        self._reactor = reactor
        self._read = read
        self._deliver = deliver
        self._cut = cut
        self._keep = keep
        self._event_log = event_log
        self._now = now
        self._chance = chance
        self._is_behind = False  # what is kept, by something that was delivered
        self._kept_at = float(reactor.seconds())
        self._delivered = 0
        self._failures = 0
        self._failing_since: int | None = None
        self._problem = ""
        self._running: Deferred[None] | None = None
        self._woken = False
        self._waiting: Any = None
        self._stopped = False

    def wake(self) -> None:
        """Say that there is more of the log; one that failed has its pause first."""
        self._woken = True
        if self._running is None and self._waiting is None and not self._stopped:
            self._begin()

    def try_now(self) -> None:
        """End the pause of one that failed: what kept it may be mended."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._resume()

    async def stop(self) -> None:
        """Cut what is under way and keep where it is; idempotent."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._cut()
        if self._running is not None:
            over: Deferred[None] = Deferred()
            self._running.addBoth(lambda _: over.callback(None))
            await over

    @property
    def status(self) -> HookStatus:
        """How it is."""
        return HookStatus(
            name=self.hook.name,
            events=self.hook.events,
            target=self.hook.target[:SHOWN_MOST],
            position=self.position,
            delivered=self._delivered,
            failures=self._failures,
            failing_since=self._failing_since,
            problem=self._problem,
        )

    def _resume(self) -> None:
        """End a pause; a position that is still being kept comes first."""
        self._waiting = None
        self.wake()

    def _begin(self) -> None:
        running = self._running = Deferred.fromCoroutine(self._run())
        running.addErrback(self._broke)
        running.addBoth(self._ended)

    def _ended(self, _: object) -> None:
        self._running = None
        if self._woken:  # meanwhile
            self.wake()

    async def _run(self) -> None:
        try:
            while await self._deliver_page():
                pass
        finally:
            await self._keep_position()

    async def _deliver_page(self) -> bool:
        """Deliver what comes next; return whether there may be more."""
        self._woken = False
        page = await self._read(self.position)
        for leaf in page.leaves:
            if self._stopped:
                return False
            problem = await self._deliver(leaf)
            if problem:
                self._failed(problem)
                return False
            self._taken(leaf.number + 1)
            if self._reactor.seconds() - self._kept_at >= HOOK_KEEP_SECONDS:
                await self._keep_position()
        self.position = page.position
        return (bool(page.leaves) or self._woken) and not self._stopped

    def _taken(self, position: int) -> None:
        self.position = position
        self._delivered += 1
        self._is_behind = True
        if self._failures:
            self._event_log.note("hook-delivers", hook=self.hook.name, after=self._failures)
        self._failures, self._failing_since, self._problem = 0, None, ""

    def _failed(self, problem: str) -> None:
        if self._stopped:  # it was cut: that is no fault of a hook
            return
        self._failures += 1
        self._problem = problem[:SHOWN_MOST]
        if self._failures == 1:
            self._failing_since = self._now()
            self._event_log.warn("hook-failed", hook=self.hook.name, leaf=self.position, problem=self._problem)
        self._waiting = self._reactor.callLater(pause_after(self._failures, self._chance()), self._resume)

    def _broke(self, failure: Failure) -> None:
        reference = self._event_log.fault("hook-fault", failure, hook=self.hook.name)
        self._failed(f"a fault of this server, ref {reference}")

    async def _keep_position(self) -> None:
        """Keep where it is, if anything was delivered since; what cannot be kept is delivered again after a restart."""
        if not self._is_behind:
            return
        self._is_behind, self._kept_at = False, self._reactor.seconds()
        try:
            await self._keep(self.position)
        except SftError as error:  # the disk is full
            self._is_behind = True
            self._event_log.warn("hook-position", hook=self.hook.name, problem=str(error))

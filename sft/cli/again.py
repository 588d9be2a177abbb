"""Going on over a new connection where one is lost in the middle of a transfer.

Rules. ``coming_back`` says after which errors and how long to wait; it is tried a few times without anything moved, that is,
with no more of it there than at any try before. What was done stays done; what was cut off goes on where it stopped.
``SFT_TRIES`` says how often, 0 for never: for whoever tries again by other means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from msgspec import structs

from sft.cli.invocation import Invocation
from sft.client.coming_back import Pauses, is_away, was_cut_off
from sft.client.concurrency import pause
from sft.client.connecting import log_in_again
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.progress import Progress, Report, Resumption, TransferStage
from sft.errors import SftError, UsageError
from sft.model.names import safe

_TRIES: Final = 4

R = TypeVar("R", PutResult, GetResult)
Item = TypeVar("Item")
Move = Callable[[Session, Sequence[Item], Report], Awaitable[list[R]]]


class ReconnectingSession:
    """The session that a transfer runs on: the one that was there, and those that take its place where it is lost."""

    def __init__(self, invocation: Invocation, session: Session) -> None:
        self._invocation = invocation
        self._first = session
        self.session = session
        self._tries = _tries(invocation)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._first.pool.run(self._first.carried_over.leave)
        if self.session is not self._first:
            await self.session.close()

    async def move(self, items: Sequence[Item], move: Move[Item, R], report: Report) -> list[R]:
        """Move items, those that a lost connection cut off again and again.

        Returns:
            One result per item, in their order. Where coming back is refused, what was cut off has that error, and the
            invocation is ``ended`` by it: nobody comes back any more.
        """

        def moved(progress: Progress) -> None:
            if progress.stage is not TransferStage.FAILED:  # perhaps it is tried again
                report(progress)

        results = await move(self.session, items, moved)
        reached = [result.resumption.resumed_bytes for result in results]
        pauses = Pauses(self._tries)
        while cut := [number for number, result in enumerate(results) if was_cut_off(result.error)]:
            ended = self._invocation.ended
            if ended is not None:
                for number in cut:
                    results[number] = structs.replace(results[number], error=ended)
                break
            seconds = pauses.next()
            if seconds is None or self.session.connection.farewell is not None:
                break
            try:
                if not await self._come_back(seconds):
                    continue
                again = await move(self.session, [items[number] for number in cut], renumbered(moved, cut))
            except SftError as error:
                if not was_cut_off(error):
                    self._invocation.ended = error
                continue
            for number, result in zip(cut, again, strict=True):
                there = result.resumption.resumed_bytes
                if not was_cut_off(result.error) or there > reached[number]:
                    pauses.begin_anew()
                reached[number] = max(reached[number], there)
                results[number] = structs.replace(
                    result, resumption=_together(results[number].resumption, result.resumption)
                )
        for number, result in enumerate(results):
            if result.error is not None:
                report(Progress(number, result.item.path, TransferStage.FAILED, 0, result.item.size))
        return results

    async def _come_back(self, seconds: float) -> bool:
        """Log in again after a pause; whether that worked."""
        reactor: Any = self._first.connection.reactor
        name = safe(self._first.profile.name)
        self._invocation.console.note(f"The connection to {name} is lost. Trying again in {seconds:g} s.")
        await pause(reactor, seconds)
        try:
            before, self.session = self.session, await log_in_again(reactor, self.session)
        except SftError as error:
            if not is_away(error):
                raise
            return False
        if before is not self._first:
            before.abort()
        return True


def _tries(invocation: Invocation) -> int:
    said = invocation.environ.get("SFT_TRIES", str(_TRIES))
    if not said.isascii() or not said.isdigit():
        raise UsageError(
            problem=f"SFT_TRIES is a number, not {safe(said)}", remedy="export SFT_TRIES=0 tries never again"
        )
    return int(said)


def renumbered(report: Report, numbers: Sequence[int]) -> Report:
    """Report items by the numbers that they have among all."""
    return lambda progress: report(structs.replace(progress, index=numbers[progress.index]))


def _together(before: Resumption, now: Resumption) -> Resumption:
    """Add what an item has cost; what was there before the command began is the first one's."""
    return Resumption(before.resumed_bytes, before.sent_again_bytes + now.sent_again_bytes)

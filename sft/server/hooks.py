"""The hooks of a server: which there are, what each is told of, and how each is.

    a leaf is committed → every hook that is for such leaves is woken → its feed goes on from where it is

Rules. Nothing waits for a hook: no act knows of it, each has a thread of its own while it delivers, and of a receiver that is
away nothing is kept but where it is in the log. What is proved of a leaf is proved under the newest head that there is: for a
hook none is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any, Final

from twisted.internet.defer import Deferred

from sft.errors import NotFoundError
from sft.ledger.acts import kinds_of
from sft.ledger.event_document import EventDocument, event_document
from sft.ledger.leaves import LeafKind
from sft.ledger.proof_file import ProofFile
from sft.limits import HOOKS_MOST
from sft.model.access import operator_caller
from sft.model.events import DomainEvent
from sft.model.hooks import Hook
from sft.model.status import HookStatus
from sft.model.text import new_reference
from sft.server.event_log import EventLog
from sft.server.hook_delivery import HookDelivery
from sft.server.hook_feed import HookFeed
from sft.service.log.ledger import Ledger
from sft.service.maintenance.hooks import (
    HookLeaf,
    HookPosition,
    NamedHooks,
    advance_hook,
    change_hooks,
    hook_page,
    newest_hook_leaf,
)
from sft.transport.threads import Pool

_random: Final = SystemRandom().random
_TRIED_BESIDE: Final = 2  # hooks that are tried beside those that deliver


class Hooks:
    """The hooks of one server.

    Args:
        read: runs a query, as the context's ``read_apart``.
        act: has the writer do an act, as the context's.
        now: Unix seconds.
        chance: gives a number from 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        ledger: Ledger,
        *,
        read: Callable[..., Deferred[Any]],
        act: Callable[..., Deferred[Any]],
        event_log: EventLog,
        now: Callable[[], int],
        chance: Callable[[], float] = _random,
    ) -> None:
        self._reactor = reactor
        self._ledger = ledger
        self._read = read
        self._act = act
        self._event_log = event_log
        self._now = now
        self._chance = chance
        self._pool = Pool(reactor, threads=HOOKS_MOST + _TRIED_BESIDE, name="hooks")
        self._pool.start()
        self._hooks: tuple[Hook, ...] = ()
        self._feeds: dict[str, HookFeed] = {}
        self._stopped = False

    def know(self, hooks: Sequence[Hook]) -> None:
        """Take hooks that can be tried, and deliver nothing: for an operator's command that serves for itself."""
        self._hooks = tuple(hooks)

    async def change(self, hooks: Sequence[Hook]) -> None:
        """Have these hooks and no others from now on, and deliver to them.

        Raises:
            StoreError, ServerFullError: nothing has changed.
        """
        names: dict[str, int] = await self._act(change_hooks, NamedHooks(tuple(each.name for each in hooks)))
        self._hooks = tuple(hooks)
        wanted = {each.name: each for each in hooks}
        for name, feed in list(self._feeds.items()):
            if wanted.get(name) != feed.hook:
                await feed.stop()
                # Not before: a stop of the server that comes meanwhile waits for it as well.
                self._feeds.pop(name, None)
                # Where it came to is further than what was kept when the act was done.
                names[name] = max(names.get(name, 0), feed.position)
        for hook in hooks:
            if hook.name in self._feeds:
                self._feeds[hook.name].try_now()
            elif not self._stopped:
                self._feeds[hook.name] = self._feed(hook, names[hook.name])
                self._feeds[hook.name].wake()

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Take what acts did."""
        if any(event.leaf for event in events):
            for feed in self._feeds.values():
                feed.wake()

    async def stop(self) -> None:
        """Cut what is under way, keep where each is, and begin nothing more; idempotent."""
        self._stopped = True
        for feed in list(self._feeds.values()):  # a change may take out one that has ended
            await feed.stop()
        self._pool.stop()

    @property
    def status(self) -> tuple[HookStatus, ...]:
        """How each is; of those that nothing is delivered to, what they are."""
        return tuple(
            self._feeds[each.name].status
            if each.name in self._feeds
            else HookStatus(name=each.name, events=each.events, target=each.target)
            for each in self._hooks
        )

    async def try_out(self, name: str) -> str:
        """Give a hook the newest leaf that it is for, as a test; return what is wrong, "" where it was taken.

        Raises:
            NotFoundError: there is no such hook.
        """
        hook = next((each for each in self._hooks if each.name == name), None)
        if hook is None:
            raise NotFoundError(what="hook", name=name)
        leaf: HookLeaf = await self._read(
            newest_hook_leaf, operator_caller(), kinds=kinds_of(hook.events), end=self._ledger.head.size
        )
        return await self._pool.run(self._deliver, hook, HookDelivery(hook), leaf, new_reference())

    def _feed(self, hook: Hook, position: int) -> HookFeed:
        kinds: tuple[LeafKind, ...] = kinds_of(hook.events)
        delivery = HookDelivery(hook)
        return HookFeed(
            self._reactor,
            hook,
            position,
            read=lambda start: self._read(
                hook_page, operator_caller(), kinds=kinds, start=start, end=self._ledger.head.size
            ),
            deliver=lambda leaf: self._pool.run(self._deliver, hook, delivery, leaf),
            cut=delivery.cut,
            keep=lambda reached: self._act(advance_hook, HookPosition(hook.name, reached)),
            event_log=self._event_log,
            now=self._now,
            chance=self._chance,
        )

    def _deliver(self, hook: Hook, delivery: HookDelivery, leaf: HookLeaf, trial: str = "") -> str:
        """Prove a leaf and try once; on a thread."""
        return delivery(self._document(hook, leaf, trial), self._now())

    def _document(self, hook: Hook, leaf: HookLeaf, trial: str) -> EventDocument:
        proved = self._ledger.prove_leaf(leaf.number)
        proof = ProofFile(leaf.number, proved.proof, proved.head.note)
        return event_document(hook.name, leaf.entry, leaf.record, proof, by=leaf.by, trial=trial)

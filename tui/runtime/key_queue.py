"""Keys one by one: each goes where the one before it has led.

The toolkit gives a key to what has the focus when it arrives, but a key that moves the focus does so only when it has climbed
all the way up to the app. Whoever types ahead, on a slow line, would have the passphrase land in the field before it, readable.

Rules. One key is under way at a time, and the rest wait here. A call climbs behind it, through the same queues, and once more
for what was told on the way; when that has arrived, so has the key. One that is lost, with a dialog that closed, holds up
nothing for long. What is typed before the first screen is there waits for it, too.

What a key began may take its time: a folder is read, a key file looked at before its passphrase is asked for. Whoever begins
such a thing holds the keys that follow until it is there, or until a dialog asks for them, for two seconds at most. Escape and
what ends the program wait for nothing, and what was typed before them and waits is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

_LOST_SECONDS: Final = 0.25
_FIRST_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.02
_HELD_SECONDS: Final = 2.0  # a round trip over the slowest line; a person who waits longer looks what is wrong
_AT_ONCE: Final = frozenset({"escape", "ctrl+c", "ctrl+q"})


class KeyQueue:
    """Sends keys and pastes on.

    Args:
        send: the toolkit's own way.
    """

    def __init__(self, app: App[int], send: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._send = send
        self._waiting: deque[events.Event] = deque()
        self._number = 0
        self._under_way = False
        self._lost: asyncio.TimerHandle | None = None
        self._first_until: float | None = None
        self._had_focus = False
        self._holds: dict[object, float] = {}  # until when, at most
        self._resting: asyncio.TimerHandle | None = None
        self.last_key_at = float("-inf")

    @property
    def sent(self) -> int:
        """How many keys have been sent on."""
        return self._number

    @property
    def typed(self) -> int:
        """How many have come, those that wait too."""
        return self._number + len(self._waiting)

    async def take(self, event: events.Event) -> None:
        """Send one on, now or in its turn."""
        self.last_key_at = asyncio.get_running_loop().time()
        if self._resting is not None and isinstance(event, events.Key) and event.key in _AT_ONCE:
            self._waiting.clear()
            self.let_go()
        self._waiting.append(event)
        if not self._under_way:
            self._under_way = True
            await self._next()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let keys wait that are for what comes, while it is on its way."""
        hold = object()
        self._holds[hold] = asyncio.get_running_loop().time() + _HELD_SECONDS
        try:
            yield
        finally:
            self._holds.pop(hold, None)
            self._go_on()

    def let_go(self) -> None:
        """Let keys wait no longer: what they are for is there."""
        self._holds.clear()
        self._go_on()

    def _go_on(self) -> None:
        if self._resting is not None and not self._is_held():
            self._resting.cancel()
            self._resting = None
            self._app.call_later(self._next)

    def _is_held(self) -> bool:
        now = asyncio.get_running_loop().time()
        for hold in [hold for hold, until in self._holds.items() if until <= now]:
            del self._holds[hold]
        return bool(self._holds)

    async def _next(self) -> None:
        if self._is_held():
            self._resting = asyncio.get_running_loop().call_at(max(self._holds.values()), self._go_on)
            return
        if self._too_early():
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._app.call_later, self._next)
            return
        event = self._waiting.popleft()
        self._number += 1
        loop = asyncio.get_running_loop()
        self._lost = loop.call_later(_LOST_SECONDS, self._app.call_later, self._arrived, self._number)
        first = self._app.focused or self._app.screen
        await self._send(event)
        self.last_key_at = loop.time()  # one that has waited goes before the network, too
        self._climb(first, partial(self._again, first, partial(self._app.call_later, self._arrived, self._number)))

    def _again(self, first: MessagePump, arrived: Callable[[], object]) -> None:
        """Climb once more if a key waits: what the first one told on the way comes behind it."""
        if self._waiting:
            self._climb(first, arrived)
        else:
            arrived()

    def _climb(self, node: MessagePump | None, arrived: Callable[[], object]) -> None:
        if node is None or node is self._app:
            arrived()
        elif not node.call_later(self._climb, node._parent, arrived):  # noqa: SLF001 - as keys climb
            self._climb(node._parent, arrived)  # noqa: SLF001 - likewise

    async def _arrived(self, number: int) -> None:
        if number != self._number or not self._under_way:
            return  # it was given up, and has come after all
        if self._lost is not None:
            self._lost.cancel()
        if self._waiting:
            await self._next()
        else:
            self._under_way = False

    def _too_early(self) -> bool:
        """Return whether nothing has had the focus yet, here or in a dialog, and it is worth to wait for it."""
        if not getattr(self._app.screen, "has_begun", True):
            return True
        now = asyncio.get_running_loop().time()
        if self._first_until is None:
            self._first_until = now + _FIRST_SECONDS
        self._had_focus = self._had_focus or self._app.focused is not None or now >= self._first_until
        return not self._had_focus

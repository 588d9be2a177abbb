"""When Python looks for garbage: a little of it while somebody types, for a whole round holds up the keys (by 60 ms and more).

Rules. The collector's own timing is off. What is there when the app has started is never looked at again, not even once: that
would be the first thing a person waits for. The youngest objects are looked at some times a second while keys come, which takes
a few milliseconds each time (all that two seconds of typing leave behind together: 50, measured); what they left over once the
person has paused, and everything, once in a longer pause.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

from tui.runtime.input_priority import Typed

_START_SECONDS: Final = 2.0
_TYPING_SECONDS: Final = 0.2
_RESTING_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 1.0
_LONG_PAUSE_SECONDS: Final = 10.0
_YOUNG_SECONDS: Final = 30.0  # that a person may type without a pause
_WHOLE_SECONDS: Final = 300.0  # a whole round takes a quarter of a second of the processor: a thousandth of that
_UNTYPED_SECONDS: Final = 600.0  # transfers may run for days, and nobody type


class Rounds:
    """Which rounds are due; moments of the loop's clock, in seconds."""

    def __init__(self, now: float) -> None:
        self._young_at = self._whole_at = now
        self._whole_for = float("-inf")  # the last key before it

    def due(self, now: float, last_key_at: float) -> int:
        """Return the oldest generation that is to be looked at now."""
        paused = now - last_key_at
        is_new = last_key_at > self._whole_for or now - self._whole_at >= _UNTYPED_SECONDS
        if paused >= _LONG_PAUSE_SECONDS and now - self._whole_at >= _WHOLE_SECONDS and is_new:
            self._whole_at = self._young_at = now
            self._whole_for = last_key_at
            return 2
        if paused >= _PAUSE_SECONDS or now - self._young_at >= _YOUNG_SECONDS:
            self._young_at = now
            return 1
        return 0

    def next_in(self, now: float, last_key_at: float) -> float:
        return _TYPING_SECONDS if now - last_key_at < _PAUSE_SECONDS + _TYPING_SECONDS else _RESTING_SECONDS


async def collect_while_idle(keys: Typed) -> None:
    """Take over from the collector until cancelled, then give it back."""
    loop = asyncio.get_running_loop()
    gc.disable()
    try:
        await asyncio.sleep(_START_SECONDS)
        gc.freeze()
        rounds = Rounds(loop.time())
        while True:
            await asyncio.sleep(rounds.next_in(loop.time(), keys.last_key_at))
            gc.collect(rounds.due(loop.time(), keys.last_key_at))
    finally:
        gc.enable()
        gc.unfreeze()

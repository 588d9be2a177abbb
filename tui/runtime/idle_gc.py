"""When Python looks for garbage: while nobody types, for a whole round holds up the keys for 60 to 100 ms (measured).

Rules. The collector's own timing is off. What is there when the app has started is never looked at again, not even once: that
would be the first thing a person waits for. Young objects are looked at every two seconds, which takes a few milliseconds, all
of them once the person has paused.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

from tui.runtime.input_priority import Typed

_START_SECONDS: Final = 2.0
_YOUNG_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 10.0
_WHOLE_SECONDS: Final = 60.0


async def collect_while_idle(keys: Typed) -> None:
    """Take over from the collector until cancelled, then give it back."""
    loop = asyncio.get_running_loop()
    gc.disable()
    try:
        await asyncio.sleep(_START_SECONDS)
        gc.freeze()
        whole_at = loop.time()
        while True:
            await asyncio.sleep(_YOUNG_SECONDS)
            now = loop.time()
            if now - keys.last_key_at >= _PAUSE_SECONDS and now - whole_at >= _WHOLE_SECONDS:
                gc.collect()
                whole_at = loop.time()
            else:
                gc.collect(1)
    finally:
        gc.enable()
        gc.unfreeze()

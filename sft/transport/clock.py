"""The reactor's clock: Twisted times its calls by the wall clock, which an administrator or NTP may set back.

A step back of an hour would stall every deadline for an hour; a step forward would end every session.
"""

from __future__ import annotations

import time
from typing import Any


def use_monotonic(reactor: Any) -> None:
    """Time a reactor's calls by the monotonic clock; to be called before its first timer."""
    reactor.seconds = time.monotonic

"""The one place where coroutines of the network become awaitable on the app's loop.

Rules. The client library awaits Deferreds, the app awaits futures, and neither can await the other's: everything goes through
``from_coroutine``. Cancelling what it returns cancels what it waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


async def from_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of the client library to its end."""
    return await from_deferred(Deferred.fromCoroutine(coroutine))


async def from_deferred(deferred: Deferred[T]) -> T:
    future: Awaitable[T] = deferred.asFuture(asyncio.get_running_loop())
    return await future

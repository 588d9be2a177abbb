"""A gateway whose every answer takes a while, as over a slow line, by the clock of the test."""

from __future__ import annotations

import asyncio
import inspect

from tests.fakes.gateway import FakeGateway

LATE_SECONDS = 0.3


class _Slow:
    """A part of the gateway."""

    def __init__(self, part) -> None:
        self._part = part

    def __getattr__(self, name: str):
        return late(getattr(self._part, name))


def late(found):
    """Make an answer come late, if it is one that is waited for."""
    if not inspect.iscoroutinefunction(found):
        return found

    async def asked(*args, **options):
        await asyncio.sleep(LATE_SECONDS)
        return await found(*args, **options)

    return asked


def slow(gateway: FakeGateway) -> None:
    """Let every question take its time."""
    for name in ("accounts", "files", "people", "keys", "activity", "local"):
        setattr(gateway, name, _Slow(getattr(gateway, name)))
    gateway.use = late(gateway.use)

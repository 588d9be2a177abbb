"""One event loop for the whole session, with the Twisted reactor on it: coroutines and Deferreds run side by side.

It must stand before anything imports ``twisted.internet.reactor``. The reactor is started and never run: pytest runs the
loop. A Deferred is awaited as ``await deferred.asFuture(loop)``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import hypothesis
import pytest
from twisted.internet import asyncioreactor

_LOOP = asyncio.new_event_loop()
asyncioreactor.install(_LOOP)

from twisted.internet import reactor  # noqa: E402  # the reactor exists from here on

if TYPE_CHECKING:
    from collections.abc import Callable

hypothesis.settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, print_blob=True
)
# A campaign looks for new cases; what it finds becomes an example in a test.
hypothesis.settings.register_profile("search", max_examples=5000, deadline=None, database=None)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fixed")
hypothesis.settings.load_profile(_PROFILE)


async def _start_reactor() -> None:
    reactor.startRunning(installSignalHandlers=False)


_LOOP.run_until_complete(_start_reactor())


def _session_loop() -> asyncio.AbstractEventLoop:
    # One function object for all tests: a new one each time would make pytest-asyncio close the loop in between.
    return _LOOP


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"twisted": _session_loop}


def pytest_report_header(config: pytest.Config) -> str:
    seed = "derandomized" if _PROFILE == "fixed" else config.getoption("--hypothesis-seed")
    return f"hypothesis: profile {_PROFILE}, seed {seed}"


def pytest_unconfigure(config: pytest.Config) -> None:
    # Its threads are no daemons: left alone they keep the process from ending.
    if reactor.threadpool is not None:
        reactor.threadpool.stop()

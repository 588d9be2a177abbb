"""Every test of the screens runs in one time zone, and far from the person's own state; which of them ``make test`` has.

Rules. A test here that is a coroutine runs the app: half a second for its start alone, and there are hundreds. They are of
the long run. What each screen is for has one or two in every run, marked ``every_run``.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.memory_service import close_all

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        runs_app = item.path.parent == _HERE and inspect.iscoroutinefunction(getattr(item, "obj", None))
        if runs_app and item.get_closest_marker("every_run") is None:
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def no_server_stays() -> Iterator[None]:
    """End the servers that a test began."""
    yield
    close_all()


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("SFT_ASCII", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()

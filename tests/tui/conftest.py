"""Every test of the screens runs in one time zone, and far from the person's own state."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.fakes.memory_service import close_all


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

"""Every test of the screens runs in one time zone, and far from the person's own state."""

from __future__ import annotations

import time

import pytest


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("SFT_ASCII", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()

"""Fixtures of the command line's tests: a computer that has joined, one that has not, and a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sft
from tests.unit.cli.cli_fixture import CliFixture


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def cli(tmp_path: Path) -> CliFixture:
    """A computer that has joined acme-files as ada, with a key that nothing protects."""
    cli = CliFixture(tmp_path / "state")
    cli.join()
    return cli


@pytest.fixture
def stranger(tmp_path: Path) -> CliFixture:
    """A computer that has joined nothing."""
    return CliFixture(tmp_path / "state")


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``sft`` in a process of its own, in a session without a terminal."""

    def run(*arguments: str, **others: Any) -> subprocess.CompletedProcess[str]:
        root = str(Path(sft.__file__).parent.parent)
        return subprocess.run(
            [sys.executable, "-c", "from sft.cli.main import run; run()", *arguments],
            env={**os.environ, "PYTHONPATH": root, "SFT_HOME": str(tmp_path / "state")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
            timeout=60,
            **others,
        )

    return run

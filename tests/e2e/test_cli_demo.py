"""``sft demo`` as its readers run it: anywhere, without a terminal."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli_world import SFT, environment, ran


@pytest.fixture
def scratch() -> Iterator[Path]:
    # Of a short path: the server's home in it has a socket.
    with tempfile.TemporaryDirectory(prefix="d") as folder:
        yield Path(folder)


def test_the_demo_does_what_it_says_and_leaves_nothing(scratch: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environ = environment() | {"TMPDIR": str(scratch)}
    demo = ran(
        [*SFT, "demo", "--size", "4", "--files", "300", "--json"], elsewhere, environ, seconds=240
    )
    document = json.loads(demo.out)
    told = [step["step"] for step in document["steps"]]
    assert demo.status == document["exit"] == 0, "\n".join(told)
    assert all(step["ok"] for step in document["steps"])
    for expected in (
        "private server started",
        "ada joined as admin",
        "max joined as maintainer and gus as guest",
        "gus got and verified 300 files",
        "gus got and verified big.bin, 4.0 MiB",
        "Guests do not store files [ROLE_FORBIDS]",
        "one byte changed in the vault",
        "minisign",
    ):
        assert any(expected in step for step in told), expected
    assert os.listdir(scratch) == []
    assert os.listdir(elsewhere) == []
    pid = int(
        next(step for step in told if "process" in step).partition("process ")[2].split(",")[0]
    )
    assert not Path(f"/proc/{pid}").exists()

"""``sft demo`` as its readers run it: a journey without a terminal, the full-screen UI on one."""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import PtyTerminal, sft_on_terminal
from tests.json_shapes import commands, faults
from tests.processes import clean_environment, run, script

# A server and a dozen commands, each a process that starts.
pytestmark = pytest.mark.long


@pytest.fixture
def scratch() -> Iterator[Path]:
    # Of a short path: the server's home in it has a socket.
    with tempfile.TemporaryDirectory(prefix="d") as folder:
        yield Path(folder)


def test_the_demo_does_what_it_says_and_leaves_nothing(scratch: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environ = clean_environment() | {"TMPDIR": str(scratch)}
    words = ("demo", "--size", "17", "--files", "30", "--json")
    demo = run(script("sft"), *words, cwd=elsewhere, env=environ)
    document = json.loads(demo.stdout)
    assert faults(document, commands()["sft demo"]) == []
    told = [step["step"] for step in document["steps"]]
    assert demo.returncode == document["exit"] == 0, "\n".join(told)
    assert all(step["ok"] for step in document["steps"])
    for expected in (
        "private server started",
        "ada joined as admin",
        "max joined as maintainer and gus as guest",
        "gus got and verified 30 files",
        "gus got and verified big.bin, 17 MiB",
        "Guests do not store files [ROLE_FORBIDS]",
        "one byte changed in the vault",
        "a file forged with all of the server's keys: The bytes of invoice.txt are not what max signed",
        "minisign",
    ):
        assert any(expected in step for step in told), expected
    assert os.listdir(scratch) == []
    assert os.listdir(elsewhere) == []
    pid = int(next(step for step in told if "process" in step).partition("process ")[2].split(",")[0])
    assert not Path(f"/proc/{pid}").exists()


def listening(folder: Path) -> list[int]:
    """Processes whose command line names a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{folder}/sft-demo-".encode() in words:
            found.append(int(entry.name))
    return found


def on_terminal(scratch: Path, tmp_path: Path, *arguments: str) -> PtyTerminal:
    environ = clean_environment() | {"TMPDIR": str(scratch), "SFT_HOME": str(tmp_path / "mine")}
    # A shell's own choices must not lead out of the demo.
    environ |= {"SFT_PROFILE": "nobody", "SFT_PASSPHRASE_FILE": "/nonexistent"} if arguments else {}
    return PtyTerminal(sft_on_terminal(*arguments), tmp_path, environ)


def test_on_a_terminal_the_demo_is_a_server_to_explore_and_leaves_nothing(scratch: Path, tmp_path: Path):
    demo = on_terminal(scratch, tmp_path, "demo")
    try:
        shown = demo.until("handbook/")
        assert "Preparing a private server" in demo.screen.written
        for expected in (
            "handbook/",
            "plans/",
            "python/",
            "staged-forgery/",
            "letter.txt",
            "large.bin",
            "1/5  v on a file",
        ):
            assert expected in shown
        assert "ada · admin" in shown
        assert len(listening(scratch)) == 1
        demo.type("3")
        shown = demo.until(lambda text: "gus" in text and "max" in text)
        assert "maintainer" in shown
        demo.type("]")
        demo.until("eva")
        demo.type("1T")
        demo.until("plans/archive/")
        demo.until("draft.md")
        demo.type("q")
        assert demo.ended() == 0
        assert "The demo is over" in demo.screen.text
        assert "sft join" in demo.screen.text
        assert demo.screen.sane
    finally:
        demo.close()
    assert os.listdir(scratch) == []
    assert listening(scratch) == []
    assert not (tmp_path / "mine").exists()


def test_a_demo_begun_from_the_welcome_ends_even_with_a_killed_sft(scratch: Path, tmp_path: Path):
    sft = on_terminal(scratch, tmp_path)
    try:
        sft.until("Explore a demo")
        sft.type("\x1bOQ")  # F2
        shown = sft.until("handbook/")
        assert re.search(r"demo +ada", shown)
        assert len(listening(scratch)) == 1
        sft.process.send_signal(signal.SIGKILL)
        sft.process.wait()
    finally:
        sft.close()
    deadline = time.monotonic() + 30
    while listening(scratch):
        assert time.monotonic() < deadline
        time.sleep(0.05)

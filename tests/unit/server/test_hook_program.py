"""A hook's program: what it gets, what it is kept from, and that it ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sft.limits import HOOK_OUTPUT_BYTES
from sft.server.hook_program import ENVIRONMENT, HookPrograms, ProgramEnd

PATIENCE = 20.0
Runs = Callable[..., ProgramEnd]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    path = tmp_path / "program"

    def run(
        text: str, event: bytes = b"event\n", *, seconds: float = PATIENCE, programs: HookPrograms | None = None
    ) -> ProgramEnd:
        path.write_text(f"import os, sys, time\n{text}\n")
        arguments = (sys.executable, "-SE", str(path), str(tmp_path / "out"))
        return (programs or HookPrograms())(arguments, event, {"SFT_HOOK": "chat"}, seconds=seconds)

    return run


def gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_gets_the_event_and_its_status_and_words_come_back(runs: Runs):
    assert runs("print(sys.stdin.read().upper(), end='')\nsys.exit(3)") == ProgramEnd(3, b"EVENT\n")
    assert runs("sys.stderr.write('no')") == ProgramEnd(0, b"no")


def test_a_long_event_and_a_long_output_pass_one_another(runs: Runs):
    event = b"x" * (1 << 20)
    ended = runs(
        "sys.stdout.write('y' * (1 << 21))\nsys.stdout.flush()\nsys.exit(len(sys.stdin.read()) != 1 << 20)", event
    )
    assert ended == ProgramEnd(0, b"y" * HOOK_OUTPUT_BYTES)


def test_one_that_reads_nothing_may_take_the_event_all_the_same(runs: Runs):
    assert runs("sys.stdin.close()\nsys.exit(0)", b"x" * (1 << 20)).status == 0


def test_it_has_no_open_file_no_environment_and_no_folder_of_the_servers(runs: Runs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SFT_SERVER_MASTER_KEY", "secret")
    pipe = os.pipe()
    os.set_inheritable(pipe[1], True)
    ended = runs(
        "opened = sorted(int(each) for each in os.listdir('/dev/fd'))\n"
        "print(os.getcwd(), os.getpgid(0) == os.getpid(), len(opened), sorted(os.environ))"
    )
    for each in pipe:
        os.close(each)
    names = sorted([*ENVIRONMENT, "SFT_HOOK"])
    # Three, and the one that lists them; a Python in the C locale adds nothing, for LANG is set.
    assert ended == ProgramEnd(0, f"/ True 4 {names}\n".encode())


def test_it_is_below_others_in_priority(runs: Runs):
    # It may have begun before that was changed.
    ended = runs(
        "until = time.monotonic() + 10\nwhile os.nice(0) < 10 and time.monotonic() < until: pass\nsys.exit(os.nice(0))"
    )
    assert ended.status == max(10, os.nice(0))


def test_one_that_goes_on_is_killed_at_its_time(runs: Runs, tmp_path: Path):
    began = time.monotonic()
    ended = runs("print(os.getpid(), flush=True)\nsys.stdin.close()\nsys.stdout.close()\ntime.sleep(600)", seconds=1.0)
    assert ended.status is None
    assert time.monotonic() - began < PATIENCE / 2
    assert gone(int(ended.output))


def test_what_it_leaves_behind_is_killed_and_not_waited_for(runs: Runs):
    began = time.monotonic()
    ended = runs("child = os.fork()\nif child:\n    print(child, flush=True)\nelse:\n    time.sleep(600)")
    assert ended.status == 0
    assert time.monotonic() - began < PATIENCE / 2
    until = time.monotonic() + PATIENCE
    while not gone(int(ended.output)) and not _zombie(int(ended.output)):
        assert time.monotonic() < until


def _zombie(number: int) -> bool:
    """Where nobody adopts processes, as in a container, one that was killed stays as a line of a table."""
    stat = Path(f"/proc/{number}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] == "Z"


def test_a_signal_is_told_from_a_status(runs: Runs):
    assert runs("os.kill(os.getpid(), 9)").status == -9


def test_a_stop_kills_what_is_under_way_and_has_nothing_follow(runs: Runs, tmp_path: Path):
    programs, out = HookPrograms(), tmp_path / "out"

    def cut() -> None:
        until = time.monotonic() + PATIENCE
        while not out.exists() and time.monotonic() < until:
            time.sleep(0.01)
        programs.cut()

    cutting = threading.Thread(target=cut)
    cutting.start()
    began = time.monotonic()
    with pytest.raises(OSError, match="the server stops"):
        runs("open(sys.argv[1], 'w').close()\ntime.sleep(600)", programs=programs)
    cutting.join()
    assert time.monotonic() - began < PATIENCE
    with pytest.raises(OSError, match="the server stops"):
        runs("", programs=programs)


def test_one_that_is_not_there_is_a_fault():
    with pytest.raises(FileNotFoundError):
        HookPrograms()(("/nowhere/at-all",), b"", {}, seconds=1)

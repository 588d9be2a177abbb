"""Signals come to whole processes, so these tests run some."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import sft
from sft.cli.run import Interrupted, handled, interruptible
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.crypto import key_file
from tests.unit.client.both_loops import Peer
from tests.unit.client.memory_server import ADA_KEY, SERVER, SERVER_KEY

ROOT = Path(sft.__file__).parent.parent

PREAMBLE = """
import sys
from sft.cli.run import Interrupted, EXECUTE as execute
from sft.client.concurrency import pause
from sft.client.loop import running_tasks

def for_ever():
    return running_tasks().waiting()

def say(text):
    print(text, flush=True)

def ends_with(act):
    try:
        say(f"gave {execute(act, say)}")
    except Interrupted as interrupted:
        say(f"interrupted {interrupted.exit_status}")
    except ValueError as error:
        say(f"raised {error}")
"""

WAITS = """
async def act(reactor):
    say("ready")
    try:
        await for_ever()
    except running_tasks().cancelled:
        say("cancelled")
        await pause(reactor, 0.05)
        say("cleaned up")
        raise
ends_with(act)
"""

HANGS = """
async def act(reactor):
    say("ready")
    try:
        await for_ever()
    finally:
        say("cancelled")
        await for_ever()
ends_with(act)
"""


@pytest.fixture(params=["execute", "execute_plain"])
def execute(request):
    """The two ways to run a command's coroutine."""
    return request.param


class Child:
    def __init__(self, script: str, execute: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE.replace("EXECUTE", execute) + script],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout

    def line(self) -> str:
        return self.out.readline().strip()

    def rest(self) -> tuple[list[str], str, int]:
        out, err = self.process.communicate(timeout=30)
        return out.splitlines(), err, self.process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_waits_for_the_clean_up(number, execute):
    child = Child(WAITS, execute)
    assert child.line() == "ready"
    child.process.send_signal(number)
    out, err, _ = child.rest()
    assert out == ["cancelled", "cleaned up", f"interrupted {128 + number}"]
    assert not err


@pytest.mark.every_run
def test_a_second_signal_ends_at_once(execute):
    child = Child(HANGS, execute)
    assert child.line() == "ready"
    child.process.send_signal(signal.SIGTERM)
    assert child.line() == "cancelled"
    child.process.send_signal(signal.SIGINT)
    out, err, status = child.rest()
    assert (out, err, status) == ([], "", 130)


def test_a_signal_that_interrupts_no_wait_is_heard_at_once(execute):
    """Another thread takes it while the main one waits, as when it comes just before the wait: no system call ends by it."""
    child = Child(
        "import os, signal, threading\n"
        "main = f'/proc/self/task/{os.getpid()}/syscall'\n"
        "def when_it_waits():\n"
        "    while open(main).read().split()[0] not in ('22', '232', '281', '7', '73', '271'):  # epoll_wait, poll\n"
        "        pass\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "async def act(reactor):\n"
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})\n"
        "    threading.Thread(target=when_it_waits, daemon=True).start()\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "    await for_ever()\n"
        "ends_with(act)\n",
        execute,
    )
    assert child.rest()[0] == [f"interrupted {128 + signal.SIGTERM}"]


def test_a_result_comes_back(execute):
    child = Child("async def act(reactor):\n    return 7\nends_with(act)\n", execute)
    assert child.rest()[0] == ["gave 7"]


def test_an_error_comes_back(execute):
    child = Child("async def act(reactor):\n    raise ValueError('odd')\nends_with(act)\n", execute)
    assert child.rest()[0] == ["raised odd"]


@pytest.mark.every_run
def test_a_fault_that_nobody_caught_goes_to_the_log_and_not_to_the_terminal():
    child = Child(
        "import gc\n"
        "from twisted.internet.defer import fail\n"
        "async def act(reactor):\n"
        "    fail(ZeroDivisionError('lost'))\n"
        "    gc.collect()\n"
        "    return 1\n"
        "ends_with(act)\n",
        "execute",
    )
    out, err, status = child.rest()
    assert not err
    assert any("ZeroDivisionError: lost" in line for line in out)
    assert (out[-1], status) == ("gave 1", 0)


def test_a_command_that_is_interrupted_while_the_server_is_silent_leaves_as_one_that_closes(tmp_path):
    started = []

    def interrupts(far):
        far.log_in()
        far.asked()
        started[0].send_signal(signal.SIGINT)
        return far.farewell()

    peer = Peer(interrupts)
    state = StateFolder(tmp_path, tmp_path)
    state.write("keys/ada.key", key_file.encode(ADA_KEY, None).encode())
    Profiles(state).add(
        Profile(
            name="acme", server_name="acme-files", host="127.0.0.1", port=peer.port,
            server_key=SERVER_KEY.public.point, server_id=SERVER.server_id, public_key=ADA_KEY.public.encode(),
            key_file="keys/ada.key", device="laptop", user_name="ada", user_id=7, role="maintainer", joined_at=1,
        )
    )  # fmt: skip
    started.append(
        subprocess.Popen(
            [sys.executable, "-c", "from sft.cli.entry import run; run()", "ls"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "SFT_HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    out, err = started[0].communicate(timeout=60)
    peer.end()
    assert (out, err, started[0].returncode) == ("", "Stopped.\n", 130)
    assert peer.results == [True]


def test_what_may_run_for_months_is_collected():
    child = Child(
        "import gc\n"
        "gc.disable()\n"
        "async def act(reactor):\n"
        "    return gc.isenabled() and gc.get_freeze_count() > 1000\n"
        "ends_with(act)\n",
        "execute",
    )
    assert child.rest()[0] == ["gave True"]


def test_timers_go_by_the_monotonic_clock(execute):
    child = Child(
        "import time\nasync def act(reactor):\n    return reactor.seconds is time.monotonic\nends_with(act)\n", execute
    )
    assert child.rest()[0] == ["gave True"]


def test_a_question_is_interrupted_where_it_blocks():
    with pytest.raises(Interrupted) as raised, interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.exit_status == 143


@pytest.mark.every_run
def test_handlers_come_back_after_the_block():
    before = signal.getsignal(signal.SIGINT)
    with handled(lambda *_: None):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before

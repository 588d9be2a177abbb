"""However the UI ends, the terminal is as it was: its modes, its screen, its cursor; and the status says how it ended."""

from __future__ import annotations

import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import IN_FRONT, RUN, PtyTerminal, sft_on_terminal
from tests.processes import clean_environment

NewTerminal = Callable[..., PtyTerminal]

HANG = """
import asyncio
import tui.runtime.loop
tui.runtime.loop._END_SECONDS = 3600
from textual.events import Key
from tui.app import SftApp
before = SftApp.on_event
async def on_event(self, event):
    if isinstance(event, Key):
        self._driver.write("hangs")
        await asyncio.Event().wait()
    await before(self, event)
SftApp.on_event = on_event
"""
# Standard error may go elsewhere: the screen does not.
NOTED = "import os; os.dup2(os.open('errors', os.O_WRONLY | os.O_CREAT, 0o600), 2)"
CRASH = """
from textual.events import Key
from tui.app import SftApp
before = SftApp.on_event
async def on_event(self, event):
    secret = "a local value"
    if isinstance(event, Key):
        raise RuntimeError("a fault of ours")
    await before(self, event)
SftApp.on_event = on_event
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[NewTerminal]:
    """Opens terminals: ``terminal(command)``."""
    opened: list[PtyTerminal] = []

    def open_one(command: list[str]) -> PtyTerminal:
        environ = clean_environment() | {"SFT_HOME": str(tmp_path / "state")}
        opened.append(PtyTerminal(command, tmp_path, environ))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def welcomed(terminal: NewTerminal, first: str = "") -> PtyTerminal:
    opened = terminal(sft_on_terminal(first=first))
    opened.until("Paste the invitation")
    assert opened.modes != opened.before
    assert not opened.screen.sane
    return opened


def assert_as_it_was(opened: PtyTerminal) -> None:
    assert opened.modes == opened.before
    assert opened.screen.sane, opened.screen.modes
    assert "Traceback" not in opened.screen.written


@pytest.mark.every_run
def test_quitting_is_status_0_whatever_was_typed_before(terminal: NewTerminal, tmp_path: Path):
    opened = welcomed(terminal, NOTED)
    opened.type("\x1a")
    opened.until("No shell waits here")
    opened.type(b"\xff\xfe\x80")  # no text, and so no key
    opened.type("\x03")
    opened.until("Quit sft?")
    opened.type("q")
    assert opened.ended() == 0
    assert_as_it_was(opened)
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.long
def test_the_interrupt_key_asks_once_and_leaves_twice(terminal: NewTerminal):
    opened = welcomed(terminal)
    opened.type("\x03")
    opened.until("Quit sft?")
    opened.type("\x03")
    assert opened.ended() == 130
    assert_as_it_was(opened)


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(number, marks=pytest.mark.long) for number in (signal.SIGINT, signal.SIGHUP))],
)
def test_a_signal_leaves_in_order(terminal: NewTerminal, number: signal.Signals):
    opened = welcomed(terminal)
    opened.process.send_signal(number)
    assert opened.ended() == 128 + number
    assert_as_it_was(opened)


@pytest.mark.long
def test_a_second_signal_ends_what_hangs(terminal: NewTerminal):
    opened = welcomed(terminal, HANG)
    opened.type("x")
    opened.until("hangs")
    opened.process.send_signal(signal.SIGTERM)
    opened.process.send_signal(signal.SIGINT)
    assert opened.ended() in {128 + signal.SIGTERM, 128 + signal.SIGINT}
    assert_as_it_was(opened)


def test_a_fault_of_ours_is_a_reference_and_its_details_are_in_the_log(terminal: NewTerminal, tmp_path: Path):
    opened = welcomed(terminal, CRASH)
    opened.type("x")
    assert opened.ended() == 11
    assert_as_it_was(opened)
    log = (tmp_path / "state" / "sft.log").read_text()
    reference = log.splitlines()[0].removeprefix("-- ")
    assert f"Report it with the reference {reference}." in opened.screen.text
    assert f"Details: {tmp_path / 'state' / 'sft.log'}" in opened.screen.written
    assert "RuntimeError: a fault of ours" in log
    assert "a local value" not in opened.screen.written


@pytest.mark.long
def test_a_terminal_that_goes_away_ends_it(terminal: NewTerminal):
    opened = welcomed(terminal)
    opened.hang_up()
    assert opened.process.wait(30) == 128 + signal.SIGHUP


@pytest.mark.long
def test_stopped_by_the_shell_and_back_again(terminal: NewTerminal):
    # With another program of the same job above it, as make is.
    sft = f'{sys.executable} -P -c "{RUN}"'
    shell = f"{IN_FRONT}import os; os.execv('/bin/bash', ['bash', '--norc', '--noediting', '-i'])"
    opened = terminal([sys.executable, "-P", "-c", shell])
    opened.type(f"PS1='ready> '; (:; {sft}; echo over $?)\n")
    opened.until("Paste the invitation")
    before = opened.before[3]
    opened.type("\x1a")
    opened.until("Stopped")
    assert opened.screen.sane, opened.screen.modes
    assert opened.modes[3] == before
    opened.type("fg\n")
    opened.until("Paste the invitation")
    assert opened.modes[3] != before
    opened.type("\x11")
    opened.until("over 0")
    assert opened.screen.sane
    assert opened.modes[3] == before
    assert before & (termios.ECHO | termios.ICANON)

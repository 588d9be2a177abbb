"""The full-screen UI as a person has it: in a terminal, against a real server, by keys alone.

The terminal is tmux, a real one; where it is not installed, a pty and our own reading of what is written on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import PtyTerminal, TmuxTerminal
from tests.processes import Person, ServerProcess, script

DOWN, TAB, ENTER = "\x1b[B", "\t", "\r"
PASSPHRASE = "a long way to the harbor"
KIND = TmuxTerminal if shutil.which("tmux") else PtyTerminal

Terminal = TmuxTerminal | PtyTerminal

pytestmark = pytest.mark.long


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[[Person], Terminal]]:
    """Opens the UI as a person, in a folder of their own."""
    terminals: list[Terminal] = []

    def open_one(person: Person) -> Terminal:
        desk = person.folder / "desk"
        desk.mkdir(exist_ok=True)
        environ = {**person.environment, "LC_ALL": "C.UTF-8"}
        terminals.append(KIND([script("sft")], desk, environ))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


def test_joined_stored_got_and_unlocked_by_keys_alone(
    new_server: Callable[..., ServerProcess],
    new_person: Callable[[str], Person],
    opened: Callable[[Person], Terminal],
    folder: Path,
):
    server = new_server("--name", "harbor")
    server.start()
    ada, max_ = new_person("ada"), new_person("max")
    ada.join(server, "admin")
    (folder / "tides.txt").write_bytes(b"high at noon\n")
    assert ada.sft("put", str(folder / "tides.txt")).returncode == 0
    desk = max_.folder / "desk"
    desk.mkdir()
    (desk / "cargo.txt").write_bytes(b"forty crates\n")
    invitation = ada.sft("invite", "--role", "maintainer").stdout.strip()

    terminal = opened(max_)
    terminal.until("Paste the invitation")
    terminal.paste(invitation)
    terminal.until("harbor at 127.0.0.1")
    terminal.type(ENTER)
    terminal.until("your name")
    terminal.type(f"max{TAB}{PASSPHRASE}{TAB}{PASSPHRASE}{TAB}{ENTER}")
    shown = terminal.until("tides.txt")
    assert "cargo.txt" in shown
    assert "max" in shown.splitlines()[0]

    terminal.type(f"{TAB}{DOWN}")
    terminal.until("Put→")
    terminal.type("c")
    terminal.until("cargo.txt: stored as version 1")
    assert ada.sft("get", "cargo.txt", "--to", str(folder / "got")).returncode == 0
    assert (folder / "got" / "cargo.txt").read_bytes() == b"forty crates\n"
    assert "max" in ada.sft("info", "cargo.txt").stdout

    terminal.type(TAB)
    terminal.until("←Get")
    terminal.type("Gc")  # the last line
    terminal.until("tides.txt: here, verified: by ada")
    assert (desk / "tides.txt").read_bytes() == b"high at noon\n"
    terminal.type("q")
    assert terminal.ended() == 0

    again = opened(max_)
    again.until("assphrase")
    again.type(f"{PASSPHRASE}{ENTER}")
    again.until(lambda text: text.count("tides.txt") == 2)
    again.type("q")
    assert again.ended() == 0
    assert ada.sft("ls").stdout.split() == ["cargo.txt", "tides.txt"]

"""The full-screen UI as a person has it: in a terminal, against a real server, by keys alone.

The terminal is tmux, a real one; where it is not installed, a pty and our own reading of what is written on it.
"""

from __future__ import annotations

import json
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


def test_what_happened_is_followed_proved_checked_and_written_down_by_keys_alone(
    new_server: Callable[..., ServerProcess],
    new_person: Callable[[str], Person],
    opened: Callable[[Person], Terminal],
    folder: Path,
):
    server = new_server("--name", "harbor")
    server.start()
    ada, max_ = new_person("ada"), new_person("max")
    ada.join(server, "admin")
    max_.join(server, "maintainer")
    for name in ("tides", "cargo"):
        (folder / f"{name}.txt").write_bytes(name.encode())
    assert max_.sft("put", str(folder / "tides.txt")).returncode == 0

    terminal = opened(ada)
    terminal.until("tides.txt")
    terminal.type("4")
    terminal.until(lambda text: "proof ✓ checked to" in text and "/tides.txt" in text)
    assert max_.sft("put", str(folder / "cargo.txt")).returncode == 0
    shown = terminal.until("/cargo.txt")  # by itself
    assert shown.index("/cargo.txt") < shown.index("/tides.txt")

    terminal.type(f"g{ENTER}")
    shown = terminal.until("PROOF")
    assert "cargo.txt" in shown
    terminal.type(ENTER)
    terminal.until(lambda text: "PROOF" not in text)
    terminal.type("V")
    terminal.until("The log of harbor holds, from its first leaf to")
    terminal.type(ENTER)
    terminal.until(lambda text: "from its first leaf to" not in text)

    terminal.type("/")
    terminal.type("user:max tides")
    terminal.until(lambda text: "1 of " in text and "/cargo.txt" not in text)
    terminal.type(ENTER)
    terminal.type("e")
    terminal.until("-log.jsonl")
    terminal.type(ENTER)
    terminal.until("Written to")  # the path may leave the rest no room
    (written,) = (ada.folder / "desk").glob("*-log.jsonl")
    (found,) = map(json.loads, written.read_text(encoding="ascii").splitlines())
    assert (found["actor"], found["act"], found["path"], found["proved"]) == ("max", "store", "tides.txt", True)
    terminal.type("q")
    assert terminal.ended() == 0

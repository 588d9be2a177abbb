"""What only a process of ``sft`` shows: terminal, signals, pipes; what commands mean is tested in ``tests/integration``."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import PtyTerminal, sft_on_terminal
from tests.processes import Person, ServerProcess, all_good

OnTerminal = Callable[..., PtyTerminal]


@pytest.fixture(scope="module")
def ada(module_server: ServerProcess) -> Person:
    return module_server.new_person("ada", "admin")


@pytest.fixture
def on_terminal() -> Iterator[OnTerminal]:
    """Runs commands on terminals of their own: ``on_terminal(person, *arguments)``."""
    opened: list[PtyTerminal] = []

    def run(person: Person, *arguments: str) -> PtyTerminal:
        opened.append(PtyTerminal(sft_on_terminal(*arguments), person.folder, person.environment))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.mark.long
def test_a_person_joins_at_a_terminal_and_unlocks_the_key(module_server: ServerProcess, on_terminal: OnTerminal):
    max_ = module_server.new_person("max")
    link = module_server.operate("invite", "--user", "max", "--role", "maintainer").stdout.strip()
    join = on_terminal(max_, "join")
    join.until("Paste the invitation, then Enter:")
    # A mail program broke the line.
    join.type(f"{link[:60]}\n  {link[60:]}\n")
    join.until("You will be maintainer.")
    join.until("Name of this computer [")
    join.type("desk\n")
    join.until("New passphrase, to protect your key on this computer (Enter for none):")
    join.type("correct horse\n")
    join.until("Again:")
    join.type("correct horse\n")
    assert join.ended() == 0
    assert "Joined " in join.screen.written
    assert "correct horse" not in join.screen.written

    who = on_terminal(max_, "whoami")
    asks = "Passphrase of your key for"
    who.until(asks)
    who.type("wrong\n")
    who.until(lambda text: text.count(asks) == 2)
    assert "That passphrase does not open the key." in who.screen.written
    who.type("\x03")
    assert who.ended() == 130


@pytest.mark.long
def test_a_bar_is_drawn_on_a_terminal_and_cleared(ada: Person, on_terminal: OnTerminal):
    (ada.folder / "bar.bin").write_bytes(os.urandom(48_000_000))
    put = on_terminal(ada, "put", "bar.bin")
    assert put.ended() == 0
    assert "bar.bin  ━" in put.screen.written
    assert "stored    bar.bin" in put.screen.text
    assert "━" not in put.screen.text


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_an_interrupted_put_leaves_nothing(ada: Person, number: int):
    name = f"interrupted-{number}.bin"
    put = ada.begin("put", "-", "--as", name, "--progress", "json", stdin=subprocess.PIPE)
    assert put.stdin is not None
    assert put.stderr is not None
    put.stdin.write("p" * 60_000)
    put.stdin.flush()
    assert '"stage": "sending"' in put.stderr.readline()
    put.send_signal(number)
    # Its input stays open: it is the signal that ends it.
    assert put.wait(60) == 128 + number
    out, err = put.communicate()
    assert "Stopped. Nobody sees a partial file." in err
    assert "Traceback" not in err
    assert not out
    assert ada.sft("ls", name).returncode == 3


def test_an_interrupted_watch_ends_well(ada: Person):
    (ada.folder / "watched").mkdir()
    (ada.folder / "watched" / "a.txt").write_bytes(b"a")
    watch = ada.begin("watch", "watched", ":inbox", "--settle", "0", "--interval", "0.1")
    assert watch.stdout is not None
    assert watch.stdout.readline() == "stored  inbox/a.txt  v1  1 B\n"
    watch.send_signal(signal.SIGINT)
    assert watch.wait(60) == 0
    out, err = watch.communicate()
    assert out == "Watched: stored 1; 1 B.\n"
    assert "Traceback" not in err


@pytest.mark.long
def test_an_interrupted_get_leaves_nothing(ada: Person):
    (ada.folder / "large.bin").write_bytes(os.urandom(64_000_000))
    assert ada.sft("put", "large.bin").returncode == 0
    get = ada.begin("get", "large.bin", "--to", "interrupted", "--progress", "json")
    assert get.stderr is not None
    assert '"stage": "receiving"' in get.stderr.readline()
    get.send_signal(signal.SIGINT)
    _, err = get.communicate(timeout=60)
    assert get.returncode == 130, err
    assert list((ada.folder / "interrupted").rglob("*")) == []


def test_no_secret_is_ever_in_an_argument_or_in_the_log(module_server: ServerProcess):
    eva = module_server.new_person("eva")
    link = module_server.operate("invite", "--role", "maintainer").stdout.strip()
    (eva.folder / "words").write_text("open sesame 4711\n", encoding="utf-8")
    (eva.folder / "words").chmod(0o600)
    eva.environment["SFT_PASSPHRASE_FILE"] = str(eva.folder / "words")
    joining = eva.begin("join", "--user", "eva", stdin=subprocess.PIPE)
    # It waits for its input: now it is what it will be.
    process = Path(f"/proc/{joining.pid}")
    seen = b"".join((process / name).read_bytes() for name in ("cmdline", "environ"))
    out, err = joining.communicate(link + "\n", timeout=60)
    assert joining.returncode == 0, err
    secret = link.partition("#")[2]
    everything = seen + out.encode() + err.encode() + module_server.log.read_bytes()
    assert b"join" in everything
    for hidden in (secret[:40], secret[-30:], "open sesame"):
        assert hidden.encode() not in everything


@pytest.mark.long
def test_processes_of_one_person_do_not_disturb_one_another(ada: Person):
    for name in "abc":
        (ada.folder / f"{name}.bin").write_bytes(name.encode() * 300_000)
    all_good([ada.begin("put", "--json", f"{name}.bin") for name in "abc"])
    # Getting pins keys, keeps receipts, writes the state: three at once share it.
    all_good([ada.begin("get", "--json", f"{name}.bin", "--to", f"got-{name}") for name in "abc"])
    # Two begin to store one name: one stores it, the other is told so, or that it is there.
    both = [ada.begin("put", "--json", "a.bin", "--as", "same.bin") for _ in range(2)]
    results = [document["items"][0]["result"] for document in all_good(both)]
    assert sorted(results) in (["stored", "unchanged"], ["stored", "stored"])
    listed = {each["path"]: each["version"] for each in ada.sft_json("ls")}
    assert listed["same.bin"] == 1
    assert len(ada.sft_json("servers")) == 1

"""What goes wrong: servers that are away or are others, keys that are locked, and interrupts."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.cli_world import SFT, CliWorld, running


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cli-trouble")) as world:
        world.join("ada", "admin")
        yield world


class OnTerminal:
    """A command on a terminal of its own."""

    def __init__(self, world: CliWorld, who: str, *arguments: str) -> None:
        master, slave = pty.openpty()
        self.master = master
        self.seen = ""
        self.process = subprocess.Popen(
            ["/usr/bin/setsid", "--ctty", "--wait", *SFT, *arguments],
            cwd=world.folder,
            env=world.environ(who, TERM="xterm", CI=""),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def until(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += self._read()
        found, _, self.seen = self.seen.partition(text)
        return found

    def answer(self, text: str) -> None:
        os.write(self.master, f"{text}\n".encode())

    def ended(self) -> int:
        while chunk := self._read():
            self.seen += chunk
        os.close(self.master)
        return self.process.wait(60)

    def _read(self) -> str:
        try:
            return os.read(self.master, 65_536).decode(errors="replace")
        except OSError:  # the other end is closed
            return ""


def test_a_person_joins_at_a_terminal_and_unlocks_the_key(world: CliWorld):
    link = world.sft("ada", "invite", "--user", "max", "--role", "maintainer").out.strip()
    join = OnTerminal(world, "max", "join")
    join.until("Paste the invitation, then Enter: ")
    # A mail program broke the line.
    join.answer(f"{link[:60]}\n  {link[60:]}")
    join.until("You will be maintainer. ")
    join.until("Passphrase for the key on this computer (empty: none): ")
    join.answer("correct horse")
    join.until("Again: ")
    join.answer("correct horse")
    join.until("This device [")
    join.answer("desk")
    join.until("Joined ")
    assert join.ended() == 0
    assert "correct horse" not in join.seen

    locked = world.sft("max", "whoami")
    assert locked.status == 8
    assert "[KEY_LOCKED]" in locked.err
    secret = world.file("secret", b"correct horse\n")
    assert world.sft("max", "whoami", SFT_PASSPHRASE_FILE=secret).status == 0
    wrong = world.sft("max", "whoami", SFT_PASSPHRASE_FILE=world.file("wrong", b"no"))
    assert wrong.status == 8
    assert "[PASSPHRASE_WRONG]" in wrong.err

    who = OnTerminal(world, "max", "whoami")
    who.until("Passphrase of your key for ")
    who.answer("wrong")
    who.until("That passphrase does not open the key.")
    who.until("Passphrase of your key for ")
    who.answer("correct horse")
    who.until("maintainer: ")
    assert who.ended() == 0

    stopped = OnTerminal(world, "max", "whoami")
    stopped.until("Passphrase of your key for ")
    os.write(stopped.master, b"\x03")
    assert stopped.ended() == 130


def test_a_bar_is_drawn_on_a_terminal_and_cleared(world: CliWorld):
    path = world.file("bar.bin", os.urandom(48_000_000))
    put = OnTerminal(world, "ada", "put", path)
    put.until("bar.bin  ━")
    put.until("stored    bar.bin")
    assert put.ended() == 0
    listed = OnTerminal(world, "ada", "ls", "-l", "bar.bin")
    listed.until("·")
    assert listed.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_put_leaves_nothing(world: CliWorld, number: int):
    name = f"interrupted-{number}.bin"
    reading, writing = os.pipe()
    put = subprocess.Popen(
        [*SFT, "put", "-", "--as", name, "--progress", "json"],
        cwd=world.folder,
        env=world.environ("ada"),
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.close(reading)
    os.write(writing, bytes(60_000))
    assert put.stderr is not None
    assert '"stage": "sending"' in put.stderr.readline()
    put.send_signal(number)
    out, err = put.communicate(timeout=60)
    os.close(writing)
    assert put.returncode == 128 + number
    assert "Stopped. Nobody sees a partial file." in err
    assert "Traceback" not in err
    assert not out
    assert world.sft("ada", "ls", name).status == 3


def test_an_interrupted_get_leaves_nothing(world: CliWorld):
    path = world.file("large.bin", os.urandom(64_000_000))
    assert world.sft("ada", "put", path).status == 0
    target = world.folder / "interrupted"
    get = subprocess.Popen(
        [*SFT, "get", "large.bin", "--to", str(target), "--progress", "json"],
        cwd=world.folder,
        env=world.environ("ada"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert get.stderr is not None
    assert '"stage": "receiving"' in get.stderr.readline()
    get.send_signal(signal.SIGINT)
    _, err = get.communicate(timeout=60)
    assert get.returncode == 130, err
    assert [str(left) for left in target.rglob("*")] == []


def test_a_server_that_is_away(tmp_path: Path):
    with running(tmp_path) as world:
        world.join("ada", "admin")
        world.stop()
        away = world.sft("ada", "ls")
        assert away.status == 6
        assert (
            f"127.0.0.1:{world.port} does not answer (connection refused) [UNREACHABLE]" in away.err
        )
        assert "sft servers address " in away.err
        document = world.sft("ada", "ls", "--json").document
        assert (document["error"]["code"], document["error"]["exit"]) == ("UNREACHABLE", 6)


def test_a_server_that_moved_and_one_that_is_another(tmp_path: Path):
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        one.join("ada", "admin")
        name = one.sft("ada", "servers", "--json").document[0]["profile"]
        there = f"127.0.0.1:{two.port}"
        other = one.sft("ada", "servers", "address", name, there)
        assert other.status == 7
        assert (
            "shows another key than the pinned one. Nothing was sent [SERVER_KEY_CHANGED]"
            in other.err
        )
        assert one.sft("ada", "ls").status == 0
        one.stop()
        one.port = free = two.port + 1 if two.port < 65_000 else two.port - 1
        one.start()
        moved = one.sft("ada", "servers", "address", name, f"127.0.0.1:{free}")
        assert moved.lines == ["Same server: its key is the pinned one."]
        assert one.sft("ada", "ls").status == 0


def test_a_changed_byte_on_the_servers_disk(tmp_path: Path):
    with running(tmp_path) as world:
        world.join("ada", "admin")
        world.sft("ada", "put", world.file("a.bin", os.urandom(1_000_000)))
        files = [path for path in world.home.rglob("*") if path.is_file()]
        sealed = [path for path in files if path.stat().st_size > 1_000_000]
        stored = min(sealed, key=lambda path: path.stat().st_size)
        content = bytearray(stored.read_bytes())
        content[len(content) // 2] ^= 1
        stored.write_bytes(content)
        damaged = world.sft("ada", "get", "a.bin", "--to", "out")
        assert damaged.status == 7
        assert "[CONTENT_DAMAGED]" in damaged.err
        assert list((world.folder / "out").rglob("*")) == []


def test_nothing_that_fails_shows_a_traceback(world: CliWorld, tmp_path: Path):
    (tmp_path / "file").write_text("")
    unusable = world.sft("ada", "ls", SFT_HOME=str(tmp_path / "file"))
    assert unusable.status == 10
    assert "Traceback" not in unusable.err
    os.mkfifo(tmp_path / "fifo")
    odd = world.sft("ada", "put", str(tmp_path / "fifo"))
    assert odd.status == 10
    assert "is not a regular file [LOCAL_FILE]" in odd.err

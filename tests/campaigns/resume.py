"""Kill client and server in the middle of transfers, again and again: each is whole in the end, and little moves twice.

    python tests/campaigns/resume.py [--kills 100] [--seed 1] [--lanes 2] [--folder DIR]

A large file or a folder goes one way. When so many bytes have passed, or at a moment, drawn from the seed, the client or the
server dies (SIGKILL); the server is started unattended, and the same command, ``sft resume``, or the client by itself goes on.
In the end the content is the same and verified. A relay counts what passes: beyond the content itself, each interruption may
cost one segment of each file that was under way, and what was in flight. Each lane has a server and a person of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sft.limits import MIB, SEGMENT_BYTES
from tests.processes import Person, ServerProcess, say

LARGE_BYTES = 88 * MIB + 12_345
FOLDER = (30 * MIB + 7, 24 * MIB, 41 * MIB + 1, *(4_000 + n for n in range(40)))
IN_FLIGHT_BYTES = 10 * MIB  # credit, and what three sockets of the loopback hold
OVERHEAD = 40  # frames, tags, questions and logins take less than a fortieth
WITHIN_BYTES = 40 * MIB  # of one run, before it is cut off: most transfers see several
PATIENCE_SECONDS = 300
SOON_SECONDS = 10  # a client of its own accord waits for a quarter of a minute


class CountingRelay:
    """Passes bytes on to a server's port, and counts them: those to the server, and those from it."""

    def __init__(self, port: int) -> None:
        self.counts = [0, 0]
        self._moved = threading.Condition()
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Take nobody any more; who is there stays until one of the ends goes."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._accepting.join()
        self._listener.close()

    def wait(self, direction: int, amount: int, over: Callable[[], bool]) -> None:
        """Wait until so many bytes more have passed, or it is over."""
        with self._moved:
            bound = self.counts[direction] + amount
            while self.counts[direction] < bound and not over():
                self._moved.wait(0.1)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=self._pass, args=(far, near, 1), daemon=True)
            back.start()
            self._pass(near, far, 0)
            back.join()

    def _pass(self, one: socket.socket, other: socket.socket, direction: int) -> None:
        try:
            while data := one.recv(256 * 1024):
                with self._moved:
                    self.counts[direction] += len(data)
                    self._moved.notify_all()
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            # Not closed here: the thread of the other direction still reads one of them, and would wait for ever.
            for each in (one, other):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


@dataclass
class Tally:
    """What a lane saw."""

    kills: Counter[str] = field(default_factory=Counter)
    transfers: Counter[str] = field(default_factory=Counter)
    again_bytes: int = 0
    most_bytes: int = 0  # again, for one interruption of one file, in the mean of a transfer

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.kills + other.kills,
            self.transfers + other.transfers,
            self.again_bytes + other.again_bytes,
            max(self.most_bytes, other.most_bytes),
        )

    def __str__(self) -> str:
        return (
            f"{self.kills['client']} kills of the client and {self.kills['server']} of the server in "
            f"{self.transfers['put']} puts and {self.transfers['get']} gets; again {self.again_bytes / MIB:.0f} MiB, "
            f"at most {self.most_bytes / MIB:.1f} MiB for an interruption of a file"
        )


class Campaign:
    """One server, one person behind a relay, and what they move."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir()
        self.draw = random.Random(seed)
        self._pool = self.draw.randbytes(LARGE_BYTES)
        self.server, self.person = ServerProcess(folder), Person(folder, "max")
        self.tally = Tally()
        self.server.start()
        self.person.join(self.server, "maintainer")
        self.relay = CountingRelay(self.server.port)
        (profile,) = self.person.sft_json("servers")
        self.person.sft("servers", "address", profile["profile"], f"127.0.0.1:{self.relay.port}")

    def run(self, enough: Callable[[], bool]) -> None:
        """Move one thing after another until there were enough kills, and check the vault."""
        while not enough():
            self._one()
        report = self.server.operate_json("vault", "check", "--read-data")
        assert isinstance(report, dict)
        assert not report["faults"], report["faults"]

    def _one(self) -> None:
        """Move one thing one way, with some kills on the way."""
        name, way = f"t{self.tally.transfers.total()}", self.draw.choice(("put", "get"))
        contents = self._make(name, FOLDER if self.draw.random() < 0.3 else (LARGE_BYTES,))
        got = self.person.folder / "got"
        put, get = ("put", name), ("get", name, "--to", str(got))
        if way == "get":
            self._whole(put)
        kills_before, counted = self.tally.kills.total(), self.relay.counts[way == "get"]
        for _ in range(self.draw.randint(1, 6)):
            if not self._kill(put if way == "put" else get, int(way == "get")):
                break
        if self.draw.random() < 0.5:
            self._whole(("resume",))
        self._whole(put if way == "put" else get)
        moved = self.relay.counts[way == "get"] - counted
        kills = self.tally.kills.total() - kills_before
        if way == "put":
            self._whole(get)
        assert not self.person.sft_json("resume", "--list")
        self._compare(name, contents, got)
        self._count(way, contents, moved, kills)

    def _make(self, name: str, sizes: tuple[int, ...]) -> dict[str, bytes]:
        """Make a file, or a folder of several; gives their contents by path."""
        if len(sizes) == 1:
            contents = {name: self._content(sizes[0])}
        else:
            contents = {f"{name}/f{number}": self._content(size) for number, size in enumerate(sizes)}
        for path, content in contents.items():
            local = self.person.folder / path
            local.parent.mkdir(exist_ok=True)
            local.write_bytes(content)
        return contents

    def _content(self, size: int) -> bytes:
        """Begin somewhere in the pool: no two contents have a byte at the same place but by chance."""
        begin = self.draw.randrange(LARGE_BYTES)
        return (self._pool[begin:] + self._pool[:begin])[:size]

    def _whole(self, command: tuple[str, ...]) -> None:
        done = self.person.sft(*command, "--json")
        assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])

    def _kill(self, command: tuple[str, ...], direction: int) -> bool:
        """Begin a command and let one end die in the middle; False if nothing is left to be cut off."""
        victim, by_itself = self.draw.choice(("client", "server")), self.draw.random() < 0.5
        if victim == "server" and by_itself:
            del self.person.environment["SFT_TRIES"]
        before = self.relay.counts[direction]
        running = self.person.begin(*command, "--json")
        self.person.environment["SFT_TRIES"] = "0"
        if victim == "client":
            if alive := self._meet(running, direction):
                self.tally.kills[victim] += 1
                running.kill()
            running.communicate()
            return alive
        goes_on = by_itself
        for _ in range(self.draw.randint(1, 3) if by_itself else 1):
            if not self._meet(running, direction):
                break
            # Who has not begun to transfer, or not even reached the server, is told so, and asks again.
            goes_on = goes_on and self.relay.counts[direction] - before > MIB
            self.tally.kills[victim] += 1
            died = time.monotonic()
            self.server.kill()
            self.server.start()
            goes_on = goes_on and time.monotonic() - died < SOON_SECONDS
        out, err = running.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in err, err
        if goes_on:
            assert running.returncode == 0, (out[-2000:], err[-2000:])
        return running.returncode != 0

    def _meet(self, running: subprocess.Popen[str], direction: int) -> bool:
        """Wait until it is in the middle; False if it has ended."""
        if self.draw.random() < 0.2:
            time.sleep(self.draw.uniform(0, 2.0))  # the moment of death, not a wait for anything
        else:
            self.relay.wait(direction, self.draw.randrange(WITHIN_BYTES), lambda: running.poll() is not None)
        return running.poll() is None

    def _compare(self, name: str, contents: dict[str, bytes], got: Path) -> None:
        for path, content in contents.items():
            assert (got / path).read_bytes() == content, path
        for left in got.rglob(".sft-*"):
            # Of a file of one segment, whose client died: nobody goes on with it, and a later get removes it by its age.
            assert left.stat().st_size <= SEGMENT_BYTES, f"left over: {left}"
            left.unlink()
        for folder in (self.person.folder, got):
            for path in contents:
                (folder / path).unlink()
            if len(contents) > 1:
                (folder / name).rmdir()

    def _count(self, way: str, contents: dict[str, bytes], moved: int, kills: int) -> None:
        size = sum(map(len, contents.values()))
        files = sum(len(content) > SEGMENT_BYTES for content in contents.values())
        again = max(moved - size, 0)
        may = kills * (files * SEGMENT_BYTES + IN_FLIGHT_BYTES) + size // OVERHEAD
        assert again <= may, f"{again} bytes of {size} moved again, for {kills} kills"
        self.tally.transfers[way] += 1
        self.tally.again_bytes += again
        if kills:
            self.tally.most_bytes = max(self.tally.most_bytes, again // (kills * files))

    def end(self) -> None:
        self.server.kill()
        self.relay.close()


def resume(folder: Path, *, kills: int, seed: int, lanes: int) -> Tally:
    """Run the campaign; AssertionError says what was lost, mixed, or moved too often."""
    failed = threading.Event()
    campaigns: list[Campaign] = []

    def seen() -> Tally:
        return sum((campaign.tally for campaign in campaigns), Tally())

    def enough() -> bool:
        say(str(seen()))
        return failed.is_set() or seen().kills.total() >= kills

    def run(campaign: Campaign) -> None:
        try:
            campaign.run(enough)
        except BaseException:
            failed.set()
            raise

    try:
        campaigns.extend(Campaign(folder / str(lane), seed * lanes + lane) for lane in range(lanes))
        with ThreadPoolExecutor(lanes) as pool:
            for each in [pool.submit(run, campaign) for campaign in campaigns]:
                each.result()
    finally:
        for campaign in campaigns:
            campaign.end()
    return seen()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="sft-resume-", dir=options.folder) as folder:
        tally = resume(Path(folder), kills=options.kills, seed=options.seed, lanes=options.lanes)
    say(f"all whole and verified, after {tally}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

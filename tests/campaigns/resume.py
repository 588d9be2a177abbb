"""Kill client and server in the middle of transfers, again and again: each is whole in the end, and little moves twice.

    python tests/campaigns/resume.py [--kills 100] [--seed 1] [--folder DIR]

A large file or a folder goes one way. At moments drawn from the seed the client or the server dies (SIGKILL); the server is
started unattended, and the same command, ``sft resume``, or the client by itself goes on. In the end the content is the same
and verified. A relay counts what passes: beyond the content itself, each interruption may cost one segment of each file that
was under way, and what was in flight.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from sft.limits import MIB, SEGMENT_BYTES
from tests.processes import Person, ServerProcess, say

LARGE_BYTES = 88 * MIB + 12_345
FOLDER = (30 * MIB + 7, 24 * MIB, 41 * MIB + 1, *(4_000 + n for n in range(40)))
IN_FLIGHT_BYTES = 10 * MIB  # credit, and what three sockets of the loopback hold
OVERHEAD = 40  # frames, tags, questions and logins take less than a fortieth
RATE = "80M"  # so that a kill meets the middle
PATIENCE_SECONDS = 300


class CountingRelay:
    """Passes bytes on to a server's port, and counts them: those to the server, and those from it."""

    def __init__(self, port: int) -> None:
        self.counts = [0, 0]
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
                self.counts[direction] += len(data)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            # Not closed here: the thread of the other direction still reads one of them, and would wait for ever.
            for each in (one, other):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


@dataclass
class Tally:
    """What the campaign saw."""

    kills: dict[str, int] = field(default_factory=lambda: {"client": 0, "server": 0})
    transfers: int = 0
    again_bytes: int = 0
    most_bytes: int = 0  # again, for one interruption of one file

    @property
    def all_kills(self) -> int:
        return sum(self.kills.values())


class Campaign:
    """One server, one person behind a relay, and what they move."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.server, self.person = ServerProcess(folder), Person(folder, "max")
        self.tally = Tally()
        self.server.start()
        self.person.join(self.server, "maintainer")
        self.relay = CountingRelay(self.server.port)
        (profile,) = self.person.sft_json("servers")
        self.person.sft("servers", "address", profile["profile"], f"127.0.0.1:{self.relay.port}")

    def run(self, kills: int) -> Tally:
        while self.tally.all_kills < kills:
            self._one()
            say(
                f"{self.tally.transfers} transfers, kills {self.tally.kills}, again {self.tally.again_bytes // MIB} MiB"
            )
        report = self.server.operate_json("vault", "check")
        assert isinstance(report, dict)
        assert not report["faults"], report["faults"]
        return self.tally

    def _one(self) -> None:
        """Move one thing one way, with some kills on the way."""
        name, way = f"t{self.tally.transfers}", self.draw.choice(("put", "get"))
        contents = self._make(name, FOLDER if self.draw.random() < 0.3 else (LARGE_BYTES,))
        got = self.person.folder / "got"
        put, get = ("put", name), ("get", name, "--to", str(got))
        if way == "get":
            self._whole(put)
        kills_before, counted = self.tally.all_kills, self.relay.counts[way == "get"]
        for _ in range(self.draw.randint(1, 4)):
            if not self._kill(put if way == "put" else get):
                break
        if self.draw.random() < 0.5:
            self._whole(("resume",))
        self._whole(put if way == "put" else get)
        moved = self.relay.counts[way == "get"] - counted
        kills = self.tally.all_kills - kills_before
        if way == "put":
            self._whole(get)
        assert not self.person.sft_json("resume", "--list")
        self._compare(name, contents, got)
        self._count(contents, moved, kills)

    def _make(self, name: str, sizes: tuple[int, ...]) -> dict[str, bytes]:
        """Make a file, or a folder of several; gives their contents by path."""
        if len(sizes) == 1:
            contents = {name: self.draw.randbytes(sizes[0])}
        else:
            contents = {f"{name}/f{number}": self.draw.randbytes(size) for number, size in enumerate(sizes)}
        for path, content in contents.items():
            local = self.person.folder / path
            local.parent.mkdir(exist_ok=True)
            local.write_bytes(content)
        return contents

    def _whole(self, command: tuple[str, ...]) -> None:
        done = self.person.sft(*command, "--json")
        assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])

    def _kill(self, command: tuple[str, ...]) -> bool:
        """Begin a command and let one end die in the middle; False if it was over before."""
        victim, by_itself = self.draw.choice(("client", "server")), self.draw.random() < 0.5
        if victim == "server" and by_itself:
            del self.person.environment["SFT_TRIES"]
        running = self.person.begin(*command, "--limit", RATE, "--json", "--progress", "json")
        self.person.environment["SFT_TRIES"] = "0"
        assert running.stderr is not None
        while line := running.stderr.readline():
            if '"progress"' in line:
                break
        time.sleep(self.draw.uniform(0, 1.0))  # the moment of death, not a wait for anything
        if running.poll() is not None:
            running.communicate()
            return False
        self.tally.kills[victim] += 1
        if victim == "client":
            running.kill()
            running.communicate()
            return True
        self.server.kill()
        self.server.start()
        out, err = running.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in err, err
        if by_itself:
            assert running.returncode == 0, (out[-2000:], err[-2000:])
        return not by_itself

    def _compare(self, name: str, contents: dict[str, bytes], got: Path) -> None:
        for path, content in contents.items():
            assert (got / path).read_bytes() == content, path
        left = sorted(each.name for each in got.rglob(".sft-*"))
        assert not left, f"left over: {left}"
        for folder in (self.person.folder, got):
            for path in contents:
                (folder / path).unlink()
            if len(contents) > 1:
                (folder / name).rmdir()

    def _count(self, contents: dict[str, bytes], moved: int, kills: int) -> None:
        size = sum(map(len, contents.values()))
        files = sum(len(content) > SEGMENT_BYTES for content in contents.values())
        again = max(moved - size, 0)
        may = kills * (files * SEGMENT_BYTES + IN_FLIGHT_BYTES) + size // OVERHEAD
        assert again <= may, f"{again} bytes of {size} moved again, for {kills} kills"
        self.tally.transfers += 1
        self.tally.again_bytes += again
        if kills:
            self.tally.most_bytes = max(self.tally.most_bytes, again // (kills * files))

    def end(self) -> None:
        self.server.kill()
        self.relay.close()


def resume(folder: Path, *, kills: int, seed: int) -> Tally:
    """Run the campaign; AssertionError says what was lost, mixed, or moved too often."""
    campaign = Campaign(folder, seed)
    try:
        return campaign.run(kills)
    finally:
        campaign.end()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="sft-resume-", dir=options.folder) as folder:
        tally = resume(Path(folder), kills=options.kills, seed=options.seed)
    say(
        f"{tally.kills['client']} kills of the client, {tally.kills['server']} of the server, in {tally.transfers} transfers: "
        f"all whole and verified; moved again {tally.again_bytes / MIB:.0f} MiB in all, "
        f"{tally.most_bytes / MIB:.1f} MiB at most for one interruption of one file"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

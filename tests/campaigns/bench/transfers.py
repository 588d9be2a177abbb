"""Transfers of every peer, by turns: one large file, very many small ones, the same again, and a listing."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns.bench.cost import Cost, median, on_cores
from tests.campaigns.bench.peers import Peer, Product, stage
from tests.processes import say

MIB = 1024 * 1024
SMALL_BYTES = 4096
ONE_CHUNK = 64 * 1024
ALL_PEERS = ("sft", "sftp", "rclone", "bare")


@dataclass
class Costs:
    """What every round cost, by what was done and who did it."""

    rounds: dict[tuple[str, str], list[Cost]] = field(default_factory=dict)

    def add(self, what: str, who: str, cost: Cost) -> None:
        self.rounds.setdefault((what, who), []).append(cost)

    def median(self, what: str, who: str) -> Cost | None:
        """Give the medians; None where nobody measured."""
        found = self.rounds.get((what, who))
        return median(found) if found else None


def write_file(path: Path, mib: int) -> None:
    """Fill a file with what nothing compresses."""
    draw = random.Random(1)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(draw.randbytes(MIB))


def write_small(folder: Path, count: int) -> None:
    """Make a folder of different small files."""
    draw = random.Random(2)
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:06}.bin").write_bytes(draw.randbytes(SMALL_BYTES))


class Transfers:
    """Measures in one folder, whose file system is what is measured.

    Args:
        suffix: of what is measured here, such as `` on disk``.
    """

    def __init__(self, folder: Path, costs: Costs, *, rounds: int, suffix: str = "") -> None:
        self._folder = folder
        self._costs = costs
        self._rounds = rounds
        self._suffix = suffix
        self._back = folder / "back"

    def large(self, mib: int, kinds: Sequence[str] = ALL_PEERS) -> None:
        """Put and get one file, and one of a single chunk and a byte: what a command takes at least."""
        source, tiny = self._folder / "large", self._folder / "chunk"
        write_file(source, mib)
        tiny.write_bytes(random.Random(3).randbytes(ONE_CHUNK + 1))
        with stage(self._folder / "peers", kinds) as peers:
            for number in range(self._rounds):
                self._each(peers, "put large", lambda peer: peer.put(source))
                self._each(peers, "get large", lambda peer: peer.get("large", self._back))
                self._each(peers, "put chunk", lambda peer: peer.put(tiny))
                self._each(peers, "get chunk", lambda peer: peer.get("chunk", self._back))
                self._drop(peers, "large", "chunk")
                self._said(f"large file, round {number + 1}")
        source.unlink()
        shutil.rmtree(self._folder / "peers")

    def small(self, count: int) -> None:
        """Put and get a folder of small files, then the same again with nothing to do, and list."""
        source = self._folder / f"small{count}"
        write_small(source, count)
        name = source.name
        kinds = [kind for kind in ALL_PEERS if kind != "bare"]
        with stage(self._folder / "peers", kinds) as peers:
            ours = [peer for peer in peers if isinstance(peer, Product)]
            for number in range(self._rounds):
                self._each(peers, f"put {count}", lambda peer: peer.put(source))
                self._each(ours, f"put {count} again", lambda peer: peer.put(source))
                self._each(peers, f"get {count}", lambda peer: peer.get(name, self._back), keep=True)
                self._each(ours, f"get {count} again", lambda peer: peer.get(name, self._back), keep=True)
                self._each(ours, f"sync {count} again", lambda peer: peer.sync(source), keep=True)
                self._each(peers, "list", lambda peer: peer.list())
                self._drop(peers, name)
                self._said(f"{count:,} small files, round {number + 1}")
        shutil.rmtree(source)
        shutil.rmtree(self._folder / "peers")

    def _each(self, peers: Sequence[Peer], what: str, act: Callable[[Peer], Cost], *, keep: bool = False) -> None:
        """Have every peer do it, each into a folder of its own that is empty, unless it is to be kept."""
        for peer in peers:
            self._back = self._folder / f"back-{peer.name}"
            if not keep:
                shutil.rmtree(self._back, ignore_errors=True)
            self._back.mkdir(exist_ok=True)
            os.sync()  # what others wrote is not waited for here
            self._costs.add(what + self._suffix, peer.name, act(peer))

    def _drop(self, peers: Sequence[Peer], *names: str) -> None:
        for peer in peers:
            shutil.rmtree(self._folder / f"back-{peer.name}", ignore_errors=True)
            for name in names:
                peer.drop(name)

    def _said(self, what: str) -> None:
        say(f"{what} of {self._rounds}{self._suffix}")


def large_on_cores(folder: Path, costs: Costs, counts: Sequence[int], *, rounds: int, mib: int) -> None:
    """Measure the large file with both ends on so many cores together."""
    for count in counts:
        with on_cores(count):
            place = folder / f"cores{count}"
            place.mkdir()
            Transfers(place, costs, rounds=rounds, suffix=f" on {count}").large(mib, ("sft", "bare"))

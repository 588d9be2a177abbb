"""What one server does at once: a listing beside a transfer, ten clients, and what a transfer of gigabytes takes of memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns.bench.cost import percentile, pss_bytes, run_for_cost, watched_peak
from tests.campaigns.bench.peers import PROJECT, Product
from tests.campaigns.bench.transfers import ONE_CHUNK, write_file, write_small
from tests.processes import Person, say, script

CLIENTS = 10
LISTED_FILES = 100
GIB_FILE = 4 * 1024  # MiB
PIECE_SECONDS = 0.01


@dataclass
class Facts:
    """Single figures by name; what could not be measured, with the reason."""

    found: dict[str, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        """Note one, and say it at once."""
        self.found[name] = value
        say(f"{name}: {value:,.2f}")


def measure_listing(folder: Path, facts: Facts, *, mib: int) -> None:
    """List a folder of a hundred files beside a put, then beside a get, each on one session."""
    folder.mkdir()
    product = Product(folder / "sft")
    product.start()
    try:
        write_file(folder / "beside", mib)
        write_small(folder / "listed", LISTED_FILES)
        product.put(folder / "listed")
        for kind, path in (("put", str(folder / "beside")), ("get", "beside")):
            _, said = run_for_cost(
                (sys.executable, "-m", "tests.campaigns.bench.listing", kind, path, "listed"),
                cwd=product.person.folder,
                env={**product.person.environment, "PYTHONPATH": str(PROJECT)},
            )
            told = json.loads(said)
            facts.add(f"listing during {kind}, p99 ms", percentile(told["waits"], 0.99))
            facts.add(f"listings during {kind}", len(told["waits"]))
            facts.add(f"{kind} meanwhile, MB/s", mib * 2**20 / 1e6 / told["seconds"])
    finally:
        product.stop()


def measure_fairness(folder: Path, facts: Facts, *, mib: int, clients: int = CLIENTS) -> None:
    """Have clients put a file each at once, then get it: what the slowest moved while all did, against a fair share."""
    folder.mkdir()
    product = Product(folder / "sft")
    product.start()
    try:
        people = [product.server.new_person(f"user{number}", "maintainer") for number in range(clients)]
        for person in people:
            write_file(person.folder / f"of-{person.name}", mib)
        _share(people, facts, "put", lambda person: ("put", f"of-{person.name}"), "rchar")
        _share(people, facts, "get", lambda person: ("get", f"of-{person.name}", "--to", "back/"), "wchar")
    finally:
        product.stop()


def _share(
    people: Sequence[Person], facts: Facts, kind: str, words: Callable[[Person], Sequence[str]], counter: str
) -> None:
    """Measure what each process read of its file or wrote, as the kernel counts it, from the last's first look at its file
    to the first's end.
    """
    running = [person.begin("--quiet", *words(person)) for person in people]
    began: list[int] = []
    moved: list[int] = []
    looked: set[int] = set()
    while all(each.poll() is None for each in running):
        looked |= {each.pid for each, person in zip(running, people, strict=True) if _has_open(each.pid, person.folder)}
        if len(looked) == len(running):
            moved = [_counted(each.pid, counter) for each in running] or moved
            began = began or moved
        time.sleep(PIECE_SECONDS)  # between two looks
    for each in running:
        out, err = each.communicate()
        if each.returncode:
            raise RuntimeError(out + err)
    shares = [now - before for now, before in zip(moved, began, strict=True) if now]
    if not shares or not sum(shares):
        facts.missing.append(f"fairness of {kind}: the first had ended before the last began")
        return
    facts.add(f"fairness {kind}", min(shares) * len(shares) / sum(shares))


def _has_open(pid: int, folder: Path) -> bool:
    """Whether a process has a file of this folder open that is none of its state."""
    state = str(folder / "state")
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                place = str(each.readlink())
                if place.startswith(f"{folder}/") and not place.startswith(state):
                    return True
    return False


def _counted(pid: int, counter: str) -> int:
    """Read a counter of ``/proc/PID/io``; 0 of a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(counter)), 0)


def measure_memory(folder: Path, facts: Facts, *, mib: int = GIB_FILE) -> None:
    """Put and get a very large file: the most memory of both ends over what they had.

    At the server over its idle self; at the client over a command that moves one chunk and a byte.
    """
    folder.mkdir()
    product = Product(folder / "sft")
    product.start()
    try:
        write_file(folder / "huge", mib)
        (folder / "chunk").write_bytes(bytes(ONE_CHUNK + 1))
        commands = {"put": ("put", str(folder)), "get": ("get", "")}
        for kind, (verb, where) in commands.items():
            words = [(verb, f"{where}/{name}" if where else name) for name in ("chunk", "huge")]
            idle_client = _peak(product, *words[0])
            idle_server = pss_bytes(product.server.pid)
            with watched_peak(product.server.pid) as peak:
                client = _peak(product, *words[1])
            facts.add(f"memory {kind} client, MiB over idle", (client - idle_client) / 2**20)
            facts.add(f"memory {kind} server, MiB over idle", (peak.bytes - idle_server) / 2**20)
    finally:
        product.stop()


def _peak(product: Product, *words: str) -> int:
    """Run a command to its end; gives the most memory that it had."""
    person = product.person
    with (person.folder / "said").open("w+b") as said:
        process = subprocess.Popen(
            (script("sft"), *words), cwd=person.folder, env=person.environment,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
        with watched_peak(process.pid) as peak:
            status = process.wait()
        if status:
            raise RuntimeError((person.folder / "said").read_text())
    return peak.bytes

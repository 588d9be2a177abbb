"""Kill the server in the middle of uploads and administration, again and again: is anything acknowledged lost, or unsaid?

    python tests/campaigns/torture.py [--kills 200] [--seed 1] [--folder DIR]

After every kill the server is started unattended, and then holds: whatever was acknowledged is
listed with its digest; whatever is listed is complete (its digest is that of a file that was sent);
no temporary file is left. The log is no shorter than before the kill and holds the leaf of every
receipt; every client that kept a head logs in, and none of them raises an alarm. Every fifth time
``vault check`` is clean; every twentieth all is read back whole and verified, and the log is replayed.
The moment of each kill is drawn from the seed: so many events of progress, then so many milliseconds more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from sft.crypto.notes import parse_receipts
from sft.crypto.signed_note import text_of
from tests.processes import Person, ServerProcess, say

# Inline, in one request, at the edges of chunk and batch, and large enough to be hit in the middle.
SIZES = (0, 1, 4_000, 16_340, 16_341, 61_440, 65_536, 65_537, 600_000, 3_000_000, 24_000_000)
CHECKED_EVERY = 5
READ_EVERY = 20


@dataclass
class Tally:
    """What the campaign saw."""

    kills: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)  # path → digest
    sent: set[str] = field(default_factory=set)  # digests of everything ever sent
    cut: int = 0  # uploads that were under way
    folders: list[str] = field(default_factory=list)  # that were made, and acknowledged
    role: str = "guest"  # of the reader, as last acknowledged
    leaves: int = 0  # of the log, at least


def torture(folder: Path, *, kills: int, seed: int) -> Tally:
    """Run the campaign; AssertionError says what was lost."""
    draw = random.Random(seed)
    server, max_, gus = ServerProcess(folder), Person(folder, "max"), Person(folder, "gus")
    tally = Tally()
    server.start()
    try:
        max_.join(server, "maintainer")
        gus.join(server, "guest")
        for number in range(kills):
            _one_kill(server, max_, tally, draw, number)
            server.start()
            last = number + 1 == kills
            if last or (number + 1) % CHECKED_EVERY == 0:
                report = server.operate_json("vault", "check", "--read-data")
                assert not report["faults"], report["faults"]
            _examine(server, gus, tally, whole=last or (number + 1) % READ_EVERY == 0)
            say(f"kill {tally.kills}: {len(tally.acknowledged)} acknowledged, all there; {tally.cut} cut")
    finally:
        server.kill()
    return tally


def _one_kill(server: ServerProcess, person: Person, tally: Tally, draw: random.Random, number: int) -> None:
    names = []
    for index in range(draw.randint(3, 9)):
        content = draw.randbytes(draw.choice(SIZES))
        names.append(f"r{number}-{index}.bin")
        (person.folder / names[-1]).write_bytes(content)
        tally.sent.add(hashlib.blake2b(content).hexdigest())
    putting = person.begin("put", "--json", "--progress", "json", "--to", f"round{number}", *names)
    making = person.begin("mkdir", f"made{number}")
    role = draw.choice(("guest", "maintainer"))
    promoting = server.begin_operating("user", "role", "gus", role)
    events, moment, said = draw.randint(1, 12), draw.uniform(0, 0.12), ""
    if number:
        for _ in range(events):
            if not putting.stderr.readline():
                break
        time.sleep(moment)  # of death, not a wait for anything
    else:
        said, _ = putting.communicate(timeout=120)  # so that there is something to lose
    server.kill()
    tally.kills += 1
    said = said or putting.communicate(timeout=120)[0]
    for item in json.loads(said).get("items", []):
        if item["result"] in {"stored", "unchanged"}:
            tally.acknowledged[item["path"]] = item["digest"].partition(":")[2]
            receipts = parse_receipts(text_of(Path(item["receipt"]).read_text(encoding="utf-8")))
            tally.leaves = max(tally.leaves, *(receipt.leaf + 1 for receipt in receipts))
        else:
            tally.cut += 1
    making.communicate(timeout=120)
    if making.returncode == 0:
        tally.folders.append(f"made{number}")
    promoting.communicate(timeout=120)
    tally.role = role if promoting.returncode == 0 else ""
    for name in names:
        (person.folder / name).unlink()


def _examine(server: ServerProcess, reader: Person, tally: Tally, *, whole: bool) -> None:
    listed = {
        each["path"]: each["digest"].partition(":")[2] for each in json.loads(reader.sft("ls", "--json", "**").stdout)
    }
    for path, digest in tally.acknowledged.items():
        assert listed.get(path) == digest, f"acknowledged and lost: {path}"
    for path, digest in listed.items():
        assert digest in tally.sent, f"listed and never sent so: {path}"
    _examine_log(server, reader, tally, whole=whole)
    left = list((server.home / "data" / "vault" / "incoming").iterdir())
    assert not left, f"left over after a start: {left}"
    if whole and listed:
        target = reader.folder / "got"
        done = reader.sft("get", "--json", "--to", str(target), *sorted({path.partition("/")[0] for path in listed}))
        assert done.returncode == 0, done.stderr[-2000:]
        found = {str(each.relative_to(target)): each for each in target.rglob("*") if each.is_file()}
        for path, digest in listed.items():
            assert hashlib.blake2b(found[path].read_bytes()).hexdigest() == digest, path
        for each in found.values():
            each.unlink()


def _examine_log(server: ServerProcess, reader: Person, tally: Tally, *, whole: bool) -> None:
    """Hold the log to what was acknowledged, and to all that clients have kept of it."""
    for made in tally.folders if whole else tally.folders[-1:]:
        done = reader.sft("ls", made)
        assert done.returncode == 0, f"made and lost: {done.stderr}"
    me = reader.sft_json("whoami")
    assert tally.role in {"", me["role"]}, f"acknowledged as {tally.role}, and is {me['role']}"
    size = me["log"]["size"]
    assert size >= tally.leaves, f"the log had {tally.leaves} leaves, and has {size}"
    tally.leaves = size
    for state in reader.folder.parent.glob("*/state"):
        assert not list(state.rglob("evidence/*")), f"a false alarm: {list(state.rglob('evidence/*'))}"
    if whole:
        done = server.operate("log", "verify")
        assert done.returncode == 0, done.stdout + done.stderr


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="sft-torture-", dir=options.folder) as folder:
        tally = torture(Path(folder), kills=options.kills, seed=options.seed)
    say(
        f"{tally.kills} kills, {len(tally.acknowledged)} acknowledged uploads, 0 lost; {tally.cut} cut, 0 listed in part"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure the ledger at ten million leaves and a million slots; or change proofs, a million times: ``make bench-ledger``.

    python -m tests.campaigns.ledger [--leaves 10000000] [--slots 1000000]
    python -m tests.campaigns.ledger --mutations 1000000 [--seed 1]

Times are of this process's processor, so that others on the machine matter less; one SHA-256 of a node, which is what all of
it consists of, stands first to compare by. Tiles and slots are in memory; a server's start, last, has them in a database.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.hashing import leaf_hash, node_hash
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind
from sft.ledger.proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion, verify_several
from sft.ledger.state import StateTree
from sft.ledger.tree import LogTree
from sft.service.log.blocks import REDO_LEAVES
from sft.service.log.opening import load_log
from sft.store.database import Database, ReadPool, create_database, open_database
from sft.store.ledger import add_leaves, begin_ledger, change_ledger, ledger_row, put_blocks, put_tiles
from sft.store.row_types import LogLeafRow, LogTileRow, StateBlockRow
from sft.store.rows import Transaction
from tests.processes import say
from tests.unit.ledger.mutated_proofs import mutate
from tests.unit.ledger.stored import StoredLog, nodes_of

SEED: Final = 1
TIMES: Final = 2000
GROUP: Final = 64  # leaves of one commit, when many come at once


def measure(what: str, times: int, step: Callable[[], object]) -> None:
    """Do something, and say how long each time took: microseconds, or seconds of what is done once."""
    began = time.process_time()
    for _ in range(times):
        step()
    took = (time.process_time() - began) / times
    say(f"{what:<58}" + (f"{took:>10.2f} s" if times == 1 else f"{took * 1e6:>10.1f} µs"))


def measure_log(leaves: int, chance: random.Random) -> None:
    """Append, start, prove and check, among so many leaves."""
    log = StoredLog()
    group = [chance.randbytes(32) for _ in range(4096)]

    def fill() -> None:
        while log.tree.size < leaves:
            log.append(group[: leaves - log.tree.size])

    measure(f"append {leaves:,} leaves, 4,096 at a time", 1, fill)

    def commit() -> None:
        log.append(group[:GROUP])
        log.tree.root()

    measure(f"append one leaf, among {leaves:,}", TIMES, lambda: log.append(group[:1]))
    measure(f"append {GROUP} leaves and hash the root", TIMES // 10, commit)
    size, root = log.tree.size, log.tree.root()
    log.reads.clear()
    measure("start: load the edge and hash the root", 10, lambda: LogTree.load(size, log.read).root())
    say(f"    {len(log.reads) // 10} tiles read at each start")
    log.reads.clear()
    measure(
        "prove an inclusion, no tile in memory",
        TIMES // 10,
        lambda: prove_inclusion(chance.randrange(size), size, nodes_of(size, log.read)),
    )
    say(f"    {10 * len(log.reads) / TIMES:.1f} tiles read for each")
    old = size // 3
    measure(
        "prove a consistency, no tile in memory",
        TIMES // 10,
        lambda: prove_consistency(old, size, nodes_of(size, log.read)),
    )
    node = nodes_of(size, log.read)
    index = chance.randrange(size)
    inclusion, consistency = prove_inclusion(index, size, node), prove_consistency(old, size, node)
    leaf, old_root = node(0, index), LogTree.load(old, log.read).root()
    measure(
        f"check an inclusion of {len(inclusion)} hashes",
        TIMES,
        lambda: verify_inclusion(leaf, index, size, inclusion, root),
    )
    measure(
        f"check a consistency of {len(consistency)} hashes",
        TIMES,
        lambda: verify_consistency(old, old_root, size, root, consistency),
    )


def measure_slots(slots: int, chance: random.Random) -> None:
    """Start, change and prove, among so many slots."""
    raw = chance.randbytes(32 * slots)
    blocks = [raw[at : at + 8192] for at in range(0, len(raw), 8192)]
    trees: list[StateTree] = []
    measure(f"start: build a state tree of {slots:,} slots from blocks", 1, lambda: trees.append(StateTree(blocks)))
    tree = trees[0]

    def change(count: int) -> None:
        draft = tree.draft()
        for _ in range(count):
            draft.set(chance.randrange(slots), raw[:32])
            draft.root()
        tree.apply(draft)

    measure("change one slot, root included", TIMES, lambda: change(1))
    measure(f"change {GROUP} slots in one group, the root after each", TIMES // 20, lambda: change(GROUP))
    measure("prove one slot", TIMES, lambda: tree.prove([chance.randrange(slots)]))
    chosen = chance.sample(range(slots), min(slots, 500))
    leaves, root = {slot: tree.leaf(slot) for slot in chosen}, tree.root()
    proof = tree.prove(chosen)
    measure(f"prove {len(chosen)} slots by {len(proof):,} hashes", 20, lambda: tree.prove(chosen))
    measure(f"check {len(chosen)} slots", 20, lambda: verify_several(leaves, slots, proof, root))


def measure_start(leaves: int, slots: int, chance: random.Random) -> None:
    """Start a server's log: a database with the rows that a start reads, as many as it can come to be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sft.sqlite"
        create_database(path)
        with closing(open_database(path, bytes(32), bytes(32))) as database:
            kept = _fill_for_start(database, leaves, slots, chance)
            readers = ReadPool(database, lambda: 0)

            def start() -> None:
                with readers.reading() as reading:
                    load_log(reading, kept)

            measure(f"start: {slots:,} slots from blocks, {REDO_LEAVES:,} leaves replayed", 1, start)


def _fill_for_start(database: Database, leaves: int, slots: int, chance: random.Random) -> Checkpoint:
    """Write the tiles, blocks and last leaves of a log whose other leaves nobody reads; return its head."""
    users, files = StateTree([chance.randbytes(32 * (slots // 100))]), StateTree([chance.randbytes(32 * slots)])
    log = StoredLog()
    redo = max(leaves - REDO_LEAVES, 0)
    group = [chance.randbytes(32) for _ in range(4096)]
    while log.tree.size < redo:
        log.append(group[: redo - log.tree.size])
    blocks = [
        StateBlockRow(kind, number, hashes)
        for kind, tree in ((StateTreeKind.USERS, users), (StateTreeKind.FILES, files))
        for number, hashes in tree.blocks()
    ]
    changes = [(chance.randrange(slots), chance.randbytes(32)) for _ in range(leaves - redo)]
    files.apply(files.draft(dict(changes)))
    roots = (
        StateRoot(StateTreeKind.USERS, users.size, users.root()),
        StateRoot(StateTreeKind.FILES, files.size, files.root()),
    )
    rows = []
    for number, (slot, record_hash) in enumerate(changes, redo):
        slots_changed = (ChangedSlot(StateTreeKind.FILES, slot, record_hash),)
        leaf = LogLeaf(
            kind=LeafKind.FILE_REPLACED, time=0, slots=slots_changed, state_roots=roots, facts=bytes(32), personal=None
        )
        facts = b'{"by":{"key":1,"user":1}}' * 12  # as long as those of a file
        rows.append(LogLeafRow(number, leaf.encode(), 17, 0, 1, None, bytes(16), facts, bytes(16), None, None))
    log.append([leaf_hash(row.entry) for row in rows])
    upper = [tile for tile in log.tiles.items() if tile[0][0]]
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, 0)
        begin_ledger(transaction)
        put_blocks(transaction, blocks)
        put_tiles(transaction, [LogTileRow(level, index, each) for (level, index), each in upper])
        add_leaves(transaction, rows)
        counted = replace(ledger_row(transaction), size=leaves, users=users.size, files=slots, redo=redo)
        change_ledger(transaction, counted)
    return Checkpoint(Origin("acme", "0" * 8, 1), leaves, log.tree.root())


def change_proofs(count: int, seed: int) -> None:
    """Change proofs that hold; TakenError for the first that is taken all the same."""
    chance, kinds = random.Random(seed), Counter[str]()
    for _ in range(count):
        kinds[mutate(chance)] += 1
    say(
        f"{count:,} changed proofs refused, seed {seed}: "
        + ", ".join(f"{each:,} {kind}" for kind, each in kinds.items())
    )


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaves", type=int, default=10_000_000)
    parser.add_argument("--slots", type=int, default=1_000_000)
    parser.add_argument("--mutations", type=int, help="change so many proofs, and measure nothing")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    if options.mutations is not None:
        change_proofs(options.mutations, options.seed)
        return 0
    chance = random.Random(options.seed)
    one = chance.randbytes(32)
    measure("one node hashed", 200_000, lambda: node_hash(one, one))
    measure_log(options.leaves, chance)
    measure_slots(options.slots, chance)
    measure_start(options.leaves, options.slots, chance)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

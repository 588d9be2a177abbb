"""Roots, proofs and tiles, against code that is not ours: golang.org/x/mod/sumdb/tlog, of Go's checksum database."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from sft.client.log_folder import LogFolder
from sft.errors import ProofInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.hashing import leaf_hash
from sft.ledger.proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from sft.ledger.published import LogWriter
from sft.ledger.state import StateTree
from sft.ledger.tiles import Tile
from sft.ledger.tree import LogTree
from tests.unit.ledger.stored import StoredLog, nodes_of
from tests.vectors.generate_ledger import FILE, ask_go, build, has_go

VECTORS = json.loads(FILE.read_text("utf-8"))

needs_go = pytest.mark.skipif(not has_go(), reason="Debian's golang-go and golang-golang-x-mod-dev are not installed")


def hashes() -> Iterator[bytes]:
    return (leaf_hash(b"leaf %d" % index) for index in count())


def made(size: int, chance: random.Random | None = None) -> StoredLog:
    """Append leaves, all at once or in groups of any size."""
    log, leaves = StoredLog(), hashes()
    while log.tree.size < size:
        left = size - log.tree.size
        log.append(list(islice(leaves, chance.randint(1, left) if chance else left)))
    return log


def check(answer: Mapping[str, Any], log: StoredLog) -> None:
    """Compare a log of ours with Go's, whose proofs have to hold here."""
    size, root = answer["Size"], b64decode(answer["Root"])
    node = nodes_of(size, log.read)
    leaves = list(islice(hashes(), size))
    assert log.tree.root() == StateTree(leaves).root() == root
    for each in answer["Inclusions"]:
        proof = [b64decode(part) for part in each["Proof"]]
        assert prove_inclusion(each["Index"], size, node) == proof
        verify_inclusion(leaves[each["Index"]], each["Index"], size, proof, root)
        with pytest.raises(ProofInvalidError):
            verify_inclusion(leaf_hash(b"another"), each["Index"], size, proof, root)
    for each in answer["Consistencies"]:
        proof, old_root = [b64decode(part) for part in each["Proof"]], b64decode(each["Root"])
        assert prove_consistency(each["Old"], size, node) == proof
        verify_consistency(each["Old"], old_root, size, root, proof)
        with pytest.raises(ProofInvalidError):
            verify_consistency(each["Old"], leaf_hash(b"another"), size, root, proof)


@pytest.mark.parametrize("answer", VECTORS, ids=lambda each: f"{each['Size']} leaves")
def test_roots_and_proofs_are_those_of_the_vectors(answer: dict[str, Any]) -> None:
    check(answer, made(answer["Size"]))


@needs_go
@pytest.mark.long
def test_go_makes_the_committed_vectors() -> None:
    assert build() == VECTORS


@needs_go
@pytest.mark.long
def test_go_takes_our_proofs_and_tiles_and_we_take_its_proofs(tmp_path: Path) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sizes = [chance.randint(1, most) for most in (10, 300, 300, 3000, 100_000)]
    logs = [made(size, chance) for size in sizes]
    questions = [asked(log, tmp_path / str(number), chance) for number, log in enumerate(logs)]
    for answer, log in zip(ask_go(questions), logs, strict=True):
        check(answer, log)


@needs_go
@pytest.mark.long
@pytest.mark.parametrize(("before", "size"), [(0, 1), (300, 70_000), (65_536, 66_000), (256, 512)])
def test_go_takes_an_exported_log_that_was_added_to(tmp_path: Path, before: int, size: int) -> None:
    folder = LogFolder(tmp_path)
    log = made(size)
    origin = Origin("files.example.org", "01234567", 1)
    had: Checkpoint | None = None
    for end in (before, size):
        if end:
            tree, _ = LogTree().append([leaf_hash(b"leaf %d" % number) for number in range(end)])
            writer, had = LogWriter(folder, had), Checkpoint(origin, end, tree.root())
            for number in range(writer.next_leaf, end):
                writer.add(b"leaf %d" % number)
            writer.end(had, had.text())
    question = asked(log, None, random.Random(size))
    (answer,) = ask_go([{**question, "Folder": str(tmp_path)}])
    check(answer, log)


@needs_go
@pytest.mark.long
def test_go_refuses_what_we_would() -> None:
    question = asked(made(300), None, random.Random(1))
    question["Inclusions"][0]["Proof"][0] = b64encode(bytes(32)).decode()
    with pytest.raises(RuntimeError, match=r"leaf \d+ of 300"):
        ask_go([question])


def asked(log: StoredLog, folder: Path | None, chance: random.Random) -> dict[str, Any]:
    """Give all that Go needs to check a log: proofs of ours, and its tiles in a folder."""
    size = log.tree.size
    node = nodes_of(size, log.read)
    if folder is not None:
        for (level, index), kept in log.tiles.items():
            path = folder / Tile(level, index, kept).path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(kept)
    indices = chance.sample(range(size), min(size, 20))
    return {
        "Size": size,
        "Folder": str(folder or ""),
        "Root": text(log.tree.root()),
        "Inclusions": [
            {"Index": index, "Proof": list(map(text, prove_inclusion(index, size, node)))} for index in indices
        ],
        "Consistencies": [
            {"Old": index + 1, "Proof": list(map(text, prove_consistency(index + 1, size, node)))} for index in indices
        ],
    }


def text(data: bytes) -> str:
    return b64encode(data).decode("ascii")

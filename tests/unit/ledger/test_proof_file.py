"""Proofs in a file: C2SP's form, one encoding, and that they prove one leaf in one log."""

import base64
import random
from typing import Any

import pytest
from msgspec.structs import replace

from sft import limits
from sft.crypto.comment import MOST
from sft.crypto.keys import ServerKey
from sft.errors import CryptoError, LedgerFormatError, ProofInvalidError, SignatureInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.proof_file import INCLUSION_MOST, ProofFile
from sft.ledger.proofs import prove_inclusion
from sft.ledger.state import StateTree

SERVER = ServerKey.from_seed(bytes(range(32)))
ORIGIN = Origin("files.example.org", "0a1b2c3d", 1)
LEAVES = [leaf_hash(b"%d" % number) for number in range(11)]
TREE = StateTree(LEAVES)
NOTE = sign_checkpoint(SERVER, Checkpoint(ORIGIN, 11, TREE.root()))
INDEX = 6
# Of one leaf, from the left: the inclusion proof in another order.
HASHES = (TREE.node(0, 7), TREE.node(1, 2), TREE.node(2, 0), TREE.node(1, 4))


def proof(extra: bytes | None = None) -> ProofFile:
    return ProofFile(INDEX, tuple(prove_inclusion(INDEX, 11, TREE.node)), NOTE, extra)


PROOF = proof()
TEXT = PROOF.encode()


@pytest.mark.parametrize("extra", [None, b"\0", b"opaque" * 100])
def test_it_reads_back_and_proves_its_leaf(extra: bytes | None) -> None:
    made = proof(extra)
    read = ProofFile.parse(made.encode())
    assert read == made
    assert read.check(LEAVES[INDEX], ORIGIN, SERVER.public) == Checkpoint(ORIGIN, 11, TREE.root())


def test_the_text_is_c2sps() -> None:
    hashes = [base64.b64encode(each).decode() for each in PROOF.hashes]
    assert PROOF.hashes[:3] == HASHES[:3]
    assert "\n".join(["c2sp.org/tlog-proof@v1", f"index {INDEX}", *hashes, "", NOTE]) == TEXT
    with_extra = proof(b"abc").encode()
    assert with_extra == TEXT.replace("index", "extra YWJj\nindex")


def test_a_log_of_one_leaf_needs_no_hash() -> None:
    note = sign_checkpoint(SERVER, Checkpoint(ORIGIN, 1, LEAVES[0]))
    alone = ProofFile.parse(ProofFile(0, (), note).encode())
    assert alone.check(LEAVES[0], ORIGIN, SERVER.public).size == 1


def test_it_proves_nothing_else() -> None:
    with pytest.raises(ProofInvalidError):
        PROOF.check(LEAVES[INDEX - 1], ORIGIN, SERVER.public)
    with pytest.raises(ProofInvalidError):
        replace(PROOF, index=INDEX + 1).check(LEAVES[INDEX], ORIGIN, SERVER.public)
    with pytest.raises(SignatureInvalidError):
        PROOF.check(LEAVES[INDEX], ORIGIN, ServerKey.from_seed(bytes(32)).public)
    with pytest.raises(SignatureInvalidError):
        PROOF.check(LEAVES[INDEX], replace(ORIGIN, epoch=2), SERVER.public)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("@v1", "@v2"),
        ("c2sp", "C2SP"),
        ("index 6", "index 06"),
        ("index 6", "index -6"),
        ("index 6", "index  6"),
        ("index 6", f"index {MOST + 1}"),
        ("index 6\n", ""),
        ("index 6\n", "index 6\nextra YWJj\n"),
        ("index 6\n", "extra \nindex 6\n"),
        ("index 6\n", "extra YWJk=\nindex 6\n"),
        ("index 6\n", "extra YWJ=\nindex 6\n"),
        ("index 6\n", "extra YWJj\nextra YWJj\nindex 6\n"),
        ("index 6\n", "index 6\nYWJj\n"),
        ("index 6\n", "index 6\n\n"),
        ("index 6\n", "index 6\r\n"),
        (f"\n\n{NOTE}", f"\n{NOTE}"),
        (f"\n\n{NOTE}", "\n\n"),
        (f"\n\n{NOTE}", "\n"),
    ],
)
def test_another_text_is_refused(right: str, wrong: str) -> None:
    assert TEXT.count(right) == 1
    with pytest.raises(CryptoError):
        ProofFile.parse(TEXT.replace(right, wrong)).check(LEAVES[INDEX], ORIGIN, SERVER.public)


def test_what_has_no_encoding_or_is_too_long() -> None:
    values: list[dict[str, Any]] = [
        {"index": -1},
        {"index": MOST + 1},
        {"hashes": (bytes(31),)},
        {"hashes": (bytes(32),) * (INCLUSION_MOST + 1)},
        {"checkpoint": ""},
        {"extra": b""},
        {"extra": bytes(limits.NOTE_BYTES)},
    ]
    for wrong in values:
        with pytest.raises(ValueError, match=r"\w"):
            replace(PROOF, **wrong)
    line = TEXT.splitlines(keepends=True)[2]
    with pytest.raises(LedgerFormatError):
        ProofFile.parse(TEXT.replace(line, line * (INCLUSION_MOST + 1), 1))
    with pytest.raises(LedgerFormatError):
        ProofFile.parse(TEXT + "x" * limits.NOTE_BYTES)


def test_no_random_change_proves_anything() -> None:
    seed = 20_261_132
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(3000):
        place = rng.randrange(len(TEXT))
        changed = (
            TEXT[:place] + rng.choice(["", chr(rng.randrange(0x20, 0x7F)), "\n"]) + TEXT[place + rng.randrange(2) :]
        )
        if changed != TEXT:
            with pytest.raises(CryptoError):
                ProofFile.parse(changed).check(LEAVES[INDEX], ORIGIN, SERVER.public)

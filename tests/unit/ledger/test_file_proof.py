"""A proof of a signed file: from the signature's server to the log's key, the leaf, and what its facts say of the file."""

from __future__ import annotations

import pytest

from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import NoteKey, SignatureType
from sft.crypto.signed_note import server_note_key
from sft.errors import CryptoError, KeyFormatError, LedgerFormatError
from sft.ledger.checkpoints import Origin
from sft.ledger.file_proof import StoredLeaf, check_file_proof
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.proof_file import ProofFile
from tests.unit.ledger.proved_file import (
    FACTS,
    INDEX,
    NEXT_SERVER,
    ORIGIN,
    SERVER,
    TIME,
    comment,
    proof_text,
    succession,
)

STRANGER = ServerKey.from_seed(bytes(range(2, 34)))
LOG = server_note_key(SERVER.public, ORIGIN.text())


def test_the_signature_alone_leads_to_the_log() -> None:
    proved = check_file_proof(proof_text(), comment())
    assert (proved.origin, proved.index, proved.size, proved.time) == (ORIGIN, INDEX, 9, TIME)


def test_a_first_version_says_no_number() -> None:
    facts = {name: value for name, value in FACTS.items() if name not in {"version", "prev"}}
    text = proof_text(facts, kind=LeafKind.FILE_COMMITTED)
    assert check_file_proof(text, comment(version=1, prev=None)).index == INDEX
    with pytest.raises(LedgerFormatError, match="something else"):
        check_file_proof(text, comment())


def test_a_key_that_followed_the_servers_first_one() -> None:
    text = proof_text(key=NEXT_SERVER, successions=(succession(),))
    assert check_file_proof(text, comment()).index == INDEX
    with pytest.raises(LedgerFormatError, match="another server"):
        check_file_proof(proof_text(key=NEXT_SERVER), comment())
    with pytest.raises(LedgerFormatError, match="another server"):
        check_file_proof(proof_text(key=STRANGER, successions=(succession(),)), comment())


def test_the_logs_key_from_elsewhere_counts_instead() -> None:
    key = server_note_key(STRANGER.public, ORIGIN.text())
    assert check_file_proof(proof_text(key=STRANGER), comment(), log=key).index == INDEX
    for other in (LOG, server_note_key(STRANGER.public, Origin("files.example.org", ORIGIN.server, 2).text())):
        with pytest.raises(CryptoError):
            check_file_proof(proof_text(key=STRANGER), comment(), log=other)


def test_what_is_no_logs_key() -> None:
    for key in (
        NoteKey(ORIGIN.text(), SignatureType.ED25519_COSIGNATURE, SERVER.public.point),
        NoteKey("example.org/log", SignatureType.ED25519, SERVER.public.point),
    ):
        with pytest.raises(KeyFormatError):
            check_file_proof(proof_text(), comment(), log=key)


def test_an_origin_of_another_server() -> None:
    origin = Origin("files.example.org", "00000000", 1)
    key = server_note_key(SERVER.public, origin.text())
    for log in (None, key):
        with pytest.raises(LedgerFormatError, match="another server"):
            check_file_proof(proof_text(origin=origin), comment(), log=log)


@pytest.mark.parametrize(
    "changes",
    [
        {"file_id": bytes(16)},
        {"version": 3},
        {"size": 13},
        {"digest": bytes(64)},
        {"name": "finance/other.pdf"},
        {"user": 8},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_of_another_file_than_was_signed(changes: dict[str, object]) -> None:
    with pytest.raises(LedgerFormatError, match="something else"):
        check_file_proof(proof_text(), comment(**changes))


def test_a_leaf_that_stored_nothing() -> None:
    with pytest.raises(LedgerFormatError, match="something else"):
        check_file_proof(proof_text(kind=LeafKind.DOWNLOAD_BEGUN), comment())


@pytest.mark.parametrize(
    "extra",
    [
        {"leaf": LogLeaf(kind=LeafKind.FILE_REPLACED, time=1, state_roots=(StateRoot(1, 1, bytes(32)),), facts=bytes(32))},
        {"salt": bytes(16)},
        {"salt": b""},
        {"facts": b"{}"},
        {"server_key": bytes(31)},
        {"successions": ("nothing",)},
    ],
    ids=["leaf", "salt", "no salt", "facts", "server key", "succession"],
)  # fmt: skip
def test_every_part_is_held_to_the_next(extra: dict[str, object]) -> None:
    with pytest.raises(CryptoError):
        check_file_proof(proof_text(**extra), comment())


def test_one_encoding_of_one_version() -> None:
    proof = ProofFile.parse(proof_text())
    assert proof.extra is not None
    said = StoredLeaf.decode(proof.extra)
    assert said.encode() == proof.extra
    array = bytes([0xDC, 0, 6]) + proof.extra[1:]  # the same array, its length written in two bytes
    for other in (array, proof.extra + b"\0", b"", bytes([0x96, 2]) + proof.extra[2:]):
        with pytest.raises(LedgerFormatError):
            StoredLeaf.decode(other)


def test_a_proof_that_tells_of_no_file() -> None:
    proof = ProofFile.parse(proof_text())
    with pytest.raises(LedgerFormatError):
        check_file_proof(ProofFile(proof.index, proof.hashes, proof.checkpoint).encode(), comment())

"""What a hook is given: that it is checked by the log's key alone, and that nothing of it can be another."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sft.crypto.keys import ServerKey
from sft.crypto.signed_note import server_note_key
from sft.errors import CryptoError, LedgerFormatError, SignatureInvalidError
from sft.ledger.acts import ACTS, EVENTS, kinds_of
from sft.ledger.checkpoints import Checkpoint, sign_checkpoint
from sft.ledger.event_document import EventDocument, ProvedEvent, check_event, event_document, read_event
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.proof_file import ProofFile
from sft.ledger.proofs import prove_inclusion
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.state import StateTree
from sft.limits import EVENT_BYTES
from tests.unit.ledger.proved_file import FACTS, INDEX, ORIGIN, SALT, SERVER, TIME

KEY = server_note_key(SERVER.public, ORIGIN.text())
OTHER = server_note_key(ServerKey.from_seed(bytes(range(1, 33))).public, ORIGIN.text())
BODY = json.dumps(FACTS, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
RECORD = LeafRecord(RecordPart(SALT, BODY), RecordPart(SALT[::-1], b'{"name":"ada"}'))


def document(record: LeafRecord = RECORD, **options: Any) -> EventDocument:
    leaf = LogLeaf(
        kind=LeafKind.FILE_REPLACED,
        time=TIME,
        state_roots=(StateRoot(1, 0, bytes(32)),),
        facts=RECORD.facts_hash(),
        personal=RECORD.personal_hash(),
    )
    leaves = [bytes([number]) * 32 for number in range(9)]
    leaves[INDEX] = leaf.hash()
    tree = StateTree(leaves)
    note = sign_checkpoint(SERVER, Checkpoint(ORIGIN, 9, tree.root()))
    proof = ProofFile(INDEX, tuple(prove_inclusion(INDEX, 9, tree.node)), note)
    return event_document("chat", leaf.encode(), record, proof, **({"by": "ada"} | options))


def checked(data: bytes, *keys: Any) -> ProvedEvent:
    said, origin = read_event(data)
    assert origin == ORIGIN or not keys
    return check_event(said, keys or [KEY])


def test_it_says_what_the_leaf_says_and_whoever_has_the_key_checks_it():
    data = document().encode()
    assert b"\n" not in data
    event = checked(data, OTHER, KEY)
    assert (event.index, event.size, event.origin, event.leaf.kind) == (INDEX, 9, ORIGIN, LeafKind.FILE_REPLACED)
    assert (event.facts, event.personal, event.by, event.hook) == (FACTS, {"name": "ada"}, "ada", "chat")
    assert (event.id, event.is_test) == (event.leaf.hash().hex(), False)
    said = json.loads(data)
    assert (said["type"], said["data"]["facts"], said["timestamp"]) == ("file_replaced", FACTS, "2027-01-15T08:00:00Z")


def test_a_personal_part_that_was_erased_is_no_fault_and_a_test_has_an_id_of_its_own():
    assert checked(document(RECORD.erased()).encode()).personal is None
    trial = document(trial="abc")
    event = checked(trial.encode())
    assert (trial.type, event.id, event.is_test) == ("test", "test-abc", True)


def test_another_key_or_none_is_no_proof():
    said, _ = read_event(document().encode())
    for keys in ([], [OTHER], [server_note_key(SERVER.public, ORIGIN.text().replace("/1", "/2"))]):
        with pytest.raises((SignatureInvalidError, LedgerFormatError)):
            check_event(said, keys)


def _other(value: Any) -> Any:
    match value:
        case str() if value.startswith("c2sp"):
            return value.replace(f"index {INDEX}", f"index {INDEX - 1}")
        case str():
            return f"{value[:9]}{'0' if value[9:10] != '0' else '1'}{value[10:]}"
        case int():
            return value + 1
        case None:
            return "somebody"
        case dict():
            name = min(value)
            return value | {name: _other(value[name])}
    raise AssertionError(value)


FIELDS = [("type",), ("timestamp",), *(("data", name) for name in json.loads(document().encode())["data"])]
UNPROVED = {("data", "by"), ("data", "hook")}


@pytest.mark.parametrize("field", [each for each in FIELDS if each not in UNPROVED], ids=lambda field: field[-1])
def test_nothing_that_it_says_can_be_another(field: tuple[str, ...]):
    said = json.loads(document().encode())
    place = said if len(field) == 1 else said["data"]
    place[field[-1]] = _other(place[field[-1]])
    with pytest.raises(CryptoError):
        checked(json.dumps(said).encode())


@pytest.mark.parametrize("name", ["personal", "personal_part"])
def test_what_is_there_cannot_be_said_to_be_erased_by_halves(name: str):
    said = json.loads(document().encode())
    said["data"][name] = None
    with pytest.raises(LedgerFormatError):
        checked(json.dumps(said).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"\xff", b"x" * (EVENT_BYTES + 1),
        document().encode().replace(b'"index"', b'"more":1,"index"'),
        # Which of two a reader takes is its own: so there are no two.
        document().encode().replace(b'"by":"ada"', b'"by":"ada","by":"max"'),
        document().encode().replace(b'"facts":{', b'"facts":{"path":"other",'),
    ],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_event_is_refused(data: bytes):
    with pytest.raises(LedgerFormatError):
        checked(data)


def test_facts_that_stand_twice_in_the_signed_part_are_refused():
    twice = LeafRecord(RecordPart(SALT, b'{"path":"a","path":"b"}'))
    said = json.loads(document().encode())
    said["data"]["facts_part"] = base64.b64encode(SALT + twice.facts.body).decode()
    with pytest.raises(CryptoError):
        checked(json.dumps(said).encode())


def test_words_of_events_mean_each_kind_once():
    assert sorted(kind for kinds in ACTS.values() for kind in kinds) == sorted(LeafKind)
    assert kinds_of(["all"]) == kinds_of(EVENTS) == ()
    assert kinds_of(["store", "file_committed"]) == (LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED)
    assert len(EVENTS) == 1 + len(ACTS) + len(LeafKind)

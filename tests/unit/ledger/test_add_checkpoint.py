"""Requests of tlog-witness: the document's own example, every body that is none, and every status, by the order of its text."""

import base64
from hashlib import sha256

import pytest

from sft.crypto.signed_note import SignedNote
from sft.errors import CheckpointRefusedError, ProofInvalidError, SignatureInvalidError
from sft.ledger.add_checkpoint import AddCheckpoint, answer, cosign, judge, read_answer, read_size
from sft.ledger.checkpoints import TreeHead
from tests.unit.ledger.logs import (
    KINDS,
    MALLORY,
    ORIGIN,
    add_checkpoint_body,
    checkpoint,
    cosigners,
    honest_body,
    log_key,
    tree_text,
)
from tests.unit.ledger.naive import head, proof

NOW = 1_800_000_000
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""
LATEST = TreeHead(ORIGIN, 700, head(0, 700))


def refused(body: bytes, *, latest: TreeHead | None = LATEST, keys: tuple = (log_key(),)) -> int:
    with pytest.raises(CheckpointRefusedError) as caught:
        judge(AddCheckpoint.parse(body), keys, latest)
    return caught.value.status


# -- the form -----------------------------------------------------------------------------------------


def test_the_documents_example_is_read_and_written():
    request = AddCheckpoint.parse(EXAMPLE.encode())
    assert request.old_size == 20852014
    assert len(request.proof) == 4
    assert request.head == TreeHead(
        "example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    )
    assert len(request.note.signatures) == 2
    assert request.encode() == EXAMPLE.encode()


def test_what_is_written_is_what_the_document_says():
    body = honest_body(700, 1000)
    request = AddCheckpoint(700, tuple(proof(700, 1000)), SignedNote.parse(checkpoint(1000)))
    assert request.encode() == body
    assert AddCheckpoint.parse(body) == request


HASH = base64.b64encode(bytes(32)).decode()
NOTE = checkpoint(1000)
MALFORMED = {
    "nothing": "",
    "no empty line": f"old 0\n{NOTE.split(chr(10))[0]}\n",
    "no old line": NOTE,
    "no old line above the empty one": f"\n\n{NOTE}",
    "old in capitals": f"Old 0\n\n{NOTE}",
    "two spaces": f"old  0\n\n{NOTE}",
    "no size": f"old \n\n{NOTE}",
    "something after the size": f"old 0 \n\n{NOTE}",
    "a carriage return": f"old 0\r\n\r\n{NOTE}",
    "a carriage return after the size": f"old 0\r\n\n{NOTE}",
    "a leading zero": f"old 00\n\n{NOTE}",
    "a sign": f"old +1\n\n{NOTE}",
    "a negative size": f"old -1\n\n{NOTE}",
    "hexadecimal": f"old 0x1\n\n{NOTE}",
    "digits of another script": f"old ١\n\n{NOTE}",
    "a size beyond what fits": f"old {1 << 63}\n\n{NOTE}",
    "a size of a thousand digits": f"old {'9' * 1000}\n\n{NOTE}",
    "a hash of 31 bytes": f"old 1\n{base64.b64encode(bytes(31)).decode()}\n\n{NOTE}",
    "a hash of 33 bytes": f"old 1\n{base64.b64encode(bytes(33)).decode()}\n\n{NOTE}",
    "a hash without padding": f"old 1\n{HASH[:-1]}\n\n{NOTE}",
    "a hash of the other alphabet": f"old 1\n{'_' * 43}=\n\n{NOTE}",
    "a hash with stray bits": f"old 1\n{HASH[:-2]}B=\n\n{NOTE}",
    "a hash with a space": f"old 1\n {HASH}\n\n{NOTE}",
    "two hashes in a line": f"old 1\n{HASH} {HASH}\n\n{NOTE}",
    "64 hashes": f"old 1\n{(HASH + chr(10)) * 64}\n{NOTE}",
    "an old size beyond the checkpoint's": f"old 1001\n\n{NOTE}",
    "no signature line": f"old 0\n\n{tree_text(1000)}",
    "a cut signature line": f"old 0\n\n{NOTE[:-10]}",
    "a last line without a line feed": f"old 0\n\n{NOTE[:-1]}",
    "a checkpoint of two lines": "old 0\n\n" + NOTE.replace(tree_text(1000), ORIGIN + "\n1000\n"),
    "an extension line": "old 0\n\n" + NOTE.replace(tree_text(1000), tree_text(1000) + "extension\n"),
    "a size with a leading zero": "old 0\n\n" + NOTE.replace("\n1000\n", "\n01000\n"),
    "a size that is no number": "old 0\n\n" + NOTE.replace("\n1000\n", "\nmany\n"),
    "a root of 31 bytes": "old 0\n\n" + NOTE.replace(tree_text(1000), tree_text(1000, root=bytes(31))),
    "an empty origin": "old 0\n\n" + NOTE.replace(tree_text(1000), tree_text(1000, origin="")),
    "a control character": "old 0\n\n" + NOTE.replace(ORIGIN, ORIGIN + "\x01", 1),
    "101 signatures": "old 0\n\n" + NOTE + (NOTE.split("\n\n")[1]) * 100,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_request_is_answered_with_400(body: str):
    assert refused(body.encode(), latest=None) == 400


def test_what_is_no_text_is_answered_with_400():
    assert refused(b"old 0\n\n" + NOTE.encode().replace(b"example", b"ex\xff\xfeple")) == 400


def test_as_many_hashes_and_signatures_as_the_document_wants_are_read():
    lines = "".join(f"— stranger.example/{n} {base64.b64encode(bytes(5000)).decode()}\n" for n in range(15))
    body = f"old 1\n{(HASH + chr(10)) * 63}\n{NOTE}{lines}".encode()
    request = AddCheckpoint.parse(body)
    assert len(request.proof) == 63
    assert len(request.note.signatures) == 16


# -- judging ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "size"), [(0, 1), (0, 1000), (1, 1), (512, 1000), (700, 701), (700, 1000), (700, 700)])
def test_what_goes_on_what_was_cosigned_is_accepted(old: int, size: int):
    latest = TreeHead(ORIGIN, old, head(0, old)) if old else None
    judged = judge(AddCheckpoint.parse(honest_body(old, size)), (log_key(),), latest)
    assert judged == SignedNote.parse(checkpoint(size))


def test_an_empty_log_is_cosigned_and_goes_on():
    assert judge(AddCheckpoint.parse(honest_body(0, 0)), (log_key(),), None).text == tree_text(0)
    empty = TreeHead(ORIGIN, 0, head(0, 0))
    assert judge(AddCheckpoint.parse(honest_body(0, 9)), (log_key(),), empty).text == tree_text(9)


def test_lines_of_strangers_are_dropped():
    stranger = checkpoint(1000, server=MALLORY).split("\n\n")[1]
    body = honest_body(700, 1000) + stranger.encode()
    assert judge(AddCheckpoint.parse(body), (log_key(),), LATEST).encode() == checkpoint(1000)


def test_a_log_that_is_not_known_is_answered_with_404():
    assert refused(honest_body(700, 1000), keys=()) == 404


SIGNED_BADLY = {
    "by a stranger": checkpoint(1000, server=MALLORY),
    "under another name": NOTE.replace(f"— {ORIGIN}", f"— {ORIGIN}2"),
    "another text": NOTE.replace("\n1000\n", "\n1001\n"),
    "twice": NOTE + NOTE.split("\n\n")[1],
    "well, and badly as well": NOTE + checkpoint(999).split("\n\n")[1],
}


@pytest.mark.parametrize("note", SIGNED_BADLY.values(), ids=SIGNED_BADLY.keys())
def test_what_the_log_did_not_sign_is_answered_with_403(note: str):
    assert refused(add_checkpoint_body(700, note, proof(700, 1000))) == 403


@pytest.mark.parametrize(("old", "latest"), [(0, LATEST), (699, LATEST), (701, LATEST), (700, None)])
def test_another_size_than_was_cosigned_is_answered_with_409_and_that_size(old: int, latest: TreeHead | None):
    with pytest.raises(CheckpointRefusedError) as caught:
        judge(AddCheckpoint.parse(honest_body(old, 1000)), (log_key(),), latest)
    assert caught.value.status == 409
    assert caught.value.said == ("700" if latest else "0")


FORK = sha256(b"another log").digest()
NOT_PROVED = {
    "a fork": (700, checkpoint(1000, root=FORK), proof(700, 1000)),
    "a fork of the same size": (700, checkpoint(700, root=FORK), []),
    "no proof": (700, checkpoint(1000), []),
    "a proof too short": (700, checkpoint(1000), proof(700, 1000)[:-1]),
    "a proof too long": (700, checkpoint(1000), [*proof(700, 1000), FORK]),
    "hashes that changed places": (700, checkpoint(1000), proof(700, 1000)[::-1]),
    "the proof from another size": (700, checkpoint(1000), proof(699, 1000)),
    "a proof for the same size": (700, checkpoint(700), proof(700, 701)),
}


@pytest.mark.parametrize("request_of", NOT_PROVED.values(), ids=NOT_PROVED.keys())
def test_what_is_not_shown_to_go_on_is_answered_with_422(request_of: tuple):
    assert refused(add_checkpoint_body(*request_of)) == 422


def test_nothing_is_to_be_proved_from_none_and_an_empty_log_has_one_root():
    assert refused(add_checkpoint_body(0, checkpoint(9), [FORK]), latest=None) == 422
    assert refused(add_checkpoint_body(0, checkpoint(0, root=FORK), []), latest=None) == 422


def test_a_wrong_size_is_told_before_a_wrong_proof_and_a_wrong_signature_before_both():
    assert refused(add_checkpoint_body(699, checkpoint(1000, root=FORK), [])) == 409
    assert refused(add_checkpoint_body(699, checkpoint(1000, root=FORK, server=MALLORY), [])) == 403
    assert refused(add_checkpoint_body(699, checkpoint(1000, root=FORK, server=MALLORY), []), keys=()) == 404


# -- answers ------------------------------------------------------------------------------------------


def test_an_answer_has_both_cosignatures_and_is_read_by_the_log():
    witness = cosigners()
    judged = SignedNote.parse(checkpoint(1000))
    cosigned = cosign(judged, witness, timestamp=NOW)
    assert cosigned.signatures[:1] == judged.signatures
    body = answer(cosigned.signatures[1:])
    assert [line[:1] for line in body.decode().splitlines()] == ["—", "—"]
    keys = [each.public for each in witness]
    assert read_answer(judged.text, body, keys) == cosigned.signatures[1:]
    assert cosigned.verify(keys) == dict.fromkeys(keys, NOW)
    # One of the two is enough, and what an unknown key adds is left out.
    assert read_answer(judged.text, body, keys[:1]) == cosigned.signatures[1:2]


def test_a_cosignature_has_a_time():
    with pytest.raises(ValueError, match="when"):
        cosign(SignedNote.parse(checkpoint(1000)), cosigners(), timestamp=0)


def lines_of(text: str, *, name: str = "witness.example/w1", number: int = 1, timestamp: int = NOW) -> bytes:
    made = SignedNote.parse(checkpoint(1000))
    made = SignedNote(text, made.signatures)
    lines = []
    for cosigner in cosigners(name, number):
        data = cosigner.cosign(text, timestamp=timestamp)
        lines.append(f"— {name} {base64.b64encode(cosigner.public.key_hash() + data).decode()}\n")
    return "".join(lines).encode()


LIES = {
    "nothing": b"",
    "no lines": b"cosigned\n",
    "no text": b"\xff\n",
    "of strangers": lines_of(tree_text(1000), number=2),
    "under another name": lines_of(tree_text(1000), name="witness.example/w2"),
    "of another checkpoint": lines_of(tree_text(999)),
    "without a time": lines_of(tree_text(1000), timestamp=0),
    "with a text of its own": b"more\n\n" + lines_of(tree_text(1000)),
    "with a checkpoint of its own": b"x\n\n" + tree_text(999).encode() + b"\n" + lines_of(tree_text(999)),
    "cut": lines_of(tree_text(1000))[:-1],
}


@pytest.mark.parametrize("body", LIES.values(), ids=LIES.keys())
def test_the_answer_of_a_witness_that_lies_is_no_cosignature(body: bytes):
    with pytest.raises(SignatureInvalidError):
        read_answer(tree_text(1000), body, [each.public for each in cosigners()])


def test_a_line_that_does_not_hold_spoils_the_good_ones_beside_it():
    good, _ = lines_of(tree_text(1000)).splitlines(keepends=True)
    _, bad = lines_of(tree_text(999)).splitlines(keepends=True)
    with pytest.raises(SignatureInvalidError):
        read_answer(tree_text(1000), good + bad, [each.public for each in cosigners()])


def test_the_size_of_a_conflict_is_read():
    assert read_size(b"700\n") == 700
    for wrong in (b"", b"700", b"0700\n", b"-1\n", b"700\n\n", b"seven\n", b"%d\n" % (1 << 63), b"\xd9\xa1\n"):
        with pytest.raises(ProofInvalidError):
            read_size(wrong)


def test_both_kinds_are_those_of_the_document():
    assert [kind.value for kind in KINDS] == [0x04, 0x06]

"""The verdict, field by field: pure, without a server."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from sft.client.pins import Pin
from sft.client.transfers.measure import Measure
from sft.client.trust import SignatureState, judge, unread_sentence
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import FileSignature, sign_file
from sft.errors import KeyNotEndorsedError, OwnKeyUnknownError, PinChangedError, SignatureBadError, SignerUnknownError
from sft.model.records import File, FileVersion
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY

CONTENT = b"content"
DIGEST = blake2b_512(CONTENT).digest()
SERVER_ID = bytes(range(32))
ADA = Pin(7, "ada", {ADA_KEY.public.encode(): 1000})
COMMENT = {
    "server_id": SERVER_ID,
    "file_id": bytes(16),
    "version": 2,
    "size": len(CONTENT),
    "digest": DIGEST,
    "mtime": -5,
    "name": "docs/plan.pdf",
    "user": 7,
    "prev": bytes(64),
    "ts": 9,
}


def signed(key=ADA_KEY, **comment):
    """A file as the server describes it truly, but for what its author signed instead."""
    signature = sign_file(key, FileComment(**{**COMMENT, **comment})).encode()
    version = FileVersion(2, 7, "ada", key.public.encode(), len(CONTENT), DIGEST, -5, 9, "docs/plan.pdf", 1, signature)
    return File(bytes(16), "docs/plan.pdf", 7, "ada", version)


def described(**fields):
    """A file that its author signed truly, but for what the server says instead."""
    file = signed()
    return msgspec.structs.replace(file, version=msgspec.structs.replace(file.version, **fields))


def verdict(file, digest=DIGEST, size=7, pins=None):
    pins = {7: ADA} if pins is None else pins
    return judge(file, digest, size, pins, server_id=SERVER_ID, server_name="acme", proved=None)


def test_what_holds_says_whose_it_is_and_since_when_the_key_is_known():
    given = verdict(signed())
    assert (given.state, given.author, given.version) == (SignatureState.VERIFIED, "ada", 2)
    assert (given.words, given.first_seen_at) == (ADA_KEY.public.words(), 1000)
    assert given.moved_to is None
    assert given.signature == signed().version.signature
    assert given.sentence() == ("These bytes are ada's: content, name and version are as ada signed them.")


@pytest.mark.parametrize(
    "comment",
    [
        {"server_id": bytes(32)},
        {"file_id": b"another file's i"},
        {"version": 3},
        {"size": 8},
        {"mtime": 5},
        {"name": "docs/other.pdf"},
        {"user": 8},
    ],
    ids=lambda comment: next(iter(comment)),
)
def test_what_was_signed_is_what_it_is(comment):
    with pytest.raises(SignatureBadError):
        verdict(signed(**comment))


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 3},
        {"size": 8},
        {"digest": bytes(64)},
        {"dated_at": 5},
        {"signed_name": "docs/other.pdf"},
        {"author_id": 8},
        {"public_key": MALLORY_KEY.public.encode()},
        {"public_key": bytes(42)},
        {"signature": b""},
        {"signature": b"\xff" * 100},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_the_server_says_is_what_was_signed(fields):
    with pytest.raises(SignatureBadError):
        verdict(described(**fields))


def signed_once(file):
    """The same, but its author signed nothing but the comment: stock minisign refuses it."""
    spoiled = FileSignature.parse(file.version.signature)
    first = bytes(63) + b"\x01"
    closing = ADA_KEY._sign(first + spoiled.comment.encode())
    whole = FileSignature(spoiled.key_id, first, spoiled.comment, closing).encode()
    return msgspec.structs.replace(file, version=msgspec.structs.replace(file.version, signature=whole))


def test_one_signature_is_enough_for_a_reader_and_both_for_who_keeps_them():
    file = signed_once(signed())
    given = judge(file, DIGEST, 7, {7: ADA}, server_id=SERVER_ID, server_name="acme", both=False, proved=None)
    assert given.state is SignatureState.VERIFIED
    with pytest.raises(SignatureBadError):
        verdict(file)
    with pytest.raises(SignatureBadError):
        other = blake2b_512(b"Content").digest()
        judge(signed(), other, 7, {7: ADA}, server_id=SERVER_ID, server_name="acme", both=False, proved=None)


def test_other_bytes_or_another_number_of_them_are_bad():
    with pytest.raises(SignatureBadError):
        verdict(signed(), digest=blake2b_512(b"Content").digest())
    with pytest.raises(SignatureBadError):
        verdict(signed(), size=8)


def test_an_author_shown_under_another_name_than_the_pinned_one_is_refused():
    with pytest.raises(PinChangedError):
        verdict(described(author="eve"))


def test_a_key_that_was_never_shown_is_unknown_and_one_shown_later_is_refused():
    key = MALLORY_KEY.public.encode()
    with pytest.raises(SignerUnknownError):
        verdict(signed(MALLORY_KEY))
    with pytest.raises(SignerUnknownError):
        verdict(signed(), pins={})
    with pytest.raises(KeyNotEndorsedError) as stopped:
        verdict(signed(MALLORY_KEY), pins={7: Pin(7, "ada", ADA.keys, {key: 2000})})
    shown = {"shown": MALLORY_KEY.public.words(), "pinned": ADA_KEY.public.words(), "added_at": 2000}
    assert stopped.value.values.items() >= shown.items()
    with pytest.raises(PinChangedError):
        verdict(signed(MALLORY_KEY), pins={7: Pin(7, "ada", {}, {key: 2000})})


def test_a_key_that_is_not_ours_signs_nothing_in_our_name():
    us = Pin(7, "ada", ADA.keys, is_own=True)
    assert verdict(signed(), pins={7: us}).author == "ada"
    with pytest.raises(SignerUnknownError):
        verdict(signed(MALLORY_KEY), pins={7: us})
    key = MALLORY_KEY.public.encode()
    with pytest.raises(OwnKeyUnknownError) as stopped:
        verdict(signed(MALLORY_KEY), pins={7: replace(us, shown_later={key: 2000})})
    assert stopped.value.values["shown"] == MALLORY_KEY.public.words()


def test_a_second_device_that_was_pinned_first_holds_as_well():
    both = Pin(7, "ada", {**ADA.keys, MALLORY_KEY.public.encode(): 1500})
    assert verdict(signed(MALLORY_KEY), pins={7: both}).first_seen_at == 1500


def test_a_moved_file_holds_and_names_of_strangers_are_escaped():
    moved = msgspec.structs.replace(signed(), path="docs/a\u202eb.pdf")
    given = verdict(moved)
    assert given.moved_to == "docs/a\u202eb.pdf"
    assert "Signed as docs/plan.pdf" in given.sentence()
    assert "\u202e" not in given.sentence()
    assert "\u202e" not in unread_sentence("a\u202e")


def test_more_than_announced_is_refused_at_once_and_less_at_the_end():
    measure = Measure("a", "ada", 5)
    measure.add([b"abc"])
    with pytest.raises(SignatureBadError):
        measure.finish()
    with pytest.raises(SignatureBadError):
        measure.add([b"def"])
    exact = Measure("a", "ada", 3)
    exact.add([b"abc"])
    exact.finish()

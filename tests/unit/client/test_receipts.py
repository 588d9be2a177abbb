"""A receipt is the server's word on what was sent and stored, and on nothing else."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.receipts import ReceiptNote
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey
from sft.crypto.notes import Receipt, sign_receipts
from sft.errors import SignatureInvalidError
from sft.model.records import Stored

SERVER = ServerKey.from_seed(bytes(range(32)))
DIGEST = blake2b_512(b"content").digest()
SENT = FileComment(
    server_id=SERVER.public.server_id(),
    file_id=bytes(range(16)),
    version=2,
    size=7,
    digest=DIGEST,
    mtime=1000,
    name="a/b",
    user=3,
    prev=bytes(64),
    ts=1000,
    head=NO_HEAD,
)


def stored(key: ServerKey = SERVER, **changes) -> Stored:
    fields = {
        "server_id": SENT.server_id,
        "file_id": SENT.file_id,
        "version": SENT.version,
        "size": SENT.size,
        "digest": DIGEST,
        "user": SENT.user,
        "name": SENT.name,
        "stored_at": 2000,
        "leaf": 30,
    }
    receipt = sign_receipts(key, [Receipt(**(fields | changes))])
    return Stored(SENT.name, SENT.version, SENT.size, DIGEST, receipt)


def check_receipt(server, answer, sent, digest):
    ReceiptNote(server, answer.receipt).check(answer, sent, digest, 31)


def test_the_receipt_for_what_was_sent_holds():
    check_receipt(SERVER.public, stored(), SENT, DIGEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"server_id": bytes(32)},
        {"file_id": bytes(16)},
        {"version": 3},
        {"size": 8},
        {"digest": bytes(64)},
        {"user": 4},
        {"name": "a/c"},
        {"key": ServerKey.from_seed(bytes(32))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_receipt_for_anything_else_is_refused(changes):
    with pytest.raises(SignatureInvalidError):
        check_receipt(SERVER.public, stored(**changes), SENT, DIGEST)


@pytest.mark.parametrize("changes", [{"version": 5}, {"path": "elsewhere"}])
def test_a_receipt_for_another_place_than_the_answers_is_refused(changes):
    answer = msgspec.structs.replace(stored(), unchanged=True)
    check_receipt(SERVER.public, answer, SENT, DIGEST)
    with pytest.raises(SignatureInvalidError):
        check_receipt(SERVER.public, msgspec.structs.replace(answer, **changes), SENT, DIGEST)

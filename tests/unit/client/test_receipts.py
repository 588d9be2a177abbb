"""A receipt is the server's word on what was sent and stored, and on nothing else."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.receipts import ReceiptNote, held_receipt, keep_receipts
from sft.client.state import StateFolder
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey
from sft.crypto.notes import Receipt, sign_receipts
from sft.errors import SignatureInvalidError
from sft.model.records import File, FileVersion, Stored

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


FILE = File(
    SENT.file_id, "moved/since", 3, "ada",
    FileVersion(2, 3, "ada", bytes(42), 7, DIGEST, 1000, 2000, SENT.name, 30),
)  # fmt: skip


def held(tmp_path, key: ServerKey = SERVER, keys=(SERVER.public,), **changes):
    """Look for a receipt after one was kept."""
    state, text = StateFolder(tmp_path, tmp_path), stored(key, **changes).receipt
    keep_receipts(state, ReceiptNote(key.public, text), [SENT])
    return held_receipt(state, SENT.server_id, keys, FILE)


def test_a_receipt_that_is_kept_is_held_to_what_is_shown_now(tmp_path):
    receipt = held(tmp_path)
    assert receipt is not None
    assert (receipt.name, receipt.leaf, receipt.stored_at) == (SENT.name, 30, 2000)
    nobody = msgspec.structs.replace(FILE, id=bytes(16))
    assert held_receipt(StateFolder(tmp_path, tmp_path), SENT.server_id, (SERVER.public,), nobody) is None


@pytest.mark.parametrize(
    "changes",
    [{"size": 8}, {"digest": bytes(64)}, {"user": 4}, {"name": "a/c"}, {"leaf": 31}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_receipt_that_is_kept_and_is_for_something_else_is_none(tmp_path, changes):
    with pytest.raises(SignatureInvalidError):
        held(tmp_path, **changes)


def test_a_receipt_that_is_kept_counts_under_a_key_that_the_pinned_one_follows(tmp_path):
    newer = ServerKey.from_seed(bytes(32))
    assert held(tmp_path / "1", keys=(newer.public, SERVER.public)) is not None
    with pytest.raises(SignatureInvalidError):
        held(tmp_path / "2", keys=(newer.public,))

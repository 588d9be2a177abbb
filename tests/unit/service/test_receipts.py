from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.crypto.notes import verify_receipt
from sft.errors import SignatureRefusedError
from sft.service.receipts import (
    Committed,
    Sidecar,
    acknowledge,
    require_announced,
    require_digest,
    require_signed,
    sidecar_of,
)
from tests.unit.service.office import MAX, MIA, NOW, SERVER_KEY, Office, digest_of, signature_of

CONTENT = b"content"


def facts(office: Office, **changes: Any) -> dict[str, Any]:
    return {
        "storage": office.storage,
        "user_id": MAX.id,
        "public_key": MAX.public_key,
        "path": "d/a",
        "size": len(CONTENT),
        "digest": digest_of(CONTENT),
        "signature": signature_of(MAX, "d/a", CONTENT),
    } | changes


def test_a_good_signature_is_kept_as_it_is(office: Office) -> None:
    fields = facts(office)
    signed = require_signed(**fields)
    assert signed.signature == fields["signature"]
    assert (signed.path, signed.version, signed.prev, signed.user_id) == ("d/a", 1, None, MAX.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": MIA.id},
        {"public_key": MIA.public_key},
        {"public_key": b"short"},
        {"public_key": bytes(42)},
        {"path": "d/b"},
        {"size": 8},
        {"digest": digest_of(b"other")},
        {"signature": b""},
    ],
)
def test_anything_else_than_was_signed_is_refused(office: Office, changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureRefusedError):
        require_signed(**facts(office, **changes))


def test_what_was_announced_is_what_was_signed(office: Office) -> None:
    signed = require_signed(**facts(office))
    good = {"file_id": signed.file_id, "version": 1, "prev": None}
    require_announced(signed, **good)
    for wrong in ({"file_id": bytes(16)}, {"version": 2}, {"prev": bytes(64)}):
        with pytest.raises(SignatureRefusedError):
            require_announced(signed, **(good | wrong))


def test_a_digest_is_compared_whole() -> None:
    digest = digest_of(CONTENT)
    require_digest(digest, digest)
    for wrong in (digest[:-1], digest[:-1] + b"x", b""):
        with pytest.raises(SignatureRefusedError):
            require_digest(wrong, digest)


def test_the_sidecar_says_all_that_the_index_needs(office: Office) -> None:
    signed = require_signed(**facts(office))
    sidecar = msgspec.msgpack.decode(sidecar_of(signed, MAX.public_key), type=Sidecar)
    assert (sidecar.format, sidecar.public_key) == (1, MAX.public_key)
    for name in (
        "file_id",
        "version",
        "path",
        "user_id",
        "size",
        "digest",
        "dated_at",
        "signature",
    ):
        assert getattr(sidecar, name) == getattr(signed, name)


def test_the_receipt_says_what_is_durable(office: Office) -> None:
    committed = Committed(
        path="d/Päth %",
        file_id=b"f" * 16,
        version=3,
        size=7,
        digest=digest_of(CONTENT),
        user_id=2,
        stored_at=NOW,
        unchanged=False,
    )
    stored = acknowledge(office.storage, committed)
    assert (stored.path, stored.version, stored.size) == ("d/Päth %", 3, 7)
    assert not stored.unchanged
    receipt = verify_receipt(SERVER_KEY.public, stored.receipt)
    assert (receipt.name, receipt.version, receipt.user, receipt.stored_at) == (
        "d/Päth %",
        3,
        2,
        NOW,
    )
    assert receipt.server_id == office.storage.server_id
    assert acknowledge(office.storage, replace(committed, unchanged=True)).unchanged

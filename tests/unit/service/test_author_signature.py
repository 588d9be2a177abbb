from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.errors import SignatureRefusedError
from sft.service.author_signature import (
    Sidecar,
    parse_sidecar,
    require_announced,
    require_digest,
    require_signed,
    sidecar_of,
)
from tests.unit.service.service_fixture import MAX, MIA, ServiceFixture, digest_of, signature_of

CONTENT = b"content"


def facts(services: ServiceFixture, **changes: Any) -> dict[str, Any]:
    return {
        "storage": services.storage,
        "user_id": MAX.id,
        "public_key": MAX.public_key,
        "path": "d/a",
        "size": len(CONTENT),
        "digest": digest_of(CONTENT),
        "signature": signature_of(MAX, "d/a", CONTENT),
    } | changes


def test_a_good_signature_is_kept_as_it_is(services: ServiceFixture) -> None:
    fields = facts(services)
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
def test_anything_else_than_was_signed_is_refused(services: ServiceFixture, changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureRefusedError):
        require_signed(**facts(services, **changes))


def test_what_was_announced_is_what_was_signed(services: ServiceFixture) -> None:
    signed = require_signed(**facts(services))
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


def test_the_sidecar_says_all_that_the_index_needs(services: ServiceFixture) -> None:
    signed = require_signed(**facts(services))
    sidecar = msgspec.msgpack.decode(sidecar_of(signed, "max", MAX.public_key), type=Sidecar)
    assert (sidecar.format, sidecar.user_name, sidecar.public_key) == (1, "max", MAX.public_key)
    assert parse_sidecar(msgspec.msgpack.encode(sidecar)) == sidecar
    for name in ("file_id", "version", "path", "user_id", "size", "digest", "dated_at", "signature"):
        assert getattr(sidecar, name) == getattr(signed, name)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2}, {"file_id": bytes(16)}, {"version": 2}, {"path": "b"}, {"user_id": 3}, {"size": 1}, {"dated_at": 0},
        {"public_key": MIA.public_key}, {"digest": bytes(64)}, {"signature": b""},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_a_sidecar_that_its_author_did_not_sign_so_is_refused(
    services: ServiceFixture, changes: dict[str, Any]
) -> None:
    sidecar = msgspec.msgpack.decode(sidecar_of(require_signed(**facts(services)), "max", MAX.public_key), type=Sidecar)
    with pytest.raises(SignatureRefusedError):
        parse_sidecar(msgspec.msgpack.encode(replace(sidecar, **changes)))
    for broken in (b"", b"\x90", msgspec.msgpack.encode(sidecar)[:-1]):
        with pytest.raises(SignatureRefusedError):
            parse_sidecar(broken)

"""What an author signed of an upload, held against what arrived.

Rules. The author's comment is compared field by field with what is being stored: a good signature over another name, version
or server is no signature here.
"""

from __future__ import annotations

import hmac
from typing import Final

import msgspec
from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import CryptoError, SignatureRefusedError
from sft.service.log.seen import require_seen
from sft.service.storage import FileStorage
from sft.store.row_types import DeviceKeyRow, FileRow, UserRow, VersionRow

DATES: Final = range(-(2**40), 2**40 + 1)
MOST_VERSIONS: Final = 2**31
SIDECAR_VERSION: Final = 1


class Signed(Struct, frozen=True):
    """What an author signed, checked against content, key, path and server.

    ``signature`` is written anew from its parsed parts: the untrusted first line is not kept.
    """

    file_id: bytes
    version: int
    size: int
    digest: bytes
    dated_at: int
    path: str
    user_id: int
    prev: bytes | None
    signature: bytes


class Sidecar(Struct, frozen=True, array_like=True):
    """What lies beside an object, sealed, so that the index can be rebuilt without the database (FORMAT.md §5)."""

    format: int
    file_id: bytes
    version: int
    path: str
    user_id: int
    user_name: str
    public_key: bytes
    size: int
    digest: bytes
    dated_at: int
    signature: bytes


def require_signed(
    storage: FileStorage, *, user_id: int, public_key: bytes, path: str, size: int, digest: bytes, signature: bytes
) -> Signed:
    """Check a signature and everything that its comment says which the server knows.

    Args:
        storage: whose server the author must have meant.
        user_id: of the author, by the session.
        public_key: of the session, minisign's 42 bytes.

    Raises:
        SignatureRefusedError: naming what does not fit.
    """
    try:
        parsed = FileSignature.parse(signature)
        said = verify_file(PublicKey.decode(public_key), digest, parsed)
    except CryptoError as fault:
        raise SignatureRefusedError(str(fault), problem="it is not signed with the key of this session") from fault
    _require_equal(
        ("server", said.server_id, storage.server_id),
        ("name", said.name, path),
        ("user", said.user, user_id),
        ("size", said.size, size),
    )
    require_seen(storage.ledger, said.head)
    if said.version > MOST_VERSIONS or said.mtime not in DATES:
        raise SignatureRefusedError(problem="its version or date is out of range")
    return Signed(
        file_id=said.file_id,
        version=said.version,
        size=size,
        digest=digest,
        dated_at=said.mtime,
        path=path,
        user_id=user_id,
        prev=said.prev,
        signature=parsed.encode(),
    )


def require_announced(signed: Signed, *, file_id: bytes, version: int, prev: bytes | None) -> None:
    """Check that what was signed is what the upload began as; SignatureRefusedError names what does not fit."""
    _require_equal(("file", signed.file_id, file_id), ("version", signed.version, version), ("prev", signed.prev, prev))


def require_digest(announced: bytes, found: bytes) -> None:
    """Check that the bytes that arrived are those that were sent; SignatureRefusedError if they are not."""
    if not hmac.compare_digest(announced, found):
        raise SignatureRefusedError(problem="the bytes have another digest")


def sidecar_of(signed: Signed, user_name: str, public_key: bytes) -> bytes:
    """Write what lies beside the object; the vault seals it."""
    return msgspec.msgpack.encode(
        Sidecar(
            format=SIDECAR_VERSION,
            file_id=signed.file_id,
            version=signed.version,
            path=signed.path,
            user_id=signed.user_id,
            user_name=user_name,
            public_key=public_key,
            size=signed.size,
            digest=signed.digest,
            dated_at=signed.dated_at,
            signature=signed.signature,
        )
    )


def sidecar_of_version(file: FileRow, row: VersionRow, author: UserRow, key: DeviceKeyRow) -> bytes:
    """Write what lies beside the object of a version that is stored, as ``sidecar_of`` did."""
    return msgspec.msgpack.encode(
        Sidecar(
            format=SIDECAR_VERSION,
            file_id=file.file_id,
            version=row.number,
            path=row.signed_name,
            user_id=row.author_id,
            user_name=author.name,
            public_key=key.public_key,
            size=row.size,
            digest=row.digest,
            dated_at=row.dated_at,
            signature=row.signature,
        )
    )


def parse_sidecar(content: bytes) -> Sidecar:
    """Read what lies beside an object, and check the signature in it against all else that it says.

    Raises:
        SignatureRefusedError: it has another form, or its author signed something else.
    """
    try:
        sidecar = msgspec.msgpack.decode(content, type=Sidecar)
        parsed = FileSignature.parse(sidecar.signature)
        said = verify_file(PublicKey.decode(sidecar.public_key), sidecar.digest, parsed)
    except (msgspec.MsgspecError, CryptoError) as fault:
        raise SignatureRefusedError(str(fault), problem="what lies beside it does not hold") from fault
    _require_equal(
        ("format", sidecar.format, SIDECAR_VERSION),
        ("file", said.file_id, sidecar.file_id),
        ("version", said.version, sidecar.version),
        ("name", said.name, sidecar.path),
        ("user", said.user, sidecar.user_id),
        ("size", said.size, sidecar.size),
        ("mtime", said.mtime, sidecar.dated_at),
    )
    return sidecar


def _require_equal(*fields: tuple[str, object, object]) -> None:
    for name, said, expected in fields:
        if said != expected:
            raise SignatureRefusedError(problem=f"its {name} is another")

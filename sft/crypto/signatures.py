"""What each key signs: one function per row, and none that signs raw bytes.

    user        digest of a file, or of a statement   64 bytes
    user        minisign's global signature           64 bytes of signature ‖ comment
    user        login, join                           128: label to 64 with 0xFF ‖ SHA-512(…)
    invitation  join                                  128, likewise
    server      server hello                          128, likewise
    server      notes (sft.crypto.signed_note)        text

The rows cannot be taken for one another: a digest alone has 64 bytes; byte 63 of a login or join is
0xFF, which no text in UTF-8 holds, while byte 63 of a global signature's input ends an Ed25519
signature and is below 0x20, where a text has a line feed at most, and no TAB after it; notes differ in their first line.
A file and a statement with the same bytes have one digest, and the same signature over it: the comment under the global
signature says which it is, by its second field.

Rules. File signatures are minisign's, prehashed (``ED``) alone: the legacy form (``Ed``) signs raw
bytes and is refused everywhere. A signature holds for one key id, one digest and one comment;
whether the comment's fields are those expected is for the caller to compare. ``th1`` hashes both
hellos, ``th2`` the handshake up to M3; ``m4_prefix`` is all of M4 before the signature, as sent.
"""

# ruff: noqa: SLF001 - keys sign raw bytes for this module and for notes alone

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from sft import limits
from sft.crypto import _ed25519
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.comment import FileComment
from sft.crypto.digests import DIGEST_BYTES, blake2b_512
from sft.crypto.kdf import TRANSCRIPT_BYTES
from sft.crypto.keys import KEY_ID_BYTES, InvitationKey, PublicKey, ServerKey, ServerPublic, SigningKey
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError, SignatureInvalidError

SIGNATURE_BYTES: Final = _ed25519.SIGNATURE_BYTES

_LABEL_BYTES: Final = 64
_SERVER_HELLO: Final = b"sft/1 server hello"
_LOGIN: Final = b"sft/1 login"
_JOIN: Final = b"sft/1 join"
_INVITATION: Final = b"sft/1 invitation"

_USERS_LABELS: Final = tuple(label.ljust(_LABEL_BYTES, b"\xff") for label in (_LOGIN, _JOIN))

_PREHASHED: Final = b"ED"
_UNTRUSTED: Final = "untrusted comment: "
_TRUSTED: Final = "trusted comment: "
_FIRST_LINE: Final = f"{_UNTRUSTED}signature from sft"
_UNTRUSTED_BYTES: Final = 1024  # what stock minisign reads of it


class FileSignature(Struct, frozen=True, gc=False):
    """A prehashed minisign signature: four lines, of which the first says nothing and is not kept.

    ``comment`` is a stranger's text until ``verify_file`` has parsed it.

    Raises:
        SignatureInvalidError: another length, or a comment over 4,096 bytes or with control
            characters.
    """

    key_id: bytes
    signature: bytes
    comment: str
    global_signature: bytes

    def __post_init__(self) -> None:
        lengths = (len(self.key_id), len(self.signature), len(self.global_signature))
        if lengths != (KEY_ID_BYTES, SIGNATURE_BYTES, SIGNATURE_BYTES):
            raise SignatureInvalidError("not the lengths of a signature")
        # Escape sequences in a signed comment would reach the terminal of whoever prints it.
        if not self.comment.replace("\t", "").isprintable():
            raise SignatureInvalidError("the comment holds control characters")
        if len(self.comment.encode("utf-8")) > limits.COMMENT_BYTES:
            raise SignatureInvalidError(f"the comment is over {limits.COMMENT_BYTES} bytes")

    def encode(self) -> bytes:
        """Write the four lines that ``minisign -V -H -x`` reads."""
        body = encode_base64(_PREHASHED + self.key_id + self.signature)
        closing = encode_base64(self.global_signature)
        return f"{_FIRST_LINE}\n{body}\n{_TRUSTED}{self.comment}\n{closing}\n".encode()

    @classmethod
    def parse(cls, data: bytes) -> FileSignature:
        """Read four lines, each with its line feed; SignatureInvalidError for another form or the legacy algorithm."""
        try:
            untrusted, body, trusted, closing, rest = data.decode("utf-8").split("\n")
            signed = decode_base64(body)
            global_signature = decode_base64(closing)
        except ValueError as fault:
            raise SignatureInvalidError("not the four lines of a signature") from fault
        if rest or not untrusted.startswith(_UNTRUSTED) or not trusted.startswith(_TRUSTED):
            raise SignatureInvalidError("not the four lines of a signature")
        if len(untrusted.encode("utf-8")) > _UNTRUSTED_BYTES:
            raise SignatureInvalidError("the untrusted comment is too long")
        if signed[:2] != _PREHASHED:
            raise SignatureInvalidError("not a prehashed signature")
        return cls(
            key_id=signed[2 : 2 + KEY_ID_BYTES],
            signature=signed[2 + KEY_ID_BYTES :],
            comment=trusted.removeprefix(_TRUSTED),
            global_signature=global_signature,
        )


def sign_file(key: SigningKey, comment: FileComment) -> FileSignature:
    """Sign the digest of a content, and what its author says beside it."""
    return _sign_digest(key, comment.digest, comment.encode())


def sign_statement(key: SigningKey, statement: ActStatement) -> FileSignature:
    """Sign what a person asks for: its text, and the comment that says it is no file."""
    return _sign_digest(key, _digest_of(statement.text()), statement.comment.encode())


def verify_statement(public: PublicKey, statement: ActStatement, signature: FileSignature) -> str:
    """Check that a key signed this statement.

    Returns:
        Its text, which is worth writing once.

    Raises:
        SignatureInvalidError: of another key, with another comment, or over another text.
    """
    if signature.comment != statement.comment.encode():
        raise SignatureInvalidError("the comment is of another statement")
    _verify_closing(public, signature)
    text = statement.text()
    try:
        _ed25519.verify(public.point, _digest_of(text), signature.signature)
    except SignatureInvalidError as fault:
        raise SignatureInvalidError("it says something else") from fault
    return text


def verify_statement_comment(public: PublicKey, signature: FileSignature) -> StatementComment:
    """Check that a key signed a statement whose text is not here any more, as far as its comment goes.

    Returns:
        What the comment says: who, the act, the server, when; not what was asked for.

    Raises:
        SignatureInvalidError: of another key, with another comment, or a comment of no statement.
    """
    _verify_closing(public, signature)
    return StatementComment.parse(signature.comment)


def verify_kept_statement(public: PublicKey, signature: FileSignature, text: str | None) -> StatementComment:
    """Check that a key signed a statement as it is kept: by its text, or where that was erased as far as its comment goes.

    Raises:
        SignatureInvalidError: as ``verify_statement`` and ``verify_statement_comment``, or a text of no statement.
    """
    if text is None:
        return verify_statement_comment(public, signature)
    statement = ActStatement.parse(text)
    verify_statement(public, statement, signature)
    return statement.comment


def verify_file(public: PublicKey, digest: bytes, signature: FileSignature) -> FileComment:
    """Check that a key signed a content with a comment of ours.

    Returns:
        What the author says. The caller compares it with the file that was asked for.

    Raises:
        SignatureInvalidError: of another key, content or comment, or a comment of another form.
    """
    return _of(digest, verify_plain(public, digest, signature))


def verify_comment(public: PublicKey, digest: bytes, signature: FileSignature) -> FileComment:
    """Check that a key signed a comment of ours that names a content: by one signature, which a reader needs no more of.

    The other one, over the digest alone, is what stock minisign reads first: who keeps a signature calls ``verify_file``.

    Raises:
        SignatureInvalidError: as ``verify_file``.
    """
    _require_digest(digest)
    _verify_closing(public, signature)
    return _of(digest, signature.comment)


def verify_plain(public: PublicKey, digest: bytes, signature: FileSignature) -> str:
    """Check a minisign signature that was not made for sft.

    Returns:
        The trusted comment: signed, and still a stranger's text.

    Raises:
        SignatureInvalidError: of another key, content or comment.
    """
    _require_digest(digest)
    _verify_closing(public, signature)
    _ed25519.verify(public.point, digest, signature.signature)
    return signature.comment


def _sign_digest(key: SigningKey, digest: bytes, comment: str) -> FileSignature:
    signature = key._sign(digest)
    closing = key._sign(signature + comment.encode("ascii"))
    return FileSignature(key.public.key_id, signature, comment, closing)


def _digest_of(text: str) -> bytes:
    return blake2b_512(text.encode("ascii")).digest()


def _require_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")


def _verify_closing(public: PublicKey, signature: FileSignature) -> None:
    if signature.key_id != public.key_id:
        raise SignatureInvalidError("made with another key")
    closed = signature.signature + signature.comment.encode("utf-8")
    _ed25519.verify(public.point, closed, signature.global_signature)


def _of(digest: bytes, text: str) -> FileComment:
    comment = FileComment.parse(text)
    if comment.digest != digest:
        raise SignatureInvalidError("the comment names another content")
    return comment


def is_signed_by_users(message: bytes) -> bool:
    """Return whether bytes are of a row of the table above that a user's key signs: for whoever holds a key for others."""
    if len(message) == DIGEST_BYTES:
        return True
    if message[:_LABEL_BYTES] in _USERS_LABELS:
        return len(message) == _LABEL_BYTES + hashlib.sha512().digest_size
    comment = message[SIGNATURE_BYTES:]
    return _reads(FileComment, comment) or _reads(StatementComment, comment)


def _reads(kind: type[FileComment | StatementComment], text: bytes) -> bool:
    try:
        kind.parse(text.decode("ascii"))
    except (CryptoError, UnicodeDecodeError):
        return False
    return True


def sign_server_hello(key: ServerKey, th1: bytes) -> bytes:
    """Sign M3: this server made this key exchange."""
    return key._sign(_proof(_SERVER_HELLO, th1, key.public.point))


def verify_server_hello(server: ServerPublic, th1: bytes, signature: bytes) -> None:
    """Check M3 under the pinned key; SignatureInvalidError if it is of another server or key exchange."""
    _ed25519.verify(server.point, _proof(_SERVER_HELLO, th1, server.point), signature)


def sign_login(key: SigningKey, th2: bytes, m4_prefix: bytes) -> bytes:
    """Sign M4 as a user who has joined, with the key of this device."""
    return key._sign(_proof(_LOGIN, th2, m4_prefix))


def verify_login(public: PublicKey, th2: bytes, m4_prefix: bytes, signature: bytes) -> None:
    """Check a login under the key that M4 carries; SignatureInvalidError: of another key, handshake or M4."""
    _ed25519.verify(public.point, _proof(_LOGIN, th2, m4_prefix), signature)


def sign_join(key: SigningKey, th2: bytes, m4_prefix: bytes) -> bytes:
    """Sign M4, an invitation's signature with it, as the holder of a key to be registered: proof of possession."""
    return key._sign(_proof(_JOIN, th2, m4_prefix))


def verify_join(public: PublicKey, th2: bytes, m4_prefix: bytes, signature: bytes) -> None:
    """Check a proof of possession under the key that M4 carries; SignatureInvalidError as for a login."""
    _ed25519.verify(public.point, _proof(_JOIN, th2, m4_prefix), signature)


def sign_invitation(key: InvitationKey, th2: bytes, m4_prefix: bytes) -> bytes:
    """Sign M4 with an invitation, user name and key with it; the secret is never sent and admits no other key."""
    return key._sign(_proof(_INVITATION, th2, m4_prefix))


def verify_invitation(point: bytes, th2: bytes, m4_prefix: bytes, signature: bytes) -> None:
    """Check an invitation under the public half that the server keeps; SignatureInvalidError as for a login."""
    _ed25519.verify(point, _proof(_INVITATION, th2, m4_prefix), signature)


def _proof(label: bytes, transcript: bytes, bound: bytes) -> bytes:
    if len(transcript) != TRANSCRIPT_BYTES:
        # Otherwise hash and prefix could be cut at another place.
        raise ValueError(f"a transcript hash has {TRANSCRIPT_BYTES} bytes, not {len(transcript)}")
    return label.ljust(_LABEL_BYTES, b"\xff") + hashlib.sha512(transcript + bound).digest()

"""No signature of one row of the table verifies as another, although one seed made every key.

The bytes of each row are written again here from the specification, with PyNaCl alone.
"""

import base64
import hashlib
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from nacl.signing import SigningKey as Oracle

from sft.crypto import signatures
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.crypto.notes import Receipt, receipts_text, sign_receipts, verify_receipts
from sft.crypto.signatures import FileSignature
from sft.crypto.signed_note import open_note, server_note_key, sign_note
from sft.crypto.statement import ActStatement, StatementComment
from sft.crypto.succession import Succession, sign_succession, verify_succession
from sft.errors import SignatureInvalidError

SEED = bytes(range(32))
USER = SigningKey.from_seed(SEED, bytes(8))
SERVER = ServerKey.from_seed(SEED)
INVITATION = InvitationKey.from_seed(SEED)
POINT = INVITATION.point
TH = bytes(range(64))
PREFIX = POINT  # for one prefix all proofs bind the same bytes
DIGEST = blake2b_512(b"content").digest()
COMMENT = FileComment(
    server_id=bytes(32), file_id=bytes(16), version=1, size=7, digest=DIGEST, mtime=0, name="a", user=1, prev=None, ts=0
)
RECEIPT = Receipt(
    server_id=bytes(32), file_id=bytes(16), version=1, size=7, digest=DIGEST, user=1, name="a", stored_at=0, leaf=0
)


def proof(label: bytes) -> bytes:
    padded = label + b"\xff" * (64 - len(label))
    return padded + hashlib.sha512(TH + PREFIX).digest()


FILE = signatures.sign_file(USER, COMMENT)
SAID = ActStatement(
    StatementComment(act="make-folder", server_id=bytes(32), user=1, ts=0, nonce=bytes(8)), {"path": "a"}
)
STATEMENT = signatures.sign_statement(USER, SAID)
NOTE = sign_receipts(SERVER, [RECEIPT])
NEXT_SERVER = ServerKey.from_seed(bytes(range(1, 33))).public
SUCCESSION = Succession(server_id=bytes(32), old_key=SERVER.public.point, new_key=NEXT_SERVER.point, made_at=0)
SUCCESSION_NOTE = sign_succession(SERVER, bytes(32), NEXT_SERVER, made_at=0)
ORIGIN = "files.example.org/sft/0a1b2c3d/1"
CHECKPOINT = f"{ORIGIN}\n7\n{base64.b64encode(bytes(32)).decode()}\n"
HEAD_NOTE = sign_note(SERVER, ORIGIN, CHECKPOINT)


def note_signature(note: str) -> bytes:
    return base64.b64decode(note.rsplit(" ", 1)[1])[4:]


SIGNED = {
    "digest": (FILE.signature, DIGEST),
    "global": (FILE.global_signature, FILE.signature + COMMENT.encode().encode()),
    "statement": (STATEMENT.signature, blake2b_512(SAID.text().encode()).digest()),
    "statement's global": (STATEMENT.global_signature, STATEMENT.signature + SAID.comment.encode().encode()),
    "login": (signatures.sign_login(USER, TH, PREFIX), proof(b"sft/1 login")),
    "join": (signatures.sign_join(USER, TH, PREFIX), proof(b"sft/1 join")),
    "invitation": (signatures.sign_invitation(INVITATION, TH, PREFIX), proof(b"sft/1 invitation")),
    "hello": (signatures.sign_server_hello(SERVER, TH), proof(b"sft/1 server hello")),
    "receipt": (note_signature(NOTE), receipts_text([RECEIPT]).encode()),
    "succession": (note_signature(SUCCESSION_NOTE), SUCCESSION.text().encode()),
    "checkpoint": (note_signature(HEAD_NOTE), CHECKPOINT.encode()),
}

VERIFY: dict[str, Callable[[bytes], object]] = {
    "digest": lambda s: signatures.verify_file(
        USER.public, DIGEST, FileSignature(bytes(8), s, COMMENT.encode(), FILE.global_signature)
    ),
    "global": lambda s: signatures.verify_file(
        USER.public, DIGEST, FileSignature(bytes(8), FILE.signature, COMMENT.encode(), s)
    ),
    "statement": lambda s: signatures.verify_statement(USER.public, SAID, replace(STATEMENT, signature=s)),
    "statement's global": lambda s: signatures.verify_statement(
        USER.public, SAID, replace(STATEMENT, global_signature=s)
    ),
    "login": lambda s: signatures.verify_login(USER.public, TH, PREFIX, s),
    "join": lambda s: signatures.verify_join(USER.public, TH, PREFIX, s),
    "invitation": lambda s: signatures.verify_invitation(POINT, TH, PREFIX, s),
    "hello": lambda s: signatures.verify_server_hello(SERVER.public, TH, s),
    "receipt": lambda s: verify_receipts(SERVER.public, with_signature(NOTE, s)),
    "succession": lambda s: verify_succession(with_signature(SUCCESSION_NOTE, s)),
    "checkpoint": lambda s: open_note(with_signature(HEAD_NOTE, s), [server_note_key(SERVER.public, ORIGIN)]),
}


def with_signature(note: str, signature: bytes) -> str:
    start, line = note.rsplit(" ", 1)
    return f"{start} {base64.b64encode(base64.b64decode(line)[:4] + signature).decode()}\n"


@pytest.mark.parametrize("row", SIGNED)
def test_each_row_signs_what_the_specification_says(row: str) -> None:
    signature, message = SIGNED[row]
    assert Oracle(SEED).sign(message).signature == signature
    VERIFY[row](signature)


@pytest.mark.parametrize("made,read", [(made, read) for made in SIGNED for read in VERIFY if made != read])
def test_no_row_verifies_as_another(made: str, read: str) -> None:
    with pytest.raises(SignatureInvalidError):
        VERIFY[read](SIGNED[made][0])


def kinds_that(message: bytes) -> list[str]:
    """Every kind that bytes could be, by what the kinds are told apart by."""
    try:
        message.decode("utf-8")
        text = True
    except UnicodeDecodeError:
        text = False
    found = []
    if len(message) == 64:
        found.append("digest")
    if len(message) > 64 and message[63] < 0x20 and message[64:].startswith(b"sft:1\tserver:"):
        found.append("global")
    if len(message) > 64 and message[63] < 0x20 and message[64:].startswith(b"sft:1\tact:"):
        found.append("statement's global")
    if len(message) == 128 and message[63] == 0xFF:
        found.append("proof")
    if text and message.startswith(b"sft receipt 1\n") and len(message) > 128:
        found.append("receipt")
    if text and message.startswith(b"sft key succession 1\n") and len(message) > 128:
        found.append("succession")
    if text and len(message) > 64 and " " not in message.decode().partition("\n")[0] and "\t" not in message.decode():
        found.append("checkpoint")
    return found


def test_lengths_and_byte_63_tell_the_rows_apart() -> None:
    expected = {row: [row] for row in ("digest", "global", "statement's global", "receipt", "succession", "checkpoint")}
    expected["statement"] = ["digest"]  # the comment says which
    expected |= {row: ["proof"] for row in ("login", "join", "invitation", "hello")}
    assert {row: kinds_that(message) for row, (_, message) in SIGNED.items()} == expected


def test_no_proof_is_text() -> None:
    for row in ("login", "join", "invitation", "hello"):
        message = SIGNED[row][1]
        assert len(message) == 128
        assert message[63] >= 0x80
        with pytest.raises(UnicodeDecodeError):
            message.decode("utf-8")


def test_labels_are_no_prefixes_of_one_another() -> None:
    padded = [SIGNED[row][1][:64] for row in ("login", "join", "invitation", "hello")]
    assert len(set(padded)) == 4
    assert all(label.endswith(b"\xff") for label in padded)


def test_the_end_of_every_ed25519_signature_is_below_0x20() -> None:
    # So the input of a global signature never looks like a proof: byte 63 is 0xFF there.
    for number in range(200):
        assert Oracle(SEED).sign(b"%d" % number).signature[63] < 0x20
    high = FILE.signature[:63] + b"\xff"
    with pytest.raises(SignatureInvalidError):
        VERIFY["digest"](high)


def test_a_file_signature_of_a_proof_is_no_proof() -> None:
    """Whoever gets a user to sign a file that holds a proof has its digest signed, no more."""
    message = proof(b"sft/1 login")
    signed = signatures.sign_file(USER, replace(COMMENT, digest=blake2b_512(message).digest()))
    for signature in (signed.signature, signed.global_signature):
        for row in ("login", "join", "invitation", "hello"):
            with pytest.raises(SignatureInvalidError):
                VERIFY[row](signature)

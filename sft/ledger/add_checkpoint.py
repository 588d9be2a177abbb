"""The request by which a log asks a witness for cosignatures (C2SP tlog-witness): its form, its answer, and how it is judged.

    old <size that the witness cosigned last>
    <base64 of a hash>                          up to 63 lines: RFC 6962's proof of consistency
                                                an empty line
    <checkpoint>                                a signed note

Rules. One encoding per request. Judging takes what was cosigned last and keeps nothing: whoever calls it persists what it
gives before anything of it leaves, and lets no other request of that log in between, or an older one would take the log back.
What is refused raises ``CheckpointRefusedError`` with the document's status. Signature lines of unknown keys are dropped: a
witness neither keeps nor gives out what strangers wrote.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.comment import MOST, NUMBER
from sft.crypto.note_keys import CosignerKey, NoteKey
from sft.crypto.signed_note import NoteSignature, SignedNote, cosign_note
from sft.errors import CheckpointRefusedError, ProofInvalidError, SignatureInvalidError
from sft.ledger.checkpoints import TreeHead
from sft.ledger.hashing import EMPTY_ROOT, HASH_BYTES
from sft.ledger.proofs import verify_consistency

PROOF_LINES: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"

MALFORMED: Final = 400
NOT_SIGNED: Final = 403
UNKNOWN_LOG: Final = 404
ANOTHER_SIZE: Final = 409
NOT_PROVED: Final = 422


class AddCheckpoint(Struct, frozen=True):
    """A request as it was read: nothing of it is known to be true.

    Attributes:
        old_size: of the checkpoint that the proof begins at.
        proof: hashes, 32 bytes each, 63 at most.
        note: the checkpoint with all its signature lines; ValueError for the note of something else.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: SignedNote

    def __post_init__(self) -> None:
        TreeHead.parse(self.note.text)

    @property
    def head(self) -> TreeHead:
        return TreeHead.parse(self.note.text)

    def encode(self) -> bytes:
        lines = [f"old {self.old_size}", *map(encode_base64, self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note.encode()).encode("utf-8")

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Read a request; CheckpointRefusedError (400) for what is none."""
        try:
            head, _, note = body.decode("utf-8").partition("\n\n")
            old, *proof = head.split("\n")
            request = cls(_old_size(old), tuple(map(_hash, proof)), SignedNote.parse(note))
            well_formed = len(proof) <= PROOF_LINES and request.old_size <= request.head.size
        except (ValueError, SignatureInvalidError) as fault:
            raise CheckpointRefusedError(MALFORMED, "not a request of add-checkpoint") from fault
        if not well_formed:
            raise CheckpointRefusedError(MALFORMED, "an old size beyond the checkpoint's, or too many hashes")
        return request


def judge(request: AddCheckpoint, keys: Collection[NoteKey], latest: TreeHead | None) -> SignedNote:
    """Check that a checkpoint is of a known log and goes on the one that was cosigned last.

    Args:
        keys: of the log that the checkpoint names; none where it is unknown.
        latest: of that log, cosigned last.

    Returns:
        The checkpoint to cosign, with the signatures of these keys alone.

    Raises:
        CheckpointRefusedError: 403, 404, 409 or 422, as the document has it.
    """
    if not keys:
        raise CheckpointRefusedError(UNKNOWN_LOG, "this log is not witnessed here")
    try:
        signed_by = request.note.verify(keys)
    except SignatureInvalidError as fault:
        raise CheckpointRefusedError(NOT_SIGNED, "a signature of the log's key does not hold") from fault
    if not signed_by:
        raise CheckpointRefusedError(NOT_SIGNED, "no signature of the log's key")
    size, root = (latest.size, latest.root) if latest is not None else (0, EMPTY_ROOT)
    if request.old_size != size:
        raise CheckpointRefusedError(ANOTHER_SIZE, str(size))
    try:
        verify_consistency(size, root, request.head.size, request.head.root, request.proof)
    except ProofInvalidError as fault:
        raise CheckpointRefusedError(NOT_PROVED, f"not shown to go on what was cosigned: {fault.detail}") from fault
    known = {(key.name, key.key_hash()) for key in keys}
    lines = tuple(line for line in request.note.signatures if (line.name, line.key_hash) in known)
    return SignedNote(request.note.text, lines)


def cosign(judged: SignedNote, cosigners: Sequence[CosignerKey], *, timestamp: int) -> SignedNote:
    """Add the cosignatures of a witness to what ``judge`` gave; ValueError for no time, which would say less."""
    if timestamp < 1:
        raise ValueError("a witness says when it saw a checkpoint")
    note = judged.encode()
    for cosigner in cosigners:
        note = cosign_note(note, cosigner, timestamp=timestamp)
    return SignedNote.parse(note)


def answer(lines: Collection[NoteSignature]) -> bytes:
    """Write a witness's answer: its signature lines."""
    return "".join(line.line() for line in lines).encode("utf-8")


def read_answer(text: str, body: bytes, keys: Collection[NoteKey]) -> tuple[NoteSignature, ...]:
    """Read a witness's answer: the lines of known cosigners, each checked over the text of the checkpoint that was sent.

    Raises:
        SignatureInvalidError: no line of a known cosigner, one that does not hold, or one without a time.
    """
    try:
        note = SignedNote.parse(f"{text}\n{body.decode('utf-8')}")
    except UnicodeDecodeError as fault:
        raise SignatureInvalidError("no signature lines") from fault
    if note.text != text:
        raise SignatureInvalidError("more than signature lines")
    signed_by = note.verify(keys)
    if not signed_by or not all(signed_by.values()):
        raise SignatureInvalidError("no cosignature of a known witness, or one without a time")
    known = {(key.name, key.key_hash()) for key in signed_by}
    return tuple(line for line in note.signatures if (line.name, line.key_hash) in known)


def read_size(body: bytes) -> int:
    """Read the size that a witness gives where another was named (409); ProofInvalidError for what is none."""
    found = re.fullmatch(rf"({NUMBER})\n".encode("ascii"), body)
    if found is None or int(found[1]) > MOST:
        raise ProofInvalidError("no size")
    return int(found[1])


def _old_size(line: str) -> int:
    found = re.fullmatch(f"old ({NUMBER})", line)
    if found is None or int(found[1]) > MOST:
        raise ValueError("no old size")
    return int(found[1])


def _hash(line: str) -> bytes:
    data = decode_base64(line)
    if len(data) != HASH_BYTES:
        raise ValueError("not a hash")
    return data

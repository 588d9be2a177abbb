"""What a proof in a file adds to C2SP's so that it is one of a signed file: the extra data of ``sft proof`` (LEDGER.md §6).

    a MessagePack array: version (1), leaf, salt and body of its facts, the server's key, notes of its succession

Rules. From the file's signature alone everything follows, in this order: the signed comment names the server by its first
key; that one, by the notes, leads to the key that signed the checkpoint; under it stands the leaf, in which are the facts,
which say of the file what its author signed. Nothing of the extra data is believed before that. Whoever has the log's key
from somewhere else gives it instead, and the notes are not looked at.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerPublic
from sft.crypto.note_keys import NoteKey, SignatureType
from sft.crypto.signed_note import text_of
from sft.crypto.succession import leads_to, verify_succession
from sft.errors import KeyFormatError, LedgerFormatError
from sft.ledger.checkpoints import Origin
from sft.ledger.facts import Facts
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.proof_file import ProofFile
from sft.ledger.records import LeafRecord, RecordPart

VERSION: Final = 1

_STORED: Final = frozenset({LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED})


class StoredLeaf(Struct, frozen=True, array_like=True):
    """The extra data.

    Args:
        leaf: that says that the file was stored.
        salt, facts: of its record.
        server_key: that signed the checkpoint.
        successions: notes that lead to it from the server's first key, oldest first; none where it is the first.
    """

    version: int
    leaf: bytes
    salt: bytes
    facts: bytes
    server_key: bytes
    successions: tuple[str, ...] = ()

    def encode(self) -> bytes:
        return _encode(self)

    @classmethod
    def decode(cls, data: bytes) -> StoredLeaf:
        """Read what ``encode`` writes and nothing else; LedgerFormatError for any other bytes."""
        try:
            said = _decode(data)
        except msgspec.DecodeError as fault:
            raise LedgerFormatError(f"not what tells of a file: {fault}") from fault
        if said.version != VERSION or said.encode() != data:
            raise LedgerFormatError("what tells of the file is of another version or encoding")
        return said


class LoggedFile(Struct, frozen=True):
    """A file that a log tells of.

    Args:
        index: of the leaf.
        size: of the log, at the checkpoint.
        time: of the leaf, Unix seconds by the server's clock.
    """

    origin: Origin
    index: int
    size: int
    time: int


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(StoredLeaf).decode


def check_file_proof(text: str, comment: FileComment, *, log: NoteKey | None = None) -> LoggedFile:
    """Check that a log tells of a file what its author signed of it.

    Args:
        text: the proof file.
        comment: of the file's signature, which holds.
        log: the log's key, where it is known from elsewhere; it names the origin too.

    Raises:
        SignatureInvalidError, LedgerFormatError, ProofInvalidError: what does not hold.
        KeyFormatError: ``log`` is no log's key.
    """
    proof = ProofFile.parse(text)
    said = StoredLeaf.decode(proof.extra or b"")
    origin, server = _of_signature(proof, said, comment) if log is None else _of_log(log)
    if origin.server != comment.server_id.hex()[: len(origin.server)]:
        raise LedgerFormatError("the log of another server than the signature names")
    leaf = LogLeaf.decode(said.leaf)
    checkpoint = proof.check(leaf.hash(), origin, server)
    try:
        record = LeafRecord(RecordPart(said.salt, said.facts))
        facts = Facts.decode(said.facts)
    except (LedgerFormatError, ValueError) as fault:
        raise LedgerFormatError("facts that tell of no file") from fault
    record.check(leaf)
    told = (facts.file_id, facts.version, facts.size, facts.digest, facts.path, facts.by.user)
    signed = (comment.file_id.hex(), comment.version, comment.size, comment.digest.hex(), comment.name, comment.user)
    if leaf.kind not in _STORED or told != signed:
        raise LedgerFormatError("the log tells of something else than was signed")
    return LoggedFile(origin, proof.index, checkpoint.size, leaf.time)


def _of_signature(proof: ProofFile, said: StoredLeaf, comment: FileComment) -> tuple[Origin, ServerPublic]:
    origin = Origin.parse(text_of(proof.checkpoint).partition("\n")[0])
    try:
        server = ServerPublic(said.server_key)
    except KeyFormatError as fault:
        raise LedgerFormatError("not a server's key") from fault
    first = ServerPublic(verify_succession(said.successions[0]).old_key) if said.successions else server
    if first.server_id() != comment.server_id or not leads_to(said.successions, comment.server_id, first, server):
        raise LedgerFormatError("the key of another server than the signature names")
    return origin, server


def _of_log(log: NoteKey) -> tuple[Origin, ServerPublic]:
    if log.kind is not SignatureType.ED25519:
        raise KeyFormatError("that key cosigns, and is no log's")
    try:
        return Origin.parse(log.name), ServerPublic(log.public)
    except LedgerFormatError as fault:
        raise KeyFormatError("that key is no log's of sft") from fault

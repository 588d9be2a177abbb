"""What a hook is given: one event of the log as JSON, with its leaf and a proof, for whoever has the log's key (LEDGER.md §6).

    {"type": …, "timestamp": …, "data": {…}}        the envelope of Standard Webhooks

Rules. What stands there in words is what the leaf's record says and nothing else, and ``check_event`` compares all of it, so
that nobody reads something else than was proved. One thing no log can show, and it is said to be that: the name of who did it,
``by``. The same leaf has the same ``id`` for ever, whatever else is another at a later try.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from sft.crypto.keys import ServerPublic
from sft.crypto.note_keys import NoteKey, SignatureType
from sft.crypto.signed_note import text_of
from sft.errors import CryptoError, LedgerFormatError, ProofInvalidError, SignatureInvalidError
from sft.ledger.acts import kind_word
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.leaves import LogLeaf
from sft.ledger.proof_file import ProofFile
from sft.ledger.records import SALT_BYTES, LeafRecord, RecordPart
from sft.limits import EVENT_BYTES
from sft.model.text import utc_time

TEST: Final = "test"
_NULL: Final = b"null"
_TRIED: Final = f"{TEST}-"


class EventLogHead(Struct, frozen=True, forbid_unknown_fields=True):
    """The head that the proof is under: the log's origin, its leaves, and its root."""

    origin: str
    size: int
    root: bytes


class EventData(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The event.

    Attributes:
        id: of the leaf, its hash in hexadecimal; of a test, "test-" and something.
        hook: whose it is.
        index: of the leaf.
        by: who did it, by name; None for the server and its operator. No leaf proves a name.
        facts, personal: what the record says; of a personal part that was erased, or never was, None.
        leaf: its bytes in the log.
        facts_part, personal_part: salt and body, which the leaf names by hash.
        proof: a C2SP tlog-proof.
    """

    id: str
    hook: str
    index: int
    by: str | None
    facts: msgspec.Raw
    personal: msgspec.Raw
    leaf: bytes
    facts_part: bytes
    personal_part: bytes | None
    log: EventLogHead
    proof: str


class EventDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; ``type`` is the leaf's kind, or "test", ``timestamp`` the leaf's time."""

    type: str
    timestamp: str
    data: EventData

    def encode(self) -> bytes:
        """Write it, on one line."""
        return _encode(self)


class ProvedEvent(Struct, frozen=True, kw_only=True):
    """An event that stands in a log.

    Attributes:
        is_test: it was sent to try the hook; the event is a real one, of before.
    """

    origin: Origin
    index: int
    size: int
    leaf: LogLeaf
    facts: Mapping[str, Any]
    personal: Mapping[str, Any] | None
    by: str | None
    hook: str
    id: str
    is_test: bool


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(EventDocument).decode


def event_document(
    hook: str, entry: bytes, record: LeafRecord, proof: ProofFile, *, by: str | None, trial: str = ""
) -> EventDocument:
    """Put together what a hook is given of a leaf.

    Args:
        entry: the leaf's bytes.
        by: the name of who did it.
        trial: what makes the id of a test; "" for an event.
    """
    leaf = LogLeaf.decode(entry)
    checkpoint = Checkpoint.parse(text_of(proof.checkpoint))
    personal = record.personal
    return EventDocument(
        TEST if trial else kind_word(leaf.kind),
        utc_time(leaf.time),
        EventData(
            id=f"{_TRIED}{trial}" if trial else leaf.hash().hex(),
            hook=hook,
            index=proof.index,
            by=by,
            facts=msgspec.Raw(record.facts.body),
            personal=msgspec.Raw(_NULL if personal is None else personal.body),
            leaf=entry,
            facts_part=record.facts.salt + record.facts.body,
            personal_part=None if personal is None else personal.salt + personal.body,
            log=EventLogHead(checkpoint.origin.text(), checkpoint.size, checkpoint.root),
            proof=proof.encode(),
        ),
    )


def read_event(data: bytes) -> tuple[EventDocument, Origin]:
    """Read what a hook was given, and the log that it says it is of; LedgerFormatError for any other bytes."""
    if len(data) > EVENT_BYTES:
        raise LedgerFormatError("too long for an event")
    _object(data)  # a name that stands twice
    try:
        said = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise LedgerFormatError(f"not an event of a hook: {fault}") from fault
    return said, Origin.parse(said.data.log.origin)


def check_event(said: EventDocument, keys: Sequence[NoteKey]) -> ProvedEvent:
    """Check that an event stands in a log, and says what its leaf says.

    Args:
        keys: of the log that is meant, any of which counts.

    Raises:
        SignatureInvalidError, ProofInvalidError, LedgerFormatError: what does not hold.
    """
    data = said.data
    leaf, proof = LogLeaf.decode(data.leaf), ProofFile.parse(data.proof)
    checkpoint = _checked(proof, leaf, keys)
    try:
        record = LeafRecord(_part(data.facts_part), None if data.personal_part is None else _part(data.personal_part))
    except ValueError as fault:
        raise LedgerFormatError(f"no part of a record: {fault}") from fault
    record.check(leaf)
    facts = _object(record.facts.body)
    personal = None if record.personal is None else _object(record.personal.body)
    is_test = said.type == TEST
    told = (
        said.type,
        said.timestamp,
        data.index,
        data.log,
        _object(bytes(data.facts)),
        None if bytes(data.personal) == _NULL else _object(bytes(data.personal)),
    )
    proved = (
        TEST if is_test else kind_word(leaf.kind),
        utc_time(leaf.time),
        proof.index,
        EventLogHead(checkpoint.origin.text(), checkpoint.size, checkpoint.root),
        facts,
        personal,
    )
    if told != proved:
        raise LedgerFormatError("it says something else than the leaf")
    if not (data.id.startswith(_TRIED) if is_test else data.id == leaf.hash().hex()):
        raise LedgerFormatError("the id of another event")
    return ProvedEvent(
        origin=checkpoint.origin,
        index=proof.index,
        size=checkpoint.size,
        leaf=leaf,
        facts=facts,
        personal=personal,
        by=data.by,
        hook=data.hook,
        id=data.id,
        is_test=is_test,
    )


def _checked(proof: ProofFile, leaf: LogLeaf, keys: Sequence[NoteKey]) -> Checkpoint:
    fault: CryptoError = SignatureInvalidError("no key of that log")
    for key in keys:
        if key.kind is not SignatureType.ED25519:
            continue  # it cosigns, and is no log's
        try:
            return proof.check(leaf.hash(), Origin.parse(key.name), ServerPublic(key.public))
        except ProofInvalidError:
            raise
        except CryptoError as found:
            fault = found
    raise fault


def _part(data: bytes) -> RecordPart:
    return RecordPart(data[:SALT_BYTES], data[SALT_BYTES:])


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, object_pairs_hook=_once)
    except ValueError as fault:
        raise LedgerFormatError(f"no record: {fault}") from fault
    if not isinstance(found, dict):
        raise LedgerFormatError("no record")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: readers take one or the other of them."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found

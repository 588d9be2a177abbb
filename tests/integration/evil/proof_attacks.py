"""Heads and proofs that are not what they should be."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sft.crypto.keys import ServerKey
from sft.crypto.notes import parse_receipts, sign_receipts
from sft.crypto.signed_note import text_of
from sft.ledger.slots import decode_slot, encode_slot
from sft.model.evidence import Evidence
from sft.service.log.evidence import EvidenceBuilder
from sft.store.row_types import UserRow
from sft.store.statements import rows_of
from sft.wire import messages as m
from tests.integration.evil.attacks import LINE, Refused, attack
from tests.integration.evil.evil_server import EvilServer
from tests.integration.evil.staging import GET, NEWER, PLAN, append_leaf, file_row, prove_otherwise, put_plan, put_two


@attack("a log of another epoch", LINE, noticed="who saw the one before, at login", says="has begun a new log",
        code="LOG_RESTARTED")  # fmt: skip
def another_epoch(evil: EvilServer) -> Refused:
    put_plan(evil)
    origin = replace(evil.origin, epoch=2)
    evil.welcome(lambda shown: replace(shown, head=_head(evil, origin=origin)))
    return Refused("gus", GET)


def _head(evil: EvilServer, **other: Any) -> str:
    head = evil.server.here.ledger.head
    return evil.sign(head.size, head.root, **other)


@attack(
    "a log of another server", LINE, noticed="at login", says="does not prove its log with its key", code="LOG_PROOF"
)
def another_origin(evil: EvilServer) -> Refused:
    put_plan(evil)
    origin = replace(evil.origin, server="00000000")
    evil.welcome(lambda shown: replace(shown, head=_head(evil, origin=origin)))
    return Refused("gus", GET)


@attack("a head signed by another key", LINE, noticed="at login", says="does not prove its log with its key",
        code="LOG_PROOF")  # fmt: skip
def another_signer(evil: EvilServer) -> Refused:
    put_plan(evil)
    key = ServerKey.from_seed(bytes(range(32)))
    evil.welcome(lambda shown: replace(shown, head=_head(evil, key=key)))
    return Refused("gus", GET)


@attack(
    "no log at all", LINE, noticed="who saw one, at login", says="does not prove its log with its key", code="LOG_PROOF"
)
def no_log(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.welcome(lambda shown: replace(shown, head="", consistency=(), evidence=None))
    return Refused("gus", GET)


@attack("a login that proves nothing of who logs in", LINE, noticed="at login", says="does not prove who you are there",
        code="LOG_PROOF")  # fmt: skip
def login_without_evidence(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.welcome(lambda shown: replace(shown, evidence=None))
    return Refused("gus", GET)


@attack("a login that proves somebody else", LINE, noticed="at login", says="does not prove who you are there",
        code="LOG_PROOF")  # fmt: skip
def login_of_another(evil: EvilServer) -> Refused:
    put_plan(evil)
    builder = EvidenceBuilder()
    with evil.server.here.readers.reading() as reading:
        builder.add_users(reading, [row for row in reading.rows.all(rows_of(UserRow)) if row.name == "max"])
    proved = builder.prove(evil.server.here.ledger)
    assert proved is not None
    evil.welcome(lambda shown: replace(shown, evidence=proved.evidence))
    return Refused("gus", GET)


@attack("an earlier login's answer again", LINE, noticed="who saw a later head, at login",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def welcome_again(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.put("max", "plan", NEWER, "--replace")
    first = evil.welcomes["gus"][0]
    evil.got("gus", "plan")
    evil.welcome(lambda shown: replace(first, server=shown.server))
    return Refused("gus", GET)


@attack("a login's head that does not follow from what was seen", LINE, noticed="at login",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def login_without_consistency(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.put("max", "other", PLAN)
    evil.welcome(lambda shown: replace(shown, consistency=tuple(() for _ in shown.consistency)))
    return Refused("gus", GET)


def _with_head(evil: EvilServer, head: m.LogHead) -> None:
    """Tell a head before each answer about files."""
    evil.tell(lambda message: [head, message] if isinstance(message, m.FileShown) else message)


@attack("an older head within a session", LINE, noticed="at once", says="shows a history without what this computer saw at",
        code="LOG_WENT_BACK")  # fmt: skip
def older_head(evil: EvilServer) -> Refused:
    put_plan(evil)
    ledger = evil.server.here.ledger
    root = ledger.root_at(ledger.head.size - 1)
    assert root is not None
    _with_head(evil, m.LogHead(evil.sign(ledger.head.size - 1, root), ()))
    return Refused("gus", GET)


@attack("a newer head without its proof, within a session", LINE, noticed="at once",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def head_of_nothing(evil: EvilServer) -> Refused:
    put_plan(evil)
    _with_head(evil, m.LogHead(evil.sign(evil.server.here.ledger.head.size + 1, bytes(range(32))), ()))
    return Refused("gus", GET)


@attack("an answer under an older head than was told", LINE, noticed="who gets the file",
        says="does not prove what happened last", code="LOG_PROOF")  # fmt: skip
def evidence_of_before(evil: EvilServer) -> Refused:
    put_plan(evil)
    before = evil.last(m.FilesContent).evidence
    append_leaf(evil)
    prove_otherwise(evil, lambda _now: before)
    return Refused("gus", GET)


@attack("a file without a proof", LINE, noticed="who gets it", says="does not prove what it says of these files",
        code="LOG_PROOF")  # fmt: skip
def file_without_evidence(evil: EvilServer) -> Refused:
    put_plan(evil)
    prove_otherwise(evil, lambda _now: None)
    return Refused("gus", GET)


@attack(
    "a large file without a proof", LINE, noticed="who gets it", says="does not prove what it says of", code="LOG_PROOF"
)
def large_file_without_evidence(evil: EvilServer) -> Refused:
    evil.put("max", "plan", bytes(300_000))
    evil.got("gus", "plan")
    evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.FileBegins) else message)
    return Refused("gus", GET)


@attack("what a file is, without a proof", LINE, noticed="who looks at it", says="does not prove what it says of plan",
        code="LOG_PROOF")  # fmt: skip
def shown_without_evidence(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.FileShown) else message)
    return Refused("gus", ("info", "plan"))


@attack("another file as what is moved, to who signs that", LINE, noticed="who moves it",
        says="does not prove what it says of plan", code="LOG_PROOF")  # fmt: skip
def another_file_moved(evil: EvilServer) -> Refused:
    put_two(evil)
    other = file_row(evil, "other").file_id

    def lie(message: m.Message) -> m.Message:
        return replace(message, file=replace(message.file, id=other)) if isinstance(message, m.FileShown) else message

    evil.tell(lie)
    return Refused("max", ("mv", "plan", "elsewhere"))


@attack("another content as a version before", LINE, noticed="who looks at the file",
        says="does not prove what it says of plan", code="LOG_PROOF")  # fmt: skip
def another_version_before(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")

    def lie(message: m.Message) -> m.Message:
        if not isinstance(message, m.FileShown) or message.file.version.number == 2:
            return message
        return replace(message, file=replace(message.file, version=replace(message.file.version, digest=bytes(64))))

    evil.tell(lie)
    return Refused("gus", ("info", "plan"))


@attack("a user without a proof", LINE, noticed="who gets the first file of theirs", says="does not prove who its people are",
        code="LOG_PROOF")  # fmt: skip
def user_without_evidence(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.UserShown) else message)
    return Refused("gus", GET)


@attack("a slot with another salt", LINE, noticed="who gets the file", says="does not prove what it says of these files",
        code="LOG_PROOF")  # fmt: skip
def another_salt(evil: EvilServer) -> Refused:
    put_plan(evil)

    def change(evidence: Evidence) -> Evidence:
        slots = tuple(
            replace(each, record=encode_slot(replace(decode_slot(each.record), salt=bytes(16))))
            for each in evidence.slots
        )
        return replace(evidence, slots=slots)

    prove_otherwise(evil, change)
    return Refused("gus", GET)


@attack("a file of which another's slot is proved", LINE, noticed="who gets it", says="does not prove what it says of",
        code="LOG_PROOF")  # fmt: skip
def another_slot(evil: EvilServer) -> Refused:
    put_two(evil)
    prove_otherwise(evil, lambda _now: evil.evidence_of("other"))
    return Refused("gus", GET)


@attack("a head that an author saw, without its proof", LINE, noticed="who gets the author's file",
        says="does not prove that what max saw at", code="LOG_PROOF")  # fmt: skip
def unproved_gossip(evil: EvilServer) -> Refused:
    put_plan(evil)
    prove_otherwise(evil, lambda now: replace(now, seen=()))
    return Refused("gus", GET)


@attack("a receipt for a leaf that is not there", LINE, noticed="who stores", says="gave no receipt for new that holds",
        code="RECEIPT_BAD")  # fmt: skip
def receipt_of_nothing(evil: EvilServer) -> Refused:
    put_plan(evil)

    def lie(message: m.Message) -> m.Message:
        if not isinstance(message, m.FilesStored):
            return message
        lines = parse_receipts(text_of(message.receipt))
        return replace(
            message, receipt=sign_receipts(evil.key, [replace(each, leaf=each.leaf + 1000) for each in lines])
        )

    evil.tell(lie)
    return Refused("max", ("put", "--as", "new", evil.cli.file("new", NEWER)))

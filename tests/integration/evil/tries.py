"""The attacks themselves, in the order of SECURITY.md's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sft.client.heads import Heads
from sft.crypto.keys import ServerKey
from sft.crypto.notes import parse_receipts, sign_receipts
from sft.crypto.signed_note import text_of
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.slots import decode_slot, encode_slot
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import FileCommitted, FileMoved, FileReplaced, InvitationWithdrawn, KeyAdded
from sft.model.evidence import Evidence
from sft.model.records import KeyEnd
from sft.service.log.evidence import Rests
from sft.store.row_types import DeviceKeyRow, FileRow, InvitationRow, LogLeafRow, UserRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from sft.wire import messages as m
from sft.wire.login import Claim
from tests.integration.evil.attacks import HOME, LINE, LOG, ROWS, Refused, attack
from tests.integration.evil.evil_server import EVIL_KEY, EvilServer, evil_person
from tests.loop import run

PLAN = b"the plan"
NEWER = b"the newer plan"
GET = ("get", "plan")


def _files(message: m.Message, change: Any) -> m.Message:
    """Change each file that an answer brings."""
    if isinstance(message, m.FilesContent):
        return replace(message, results=tuple(change(each) for each in message.results))
    return message


def _evidence(evil: EvilServer, change: Any) -> None:
    """Change what proves the files of an answer."""
    evil.tell(
        lambda message: (
            replace(message, evidence=change(message.evidence)) if isinstance(message, m.FilesContent) else message
        )
    )


# -- keys -------------------------------------------------------------------------------------------------------


@attack("another key as a user's", LINE, noticed="who gets a file of theirs", says="does not prove who its people are",
        code="LOG_PROOF")  # fmt: skip
def another_key_answered(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    max_ = evil_person(evil.server, "max")

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.UserShown):
            keys = tuple(replace(each, public_key=EVIL_KEY.public.encode()) for each in message.user.keys)
            return replace(message, user=replace(message.user, keys=keys))
        return _files(message, lambda each: replace(each, file=_signed(each.file, max_, each.content)))

    evil.tell(lie)
    return Refused("gus", GET)


def _signed(file: Any, person: Any, content: bytes) -> Any:
    """Sign a file with another key as what it is."""
    signature = person.sign(file.path, content, file_id=file.id, version=file.version.number)
    key = person.key.public.encode()
    return replace(file, version=replace(file.version, public_key=key, signature=signature, dated_at=1_700_000_000))


@attack("one key more as a user's, by a leaf of no statement", LOG, noticed="who knew a key of theirs, at their next file",
        says="no key known here says that the new one is theirs", code="KEY_NOT_ENDORSED")  # fmt: skip
def another_key_logged(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    store_with_a_given_key(evil)
    return Refused("gus", ("get", "order"))


def store_with_a_given_key(evil: EvilServer) -> None:
    """Have the log say that max has one key more, and store a file with it."""
    _give_key(evil, "max")
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "x"), EVIL_KEY))
    run(raw.put("order", evil_person(evil.server, "max").sign("order", NEWER), NEWER))


def _give_key(evil: EvilServer, name: str) -> None:
    user_id = evil.server.people[name].user_id

    def change(transaction: Transaction) -> None:
        key = DeviceKeyRow(
            id=transaction.rows.next_id(DeviceKeyRow), user_id=user_id, public_key=EVIL_KEY.public.encode(), device="x",
            added_at=transaction.now, ended_at=None, start_leaf=transaction.next_leaf,
        )  # fmt: skip
        transaction.rows.insert([key])
        transaction.log(
            KeyAdded(
                by=operator_caller(), user_id=user_id, name=name, key_id=key.id, public_key=key.public_key, device="x"
            )
        )

    evil.edit(change)


@attack("one key more as a user's, whom nobody knew", LOG, noticed="the user's own computer, at its next login",
        says="has a key as yours that this computer does not know", code="OWN_KEY_UNKNOWN")  # fmt: skip
def another_key_of_ones_own(evil: EvilServer) -> Refused:
    evil.put("mia", "plan", PLAN)
    evil.got("gus", "plan")
    store_with_a_given_key(evil)
    evil.got("mia", "order")
    return Refused("max", ("ls",))


@attack("another key as a user's, whom the operator resets", LOG, noticed="who knew a key of theirs, at their next file",
        says="no key known here says that the new one is theirs", code="KEY_NOT_ENDORSED")  # fmt: skip
def key_reset(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    operator = run(evil.server.operator())
    key = EVIL_KEY.public.encode()
    reset = run(operator.ask(m.ResetKey, name="max", public_key=key, device="x", reason=KeyEnd.RETIRED))
    assert isinstance(reset, m.UserShown), reset
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "x"), EVIL_KEY))
    run(raw.put("order", evil_person(evil.server, "max").sign("order", NEWER), NEWER))
    return Refused("gus", ("get", "order"))


def _revoke(evil: EvilServer, reason: KeyEnd, cut_off: int) -> bytes:
    """Have max go on with another key; what was stored last is then signed anew, with the one that is over."""
    old = evil.server.people["max"]
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    new = evil_person(evil.server, "max")  # max's own this time
    added = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(added, m.UserShown), added
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    revoked = run(raw.ask(m.RevokeKey, public_key=old.key.public.encode(), reason=reason, cut_off=cut_off))
    assert isinstance(revoked, m.UserShown), revoked
    run(raw.put("order", new.sign("order", NEWER, file_id=bytes(range(16))), NEWER))
    signature = old.sign("order", NEWER, file_id=bytes(range(16)))

    def change(transaction: Transaction) -> None:
        _, (version,) = evil.rows_of_file(transaction, "order")
        (key,) = [
            row for row in transaction.rows.all(rows_of(DeviceKeyRow)) if row.public_key == old.key.public.encode()
        ]
        transaction.rows.update([replace(version, signature=signature, key_id=key.id)])

    evil.edit(change)
    return signature


@attack("a file signed by a key that was retired", LOG, noticed="who gets it",
        says="a key that was not max's when it was stored", code="SIGNER_KEY_ENDED")  # fmt: skip
def retired_key(evil: EvilServer) -> Refused:
    _revoke(evil, KeyEnd.RETIRED, 0)
    return Refused("gus", ("get", "order"))


@attack("a file signed by a key after it was stolen", LOG, noticed="who gets it", says="after it was stolen",
        code="SIGNER_KEY_STOLEN")  # fmt: skip
def stolen_key(evil: EvilServer) -> Refused:
    evil.put("max", "before", b"x")
    cut_off = evil.server.here.ledger.head.size
    old = evil.server.people["max"]
    evil.put("max", "order", NEWER)  # by the thief, before max noticed
    evil.got("gus", "before")
    added = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(added, m.UserShown), added
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    reason = KeyEnd.COMPROMISED
    revoked = run(raw.ask(m.RevokeKey, public_key=old.key.public.encode(), reason=reason, cut_off=cut_off))
    assert isinstance(revoked, m.UserShown), revoked
    return Refused("gus", ("get", "order"))


# -- versions and places ------------------------------------------------------------------------------------------


@attack("an older version as the newest, with its proof", LINE, noticed="who gets it",
        says="shows version 1 of plan as the newest", code="OLDER_VERSION")  # fmt: skip
def older_version(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("mia", "plan")

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.ShowFile):
            return replace(message, version=1)
        if isinstance(message, m.GetFiles):
            return replace(message, files=tuple(replace(each, version=1) for each in message.files))
        return message

    evil.hear(lie)
    return Refused("gus", GET)


@attack("an older version as the newest, by its row", ROWS, noticed="who gets it", says="does not prove what it says of",
        code="LOG_PROOF")  # fmt: skip
def older_version_row(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    before = _file_row(evil, "plan")
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")
    evil.edit_rows(lambda transaction: transaction.rows.update([before]))
    evil.believe_rows()
    return Refused("mia", GET)


def _file_row(evil: EvilServer, name: str) -> FileRow:
    with evil.server.here.readers.reading() as reading:
        return evil.rows_of_file(reading, name)[0]


@attack("an older version as the newest, by a leaf", LOG, noticed="who saw the newer one",
        says="shows version 1 of plan as the newest", code="OLDER_VERSION")  # fmt: skip
def older_version_logged(evil: EvilServer) -> Refused:
    wind_back(evil)
    return Refused("gus", GET)


def wind_back(evil: EvilServer) -> None:
    """Have the log say that a file's newest version is its first one again."""
    evil.put("max", "plan", PLAN)
    before = _file_row(evil, "plan")
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")

    def change(transaction: Transaction) -> None:
        _, (first, _) = evil.rows_of_file(transaction, "plan")
        transaction.rows.update([before])
        transaction.log(
            FileReplaced(
                by=_max(evil), file_id=before.file_id, path="plan", version=2, size=first.size, digest=first.digest,
                prev=first.digest,
            )
        )  # fmt: skip

    evil.edit(change)


def _max(evil: EvilServer) -> Caller:
    return Caller(evil.server.people["max"].user_id, 0, "max", Role.MAINTAINER)


@attack("another file in the place of one", LINE, noticed="who gets it", says="another file", code="NOT_AS_LISTED")
def another_file(evil: EvilServer) -> Refused:
    _two(evil)

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.GetFiles):
            return replace(message, files=tuple(replace(each, path="other") for each in message.files))
        return message

    evil.hear(lie)
    return Refused("gus", GET)


def _two(evil: EvilServer) -> None:
    evil.put("max", "plan", PLAN)
    evil.put("max", "other", NEWER)
    evil.got("gus", "plan", "other")


@attack(
    "one file's content as another's", LINE, noticed="who gets it", says="are not what max signed", code="SIGNATURE_BAD"
)
def another_content(evil: EvilServer) -> Refused:
    _two(evil)
    evil.tell(lambda message: _files(message, lambda each: replace(each, content=NEWER)))
    return Refused("gus", GET)


@attack("two files at one another's names", LINE, noticed="who gets one", says="does not prove what it says of",
        code="LOG_PROOF")  # fmt: skip
def swapped(evil: EvilServer) -> Refused:
    _two(evil)
    there = {"plan": "other", "other": "plan"}

    def heard(message: m.Message) -> m.Message:
        if isinstance(message, m.GetFiles):
            return replace(message, files=tuple(replace(each, path=there[each.path]) for each in message.files))
        return replace(message, path=there[message.path]) if isinstance(message, m.ShowFile) else message

    def told(message: m.Message) -> m.Message:
        if isinstance(message, m.FileShown):
            return replace(message, file=replace(message.file, path=there[message.file.path]))
        return _files(message, lambda each: replace(each, file=replace(each.file, path=there[each.file.path])))

    evil.hear(heard)
    evil.tell(told)
    return Refused("gus", GET)


def swap_by_leaves(evil: EvilServer) -> None:
    """Have the log move two files to one another's names, by nobody's statement."""
    _two(evil)
    plan, other = _file_row(evil, "plan"), _file_row(evil, "other")

    def change(transaction: Transaction) -> None:
        for row, name in ((plan, "aside"), (other, "plan"), (plan, "other")):
            transaction.rows.update([replace(row, name=name, folded=name)])
        for row, name in ((plan, "other"), (other, "plan")):
            transaction.log(FileMoved(by=operator_caller(), file_id=row.file_id, old=row.name, new=name))

    evil.edit(change)


@attack("a deleted file as live", LINE, noticed="who gets it", says="does not prove what it says of", code="LOG_PROOF")
def hidden_delete(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    content, shown = evil.last(m.FilesContent), evil.last(m.FileShown)
    assert evil.cli.sft("max", "rm", "plan").status == 0

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.Refusal):
            return replace(shown, id=message.id, evidence=evil.evidence_of("plan"))
        if isinstance(message, m.FilesContent):
            return replace(content, id=message.id, evidence=evil.evidence_of("plan"))
        return message

    evil.tell(lie)
    return Refused("gus", GET)


@attack("a deleted file as live, by its row as it was", ROWS, noticed="who gets it",
        says="does not prove what it says of", code="LOG_PROOF")  # fmt: skip
def hidden_delete_row(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    before = _file_row(evil, "plan")
    assert evil.cli.sft("max", "rm", "plan").status == 0
    evil.edit_rows(lambda transaction: transaction.rows.update([before]))
    evil.believe_rows()
    return Refused("gus", GET)


@attack("a deleted file as a new one of the same id", LOG, noticed="who saw the file before", says="does not prove what",
        code="LOG_PROOF")  # fmt: skip
def revived(evil: EvilServer) -> Refused:
    revive(evil)
    return Refused("gus", GET)


def revive(evil: EvilServer) -> None:
    """Have the log begin a second slot for a file that was deleted."""
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    before = _file_row(evil, "plan")
    assert evil.cli.sft("max", "rm", "plan").status == 0

    def change(transaction: Transaction) -> None:
        _, (version,) = evil.rows_of_file(transaction, "plan")
        transaction.rows.update([replace(before, slot=transaction.take_slot())])
        transaction.log(
            FileCommitted(by=_max(evil), file_id=before.file_id, path="plan", size=version.size, digest=version.digest)
        )

    evil.edit(change)


@attack(
    "one row as it was", ROWS, noticed="who is asked about", says="does not prove who its people are", code="LOG_PROOF"
)
def row_as_it_was(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    with evil.server.here.readers.reading() as reading:
        (before,) = [
            row for row in reading.rows.all(rows_of(DeviceKeyRow)) if row.user_id == evil.server.people["max"].user_id
        ]
    key_more = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(key_more, m.UserShown), key_more
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    revoked = run(
        raw.ask(m.RevokeKey, public_key=before.public_key, reason=KeyEnd.COMPROMISED, cut_off=before.start_leaf)
    )
    assert isinstance(revoked, m.UserShown), revoked
    evil.edit_rows(lambda transaction: transaction.rows.update([before]))
    evil.believe_rows()
    return Refused("gus", GET)


# -- histories ----------------------------------------------------------------------------------------------------


@attack("yesterday: the whole home put back", HOME, noticed="who saw a later head, at login",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def rolled_back(evil: EvilServer) -> Refused:
    copy = _later(evil)
    evil.put_back(copy)
    return Refused("gus", GET)


def _later(evil: EvilServer) -> Path:
    """Copy the home, and let somebody see more."""
    evil.put("max", "plan", PLAN)
    copy = evil.copy()
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")
    return copy


@attack("yesterday, and another day since", HOME, noticed="who saw a later head, at login",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def rolled_back_and_on(evil: EvilServer) -> Refused:
    copy = _later(evil)
    seen = evil.server.here.ledger.head.size
    evil.put_back(copy)
    while evil.server.here.ledger.head.size <= seen + 3:
        evil.put("mia", f"filler{evil.server.here.ledger.head.size}", PLAN)
    return Refused("gus", GET)


@attack("a log without one of its leaves", HOME, noticed="who saw a later head, at login",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def dropped_leaf(evil: EvilServer) -> Refused:
    evil.cli.invitation("--role", "guest")
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")

    def without(leaves: list[LogLeafRow]) -> list[LogLeafRow]:
        dropped = [leaf for leaf in leaves if leaf.kind == LeafKind.INVITATION_MADE][-1]
        return [leaf for leaf in leaves if leaf is not dropped]

    evil.write_log_anew(without)
    for number in range(3):
        evil.put("mia", f"filler{number}", PLAN)
    return Refused("gus", GET)


@attack("a log with another record in one of its leaves", HOME, noticed="who saw that head, at login",
        says="shows two histories: what it shows now, and what this computer saw at", code="LOG_FORKED")  # fmt: skip
def edited_record(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    evil.write_log_anew(_with_another_record)
    return Refused("gus", GET)


def _with_another_record(leaves: list[LogLeafRow]) -> list[LogLeafRow]:
    (number,) = [leaf.number for leaf in leaves if leaf.kind == LeafKind.FILE_COMMITTED]
    old = leaves[number]
    facts = RecordPart(
        old.facts_salt, old.facts.replace(b'"version":1', b'"version":2').replace(b'"size":8', b'"size":9')
    )
    assert facts.body != old.facts
    leaf = replace(LogLeaf.decode(old.entry), facts=LeafRecord(facts).facts_hash())
    return [*leaves[:number], replace(old, entry=leaf.encode(), facts=facts.body), *leaves[number + 1 :]]


@attack("two histories, to two people", HOME, noticed="either, at the first file of whom saw the other one",
        says="does not prove that what max saw at", code="LOG_PROOF")  # fmt: skip
def forked(evil: EvilServer) -> Refused:
    _other_history(evil, fillers=0)
    return Refused("mia", ("get", "order"))


@attack("two histories, the other one as long by now", HOME, noticed="either, at the first file of whom saw the other one",
        says="shows two histories: what it shows now, and what max saw at", code="LOG_FORKED")  # fmt: skip
def forked_and_on(evil: EvilServer) -> Refused:
    _other_history(evil, fillers=12)
    return Refused("mia", ("get", "order"))


def _other_history(evil: EvilServer, *, fillers: int) -> None:
    """Have max store a file in one history, whose head that names, and bring it to the other one."""
    evil.put("max", "plan", PLAN)
    copy = evil.copy()
    for name in (*"123456", "order"):
        evil.put("max", name, NEWER)
    with evil.server.here.readers.reading() as reading:
        _, (version,) = evil.rows_of_file(reading, "order")
    evil.put_back(copy)
    evil.got("mia", "plan")
    for number in range(fillers):
        evil.put("mia", f"filler{number}", PLAN)
    evil.admit_any_head()
    raw = run(evil.server.raw("max"))  # the liar's own: what was signed is max's
    stored = run(raw.put("order", version.signature, NEWER))
    assert isinstance(stored, m.FileStored), stored


@attack("two histories, to one person", HOME, noticed="at login", says="shows two histories", code="LOG_FORKED")
def forked_for_one(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    copy = evil.copy()
    evil.put("max", "one", b"x")
    evil.got("gus", "plan")
    seen = Heads(evil.server.state_of("gus"), evil.server.people["gus"].server_id).read()[-1].checkpoint.size
    evil.put_back(copy)
    while evil.server.here.ledger.head.size < seen:
        _leaf(evil)
    assert evil.server.here.ledger.head.size == seen
    return Refused("gus", GET)


def _leaf(evil: EvilServer) -> None:
    """Append one leaf."""
    evil.edit(lambda transaction: transaction.log(InvitationWithdrawn(by=operator_caller(), invitation_id=1)))


@attack("another history to who joins by an invitation of the first", HOME, noticed="who joins, at once",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def forked_for_who_joins(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    copy = evil.copy()
    for _ in range(3):
        _leaf(evil)
    made = evil.cli.sft("ada", "invite", "--json")
    assert made.status == 0, made.err
    with evil.server.here.readers.reading() as reading:
        row = reading.rows.all(rows_of(InvitationRow))[-1]
    evil.put_back(copy)
    evil.edit_rows(lambda transaction: transaction.rows.insert([row]))
    return Refused("eva", ("join", "--user", "eva", "--no-passphrase"), json.loads(made.out)["link"])


# -- heads and proofs -----------------------------------------------------------------------------------------------


def _plan(evil: EvilServer) -> None:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")


@attack("a log of another epoch", LINE, noticed="who saw the one before, at login", says="has begun a new log",
        code="LOG_RESTARTED")  # fmt: skip
def another_epoch(evil: EvilServer) -> Refused:
    _plan(evil)
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
    _plan(evil)
    origin = replace(evil.origin, server="00000000")
    evil.welcome(lambda shown: replace(shown, head=_head(evil, origin=origin)))
    return Refused("gus", GET)


@attack("a head signed by another key", LINE, noticed="at login", says="does not prove its log with its key",
        code="LOG_PROOF")  # fmt: skip
def another_signer(evil: EvilServer) -> Refused:
    _plan(evil)
    key = ServerKey.from_seed(bytes(range(32)))
    evil.welcome(lambda shown: replace(shown, head=_head(evil, key=key)))
    return Refused("gus", GET)


@attack(
    "no log at all", LINE, noticed="who saw one, at login", says="does not prove its log with its key", code="LOG_PROOF"
)
def no_log(evil: EvilServer) -> Refused:
    _plan(evil)
    evil.welcome(lambda shown: replace(shown, head="", consistency=(), evidence=None))
    return Refused("gus", GET)


@attack("a login that proves nothing of who logs in", LINE, noticed="at login", says="does not prove who you are there",
        code="LOG_PROOF")  # fmt: skip
def login_without_evidence(evil: EvilServer) -> Refused:
    _plan(evil)
    evil.welcome(lambda shown: replace(shown, evidence=None))
    return Refused("gus", GET)


@attack("a login that proves somebody else", LINE, noticed="at login", says="does not prove who you are there",
        code="LOG_PROOF")  # fmt: skip
def login_of_another(evil: EvilServer) -> Refused:
    _plan(evil)
    rests = Rests()
    with evil.server.here.readers.reading() as reading:
        rests.add_users(reading, [row for row in reading.rows.all(rows_of(UserRow)) if row.name == "max"])
    proved = rests.prove(evil.server.here.ledger)
    assert proved is not None
    evil.welcome(lambda shown: replace(shown, evidence=proved.evidence))
    return Refused("gus", GET)


@attack("an earlier login's answer again", LINE, noticed="who saw a later head, at login",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def welcome_again(evil: EvilServer) -> Refused:
    _plan(evil)
    evil.put("max", "plan", NEWER, "--replace")
    first = evil.welcomes["gus"][0]
    evil.got("gus", "plan")
    evil.welcome(lambda shown: replace(first, server=shown.server))
    return Refused("gus", GET)


@attack("a login's head that does not follow from what was seen", LINE, noticed="at login",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def login_without_consistency(evil: EvilServer) -> Refused:
    _plan(evil)
    evil.put("max", "other", PLAN)
    evil.welcome(lambda shown: replace(shown, consistency=tuple(() for _ in shown.consistency)))
    return Refused("gus", GET)


def _with_head(evil: EvilServer, head: m.LogHead) -> None:
    """Tell a head before each answer about files."""
    evil.tell(lambda message: [head, message] if isinstance(message, m.FileShown) else message)


@attack("an older head within a session", LINE, noticed="at once", says="shows a history without what this computer saw at",
        code="LOG_WENT_BACK")  # fmt: skip
def older_head(evil: EvilServer) -> Refused:
    _plan(evil)
    ledger = evil.server.here.ledger
    root = ledger.root_at(ledger.head.size - 1)
    assert root is not None
    _with_head(evil, m.LogHead(evil.sign(ledger.head.size - 1, root), ()))
    return Refused("gus", GET)


@attack("a newer head without its proof, within a session", LINE, noticed="at once",
        says="does not prove that its log goes on what this computer saw at", code="LOG_PROOF")  # fmt: skip
def head_of_nothing(evil: EvilServer) -> Refused:
    _plan(evil)
    _with_head(evil, m.LogHead(evil.sign(evil.server.here.ledger.head.size + 1, bytes(range(32))), ()))
    return Refused("gus", GET)


@attack("an answer under an older head than was told", LINE, noticed="who gets the file",
        says="does not prove what happened last", code="LOG_PROOF")  # fmt: skip
def evidence_of_before(evil: EvilServer) -> Refused:
    _plan(evil)
    before = evil.last(m.FilesContent).evidence
    _leaf(evil)
    _evidence(evil, lambda _now: before)
    return Refused("gus", GET)


@attack("a file without a proof", LINE, noticed="who gets it", says="does not prove what it says of these files",
        code="LOG_PROOF")  # fmt: skip
def file_without_evidence(evil: EvilServer) -> Refused:
    _plan(evil)
    _evidence(evil, lambda _now: None)
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
    _plan(evil)
    evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.FileShown) else message)
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
    _plan(evil)

    def change(evidence: Evidence) -> Evidence:
        slots = tuple(
            replace(each, record=encode_slot(replace(decode_slot(each.record), salt=bytes(16))))
            for each in evidence.slots
        )
        return replace(evidence, slots=slots)

    _evidence(evil, change)
    return Refused("gus", GET)


@attack("a file of which another's slot is proved", LINE, noticed="who gets it", says="does not prove what it says of",
        code="LOG_PROOF")  # fmt: skip
def another_slot(evil: EvilServer) -> Refused:
    _two(evil)
    _evidence(evil, lambda _now: evil.evidence_of("other"))
    return Refused("gus", GET)


@attack("a head that an author saw, without its proof", LINE, noticed="who gets the author's file",
        says="does not prove that what max saw at", code="LOG_PROOF")  # fmt: skip
def unproved_gossip(evil: EvilServer) -> Refused:
    _plan(evil)
    _evidence(evil, lambda now: replace(now, seen=()))
    return Refused("gus", GET)


@attack("a receipt for a leaf that is not there", LINE, noticed="who stores", says="gave no receipt for new that holds",
        code="RECEIPT_BAD")  # fmt: skip
def receipt_of_nothing(evil: EvilServer) -> Refused:
    _plan(evil)

    def lie(message: m.Message) -> m.Message:
        if not isinstance(message, m.FilesStored):
            return message
        lines = parse_receipts(text_of(message.receipt))
        return replace(
            message, receipt=sign_receipts(evil.key, [replace(each, leaf=each.leaf + 1000) for each in lines])
        )

    evil.tell(lie)
    return Refused("max", ("put", "--as", "new", evil.cli.file("new", NEWER)))

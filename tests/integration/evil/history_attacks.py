"""Which history."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from sft.client.heads import Heads
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.records import LeafRecord, RecordPart
from sft.store.row_types import InvitationRow, LogLeafRow
from sft.store.statements import rows_of
from sft.wire import messages as m
from sft.wire.handshake import Welcome
from tests.integration.evil.attacks import HOME, LINE, Refused, attack
from tests.integration.evil.evil_server import EvilServer, Said
from tests.integration.evil.staging import GET, NEWER, PLAN, append_leaf, put_plan
from tests.loop import run


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


@attack("a restart taken back: the log before it, gone on", HOME, noticed="who saw the log after it, at login",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def restart_taken_back(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    copy = evil.copy()
    port = run(evil.server.halt())
    done = evil.cli.operator("log", "restart", "--reason", "a disk died", "--name", "acme")
    assert done.status == 0, done.err
    run(evil.server.start(port))
    looked = evil.cli.sft("gus", "servers", "trust", "acme", typed="acme\n")
    assert looked.status == 0, looked.err
    evil.got("gus", "plan")
    seen = evil.server.here.ledger.head.size
    evil.put_back(copy)
    for number in range(seen):  # longer than what gus saw: its epoch alone tells
        evil.put("ada", f"filler{number}", PLAN)
    return Refused("gus", GET)


@attack("yesterday's log, beside what was stored since", LINE, noticed="who is shown that, at once",
        says="shows what was stored on", code="LOG_STALE")  # fmt: skip
def stale(evil: EvilServer) -> Refused:
    put_plan(evil)
    for _ in range(2):  # the first one keeps a head, the second one is answered as the third
        assert evil.cli.sft("mia", "ls").status == 0
    old = evil.welcomes["mia"][-1]
    evil.put("max", "late", NEWER)

    def login(shown: Welcome) -> Welcome:
        return replace(shown, head=old.head, consistency=old.consistency, evidence=old.evidence)

    def lie(message: m.Message) -> Said:
        if isinstance(message, m.LeafProved):
            return m.Refusal(message.id, "NOT_FOUND", {"what": "leaf of the log", "name": "1"})
        return [] if isinstance(message, m.LogHead) else message

    evil.welcome(login)
    evil.tell(lie)
    return Refused("mia", ("ls",))


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
        append_leaf(evil)
    assert evil.server.here.ledger.head.size == seen
    return Refused("gus", GET)


@attack("another history to who joins by an invitation of the first", HOME, noticed="who joins, at once",
        says="shows a history without what this computer saw at", code="LOG_WENT_BACK")  # fmt: skip
def forked_for_who_joins(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    copy = evil.copy()
    for _ in range(3):
        append_leaf(evil)
    made = evil.cli.sft("ada", "invite", "--json")
    assert made.status == 0, made.err
    with evil.server.here.readers.reading() as reading:
        row = reading.rows.all(rows_of(InvitationRow))[-1]
    evil.put_back(copy)
    evil.edit_rows(lambda transaction: transaction.rows.insert([row]))
    return Refused("eva", ("join", "--user", "eva", "--no-passphrase"), json.loads(made.out)["link"])

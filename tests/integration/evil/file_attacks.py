"""Which version of which file, and where."""

from __future__ import annotations

import json

from msgspec.structs import replace

from sft.model.access import operator_caller
from sft.model.events import FileCommitted, FileMoved, FileReplaced
from sft.model.records import KeyEnd
from sft.store.ledger import leaves_from
from sft.store.row_types import DeviceKeyRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from sft.wire import messages as m
from sft.wire.login import Claim
from tests.integration.evil.attacks import LINE, LOG, ROWS, Refused, attack
from tests.integration.evil.evil_server import EVIL_KEY, MOST_LEAVES, EvilServer
from tests.integration.evil.staging import GET, NEWER, PLAN, as_max, file_row, put_two, with_files
from tests.loop import run


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
    before = file_row(evil, "plan")
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")
    evil.edit_rows(lambda transaction: transaction.rows.update([before]))
    evil.believe_rows()
    return Refused("mia", GET)


@attack("an older version as the newest, by a leaf", LOG, noticed="who saw the newer one",
        says="shows version 1 of plan as the newest", code="OLDER_VERSION")  # fmt: skip
def older_version_logged(evil: EvilServer) -> Refused:
    wind_back(evil)
    return Refused("gus", GET)


def wind_back(evil: EvilServer) -> None:
    """Have the log say that a file's newest version is its first one again."""
    evil.put("max", "plan", PLAN)
    before = file_row(evil, "plan")
    evil.put("max", "plan", NEWER, "--replace")
    evil.got("gus", "plan")

    def change(transaction: Transaction) -> None:
        _, (first, _) = evil.rows_of_file(transaction, "plan")
        transaction.rows.update([before])
        transaction.log(
            FileReplaced(
                by=as_max(evil), file_id=before.file_id, path="plan", version=2, size=first.size, digest=first.digest,
                prev=first.digest,
            )
        )  # fmt: skip

    evil.edit(change)


@attack("another file in the place of one", LINE, noticed="who gets it", says="another file", code="NOT_AS_LISTED")
def another_file(evil: EvilServer) -> Refused:
    put_two(evil)

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.GetFiles):
            return replace(message, files=tuple(replace(each, path="other") for each in message.files))
        return message

    evil.hear(lie)
    return Refused("gus", GET)


@attack(
    "one file's content as another's", LINE, noticed="who gets it", says="are not what max signed", code="SIGNATURE_BAD"
)
def another_content(evil: EvilServer) -> Refused:
    put_two(evil)
    evil.tell(lambda message: with_files(message, lambda each: replace(each, content=NEWER)))
    return Refused("gus", GET)


@attack("two files at one another's names", LINE, noticed="who gets one", says="does not prove what it says of",
        code="LOG_PROOF")  # fmt: skip
def swapped(evil: EvilServer) -> Refused:
    put_two(evil)
    there = {"plan": "other", "other": "plan"}

    def heard(message: m.Message) -> m.Message:
        if isinstance(message, m.GetFiles):
            return replace(message, files=tuple(replace(each, path=there[each.path]) for each in message.files))
        return replace(message, path=there[message.path]) if isinstance(message, m.ShowFile) else message

    def told(message: m.Message) -> m.Message:
        if isinstance(message, m.FileShown):
            return replace(message, file=replace(message.file, path=there[message.file.path]))
        return with_files(message, lambda each: replace(each, file=replace(each.file, path=there[each.file.path])))

    evil.hear(heard)
    evil.tell(told)
    return Refused("gus", GET)


@attack("two files at one another's names, by leaves of no statement", LOG, noticed="who gets one",
        says="nobody signed that it was moved", code="MOVE_UNSIGNED")  # fmt: skip
def swapped_by_leaves(evil: EvilServer) -> Refused:
    put_two(evil)
    plan, other = file_row(evil, "plan"), file_row(evil, "other")

    def change(transaction: Transaction) -> None:
        for row, name in ((plan, "aside"), (other, "plan"), (plan, "other")):
            transaction.rows.update([replace(row, name=name, folded=name)])
        for row, name in ((plan, "other"), (other, "plan")):
            transaction.log(FileMoved(by=operator_caller(), file_id=row.file_id, old=row.name, new=name))

    evil.edit(change)
    return Refused("gus", GET)


@attack("a file at another's new name, by the statement that moved the other", LOG, noticed="who gets it",
        says="nobody signed that it was moved", code="MOVE_UNSIGNED")  # fmt: skip
def moved_by_a_statement_of_another(evil: EvilServer) -> Refused:
    put_two(evil)
    assert evil.cli.sft("max", "mv", "other", "kept").status == 0
    plan, other = file_row(evil, "plan"), file_row(evil, "kept")
    with evil.server.here.readers.reading() as reading:
        signed = json.loads(leaves_from(reading, 0, MOST_LEAVES)[-1].facts)["statement"].encode()

    def change(transaction: Transaction) -> None:
        for row, name in ((other, "aside"), (plan, "kept")):
            transaction.rows.update([replace(row, name=name, folded=name)])
        transaction.log(FileMoved(by=operator_caller(), file_id=other.file_id, old="kept", new="aside"))
        transaction.log(FileMoved(by=as_max(evil), file_id=plan.file_id, old="plan", new="kept", statement=signed))

    evil.edit(change)
    return Refused("gus", ("get", "kept"))


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


@attack("a deleted file, said to be one, as what lies at its name", LINE, noticed="who gets it",
        says="does not prove what it says of", code="LOG_PROOF")  # fmt: skip
def deleted_file_given(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    content, shown = evil.last(m.FilesContent), evil.last(m.FileShown)
    assert evil.cli.sft("max", "rm", "plan").status == 0

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.Refusal):
            trashed = replace(shown.file, trashed_at=1_700_000_000)
            return replace(shown, id=message.id, file=trashed, evidence=evil.evidence_of("plan"))
        if isinstance(message, m.FileShown):
            trashed = replace(shown.file, trashed_at=1_700_000_000)
            return replace(shown, id=message.id, file=trashed, evidence=evil.evidence_of("plan"))
        if isinstance(message, m.FilesContent):
            (result,) = content.results
            trashed = replace(result, file=replace(result.file, trashed_at=1_700_000_000))
            return replace(content, id=message.id, results=(trashed,), evidence=evil.evidence_of("plan"))
        return message

    evil.tell(lie)
    return Refused("gus", GET)


@attack("a deleted file as live, by its row as it was", ROWS, noticed="who gets it",
        says="does not prove what it says of", code="LOG_PROOF")  # fmt: skip
def hidden_delete_row(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    before = file_row(evil, "plan")
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
    before = file_row(evil, "plan")
    assert evil.cli.sft("max", "rm", "plan").status == 0

    def change(transaction: Transaction) -> None:
        _, (version,) = evil.rows_of_file(transaction, "plan")
        transaction.rows.update([replace(before, slot=transaction.take_slot())])
        transaction.log(
            FileCommitted(
                by=as_max(evil), file_id=before.file_id, path="plan", size=version.size, digest=version.digest
            )
        )

    evil.edit(change)


@attack("one row as it was: a stolen key that was ended", ROWS, noticed="who gets a file of theirs",
        says="does not prove what it says of plan", code="LOG_PROOF")  # fmt: skip
def row_as_it_was(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    with evil.server.here.readers.reading() as reading:
        (before,) = [
            row for row in reading.rows.all(rows_of(DeviceKeyRow)) if row.user_id == evil.server.people["max"].user_id
        ]
    key_more = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(key_more, m.UserShown), key_more
    cut_off = evil.server.here.ledger.head.size
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    revoked = run(raw.ask(m.RevokeKey, public_key=before.public_key, reason=KeyEnd.COMPROMISED, cut_off=cut_off))
    assert isinstance(revoked, m.UserShown), revoked
    evil.edit_rows(lambda transaction: transaction.rows.update([before]))
    evil.believe_rows()
    return Refused("gus", GET)

"""Pages of the log: what is asked for, proved together; of each record what is the reader's to see, and no hint of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from sft import limits
from sft.crypto.keys import ServerKey
from sft.errors import NotFoundError
from sft.ledger.checkpoints import Checkpoint, open_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.proofs import verify_inclusion, verify_several
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.replay import Replay
from sft.model.access import Role
from sft.model.events import MasterKeyRotated
from sft.model.evidence import LoggedLeaf, LoggedPage
from sft.service import accounts, folders, invitations, trash
from sft.service.log import events, reading
from sft.service.log.events import EventLine
from sft.service.log.reading import WantedLeaves, prove_leaf, read_log, read_record
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, SERVER_KEY, ServiceFixture, file_id_of

KEY: ServerKey = SERVER_KEY


def head_of(services: ServiceFixture, note: str) -> Checkpoint:
    return open_checkpoint(note, services.log.signer.origin(1), KEY.public)


def page(services: ServiceFixture, who: Any = ADA, **wanted: Any) -> LoggedPage:
    """Ask for a page, and hold it to its proof."""
    under = services.ask(read_log, who, ledger=services.log.ledger, wanted=WantedLeaves(**wanted))
    shown, head = under.answer, head_of(services, under.answer.head)
    assert (head.size, head.root) == (under.head.size, under.head.root)
    if shown.leaves:
        hashes = {each.number: leaf_hash(each.leaf) for each in shown.leaves}
        assert len(hashes) == len(shown.leaves)
        verify_several(hashes, head.size, shown.proof, head.root)
    else:
        assert shown.proof == ()
    return shown


def pages(services: ServiceFixture, who: Any = ADA, **wanted: Any) -> list[LoggedLeaf]:
    leaves: list[LoggedLeaf] = []
    while True:
        shown = page(services, who, **wanted)
        leaves += shown.leaves
        if not shown.more:
            return leaves
        wanted["end" if wanted.get("newest_first") else "start"] = shown.next


def record_of(leaf: LoggedLeaf) -> LeafRecord | None:
    parts = [None if part is None else RecordPart(part[:16], part[16:]) for part in (leaf.facts, leaf.personal)]
    return None if parts[0] is None else LeafRecord(parts[0], parts[1])


def kind(leaf: LoggedLeaf) -> LeafKind:
    return LogLeaf.decode(leaf.leaf).kind


def numbers(leaves: Any) -> list[int]:
    return [each.number for each in leaves]


@pytest.fixture
def busy(services: ServiceFixture) -> ServiceFixture:
    """Some acts of several people."""
    services.put(MAX, "finance/a")
    services.put(MIA, "b")
    services.act(folders.move, folders.MoveInput(MAX.caller, "finance/a", "finance/c"))
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "gus", Role.MAINTAINER))
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "gus", Role.GUEST))
    services.now += 100
    services.act(
        invitations.make, invitations.MakeInvitationInput(ADA.caller, bytes([9]) * 32, Role.GUEST, "ivo", 1000)
    )
    services.act(trash.delete, trash.Deletion(MIA.caller, "b"))
    return services


def test_all_of_it_replays(busy: ServiceFixture) -> None:
    size = busy.log.ledger.head.size
    leaves = pages(busy, limit=2)
    assert numbers(leaves) == list(range(size))
    replay = Replay({size: busy.log.ledger.head.root})
    for each in leaves:
        replay.add(each.leaf, record_of(each))
    done = replay.end()
    assert (done.findings, done.records) == ((), size)
    assert done.statements == 5  # two moves and deletes, two roles, an invitation


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_meet_from_both_ends(busy: ServiceFixture, limit: int) -> None:
    size = busy.log.ledger.head.size
    assert numbers(pages(busy, limit=limit)) == list(range(size))
    assert numbers(pages(busy, limit=limit, newest_first=True)) == list(reversed(range(size)))
    assert numbers(pages(busy, limit=limit, start=2, end=5, newest_first=True)) == [4, 3, 2]


def test_beyond_the_end_is_nothing_and_where_to_go_on(busy: ServiceFixture) -> None:
    size = busy.log.ledger.head.size
    shown = page(busy, start=size)
    assert (shown.leaves, shown.next, shown.more) == ((), size, False)
    busy.put(MAX, "later")
    assert numbers(page(busy, start=size).leaves) == [size]


def test_what_has_no_head_yet_is_not_shown(busy: ServiceFixture) -> None:
    size = busy.log.ledger.head.size
    held, busy._log = busy.log, None
    busy.put(MAX, "meanwhile")  # through another log over the same database
    busy._log = held
    shown = page(busy, start=size)
    assert (shown.leaves, shown.next, shown.more) == ((), size, False)


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"user_id": MIA.id}, {LeafKind.FILE_COMMITTED, LeafKind.FILE_DELETED}),
        ({"file_id": file_id_of("finance/a")}, {LeafKind.FILE_COMMITTED, LeafKind.FILE_MOVED}),
        ({"kinds": (LeafKind.ROLE_CHANGED,)}, {LeafKind.ROLE_CHANGED}),
        ({"kinds": tuple(range(16, 32))}, {LeafKind.FILE_COMMITTED, LeafKind.FILE_MOVED, LeafKind.FILE_DELETED}),
        ({"user_id": MAX.id, "kinds": (LeafKind.FILE_MOVED,)}, {LeafKind.FILE_MOVED}),
        ({"user_id": MAX.id, "file_id": file_id_of("b")}, set()),
        ({"user_id": GUS.id}, {LeafKind.ROLE_CHANGED}),
    ],
)
@pytest.mark.parametrize("who", [ADA, GUS, OPERATOR], ids=["ada", "gus", "operator"])
def test_it_is_filtered(busy: ServiceFixture, wanted: dict[str, Any], kinds: set[LeafKind], who: Any) -> None:
    found = pages(busy, who, limit=1, **wanted)
    assert {kind(each) for each in found} - {LeafKind.USER_JOINED} == kinds
    assert all(each.facts is not None for each in found)
    assert numbers(found) == sorted(numbers(found))


def test_it_is_filtered_by_time(busy: ServiceFixture) -> None:
    later = pages(busy, since=busy.now)
    assert {kind(each) for each in later} == {LeafKind.INVITATION_MADE, LeafKind.FILE_DELETED}
    earlier = pages(busy, until=busy.now)
    assert numbers(earlier + later) == list(range(busy.log.ledger.head.size))
    assert pages(busy, since=busy.now + 1) == []


# -- by right ------------------------------------------------------------------------------------------------


def withheld(services: ServiceFixture, who: Any, **wanted: Any) -> set[LeafKind]:
    return {kind(each) for each in pages(services, who, **wanted) if each.facts is None and each.personal is None}


def test_leaves_are_everybodys_and_records_are_not(busy: ServiceFixture) -> None:
    assert withheld(busy, ADA) == withheld(busy, OPERATOR) == set()
    assert withheld(busy, GUS) == withheld(busy, MAX) == {LeafKind.INVITATION_MADE}
    assert [each.leaf for each in pages(busy, GUS)] == [each.leaf for each in pages(busy, ADA)]


def test_who_asks_for_what_is_not_theirs_finds_nothing(busy: ServiceFixture) -> None:
    asked = {"user_id": ADA.id, "kinds": (LeafKind.INVITATION_MADE,)}
    assert len(pages(busy, ADA, **asked)) == 1
    assert pages(busy, GUS, **asked) == []


@pytest.fixture
def downloaded(busy: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> ServiceFixture:
    """gus downloaded what max owns; told by an event of the tests, with the line of a download."""
    line = EventLine(kind=LeafKind.DOWNLOAD_BEGUN, file="file_id")
    monkeypatch.setattr(events, "EVENT_LINES", {**events.EVENT_LINES, _Downloaded: line})
    with busy.log.transaction(busy.now) as transaction:
        transaction.log(_Downloaded(by=GUS.caller, epoch=1, file_id=file_id_of("finance/a")))
    return busy


class _Downloaded(MasterKeyRotated, frozen=True, kw_only=True):
    file_id: bytes


@pytest.mark.parametrize(("who", "sees"), [(ADA, True), (OPERATOR, True), (MAX, True), (GUS, True), (MIA, False)])
def test_a_download_is_its_own_the_owners_and_admins_to_see(downloaded: ServiceFixture, who: Any, sees: bool) -> None:
    assert (LeafKind.DOWNLOAD_BEGUN in withheld(downloaded, who)) is not sees
    number = downloaded.log.ledger.head.size - 1
    for wanted in ({"file_id": file_id_of("finance/a")}, {"user_id": GUS.id}):
        assert (number in numbers(pages(downloaded, who, **wanted))) is sees
    assert (downloaded.ask(read_record, who, number=number, personal=False) is not None) is sees


def test_an_act_is_its_own_to_see(busy: ServiceFixture) -> None:
    services = busy
    with services.log.transaction(services.now) as transaction:
        transaction.log(MasterKeyRotated(by=GUS.caller, epoch=2))
    assert LeafKind.MASTER_KEY_ROTATED not in withheld(services, GUS)
    assert LeafKind.MASTER_KEY_ROTATED in withheld(services, MIA)


# -- bounds --------------------------------------------------------------------------------------------------


def test_one_question_looks_through_so_many_rows(busy: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LOG_SCANNED", 2)
    for number in range(5):
        busy.put(MAX, f"{number}")
    shown = page(busy, GUS, user_id=MAX.id, kinds=(LeafKind.FILE_MOVED,))
    assert (shown.leaves, shown.more) == ((), True)
    found = pages(busy, GUS, user_id=MAX.id, kinds=(LeafKind.FILE_MOVED,))
    assert [kind(each) for each in found] == [LeafKind.FILE_MOVED]


def test_a_page_ends_where_the_frame_does(busy: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIST_BYTES", limits.HEAD_BYTES + 1500)
    shown = page(busy)
    assert 1 < len(shown.leaves) < 6
    assert numbers(pages(busy)) == list(range(busy.log.ledger.head.size))
    assert all(each.facts is not None for each in pages(busy))


def test_a_record_that_fits_no_page_is_asked_for_by_itself(
    busy: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIST_BYTES", limits.HEAD_BYTES + 10)
    size = busy.log.ledger.head.size
    shown = pages(busy)
    assert numbers(shown) == list(range(size))
    for each in shown:
        assert (each.facts, each.personal, each.apart) == (None, None, True)
        facts = busy.ask(read_record, ADA, number=each.number, personal=False)
        personal = busy.ask(read_record, ADA, number=each.number, personal=True)
        record = record_of(replace(each, facts=facts, personal=personal))
        assert record is not None
        record.check(LogLeaf.decode(each.leaf))
        assert (personal is None) == (LogLeaf.decode(each.leaf).personal is None)


def test_what_is_not_theirs_is_not_announced_as_too_large(
    busy: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIST_BYTES", limits.HEAD_BYTES + 10)
    made = [each for each in pages(busy, GUS) if kind(each) is LeafKind.INVITATION_MADE]
    assert [each.apart for each in made] == [False]


def test_every_kind_is_somebodys_to_see() -> None:
    assert frozenset(LeafKind) == reading.FOR_ALL | reading.FOR_AUDIT | reading.DOWNLOADS
    told = {line.kind for line in events.EVENT_LINES.values()}
    assert told & reading.FOR_AUDIT  # of what is told already, something is not for all


# -- one leaf ------------------------------------------------------------------------------------------------


def test_a_leaf_is_proved_by_itself(busy: ServiceFixture) -> None:
    for number in range(busy.log.ledger.head.size):
        proved = busy.ask(prove_leaf, GUS, ledger=busy.log.ledger, number=number).answer
        head = head_of(busy, proved.head)
        verify_inclusion(leaf_hash(proved.leaf), number, head.size, proved.inclusion, head.root)


def test_a_leaf_that_is_not_there_is_not_found(busy: ServiceFixture) -> None:
    size = busy.log.ledger.head.size
    with pytest.raises(NotFoundError):
        busy.ask(prove_leaf, GUS, ledger=busy.log.ledger, number=size)
    with pytest.raises(NotFoundError):
        busy.ask(read_record, GUS, number=size, personal=False)


def test_an_erased_part_is_none(busy: ServiceFixture) -> None:
    number = next(each.number for each in pages(busy) if kind(each) is LeafKind.FILE_COMMITTED)
    assert busy.ask(read_record, ADA, number=number, personal=True) is None
    facts = busy.ask(read_record, ADA, number=number, personal=False)
    assert facts is not None
    assert json.loads(facts[16:])["path"] == "finance/a"

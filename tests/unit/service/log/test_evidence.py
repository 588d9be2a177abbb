"""What an answer rests on, read with it: every slot that it needs, each once, and proofs that hold."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sft.crypto.comment import NO_HEAD
from sft.errors import RecordForgedError, TooLargeError
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.current import check_last_leaf, check_slots
from sft.ledger.leaves import StateTreeKind
from sft.ledger.restarts import proved_cut
from sft.ledger.slots import FileSlot, Slot, SlotVersion
from sft.limits import LEAF_BYTES
from sft.model.access import Role
from sft.model.events import UserAdded
from sft.model.evidence import Evidence
from sft.service import accounts, downloads
from sft.service.files import show_file
from sft.service.log import evidence as proving
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.restarting import Restart, restart_log
from sft.service.users import enroll
from sft.wire.messages import UserList, fits
from tests.unit.service.service_fixture import ADA, MAX, MIA, NOW, OPERATOR, ServiceFixture
from tests.unit.store.asked import asked_of


class Checked:
    """Evidence that holds, and its slots."""

    def __init__(self, services: ServiceFixture, builder: EvidenceBuilder) -> None:
        found = builder.prove(services.log.ledger)
        assert found is not None
        self.size = found.head.size
        self.evidence: Evidence = found.evidence
        tree = services.log.ledger.tree
        assert (tree.size, tree.root()) == (found.head.size, found.head.root)
        head: Any = found.head
        leaf = check_last_leaf(head, self.evidence.leaf, self.evidence.inclusion)
        self.slots: dict[tuple[StateTreeKind, int], Slot] = {}
        for proof in self.evidence.proofs:
            kind = StateTreeKind(proof.tree)
            records = {each.number: each.record for each in self.evidence.slots if each.tree == kind}
            slots = check_slots(leaf, kind, records, proof.hashes)
            self.slots |= {(kind, number): slot for number, slot in slots.items()}

    @property
    def users(self) -> set[int]:
        return {number + 1 for kind, number in self.slots if kind is StateTreeKind.USERS}

    @property
    def names(self) -> set[str]:
        return {slot.name for (kind, _), slot in self.slots.items() if kind is StateTreeKind.FILES}


def shown(services: ServiceFixture, path: str, version: int = 0) -> Checked:
    builder = EvidenceBuilder()
    services.ask(show_file, MAX, path=path, version=version, builder=builder)
    return Checked(services, builder)


def test_a_file_rests_on_its_slot_its_folders_and_its_author(services: ServiceFixture) -> None:
    services.put(MAX, "docs/plans/a", b"one")
    services.put(MIA, "docs/other/b", b"two")
    found = shown(services, "docs/plans/a")
    assert found.names == {"", "docs", "plans", "a"}
    assert found.users == {MAX.id}


def test_several_files_rest_on_each_slot_once(services: ServiceFixture) -> None:
    paths = ["docs/plans/a", "docs/plans/b", "docs/c", "d"]
    for path in paths:
        services.put(MAX, path, path.encode())
    builder = EvidenceBuilder()
    wanted = [(path, 0) for path in [*paths, paths[0]]]
    services.ask(downloads.begin_many, MIA, storage=services.storage, files=wanted, room_bytes=60_000, builder=builder)
    found = Checked(services, builder)
    assert found.names == {"", "docs", "plans", "a", "b", "c", "d"}
    assert len(found.evidence.slots) == len(found.slots) == 8


def test_an_owner_who_did_not_write_the_version_is_proved_too_and_so_is_the_heir(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    services.replace(ADA, "a", b"two", services.ask(show_file, MAX, path="a"))
    assert shown(services, "a").users == {MAX.id, ADA.id}
    services.act(accounts.remove, accounts.RemoveUserInput(OPERATOR, MAX.caller.name, files_to=MIA.caller.name))
    builder = EvidenceBuilder()
    file = services.ask(show_file, ADA, path="a", builder=builder)
    assert file.owner_id == MIA.id
    found = Checked(services, builder)
    assert found.users == {MAX.id, ADA.id, MIA.id}


def test_an_older_version_is_proved_by_the_tree_over_all_of_its_file(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    for number in range(2, 8):
        services.replace(MAX, "a", b"%d" % number, services.ask(show_file, MAX, path="a"))
    for number in range(1, 8):
        file = services.ask(show_file, MAX, path="a", version=number)
        found = shown(services, "a", number)
        (slot,) = [slot for slot in found.slots.values() if isinstance(slot, FileSlot)]
        version = SlotVersion(number, file.version.leaf, file.version.digest, file.version.size)
        if number == 7:
            assert (slot.newest, found.evidence.versions) == (version, ())
        else:
            (proof,) = found.evidence.versions
            slot.check_version(version, proof.inclusion)


def test_the_tree_over_all_versions_of_a_file_is_read_once_an_answer(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    for number in range(2, 8):
        services.replace(MAX, "a", b"%d" % number, services.ask(show_file, MAX, path="a"))
    files = [("a", number) for number in range(1, 7)]
    builder = EvidenceBuilder()
    with asked_of(services.database.read_connections) as asked:
        services.ask(
            downloads.begin_many, MAX, storage=services.storage, files=files, room_bytes=1 << 20, builder=builder
        )
    assert len(Checked(services, builder).evidence.versions) == len(files)
    trees = [each for each in asked if "versions.leaf, versions.digest, versions.size" in " ".join(each.text.split())]
    assert len(trees) == 1


def test_a_proof_of_one_among_many_versions_reads_few_of_them(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    for number in range(2, 42):
        services.replace(MAX, "a", b"%d" % number, services.ask(show_file, MAX, path="a"))
    for number in (1, 2, 3, 16, 17, 32, 33, 40):
        with asked_of(services.database.read_connections) as asked:
            file = services.ask(show_file, MAX, path="a", version=number, builder=(builder := EvidenceBuilder()))
        (read,) = [each for each in asked if "versions.subtrees FROM" in " ".join(each.text.split())]
        assert len(set(read.values)) <= 1 + 1 + 8  # of the file, the version itself and the ends of some subtrees
        found = Checked(services, builder)
        (slot,) = [slot for slot in found.slots.values() if isinstance(slot, FileSlot)]
        (proof,) = found.evidence.versions
        version = SlotVersion(number, file.version.leaf, file.version.digest, file.version.size)
        slot.check_version(version, proof.inclusion)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE versions SET subtrees = zeroblob(32) WHERE number = 2",
        "UPDATE versions SET leaf = leaf + 1 WHERE number = 3",
    ],
)
def test_what_a_proof_reads_is_held_against_the_root(services: ServiceFixture, change: str) -> None:
    services.put(MAX, "a", b"1")
    for number in (2, 3, 4, 5):
        services.replace(MAX, "a", b"%d" % number, services.ask(show_file, MAX, path="a"))
    services.tamper(change)
    with pytest.raises(RecordForgedError):
        shown(services, "a", 4)


def test_a_version_that_is_not_the_one_that_was_committed_is_not_proved(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    for number in (2, 3):
        services.replace(MAX, "a", b"%d" % number, services.ask(show_file, MAX, path="a"))
    # Of the version that is asked for the row is as it was.
    services.tamper("UPDATE versions SET leaf = leaf + 1 WHERE number = 2")
    with pytest.raises(RecordForgedError):
        shown(services, "a", 1)


def test_the_heads_that_authors_saw_are_proved_where_they_are_of_this_log(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    services.put(MAX, "b", b"2")
    root = "0" * 64
    heads = (NO_HEAD, f"1.3:{root}", f"2.2:{root}")
    with services.readers.reading() as reading:
        builder = EvidenceBuilder()
        builder._begin(reading)
        for head in heads:
            builder._see(reading, f"...\ntrusted comment: sft:1\tts:1\thead:{head}\nAAAA\n".encode())
    found = Checked(services, builder)
    roots = [services.log.ledger.consistency(3, found.size)]
    assert [(each.size, each.consistency) for each in found.evidence.seen] == [(3, roots[0])]


def test_a_head_that_a_restart_has_cut_off_is_answered_with_the_restart(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    kept = services.log.ledger.tree.size
    root = services.log.ledger.tree.root()
    services.act(restart_log, Restart(origin="acme", root=root, known="", known_epoch=1, reason="why"))
    services.put(MAX, "b", b"2")
    with services.readers.reading() as reading:
        builder = EvidenceBuilder()
        builder._begin(reading)
        for epoch, size in ((1, kept), (1, kept + 1), (1, kept + 9), (2, kept + 1)):
            builder._see(reading, f"...\ntrusted comment: sft:1\tts:1\thead:{epoch}.{size}:{'0' * 64}\nAAAA\n".encode())
    found = Checked(services, builder)
    assert [each.size for each in found.evidence.seen] == [kept, kept + 1]
    (restart,) = found.evidence.restarts
    head = Checkpoint(Origin.of_server("acme", bytes(32), 2), found.size, services.log.ledger.tree.root())
    cut = proved_cut(head, restart.number, restart.leaf, restart.inclusion, restart.facts)
    assert (cut.epoch, cut.kept) == (2, kept)


def test_more_folders_than_an_answer_can_prove_are_refused(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.put(MAX, "1/2/3/4/a", b"1")
    shown(services, "1/2/3/4/a")
    monkeypatch.setattr(proving, "EVIDENCE_SLOTS", 6)
    with pytest.raises(TooLargeError):
        shown(services, "1/2/3/4/a")


def test_a_page_of_people_fits_a_frame_with_its_proof_and_misses_nobody(services: ServiceFixture) -> None:
    with services.log.transaction(NOW) as transaction:
        for number in range(5, 405):
            name, point = f"{'n' * 58}{number:06}", number.to_bytes(2, "big") * 16
            user, key = enroll(transaction, name, Role.GUEST, b"Ed" + number.to_bytes(8, "big") + point, "d" * 64)
            transaction.log(
                UserAdded(
                    by=OPERATOR,
                    user_id=user.id,
                    name=name,
                    role=Role.GUEST,
                    key_id=key.id,
                    public_key=key.public_key,
                    device="d" * 64,
                )
            )
    after, listed, pages = 0, [], 0
    while True:
        builder = EvidenceBuilder()
        page = services.ask(accounts.list_users, ADA, after=after, builder=builder)
        found = Checked(services, builder)
        assert found.users == {user.id for user in page.users}
        largest = replace(found.evidence, leaf=bytes(LEAF_BYTES))
        assert fits(UserList(1, page, largest))
        listed += [user.id for user in page.users]
        pages += 1
        if not page.next:
            break
        after = page.next
    assert listed == list(range(1, 405))
    assert pages < 12


def test_what_has_changed_since_it_was_read_is_not_proved(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    builder = EvidenceBuilder()
    file = services.ask(show_file, MAX, path="a", builder=builder)
    services.replace(MAX, "a", b"2", file)
    assert builder.prove(services.log.ledger) is None

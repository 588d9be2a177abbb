"""The two steps: what is given up leaves nothing, what is not kept is not served, and every change of a slot has its leaf."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import LogDamagedError, LogRolledBackError, StoreError
from sft.ledger.checkpoints import Checkpoint, open_checkpoint
from sft.ledger.leaves import LogLeaf, StateTreeKind
from sft.model.events import FileMoved, FileTrashed, FolderMade, SettingsChanged, TrashCollected
from sft.service import commits, folders, trash
from sft.service.log.opening import load_log
from sft.store.folders import ROOT_ID, folder_by_id
from sft.store.ledger import leaf_at, ledger_row
from sft.store.row_types import FileRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, MAX, OPERATOR, SERVER_KEY, ServiceFixture

KEEPING = OSError("no head is kept")
SAID = SettingsChanged(by=OPERATOR, name="x")


def leaves_of(services: ServiceFixture, start: int) -> list[LogLeaf]:
    with services.readers.reading() as reading:
        size = ledger_row(reading).size
        return [LogLeaf.decode(leaf_at(reading, number).entry) for number in range(start, size)]


def kept_head(services: ServiceFixture, note: str) -> Checkpoint:
    return open_checkpoint(note, services.log.signer.origin(1), SERVER_KEY.public)


def test_a_group_that_is_given_up_leaves_memory_as_it_was(services: ServiceFixture) -> None:
    services.put(MAX, "before")
    log = services.log
    before = log.ledger.head, log.ledger.tree, log.ledger.users.root(), log.ledger.files.root(), len(log.kept)
    with pytest.raises(ZeroDivisionError), log.transaction(services.now) as transaction:
        commits.commit(transaction, [services.pend(MAX, "lost", b"x")])
        log.appending.before_commit(transaction, transaction.events)
        raise ZeroDivisionError
    assert (log.ledger.head, log.ledger.tree, log.ledger.users.root(), log.ledger.files.root(), len(log.kept)) == before
    services.put(MAX, "after")
    assert log.ledger.head.size == before[0].size + 1


def test_a_head_that_cannot_be_kept_is_not_served(services: ServiceFixture) -> None:
    log = services.log
    before = log.ledger.head

    def full(_note: str) -> None:
        raise KEEPING

    log.appending._keep = full
    with pytest.raises(OSError, match="no head is kept"):
        services.put(MAX, "a")
    assert log.ledger.head == before
    assert log.ledger.files.size == 1


def test_a_crash_between_the_commit_and_its_head_is_made_good_by_a_start(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    log = services.log
    last_kept = log.kept[-1]
    log.appending._keep = lambda _note: None
    services.put(MAX, "b")
    services.put(MAX, "c")
    size = log.ledger.head.size
    with services.readers.reading() as reading:
        loaded = load_log(reading, kept_head(services, last_kept))
    assert loaded.state.tree.size == size == kept_head(services, last_kept).size + 2
    assert loaded.state.tree.root() == log.ledger.head.root


def test_a_database_that_was_put_back_is_refused(services: ServiceFixture) -> None:
    log = services.log
    services.put(MAX, "a")
    head = kept_head(services, log.kept[-1])
    with services.readers.reading() as reading, pytest.raises(LogRolledBackError) as refused:
        load_log(reading, replace(head, size=head.size + 1))
    assert refused.value.values == {"found": head.size, "signed": head.size + 1}


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_another_history_is_refused(services: ServiceFixture, behind: int) -> None:
    for number in range(4):
        services.put(MAX, f"{number}")
    head = kept_head(services, services.log.kept[-1 - behind])
    other = bytes([head.root[0] ^ 1]) + head.root[1:]
    with services.readers.reading() as reading:
        assert load_log(reading, head).state.tree.size == head.size + behind
        with pytest.raises(LogDamagedError, match="LOG_DAMAGED") as refused:
            load_log(reading, replace(head, root=other))
    assert "not the one whose head was signed last" in str(refused.value.values["problem"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_leaves SET entry = zeroblob(300) WHERE number = 5",
        "UPDATE log_leaves SET time = time + 1 WHERE number = 6",
        "DELETE FROM log_leaves WHERE number = 6",
        "UPDATE ledger SET size = size - 1",
        "UPDATE ledger SET redo = redo + 1",
        "DELETE FROM ledger",
    ],
)
def test_a_log_that_was_changed_is_refused(services: ServiceFixture, statement: str) -> None:
    services.put(MAX, "a")
    services.put(MAX, "b")
    head = kept_head(services, services.log.kept[-1])
    services.tamper(statement)
    with services.readers.reading() as reading, pytest.raises(LogDamagedError):
        load_log(reading, head)


def test_what_changes_without_a_leaf_that_names_it_is_given_up(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.put(MAX, "b")

    def renamed(transaction: Any, name: str) -> FileRow:
        row: FileRow = next(row for row in transaction.rows.all(rows_of(FileRow)) if row.name == name)
        transaction.rows.update([replace(row, name="c", folded="c")])
        return row

    for said in ([], [TrashCollected(by=OPERATOR)], [SAID]):
        with pytest.raises(StoreError) as refused, services.log.transaction(services.now) as transaction:
            row = renamed(transaction, "a")
            for event in said:
                transaction.log(event)
        assert f"no leaf of the log names the file {row.file_id.hex()}" in str(refused.value.values["problem"])
    with services.log.transaction(services.now) as transaction:
        row = renamed(transaction, "a")
        transaction.log(FileMoved(by=OPERATOR, file_id=row.file_id, old="a", new="c"))


def test_figures_change_no_slot(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    with services.log.transaction(services.now) as transaction:
        root = folder_by_id(transaction, ROOT_ID)
        transaction.rows.update([replace(root, files_below=root.files_below)])
        transaction.log(SAID)
    assert leaves_of(services, services.log.ledger.head.size - 1)[0].slots == ()


def test_a_slot_that_was_given_to_nothing_is_refused(services: ServiceFixture) -> None:
    with pytest.raises(StoreError, match="STORE") as refused, services.log.transaction(services.now) as transaction:
        transaction.take_slot()
        transaction.log(SAID)
    assert "given out to nothing" in str(refused.value.values["problem"])


def test_a_log_that_somebody_else_wrote_to_is_not_appended_to(services: ServiceFixture) -> None:
    behind = services.log.opened()[1]
    services.put(MAX, "a")
    with pytest.raises(StoreError) as refused, services.transaction() as transaction:
        transaction.log(SAID)
        behind.before_commit(transaction, transaction.events)
    assert "not the one that this server has in memory" in str(refused.value.values["problem"])


def test_each_changed_slot_stands_in_the_leaf_that_says_so(services: ServiceFixture) -> None:
    start = services.log.ledger.head.size
    with services.log.transaction(services.now) as transaction:
        folders.make_folder(transaction, [services.signed(folders.MakeFolderInput(MAX.caller, "x/y"))])
        commits.commit(transaction, [services.pend(MAX, each, b"x") for each in ("d/e/a", "b")])
        trash.delete(transaction, [services.signed(trash.Deletion(ADA.caller, "b"))])
    numbers = [[slot.number for slot in leaf.slots] for leaf in leaves_of(services, start)]
    # Two folders; two folders that were made on the way, and the file; a file; that file once more.
    assert numbers == [[1, 2], [3, 4, 5], [6], [6]]
    sizes = [leaf.state_root(StateTreeKind.FILES).size for leaf in leaves_of(services, start)]
    assert sizes == [3, 6, 7, 7]
    assert [type(event) for event in transaction.events if not isinstance(event, FolderMade)][-1] is FileTrashed


def test_a_new_slot_that_no_leaf_follows_is_refused(services: ServiceFixture) -> None:
    with pytest.raises(StoreError), services.log.transaction(services.now) as transaction:
        transaction.log(SAID)
        root = folder_by_id(transaction, ROOT_ID)
        row = replace(root, id=2, parent_id=1, name="n", folded="n", slot=transaction.take_slot())
        transaction.rows.insert([row])

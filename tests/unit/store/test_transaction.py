"""What a writing transaction notes beside the rows: which of them changed, and the places in the ledger that it gave out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.model.access import operator_caller
from sft.model.events import FolderMade, UploadGivenUp
from sft.store.database import Database
from sft.store.row_types import FileRow, UserRow, VersionRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from tests.unit.store.asked import asked_of
from tests.unit.store.samples import ADA, MAX, NOW, SAMPLES, tamper, writing

# -- what was changed ---------------------------------------------------------------------------------


def test_what_was_changed_is_noted_once_as_it_is_now(database: Database) -> None:
    eva = replace(ADA, id=3, name="eva", folded="eva")
    with writing(database) as transaction:
        rows = transaction.rows
        assert rows.changed(UserRow) == ([], [])
        rows.update([replace(MAX, state="disabled")])
        rows.insert([eva])
        rows.update([replace(MAX, state="removed"), replace(eva, role="guest")])
        rows.all(rows_of(UserRow))
        rows.renew_macs(UserRow, None, 9)
        assert rows.changed(UserRow) == ([replace(MAX, state="removed"), replace(eva, role="guest")], [])
        assert rows.changed(FileRow) == ([], [])


def test_what_was_deleted_is_noted_as_it_was(database: Database) -> None:
    first, second, third = SAMPLES[6]
    with writing(database) as transaction:
        rows = transaction.rows
        rows.delete([first])
        rows.update([replace(second, size=1)])
        rows.delete([replace(second, size=1), third])
        rows.insert([replace(third, size=2)])  # under the key of one that went
        assert rows.changed(VersionRow) == ([replace(third, size=2)], [first, replace(second, size=1)])


def test_a_list_that_goes_on_changing_is_noted_as_it_went_in(empty: Database) -> None:
    with writing(empty) as transaction:
        people = [ADA]
        transaction.rows.insert(people)
        people.append(MAX)
        assert transaction.rows.changed(UserRow) == ([ADA], [])


def test_a_savepoint_undoes_what_was_noted_with_what_was_written(database: Database) -> None:
    def twice(transaction: Transaction) -> None:
        with transaction.savepoint():
            transaction.rows.update([replace(ADA, name="Adam")])
            with transaction.savepoint():
                transaction.rows.update([replace(MAX, name="Maximilian")])
            raise KeyError

    with writing(database) as transaction:
        transaction.rows.update([replace(MAX, state="disabled")])
        with pytest.raises(KeyError):
            twice(transaction)
        assert transaction.rows.changed(UserRow) == ([replace(MAX, state="disabled")], [])
        with transaction.savepoint():
            transaction.rows.update([replace(ADA, state="disabled")])
        assert transaction.rows.changed(UserRow).rows == [
            replace(MAX, state="disabled"),
            replace(ADA, state="disabled"),
        ]


# -- places in the ledger -----------------------------------------------------------------------------

LEAF = FolderMade(by=operator_caller(), path="A", folder_ids=(7,))
NO_LEAF = UploadGivenUp(by=operator_caller(), object_id=b"", path="A", segments=0)


def test_leaves_and_slots_go_on_where_the_ledger_ends(database: Database) -> None:
    with asked_of(database.write_connections) as asked, writing(database) as transaction:
        assert (transaction.next_leaf, transaction.next_slot) == (5, 6)
        assert [transaction.log(LEAF), transaction.log(NO_LEAF), transaction.log(LEAF)] == [5, None, 6]
        assert [transaction.take_slot(), transaction.take_slot()] == [6, 7]
        assert (transaction.next_leaf, transaction.next_slot) == (7, 8)
        assert transaction.events == [LEAF, NO_LEAF, LEAF]
    assert len([each for each in asked if "FROM ledger" in each.text]) == 1
    with writing(database) as transaction:
        assert transaction.log(LEAF) == 5  # whoever steps in before the commit says what was used


def test_what_has_no_place_needs_no_ledger(empty: Database) -> None:
    with writing(empty) as transaction:
        assert transaction.log(NO_LEAF) is None
        for ask in (transaction.take_slot, lambda: transaction.log(LEAF), lambda: transaction.next_leaf):
            with pytest.raises(RowForgedError) as refused:
                ask()
            assert (refused.value.table, refused.value.row) == ("ledger", "1")


@pytest.mark.parametrize("statement", ["UPDATE ledger SET size = 4", "UPDATE ledger SET files = 0"])
def test_no_place_is_given_by_a_ledger_that_was_changed(database: Database, statement: str) -> None:
    tamper(database.path, statement)
    with writing(database) as transaction, pytest.raises(RowForgedError):
        transaction.log(LEAF)


@pytest.mark.parametrize("known", [True, False])
def test_a_savepoint_takes_back_places(database: Database, *, known: bool) -> None:
    def refused(transaction: Transaction) -> None:
        with transaction.savepoint():
            transaction.log(LEAF)
            transaction.take_slot()
            raise KeyError

    with writing(database) as transaction:
        if known:
            assert (transaction.log(LEAF), transaction.take_slot()) == (5, 6)
        with pytest.raises(KeyError):
            refused(transaction)
        with transaction.savepoint():
            assert (transaction.log(LEAF), transaction.take_slot()) == (5 + known, 6 + known)
        assert transaction.events == [LEAF] * (1 + known)


def test_a_salt_is_drawn_from_what_was_given(database: Database) -> None:
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, NOW, entropy=lambda count: b"r" * count)
        assert transaction.new_salt() == b"r" * 16
    with writing(database) as transaction:
        assert transaction.new_salt() != transaction.new_salt()

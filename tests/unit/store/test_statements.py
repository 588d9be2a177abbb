"""A statement is compiled once, and its text is the same whatever it is given."""

import pytest
from sqlalchemy import func, select

from sft.store.database import Database
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.schema import DeviceKeyModel, UserModel
from sft.store.statements import any_of, columns_of, pairs_of, rows_of, value
from tests.unit.store.asked import asked_of
from tests.unit.store.samples import ADA, ADAS_KEY, MAX, MAXS_KEY, reading

USERS = rows_of(UserRow, UserModel.id.in_(any_of("ids")), order_by=[UserModel.id])


@pytest.mark.parametrize(
    ("given", "length"),
    [([1], 1), ([2, 1], 4), ([1, 2, 3, 4], 4), ([1, 2, 3, 4, 5], 16), (set(range(1, 1025)), 1024)],
    ids=["1", "2", "4", "5", "1024"],
)
def test_a_list_is_as_long_as_a_power_of_four(database: Database, given: list[int], length: int) -> None:
    with asked_of(database.read_connections) as asked, reading(database) as reader:
        found = reader.rows.all(USERS, ids=given)
    (only,) = asked
    assert len(only.values) == length
    assert set(only.values) == set(given)
    assert only.text.count("?") == length
    assert found == [row for row in (ADA, MAX) if row.id in given]


def test_lists_of_like_lengths_have_one_text() -> None:
    texts = {laid[0] for n in range(17, 65) if (laid := USERS.statement.lay_out({"ids": range(n)}))}
    assert len(texts) == 1


def test_of_no_keys_nothing_is_asked(database: Database) -> None:
    with asked_of(database.read_connections) as asked, reading(database) as reader:
        assert reader.rows.all(USERS, ids=[]) == []
    assert asked == []


def test_values_stand_where_they_are_said_whatever_their_order(database: Database) -> None:
    statement = rows_of(
        UserRow,
        UserModel.role.in_(any_of("roles")),
        (UserModel.id + 5 > value("low")) | (UserModel.created_at == value("low")),
        UserModel.state == value("state"),
        UserModel.id.in_(any_of("ids")),
        order_by=[UserModel.id.desc()],
        limit=value("limit"),
    )
    with reading(database) as reader:
        given = {"limit": 1, "ids": (1, 2), "state": "active", "low": 6, "roles": ["maintainer", "admin"]}
        assert reader.rows.all(statement, **given) == [MAX]
        assert reader.rows.all(statement, **(given | {"low": 7})) == []
        assert reader.rows.all(statement, **(given | {"low": 100})) == [ADA]


def test_pairs_and_columns(database: Database) -> None:
    pairs = pairs_of(
        DeviceKeyRow, UserRow, DeviceKeyModel.user_id == UserModel.id, UserModel.name == value("name"), limit=9
    )
    counted = columns_of(select(UserModel.role, func.count()).where(UserModel.id > value("after")).group_by("role"))
    with reading(database) as reader:
        assert reader.rows.pairs(pairs, name="max") == [(MAXS_KEY, MAX)]
        assert reader.rows.pairs(pairs, name="Ada") == [(ADAS_KEY, ADA)]
        assert reader.rows.columns(counted, after=1) == [("maintainer", 1)]


@pytest.mark.parametrize("given", [{}, {"name": 1}, {"ids": [1], "more": 2}], ids=["none", "another", "more"])
def test_other_values_than_it_has_are_a_fault_of_ours(given: dict[str, object]) -> None:
    with pytest.raises((TypeError, KeyError)):
        USERS.statement.lay_out(given)

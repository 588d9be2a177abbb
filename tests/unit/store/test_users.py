"""Queries about users and keys, and what belongs to them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.store import users
from sft.store.database import Database
from sft.store.row_types import UserRoleRow
from sft.store.rows import ReadTransaction
from tests.unit.store.asked import asked_of
from tests.unit.store.folder_tree import plans
from tests.unit.store.samples import ADA, ADAS_KEY, MAX, MAXS_KEY, reading, writing


def test_users_are_found_by_number_and_by_folded_name(standing: Database) -> None:
    with reading(standing) as reader:
        assert users.user_by_id(reader, 1) == ADA
        assert users.user_by_id(reader, 3) is None
        assert users.user_by_name(reader, "aDA") == ADA
        assert users.user_by_name(reader, "\uff41da") == ADA  # a wide a
        assert users.user_by_name(reader, "eva") is None
        assert users.users_by_id(reader, [2, 1, 2, 9]) == {1: ADA, 2: MAX}
        assert users.users_by_id(reader, []) == {}


def test_the_registry_is_paged_in_order_of_joining(standing: Database) -> None:
    with reading(standing) as reader:
        assert users.users_after(reader, 0, 9) == [ADA, MAX]
        assert users.users_after(reader, 0, 1) == [ADA]
        assert users.users_after(reader, 1, 9) == [MAX]


def test_keys_are_found_by_all_of_their_bytes(standing: Database) -> None:
    with reading(standing) as reader:
        assert users.key_by_id(reader, 2) == MAXS_KEY
        assert users.key_by_public(reader, ADAS_KEY.public_key) == ADAS_KEY
        assert users.key_by_public(reader, ADAS_KEY.public_key[:-1]) is None
        assert users.keys_by_id(reader, {1, 7}) == {1: ADAS_KEY}
        assert users.keys_of(reader, [1, 2, 5]) == {1: [ADAS_KEY], 2: [MAXS_KEY], 5: []}


def test_roles_come_in_the_order_in_which_they_were_given(database: Database) -> None:
    roles = users.roles_of
    with writing(database) as transaction:
        users.add_role(transaction, replace(ADA, role="guest"), 9)
        users.add_role(transaction, replace(ADA, id=2, role="guest"), 10)
        assert roles(transaction, [1, 2, 7]) == {
            1: [UserRoleRow(1, 1, "admin", 1), UserRoleRow(1, 2, "guest", 9)],
            2: [UserRoleRow(2, 1, "guest", 2), UserRoleRow(2, 2, "maintainer", 3), UserRoleRow(2, 3, "guest", 10)],
            7: [],
        }


def test_a_key_is_found_by_its_point_under_whatever_key_id(standing: Database) -> None:
    with reading(standing) as reader:
        assert users.key_by_point(reader, b"m" * 32) == MAXS_KEY
        assert users.key_by_point(reader, b"x" * 32) is None


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda reader: users.key_by_point(reader, b"m" * 32), "ix_device_keys_point"),
        (lambda reader: users.key_by_public(reader, b"Ed" + b"m" * 40), "uq_device_keys_public_key"),
        (lambda reader: users.user_by_name(reader, "Ada"), "uq_users_folded"),
        (lambda reader: users.keys_of(reader, [1, 2]), "ix_device_keys_user_id"),
        (lambda reader: users.roles_of(reader, [1, 2]), "sqlite_autoindex_user_roles_1"),
    ],
    ids=["point", "key", "name", "keys of users", "roles of users"],
)
def test_nobody_is_looked_for_among_all(
    standing: Database, query: Callable[[ReadTransaction], object], index: str
) -> None:
    lines = plans(standing, query)
    assert any(index in line or "sqlite_autoindex" in line for line in lines), lines
    assert not [line for line in lines if line.startswith("SCAN")]


def test_an_admin_who_can_act_is_active(database: Database) -> None:
    eva = replace(ADA, id=3, name="eva", folded="eva")
    with writing(database) as transaction:
        users.write_users(transaction, [eva, replace(eva, id=4, name="x", folded="x", state="disabled")], new=True)
    with reading(database) as reader:
        assert users.active_admins(reader) == [ADA, eva]
        assert users.admin_names(reader) == "Ada, eva"


def test_who_is_named_an_admin_and_is_none_any_more_is_seen(database: Database) -> None:
    with writing(database) as transaction:
        users.write_users(transaction, [replace(ADA, id=3, name="eva", folded="eva")], new=True)
        transaction.rows.update([replace(ADA, role="guest")])  # past what writes the list too
    with reading(database) as reader, pytest.raises(RowForgedError):
        users.active_admins(reader)


def test_of_many_admins_a_refusal_names_a_few(database: Database) -> None:
    many = [replace(ADA, id=n, name=f"a{n}", folded=f"a{n}") for n in range(3, 1003)]
    with writing(database) as transaction:
        users.write_users(transaction, many, new=True)
    with asked_of(database.read_connections) as asked, reading(database) as reader:
        named = users.admin_names(reader)
    assert max(len(set(each.values)) for each in asked) == 8  # and no more are loaded
    assert named == "Ada, a3, a4, a5, a6, a7, a8, a9 and 993 more"

"""Queries about users, their keys, and what belongs to them.

Rules. Every row is verified as it is loaded. A user's name is compared as
``fold`` makes it, tombstones included: no name and no key is given out twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, literal_column, select

from sft.errors import RowForgedError
from sft.model.access import Role
from sft.model.names import fold
from sft.model.records import UserState
from sft.store.row_types import DeviceKeyRow, UserFiguresRow, UserRoleRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import POINT, DeviceKeyModel, UserModel, UserRoleModel
from sft.store.settings import ADMINS, change_setting, setting
from sft.store.statements import any_of, columns_of, rows_of, value
from sft.store.table_specs import table_of

_point: Final[ColumnElement[bytes]] = literal_column(POINT.text)  # with a bound value, the index would not be used
_USER: Final = rows_of(UserRow, UserModel.id == value("id"))
_USERS: Final = rows_of(UserRow, UserModel.id.in_(any_of("ids")))
_USER_NAMED: Final = rows_of(UserRow, UserModel.folded == value("folded"))
_USERS_AFTER: Final = rows_of(UserRow, UserModel.id > value("after"), order_by=[UserModel.id], limit=value("limit"))
_ACTIVE_ADMINS: Final = columns_of(
    select(UserModel.id).where(UserModel.role == Role.ADMIN, UserModel.state == UserState.ACTIVE)
)
_KEY: Final = rows_of(DeviceKeyRow, DeviceKeyModel.id == value("id"))
_KEYS: Final = rows_of(DeviceKeyRow, DeviceKeyModel.id.in_(any_of("ids")))
_KEY_BY_PUBLIC: Final = rows_of(DeviceKeyRow, DeviceKeyModel.public_key == value("public_key"))
_KEY_BY_POINT: Final = rows_of(DeviceKeyRow, _point == value("point"), order_by=[DeviceKeyModel.id], limit=1)
_KEYS_OF: Final = rows_of(DeviceKeyRow, DeviceKeyModel.user_id.in_(any_of("user_ids")), order_by=[DeviceKeyModel.id])
_ROLES_OF: Final = rows_of(
    UserRoleRow, UserRoleModel.user_id.in_(any_of("user_ids")), order_by=[UserRoleModel.user_id, UserRoleModel.number]
)
_ADMINS_NAMED: Final = 8  # a refusal is one bounded message, however many admins there are


def user_by_id(reading: ReadTransaction, user_id: int) -> UserRow | None:
    """Find a user, or a tombstone."""
    return reading.rows.one(_USER, id=user_id)


def users_by_id(reading: ReadTransaction, user_ids: Iterable[int]) -> dict[int, UserRow]:
    return {row.id: row for row in reading.rows.all(_USERS, ids=set(user_ids))}


def user_by_name(reading: ReadTransaction, name: str) -> UserRow | None:
    """Find a user, or a tombstone, by name."""
    return reading.rows.one(_USER_NAMED, folded=fold(name))


def users_after(reading: ReadTransaction, after: int, limit: int) -> list[UserRow]:
    """Load a page of the registry, in order of joining."""
    return reading.rows.all(_USERS_AFTER, after=after, limit=limit)


def active_admins(reading: ReadTransaction, limit: int | None = None) -> list[UserRow]:
    """Load the admins who can act, in order of joining: those whom a row of its own names, for a changed one must be seen.

    Args:
        limit: the first so many of them; None for all.

    Raises:
        RowForgedError: one of these is gone, was changed, or is no admin any more.
    """
    ids = _admin_ids(reading)[:limit]
    found = users_by_id(reading, ids)
    for user_id in ids:
        if user_id not in found or not is_active_admin(found[user_id]):
            raise RowForgedError(table_of(UserRow), str(user_id))
    return [found[user_id] for user_id in ids]


def is_active_admin(user: UserRow) -> bool:
    """Return whether a user can act as an admin."""
    return user.role == Role.ADMIN and user.state == UserState.ACTIVE


def write_users(transaction: Transaction, users: Sequence[UserRow], *, new: bool = False) -> None:
    """Write users, and who of them is an active admin."""
    if new:
        transaction.rows.insert(users)
        transaction.rows.insert([UserFiguresRow(user.id, 0, 0) for user in users])
    else:
        transaction.rows.update(users)
    before = set(_admin_ids(transaction))
    gone = {user.id for user in users if not is_active_admin(user)}
    after = (before - gone) | {user.id for user in users if is_active_admin(user)}
    if after != before:
        change_setting(transaction, ADMINS, " ".join(map(str, sorted(after))).encode())


def add_role(transaction: Transaction, user: UserRow, leaf: int) -> None:
    """Note with which leaf of the log a user got the role that the row says."""
    before = roles_of(transaction, [user.id])[user.id]
    transaction.rows.insert([UserRoleRow(user.id, len(before) + 1, user.role, leaf)])


def roles_of(reading: ReadTransaction, user_ids: Iterable[int]) -> dict[int, list[UserRoleRow]]:
    """Load every role that several users had, the first one first; the last one is what they have."""
    wanted = set(user_ids)
    roles: dict[int, list[UserRoleRow]] = {user_id: [] for user_id in wanted}
    for row in reading.rows.all(_ROLES_OF, user_ids=wanted):
        roles[row.user_id].append(row)
    return roles


def admins_are_named(reading: ReadTransaction) -> bool:
    """Return whether the row that names the active admins fits all users; unverified, for whoever checks each of them."""
    return sorted(found for (found,) in reading.rows.columns(_ACTIVE_ADMINS)) == _admin_ids(reading)


def _admin_ids(reading: ReadTransaction) -> list[int]:
    return [int(each) for each in setting(reading, ADMINS).split()]


def admin_names(reading: ReadTransaction) -> str:
    """Name the active admins, as a refusal does: the first of them, and how many more there are."""
    names = [admin.name for admin in active_admins(reading, _ADMINS_NAMED)]
    more = len(_admin_ids(reading)) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def key_by_id(reading: ReadTransaction, key_id: int) -> DeviceKeyRow | None:
    return reading.rows.one(_KEY, id=key_id)


def keys_by_id(reading: ReadTransaction, key_ids: Iterable[int]) -> dict[int, DeviceKeyRow]:
    return {row.id: row for row in reading.rows.all(_KEYS, ids=set(key_ids))}


def key_by_public(reading: ReadTransaction, public_key: bytes) -> DeviceKeyRow | None:
    return reading.rows.one(_KEY_BY_PUBLIC, public_key=public_key)


def key_by_point(reading: ReadTransaction, point: bytes) -> DeviceKeyRow | None:
    """Find a key by its last 32 bytes: whoever has the point can sign under any key id."""
    return reading.rows.first(_KEY_BY_POINT, point=point)


def keys_of(reading: ReadTransaction, user_ids: Iterable[int]) -> dict[int, list[DeviceKeyRow]]:
    """Load every key of several users, in order of adding."""
    wanted = set(user_ids)
    keys: dict[int, list[DeviceKeyRow]] = {user_id: [] for user_id in wanted}
    for row in reading.rows.all(_KEYS_OF, user_ids=wanted):
        keys[row.user_id].append(row)
    return keys

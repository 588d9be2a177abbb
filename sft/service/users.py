"""Steps that every use case about people shares: who is meant, whether a name and a key are free, what is shown.

Rules. A name that was ever a user's is taken, under case folding; a key that was ever a user's is that user's,
and the server's own is nobody's. Admins are counted inside the transaction that would make one fewer.
"""

from __future__ import annotations

from collections.abc import Sequence

from sft.crypto.keys import PublicKey
from sft.errors import (
    BadRequestError,
    KeyFormatError,
    KeyTakenError,
    LastAdminError,
    NameTakenError,
    NotFoundError,
    RoleForbidsError,
)
from sft.model import records
from sft.model.access import OPERATOR, Caller, Permission, Role, allows
from sft.model.events import UserAdded
from sft.model.names import fold, parse_device_name, parse_user_name
from sft.model.policy import ServerPolicy
from sft.model.records import KeyEnd, UserState
from sft.service.act_statement import NOT_SIGNED, EventStatement
from sft.store.figures import user_figures
from sft.store.row_types import DeviceKeyRow, UserFiguresRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import SERVER_KEY, server_name, setting
from sft.store.users import (
    active_admins,
    add_role,
    admin_names,
    is_active_admin,
    key_by_point,
    keys_of,
    user_by_name,
    write_users,
)


def find_user(reading: ReadTransaction, name: str, *, removed: bool = False) -> UserRow:
    """Find who is meant by a name, a tombstone only if ``removed``; NotFoundError for nobody."""
    user = user_by_name(reading, name)
    if user is None or (user.state == UserState.REMOVED and not removed):
        raise no_user(name)
    return user


def find_owner(reading: ReadTransaction, name: str) -> UserRow:
    """Find who is to own files.

    Raises:
        NotFoundError: nobody who is active has the name.
        RoleForbidsError: they could not change them.
    """
    user = user_by_name(reading, name)
    if user is None or user.state != UserState.ACTIVE:
        raise NotFoundError(what="active user", name=name)
    if not allows(Role(user.role), Permission.FILE_WRITE):
        raise RoleForbidsError(
            role=user.role, act="own files", name=user.name, needed=Role.MAINTAINER.value, admins=admin_names(reading)
        )
    return user


def no_user(name: str) -> NotFoundError:
    """The refusal for a name that nobody has."""
    return NotFoundError(what="user", name=name)


def require_name(name: str) -> None:
    """Refuse a text that cannot be a user's name, or that is another than it looks.

    Raises:
        UserNameNotAllowedError: a character or the length.
        BadRequestError: it was not normalized by whoever sent it.
    """
    if parse_user_name(name) != name:
        raise BadRequestError(problem="a name that is not normalized")


def require_device(device: str) -> None:
    """Refuse a text that cannot be a device's name; raises what ``require_name`` does."""
    if parse_device_name(device) != device:
        raise BadRequestError(problem="a name that is not normalized")


def require_key(public_key: bytes) -> None:
    """Refuse bytes that are no minisign public key: another form, or no point of the curve."""
    try:
        PublicKey.parse(PublicKey.decode(public_key).text())
    except KeyFormatError as error:
        raise BadRequestError(str(error), problem="not a public key") from error


def require_free_name(reading: ReadTransaction, name: str) -> None:
    """Refuse a name that is, or was, somebody's; nobody is called operator."""
    if fold(name) == OPERATOR or user_by_name(reading, name) is not None:
        raise NameTakenError(name=name, server=server_name(reading))


def require_free_key(reading: ReadTransaction, public_key: bytes) -> None:
    """Refuse a key that is, or was, somebody's, or the server's own: by its point, under whatever key id."""
    point = PublicKey.decode(public_key).point
    if point == setting(reading, SERVER_KEY) or key_by_point(reading, point) is not None:
        raise KeyTakenError


def require_another_admin(reading: ReadTransaction, user: UserRow) -> None:
    """Refuse to lose the last admin who can act."""
    if is_active_admin(user) and len(active_admins(reading, 2)) == 1:
        raise LastAdminError(name=user.name)


def user_added(by: Caller, user: UserRow, key: DeviceKeyRow, stated: EventStatement = NOT_SIGNED) -> UserAdded:
    """Say that somebody who was enrolled was made, and by whom."""
    return UserAdded(
        by=by,
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        key_id=key.id,
        public_key=key.public_key,
        device=key.device,
        **stated,
    )


def enroll(
    transaction: Transaction, name: str, role: Role, public_key: bytes, device: str
) -> tuple[UserRow, DeviceKeyRow]:
    """Write a new user with one key; name and key were found free in this transaction.

    What is logged next is to say so: role and key begin with its leaf.
    """
    leaf = transaction.next_leaf
    user = UserRow(
        id=transaction.rows.next_id(UserRow),
        name=name,
        folded=fold(name),
        role=role.value,
        state=UserState.ACTIVE.value,
        created_at=transaction.now,
        salt=transaction.new_salt(),
    )
    key = DeviceKeyRow(
        id=transaction.rows.next_id(DeviceKeyRow),
        user_id=user.id,
        public_key=public_key,
        device=device,
        added_at=transaction.now,
        ended_at=None,
        start_leaf=leaf,
    )
    write_users(transaction, [user], new=True)
    add_role(transaction, user, leaf)
    transaction.rows.insert([key])
    return user, key


def shown(reading: ReadTransaction, users: Sequence[UserRow]) -> list[records.User]:
    """Make records of users, with their keys and what they own."""
    ids = [user.id for user in users]
    keys, figures = keys_of(reading, ids), user_figures(reading, ids)
    return [_record(user, keys[user.id], figures[user.id], reading.policy) for user in users]


def _record(user: UserRow, keys: Sequence[DeviceKeyRow], figures: UserFiguresRow, policy: ServerPolicy) -> records.User:
    quota = policy.quota_of(figures.quota_bytes, figures.quota_files)
    return records.User(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        state=UserState(user.state),
        created_at=user.created_at,
        keys=tuple(_key_record(key) for key in keys),
        files=figures.files,
        bytes_stored=figures.size_bytes,
        quota_files=quota.files,
        quota_bytes=quota.size_bytes,
    )


def _key_record(key: DeviceKeyRow) -> records.DeviceKey:
    return records.DeviceKey(
        id=key.id,
        public_key=key.public_key,
        device=key.device,
        added_at=key.added_at,
        ended_at=key.ended_at,
        start_leaf=key.start_leaf,
        end_leaf=key.end_leaf,
        cut_off_leaf=key.cut_off_leaf,
        end_reason=None if key.end_reason is None else KeyEnd(key.end_reason),
        endorsement=key.endorsement,
    )

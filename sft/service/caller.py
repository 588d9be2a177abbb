"""Who asks: read at login, and again in every transaction.

Rules. What a session remembers of its user is never believed: ``current`` reads user, role, state
and key again inside the transaction that decides, so that a change takes effect at once. The operator
has no row, no key and no files, and stays what the control socket made it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sft.errors import LoginRefusedError, OperatorOnlyError, RoleForbidsError
from sft.model.access import ACTS, OPERATOR, Holder, Permission, Role, allows, least_role
from sft.model.records import UserState
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.rows import ReadTransaction
from sft.store.settings import server_name
from sft.store.users import admin_names, keys_by_id, users_by_id


class Caller(Struct, frozen=True):
    """A session's user with the key that logged in, or the operator (no user, no key)."""

    user_id: int | None
    key_id: int | None
    name: str
    role: Holder
    session_id: int = 0

    @property
    def operator(self) -> bool:
        """Whether this is the operator, at the server's own control socket."""
        return self.role == OPERATOR


def operator_caller(session_id: int = 0) -> Caller:
    """Make the caller of a control socket."""
    return Caller(None, None, OPERATOR, OPERATOR, session_id)


def reload_caller(reading: ReadTransaction, caller: Caller) -> Caller:
    """Read a caller's user and key again.

    Returns:
        The caller with the name and role that rule now.

    Raises:
        LoginRefusedError: the user or the key may not be here any more.
    """
    (answer,) = reload_callers(reading, [caller])
    if isinstance(answer, LoginRefusedError):
        raise answer
    return answer


def reload_callers(
    reading: ReadTransaction, callers: Sequence[Caller]
) -> list[Caller | LoginRefusedError]:
    """Read many callers again, with two queries for all of them."""
    users = users_by_id(reading, {caller.user_id for caller in callers if caller.user_id})
    keys = keys_by_id(reading, {caller.key_id for caller in callers if caller.key_id})
    return [_judge(reading, caller, users, keys) for caller in callers]


def caller_of(
    reading: ReadTransaction, user: UserRow | None, key: DeviceKeyRow | None, session_id: int
) -> Caller:
    """Make the caller of a user and a key that were loaded in this transaction.

    Raises:
        LoginRefusedError: there is none such, they do not belong together, or one has ended.
    """
    problem = _problem(reading, user, key)
    if problem or user is None or key is None:
        raise LoginRefusedError(problem, server=server_name(reading))
    return Caller(user.id, key.id, user.name, Role(user.role), session_id)


def require_permission(reading: ReadTransaction, caller: Caller, *permissions: Permission) -> None:
    """Require one of some permissions of a caller.

    Raises:
        RoleForbidsError: the role holds none of them; says so of the first.
        OperatorOnlyError: no role does.
    """
    if any(allows(caller.role, permission) for permission in permissions):
        return
    needed = least_role(permissions[0])
    if needed is None:
        raise OperatorOnlyError
    raise RoleForbidsError(
        role=caller.role,
        act=ACTS[permissions[0]],
        name=caller.name,
        needed=needed,
        admins=admin_names(reading),
    )


def _judge(
    reading: ReadTransaction,
    caller: Caller,
    users: dict[int, UserRow],
    keys: dict[int, DeviceKeyRow],
) -> Caller | LoginRefusedError:
    if caller.operator:
        return caller
    try:
        return caller_of(
            reading,
            users.get(caller.user_id or 0),
            keys.get(caller.key_id or 0),
            caller.session_id,
        )
    except LoginRefusedError as refusal:
        return refusal


def _problem(reading: ReadTransaction, user: UserRow | None, key: DeviceKeyRow | None) -> str:
    if user is None or key is None:
        return "unknown here"
    if key.user_id != user.id:
        return "the key of another user"
    if user.state != UserState.ACTIVE:
        return f"the user is {user.state}"
    if key.ended_at is not None and key.ended_at <= reading.now:
        return "the key has ended"
    return ""

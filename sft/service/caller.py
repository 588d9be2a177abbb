"""Who asks: read at login, and again in every transaction.

Rules. What a session remembers of its user is never believed: ``reload_caller`` reads user, role, state
and key again inside the transaction that decides, so that a change takes effect at once. The operator
has no row, no key and no files, and stays what the control socket made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.errors import KeyRevokedError, LoginRefusedError
from sft.model.access import Caller, Role
from sft.model.records import UserState
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.rows import ReadTransaction
from sft.store.settings import server_name
from sft.store.users import keys_by_id, users_by_id

_KEY_ENDED: Final = "the key has ended"


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


def reload_callers(reading: ReadTransaction, callers: Sequence[Caller]) -> list[Caller | LoginRefusedError]:
    """Read many callers again, with two queries for all of them."""
    users = users_by_id(reading, {caller.user_id for caller in callers if caller.user_id})
    keys = keys_by_id(reading, {caller.key_id for caller in callers if caller.key_id})
    judged = {caller: _judge(reading, caller, users, keys) for caller in set(callers)}  # a group is often one person's
    return [judged[caller] for caller in callers]


def caller_of(reading: ReadTransaction, user: UserRow | None, key: DeviceKeyRow | None, session_id: int) -> Caller:
    """Make the caller of a user and a key that were loaded in this transaction.

    Raises:
        LoginRefusedError: there is none such, they do not belong together, or the user may not be here.
        KeyRevokedError: the key has ended; its possession was proved before anybody asks this.
    """
    problem = _problem(user, key)
    if problem == _KEY_ENDED and key is not None:
        raise KeyRevokedError(problem, server=server_name(reading), ended_at=key.ended_at or reading.now)
    if problem or user is None or key is None:
        raise LoginRefusedError(problem, server=server_name(reading))
    return Caller(user.id, key.id, user.name, Role(user.role), session_id)


def _judge(
    reading: ReadTransaction, caller: Caller, users: dict[int, UserRow], keys: dict[int, DeviceKeyRow]
) -> Caller | LoginRefusedError:
    if caller.operator:
        return caller
    try:
        return caller_of(reading, users.get(caller.user_id or 0), keys.get(caller.key_id or 0), caller.session_id)
    except LoginRefusedError as refusal:
        return refusal


def _problem(user: UserRow | None, key: DeviceKeyRow | None) -> str:
    if user is None or key is None:
        return "unknown here"
    if key.user_id != user.id:
        return "the key of another user"
    if user.state != UserState.ACTIVE:
        return f"the user is {user.state}"
    if key.ended_at is not None:  # whenever that was: a clock that was set back since lets no stolen key in again
        return _KEY_ENDED
    return ""

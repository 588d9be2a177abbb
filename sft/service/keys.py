"""The keys of people, beyond the first: one more device, a key that follows another, one that is over, one that was lost.

Rules. A key is a user's for ever, ends once, and stays as what its old signatures are judged by. When one began and ended are
leaves of the log, those of the events here: never a clock. A key that another one of the user's vouched for keeps that
statement (``endorsement``); one that somebody else gave the user has none, which everybody sees. Whoever has one key left
does not end it: another one follows it. What a stolen key vouched for from its cut-off on falls with it (``stolen_keys``).
What is asked again and is so already changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.errors import CutOffError, LastKeyError, NoKeyLeftError, NotFoundError, TooManyKeysError
from sft.limits import KEYS_MOST, VOUCHED_KEYS_MOST
from sft.model.access import Caller, Permission, Role
from sft.model.events import InvitationWithdrawn, KeyAdded, KeyReset, KeyRevoked, KeyRotated
from sft.model.records import KeyEnd
from sft.service.accounts import UserChanged
from sft.service.act_statement import NOT_SIGNED, AskedAct, EventStatement, require_statement
from sft.service.invitations import withdraw_resets
from sft.service.rights import require_permission
from sft.service.stolen_keys import ended, fallen_with
from sft.service.use_case import act
from sft.service.users import find_user, require_device, require_free_key, require_key, shown
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.users import keys_of, user_by_id


class AddKeyInput(Struct, frozen=True):
    """Ask for one more key of one's own: another device."""

    caller: Caller
    public_key: bytes
    device: str
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("key-add", {"key": self.public_key, "device": self.device})


class RotateKeyInput(Struct, frozen=True):
    """Ask that another key follows the session's."""

    caller: Caller
    public_key: bytes
    device: str
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("key-rotate", {"key": self.public_key, "device": self.device})


class RevokeKeyInput(Struct, frozen=True):
    """Ask that a key of one's own signs no more.

    Args:
        cut_off: of a stolen one: leaf from which on it may have been the thief who signed; 0 of another.
    """

    caller: Caller
    public_key: bytes
    reason: KeyEnd
    cut_off: int = 0
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("key-revoke", {"key": self.public_key, "cut_off": self.cut_off, "reason": self.reason.value})


class ResetKeyInput(Struct, frozen=True):
    """Ask that somebody who lost every key has this one; ``reason`` and ``cut_off`` are of those that end."""

    caller: Caller
    name: str
    public_key: bytes
    device: str
    reason: KeyEnd
    cut_off: int = 0
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        fields = {
            "name": self.name,
            "key": self.public_key,
            "device": self.device,
            "cut_off": self.cut_off,
            "reason": self.reason.value,
        }
        return AskedAct("key-reset", fields)


@act(Permission.SELF_MANAGE, logs=(KeyAdded,))
def add_key(transaction: Transaction, item: AddKeyInput) -> UserChanged:
    """Give the caller one more key, for which the session's vouches."""
    stated = require_statement(transaction, item)
    require_device(item.device)
    require_key(item.public_key)
    user, keys = _of_caller(transaction, item.caller)
    if any(key.public_key == item.public_key and _is_active(key) for key in keys):
        return _shown(transaction, user)
    require_free_key(transaction, item.public_key)
    key = add_key_row(transaction, user, keys, item.public_key, item.device, stated["statement"])
    transaction.log(key_added(item.caller, user, key, stated))
    return _shown(transaction, user)


@act(Permission.SELF_MANAGE, logs=(KeyRotated,))
def rotate_key(transaction: Transaction, item: RotateKeyInput) -> UserChanged:
    """Have another key follow the session's, which vouches for it and ends."""
    stated = require_statement(transaction, item)
    require_device(item.device)
    require_key(item.public_key)
    user, keys = _of_caller(transaction, item.caller)
    require_free_key(transaction, item.public_key)
    old = next(key for key in keys if key.id == item.caller.key_id)
    key = add_key_row(transaction, user, keys, item.public_key, item.device, stated["statement"])
    transaction.rows.update([ended(transaction, old, KeyEnd.RETIRED, None)])
    event = KeyRotated(
        by=item.caller,
        user_id=user.id,
        name=user.name,
        key_id=key.id,
        public_key=key.public_key,
        device=key.device,
        ended_key_ids=(old.id,),
        **stated,
    )
    transaction.log(event)
    return _shown(transaction, user)


@act(Permission.SELF_MANAGE, logs=(KeyRevoked,))
def revoke_key(transaction: Transaction, item: RevokeKeyInput) -> UserChanged:
    """End a key of the caller's; or say of one that ended that it had been stolen, or earlier than was said."""
    stated = require_statement(transaction, item)
    user, keys = _of_caller(transaction, item.caller)
    key = next((key for key in keys if key.public_key == item.public_key), None)
    if key is None:
        public = PublicKey.decode_or_none(item.public_key)
        raise NotFoundError(what="key", name=item.public_key.hex() if public is None else public.text())
    if _is_active(key) and sum(map(_is_active, keys)) == 1:
        raise LastKeyError(name=user.name)
    cut_off = _cut_off(transaction, key, item.reason, item.cut_off)
    earlier = cut_off is not None and (key.cut_off_leaf is None or cut_off < key.cut_off_leaf)
    if not _is_active(key) and not earlier:
        return _shown(transaction, user)
    fallen = [] if cut_off is None else fallen_with(transaction, keys, {key.id: cut_off})
    changed = [ended(transaction, key, item.reason, cut_off), *fallen]
    if {each.id for each in keys if _is_active(each)} <= {each.id for each in changed}:
        raise NoKeyLeftError(name=user.name, cut_off=cut_off or 0)
    transaction.rows.update(changed)
    event = KeyRevoked(
        by=item.caller,
        user_id=user.id,
        name=user.name,
        ended_key_ids=tuple(each.id for each in changed),
        reason=item.reason,
        cut_off=cut_off,
        **stated,
    )
    transaction.log(event)
    return _shown(transaction, user)


@act(Permission.USER_MANAGE, logs=(KeyReset, InvitationWithdrawn))
def reset_key(transaction: Transaction, item: ResetKeyInput) -> UserChanged:
    """Give somebody a key in place of all others; nobody vouches for it, and everybody is shown who did this."""
    stated = require_statement(transaction, item)
    require_device(item.device)
    require_key(item.public_key)
    user = require_resettable(transaction, item.caller, item.name)
    keys = keys_of(transaction, [user.id])[user.id]
    active = [key for key in keys if _is_active(key)]
    if [key.public_key for key in active] == [item.public_key]:
        return _shown(transaction, user)
    require_free_key(transaction, item.public_key)
    over = ended_by_reset(transaction, keys, item.reason, item.cut_off)
    key = add_key_row(transaction, user, keys, item.public_key, item.device, b"")
    transaction.rows.update(over)
    event = KeyReset(
        by=item.caller,
        user_id=user.id,
        name=user.name,
        key_id=key.id,
        public_key=key.public_key,
        device=key.device,
        ended_key_ids=tuple(old.id for old in over),
        reason=item.reason,
        cut_off=item.cut_off if item.reason is KeyEnd.COMPROMISED else None,
        **stated,
    )
    transaction.log(event)
    withdraw_resets(transaction, item.caller, user.id)
    return _shown(transaction, user)


def require_resettable(reading: ReadTransaction, caller: Caller, name: str) -> UserRow:
    """Find whom a name means, and require the right to give them other keys: of more than a guest, that to change roles.

    Raises:
        NotFoundError: nobody has the name.
        RoleForbidsError: another role may.
    """
    user = find_user(reading, name)
    if user.role != Role.GUEST:
        require_permission(reading, caller, Permission.ROLE_CHANGE)
    return user


def _of_caller(transaction: Transaction, caller: Caller) -> tuple[UserRow, list[DeviceKeyRow]]:
    user = user_by_id(transaction, caller.user_id or 0)
    if user is None:
        raise NotFoundError(what="user", name=caller.name)
    return user, keys_of(transaction, [user.id])[user.id]


def _is_active(key: DeviceKeyRow) -> bool:
    return key.end_leaf is None


def ended_by_reset(
    transaction: Transaction, keys: Sequence[DeviceKeyRow], reason: KeyEnd, cut_off: int
) -> list[DeviceKeyRow]:
    """Return a user's active keys as they end with the leaf that is logged next, and what falls with stolen ones.

    Raises:
        CutOffError: the cut-off is in the future, or of keys that were not stolen.
    """
    stolen = reason is KeyEnd.COMPROMISED
    over = []
    for old in filter(_is_active, keys):
        since = max(cut_off, old.start_leaf) if stolen else cut_off
        over.append(ended(transaction, old, reason, _cut_off(transaction, old, reason, since)))
    if stolen:
        over += fallen_with(transaction, keys, {old.id: old.cut_off_leaf or 0 for old in over})
    return over


def key_added(by: Caller, user: UserRow, key: DeviceKeyRow, stated: EventStatement = NOT_SIGNED) -> KeyAdded:
    """Say that somebody has one more key, and by whom."""
    return KeyAdded(
        by=by, user_id=user.id, name=user.name, key_id=key.id, public_key=key.public_key, device=key.device, **stated
    )


def add_key_row(
    transaction: Transaction,
    user: UserRow,
    keys: Sequence[DeviceKeyRow],
    public_key: bytes,
    device: str,
    endorsement: bytes,
) -> DeviceKeyRow:
    """Write one more key of a user, which begins with the leaf that is logged next."""
    # What a person adds, or whoever stole a key of theirs, never takes the room that a reset needs.
    if endorsement and sum(1 for key in keys if key.endorsement) >= VOUCHED_KEYS_MOST:
        raise TooManyKeysError(name=user.name, limit=VOUCHED_KEYS_MOST)
    if len(keys) >= KEYS_MOST:
        raise TooManyKeysError(name=user.name, limit=KEYS_MOST)
    key = DeviceKeyRow(
        id=transaction.rows.next_id(DeviceKeyRow),
        user_id=user.id,
        public_key=public_key,
        device=device,
        added_at=transaction.now,
        ended_at=None,
        start_leaf=transaction.next_leaf,
        endorsement=endorsement,
    )
    transaction.rows.insert([key])
    return key


def _cut_off(transaction: Transaction, key: DeviceKeyRow, reason: KeyEnd, cut_off: int) -> int | None:
    """Return the cut-off of a stolen key, None of another one; CutOffError for one that is not within the key's time."""
    end = transaction.next_leaf if key.end_leaf is None else key.end_leaf
    if reason is not KeyEnd.COMPROMISED:
        if cut_off:
            raise CutOffError(cut_off=cut_off, start=key.start_leaf, now=end)
        return None
    if not key.start_leaf <= cut_off <= end:
        raise CutOffError(cut_off=cut_off, start=key.start_leaf, now=end)
    return cut_off


def _shown(transaction: Transaction, user: UserRow) -> UserChanged:
    (record,) = shown(transaction, [user])
    return UserChanged(record, user.role)

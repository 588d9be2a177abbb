"""A reset by a link: whoever lost every key comes back with a new one that their own computer made.

    offer_reset: every key ends, a link is good for a day  →  the person joins with it (come_back): a key in place of all others

Rules. The keys end with the offer: whoever asks for one has none, or a thief has them. A link is an invitation that names a
user: it works once, ends, is withdrawn and becomes void with its maker as any other; another offer, or a reset to a given key,
makes it void too. Nobody vouches for the new key, as after any reset.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sft.errors import BadRequestError, LastKeyError, LoginRefusedError, NameReservedError, TooManyKeysError
from sft.limits import KEYS_MOST, RESET_LINK_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import InvitationWithdrawn, KeyReset, KeyResetOffered
from sft.model.records import KeyEnd, UserState
from sft.service.act_statement import AskedAct, EventStatement, require_statement
from sft.service.caller import caller_of
from sft.service.invitations import MadeInvitation, add_row, is_for, made, require_open, spend, withdraw_resets
from sft.service.keys import add_key_row, ended_by_reset, require_resettable
from sft.service.use_case import act
from sft.service.users import require_free_key
from sft.store.invitations import invitation_by_public
from sft.store.row_types import InvitationRow
from sft.store.rows import Transaction
from sft.store.settings import server_name
from sft.store.users import keys_of, user_by_id


class OfferResetInput(Struct, frozen=True):
    """Ask for a link by which somebody who lost every key comes back; ``reason`` and ``cut_off`` are of those that end.

    Args:
        public_key: of the link, 32 bytes.
    """

    caller: Caller
    name: str
    public_key: bytes
    reason: KeyEnd
    cut_off: int = 0
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        fields = {
            "name": self.name,
            "invitation": self.public_key,
            "cut_off": self.cut_off,
            "reason": self.reason.value,
        }
        return AskedAct("key-reset-link", fields)


class Joining(Protocol):
    """What is asked of somebody who comes back."""

    @property
    def name(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    @property
    def device(self) -> str: ...

    @property
    def session_id(self) -> int: ...


@act(Permission.USER_MANAGE, logs=(KeyResetOffered, InvitationWithdrawn))
def offer_reset(transaction: Transaction, item: OfferResetInput) -> MadeInvitation:
    """End every key of somebody, and register the public half of a link; the same again is the same link."""
    stated = require_statement(transaction, item)
    user = require_resettable(transaction, item.caller, item.name)
    if user.id == item.caller.user_id:
        raise LastKeyError(name=user.name)
    row = invitation_by_public(transaction, item.public_key)
    if row is not None and (row.maker_id, row.resets_id) != (item.caller.user_id, user.id):
        raise BadRequestError(problem="the key of another invitation")
    if row is not None:
        return made(transaction, row)
    keys = keys_of(transaction, [user.id])[user.id]
    if len(keys) >= KEYS_MOST:  # nobody could come back, and all that they have would have ended
        raise TooManyKeysError(name=user.name, limit=KEYS_MOST)
    over = ended_by_reset(transaction, keys, item.reason, item.cut_off)
    row = add_row(
        transaction, item.caller, item.public_key,
        role=user.role, user_name=user.name, seconds=RESET_LINK_SECONDS, resets_id=user.id,
    )  # fmt: skip
    transaction.rows.update(over)
    event = KeyResetOffered(
        by=item.caller,
        user_id=user.id,
        name=user.name,
        ended_key_ids=tuple(key.id for key in over),
        reason=item.reason,
        cut_off=item.cut_off if item.reason is KeyEnd.COMPROMISED else None,
        invitation_id=row.id,
        public_key=row.public_key,
        expires_at=row.expires_at,
        **stated,
    )
    transaction.log(event)
    withdraw_resets(transaction, item.caller, user.id, but=row.id)
    return made(transaction, row)


def come_back(transaction: Transaction, item: Joining, row: InvitationRow, stated: EventStatement) -> Caller:
    """Give whoever has a reset's link the key that they joined with, in place of all others.

    Raises:
        InviteUsedError, InviteExpiredError, InviteWithdrawnError: it is good no more.
        NameReservedError: they say that they are another.
        KeyTakenError: the key is, or was, somebody's.
        LoginRefusedError: they may not be here.
    """
    require_open(transaction, row)
    user = user_by_id(transaction, row.resets_id or 0)
    if user is None or user.state != UserState.ACTIVE:
        raise LoginRefusedError("who is reset may not be here", server=server_name(transaction))
    if not is_for(row, item.name):
        raise NameReservedError(name=user.name)
    require_free_key(transaction, item.public_key)
    keys = keys_of(transaction, [user.id])[user.id]
    over = ended_by_reset(transaction, keys, KeyEnd.RETIRED, 0)
    key = add_key_row(transaction, user, keys, item.public_key, item.device, b"")
    transaction.rows.update(over)
    spend(transaction, row, user)
    caller = caller_of(transaction, user, key, item.session_id)
    event = KeyReset(
        by=caller,
        user_id=user.id,
        name=user.name,
        key_id=key.id,
        public_key=key.public_key,
        device=key.device,
        ended_key_ids=tuple(old.id for old in over),
        reason=KeyEnd.RETIRED,
        cut_off=None,
        invitation_id=row.id,
        **stated,
    )
    transaction.log(event)
    return caller

"""Whose key it is."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sft.model.access import Role, operator_caller
from sft.model.events import KeyAdded, KeyRevoked
from sft.model.records import KeyEnd
from sft.store.row_types import DeviceKeyRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from sft.wire import messages as m
from sft.wire.login import Claim
from tests.integration.evil.attacks import LINE, LOG, Refused, attack
from tests.integration.evil.evil_server import EVIL_KEY, EvilServer, evil_person
from tests.integration.evil.staging import GET, NEWER, PLAN, put_plan, with_files
from tests.loop import run


@attack("another key as a user's", LINE, noticed="who gets a file of theirs", says="does not prove who its people are",
        code="LOG_PROOF")  # fmt: skip
def another_key_answered(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("mia", "plan")
    max_ = evil_person(evil.server, "max")

    def lie(message: m.Message) -> m.Message:
        if isinstance(message, m.UserShown):
            keys = tuple(replace(each, public_key=EVIL_KEY.public.encode()) for each in message.user.keys)
            return replace(message, user=replace(message.user, keys=keys))
        return with_files(message, lambda each: replace(each, file=_signed(each.file, max_, each.content)))

    evil.tell(lie)
    return Refused("gus", GET)


def _signed(file: Any, person: Any, content: bytes) -> Any:
    """Sign a file with another key as what it is."""
    signature = person.sign(file.path, content, file_id=file.id, version=file.version.number)
    key = person.key.public.encode()
    return replace(file, version=replace(file.version, public_key=key, signature=signature, dated_at=1_700_000_000))


@attack("another key as a user's, to who compares words", LINE, noticed="who lists people",
        says="does not prove who its people are", code="LOG_PROOF")  # fmt: skip
def another_key_listed(evil: EvilServer) -> Refused:
    put_plan(evil)

    def lie(message: m.Message) -> m.Message:
        if not isinstance(message, m.UserList):
            return message
        users = tuple(
            replace(user, keys=tuple(replace(key, public_key=EVIL_KEY.public.encode()) for key in user.keys))
            for user in message.page.users
        )
        return replace(message, page=replace(message.page, users=users))

    evil.tell(lie)
    return Refused("gus", ("users",))


@attack("another role as a user's", LINE, noticed="who lists people", says="does not prove who its people are",
        code="LOG_PROOF")  # fmt: skip
def another_role_listed(evil: EvilServer) -> Refused:
    put_plan(evil)

    def lie(message: m.Message) -> m.Message:
        if not isinstance(message, m.UserList):
            return message
        users = tuple(replace(user, role=Role.ADMIN) for user in message.page.users)
        return replace(message, page=replace(message.page, users=users))

    evil.tell(lie)
    return Refused("gus", ("users",))


@attack(
    "people without a proof", LINE, noticed="who lists them", says="does not prove who its people are", code="LOG_PROOF"
)
def people_without_evidence(evil: EvilServer) -> Refused:
    put_plan(evil)
    evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.UserList) else message)
    return Refused("gus", ("users",))


@attack("one key more as a user's, by a leaf of no statement", LOG, noticed="who knew a key of theirs, at their next file",
        says="no key known here says that the new one is theirs", code="KEY_NOT_ENDORSED")  # fmt: skip
def another_key_logged(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    store_with_a_given_key(evil)
    return Refused("gus", ("get", "order"))


def store_with_a_given_key(evil: EvilServer) -> None:
    """Have the log say that max has one key more, and store a file with it."""
    _give_key(evil, "max")
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "x"), EVIL_KEY))
    run(raw.put("order", evil_person(evil.server, "max").sign("order", NEWER), NEWER))


def _give_key(evil: EvilServer, name: str) -> None:
    user_id = evil.server.people[name].user_id

    def change(transaction: Transaction) -> None:
        key = DeviceKeyRow(
            id=transaction.rows.next_id(DeviceKeyRow), user_id=user_id, public_key=EVIL_KEY.public.encode(), device="x",
            added_at=transaction.now, ended_at=None, start_leaf=transaction.next_leaf,
        )  # fmt: skip
        transaction.rows.insert([key])
        transaction.log(
            KeyAdded(
                by=operator_caller(), user_id=user_id, name=name, key_id=key.id, public_key=key.public_key, device="x"
            )
        )

    evil.edit(change)


@attack("one key more as a user's, whom nobody knew", LOG, noticed="the user's own computer, at its next login",
        says="has a key as yours that this computer does not know", code="OWN_KEY_UNKNOWN")  # fmt: skip
def another_key_of_ones_own(evil: EvilServer) -> Refused:
    evil.put("mia", "plan", PLAN)
    evil.got("gus", "plan")
    store_with_a_given_key(evil)
    evil.got("mia", "order")
    return Refused("max", ("ls",))


@attack("one key more as a user's for a while, whom nobody knew", LOG, noticed="the user's own computer, at its next login",
        says="has a key as yours that this computer does not know", code="OWN_KEY_UNKNOWN")  # fmt: skip
def another_key_for_a_while(evil: EvilServer) -> Refused:
    evil.put("mia", "plan", PLAN)
    evil.got("gus", "plan")
    store_with_a_given_key(evil)
    evil.edit(_end_given_key)
    evil.got("mia", "order")
    return Refused("max", ("ls",))


def _end_given_key(transaction: Transaction) -> None:
    (key,) = [row for row in transaction.rows.all(rows_of(DeviceKeyRow)) if row.public_key == EVIL_KEY.public.encode()]
    retired = KeyEnd.RETIRED
    over = replace(key, ended_at=transaction.now, end_leaf=transaction.next_leaf, end_reason=retired.value)
    transaction.rows.update([over])
    transaction.log(
        KeyRevoked(
            by=operator_caller(), user_id=key.user_id, name="max", ended_key_ids=(key.id,), reason=retired, cut_off=None
        )
    )


@attack("another key as a user's, whom the operator resets", LOG, noticed="who knew a key of theirs, at their next file",
        says="no key known here says that the new one is theirs", code="KEY_NOT_ENDORSED")  # fmt: skip
def key_reset(evil: EvilServer) -> Refused:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    operator = run(evil.server.operator())
    key = EVIL_KEY.public.encode()
    reset = run(operator.ask(m.ResetKey, name="max", public_key=key, device="x", reason=KeyEnd.RETIRED))
    assert isinstance(reset, m.UserShown), reset
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "x"), EVIL_KEY))
    run(raw.put("order", evil_person(evil.server, "max").sign("order", NEWER), NEWER))
    return Refused("gus", ("get", "order"))


def _revoke(evil: EvilServer, reason: KeyEnd, cut_off: int) -> bytes:
    """Have max go on with another key; what was stored last is then signed anew, with the one that is over."""
    old = evil.server.people["max"]
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")
    new = evil_person(evil.server, "max")  # max's own this time
    added = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(added, m.UserShown), added
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    revoked = run(raw.ask(m.RevokeKey, public_key=old.key.public.encode(), reason=reason, cut_off=cut_off))
    assert isinstance(revoked, m.UserShown), revoked
    run(raw.put("order", new.sign("order", NEWER, file_id=bytes(range(16))), NEWER))
    signature = old.sign("order", NEWER, file_id=bytes(range(16)))

    def change(transaction: Transaction) -> None:
        _, (version,) = evil.rows_of_file(transaction, "order")
        (key,) = [
            row for row in transaction.rows.all(rows_of(DeviceKeyRow)) if row.public_key == old.key.public.encode()
        ]
        transaction.rows.update([replace(version, signature=signature, key_id=key.id)])

    evil.edit(change)
    return signature


@attack("a file signed by a key that was retired", LOG, noticed="who gets it",
        says="a key that was not max's when it was stored", code="SIGNER_KEY_ENDED")  # fmt: skip
def retired_key(evil: EvilServer) -> Refused:
    _revoke(evil, KeyEnd.RETIRED, 0)
    return Refused("gus", ("get", "order"))


@attack("a file signed by a key after it was stolen", LOG, noticed="who gets it", says="after it was stolen",
        code="SIGNER_KEY_STOLEN")  # fmt: skip
def stolen_key(evil: EvilServer) -> Refused:
    evil.put("max", "before", b"x")
    old = evil.server.people["max"]
    added = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(added, m.UserShown), added
    cut_off = evil.server.here.ledger.head.size
    evil.put("max", "order", NEWER)  # by the thief, before max noticed
    evil.got("gus", "before")
    raw = run(evil.server.dial(Claim.login("max", EVIL_KEY.public, "phone"), EVIL_KEY))
    reason = KeyEnd.COMPROMISED
    revoked = run(raw.ask(m.RevokeKey, public_key=old.key.public.encode(), reason=reason, cut_off=cut_off))
    assert isinstance(revoked, m.UserShown), revoked
    return Refused("gus", ("get", "order"))

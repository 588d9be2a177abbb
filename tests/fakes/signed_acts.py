"""Statements of acts, as a client makes them, for tests that call the services themselves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from msgspec.structs import replace

from sft.crypto.keys import PublicKey, ServerKey, SigningKey
from sft.crypto.signatures import sign_statement
from sft.crypto.statement import JOIN, ActStatement, StatementComment
from sft.model.access import Caller, Role
from sft.server.routes import ROUTES, ActRoute
from sft.service.act_statement import AskedAct
from sft.service.login import JoinInput
from sft.wire import messages as m
from sft.wire.handshake import Claim, Welcome

SIGNED_AT: Final = 1_700_000_000  # by the clock of whoever signs
_numbers: Final = itertools.count(1)


def statement_of(key: SigningKey, server_id: bytes, user_id: int, asked: AskedAct, /, **changes: Any) -> bytes:
    """Sign what an act asks for; ``changes`` are of the comment."""
    given: dict[str, Any] = {
        "act": asked.act,
        "server_id": server_id,
        "user": 0 if asked.act == JOIN else user_id,
        "ts": SIGNED_AT,
        "nonce": next(_numbers).to_bytes(8, "big"),
    }
    comment = StatementComment(**(given | changes))
    return sign_statement(key, ActStatement(comment, asked.fields)).encode()


def signed(item: Any, key: SigningKey | None, server_id: bytes, numbers: Iterator[int] = _numbers) -> Any:
    """Sign the input of an act with a key, unless it has its statement, or nobody signs such; each has a number of its own."""
    if key is None or not hasattr(item, "asked") or item.statement:
        return item
    user_id = 0 if item.asked.act == JOIN else item.caller.user_id
    if user_id is None:
        return item
    nonce = next(numbers).to_bytes(8, "big")
    return replace(item, statement=statement_of(key, server_id, user_id, item.asked, nonce=nonce))


def signed_request(message: m.Request, key: SigningKey | None, welcome: Welcome | None) -> m.Request:
    """Sign a request of whoever was welcomed with a key, if it asks for what people sign and carries no statement."""
    route = ROUTES.get(type(message))
    if key is None or welcome is None or not isinstance(route, ActRoute) or getattr(message, "statement", None) != b"":
        return message
    said = getattr(route.item(Caller(welcome.user_id, 0, welcome.name, Role(welcome.role)), message), "asked", None)
    if said is None:  # its text has what the server looks up
        return message
    return replace(message, statement=statement_of(key, welcome.server.server_id, welcome.user_id, said))


def signed_claim(claim: Claim, key: SigningKey | None, server_id: bytes) -> Claim:
    """Sign a claim to join with the new key."""
    if key is None or claim.kind != "join" or claim.statement:
        return claim
    asked = JoinInput(claim.user_name, claim.public_key or b"", claim.device, claim.invitation)
    return replace(claim, statement=statement_of(key, server_id, 0, asked.asked))


def key_with(public_key: bytes, *others: SigningKey | ServerKey) -> SigningKey | None:
    """Find the secret half of a key whose seed is one byte again and again, or that of another; None where none is."""
    public = PublicKey.decode_or_none(public_key)
    if public is None:
        return None
    seeds = _seeds() | {_point_of(other.seed): other.seed for other in others}
    seed = seeds.get(public.point)
    return None if seed is None else SigningKey.from_seed(seed, public.key_id)


@cache
def _seeds() -> dict[bytes, bytes]:
    seeds = [bytes([number]) * 32 for number in range(256)]
    return {_point_of(seed): seed for seed in seeds}


def _point_of(seed: bytes) -> bytes:
    return SigningKey.from_seed(seed, bytes(8)).public.point

"""Logins that were refused, as the log has them: how many there were since when, from how many places.

Rules. A leaf is of all refusals of an hour, so that a stranger adds 24 a day at most, whatever they send. Addresses are in its
personal part. What it says was counted by the running server, and is the server's word.
"""

from __future__ import annotations

from msgspec import Struct

from sft.model.access import Caller, Permission
from sft.model.events import LoginFailures
from sft.service.use_case import act
from sft.store.rows import Transaction


class LoginFailuresInput(Struct, frozen=True):
    """Ask to log refused logins; fields as of the event."""

    caller: Caller
    since: int
    failures: int
    sources: int
    addresses: tuple[str, ...]


@act(Permission.SERVER_MANAGE, logs=(LoginFailures,))
def note_login_failures(transaction: Transaction, item: LoginFailuresInput) -> None:
    """Log them."""
    transaction.log(
        LoginFailures(
            by=item.caller, since=item.since, failures=item.failures, sources=item.sources, addresses=item.addresses
        )
    )

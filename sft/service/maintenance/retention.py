"""How much is kept, and for how long, where that was made less: what is past it then is said, and has a day more.

    as before ── less is configured ──▶ told; as before ── a day later ──▶ as configured

Rules. A number that was mistyped destroys nothing at once: what the server does by itself goes by the number before until the
same smaller one was configured for a day, over restarts too. Another smaller one begins anew; as many again, or more, rule at
once. A day is one of a clock that is believed: while it is doubted none begins or ends. Who collects by hand means what is
configured now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sft.limits import DAY_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import RetentionLowered, RetentionTaken
from sft.model.policy import Retention, ServerPolicy
from sft.model.quotas import Usage
from sft.service import use_case
from sft.service.maintenance.clock import clock_state
from sft.store.files import replaced_before
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import TRASH_DAYS, VERSIONS_KEPT, change_setting, setting
from sft.store.trash import in_trash_until


class ConfiguredNumber(Struct, frozen=True):
    """So many are configured of an option; ``overdue`` is what is past that."""

    option: str
    number: int
    overdue: Usage = Usage()


class RetentionLook(Struct, frozen=True):
    """What is configured of each."""

    caller: Caller
    options: tuple[ConfiguredNumber, ...]


class _InForce(Struct, frozen=True):
    """The number that rules, and the smaller one that is configured since a moment (0: none is)."""

    number: int
    lower: int = 0
    since: int = 0

    def encode(self) -> bytes:
        return b"%d %d %d" % (self.number, self.lower, self.since)


def _in_trash(reading: ReadTransaction, days: int) -> Usage:
    return in_trash_until(reading, reading.now - days * DAY_SECONDS)


# Each by its option's name, which its setting has as well, with what sums up what is past a number of it.
_OVERDUE: Final[dict[str, Callable[[ReadTransaction, int], Usage]]] = {
    TRASH_DAYS: _in_trash,
    VERSIONS_KEPT: replaced_before,
}


def first_retention(policy: ServerPolicy) -> dict[str, bytes]:
    """Return the settings of a new server: what is configured rules."""
    return {option: _InForce(getattr(policy, option)).encode() for option in _OVERDUE}


@use_case.query(Permission.VAULT_MANAGE)
def configured_retention(reading: ReadTransaction, caller: Caller) -> RetentionLook:
    """Say what is configured, and what is overdue then, where that has not been said yet."""
    return RetentionLook(caller, tuple(_configured(reading, option) for option in _OVERDUE))


def _configured(reading: ReadTransaction, option: str) -> ConfiguredNumber:
    kept, number = _kept(reading, option), getattr(reading.policy, option)
    if number >= kept.number or number == kept.lower:
        return ConfiguredNumber(option, number)
    return ConfiguredNumber(option, number, _OVERDUE[option](reading, number))


@use_case.act(Permission.VAULT_MANAGE, logs=(RetentionTaken, RetentionLowered))
def take_retention(transaction: Transaction, item: RetentionLook) -> Retention:
    """Take what is configured, at once or in a day; return what rules now."""
    if not clock_state(transaction).is_doubted:
        for each in item.options:
            _take(transaction, item.caller, each)
    return Retention(**{option: _kept(transaction, option).number for option in _OVERDUE})


def _take(transaction: Transaction, caller: Caller, asked: ConfiguredNumber) -> None:
    kept, now = _kept(transaction, asked.option), transaction.now
    if asked.number >= kept.number or (asked.number == kept.lower and now - kept.since >= DAY_SECONDS):
        if change_setting(transaction, asked.option, _InForce(asked.number).encode()):
            transaction.log(RetentionTaken(by=caller, option=asked.option, to=asked.number))
    elif asked.number != kept.lower:
        change_setting(transaction, asked.option, _InForce(kept.number, asked.number, now).encode())
        transaction.log(
            RetentionLowered(
                by=caller,
                option=asked.option,
                to=asked.number,
                before=kept.number,
                files=asked.overdue.files,
                size_bytes=asked.overdue.size_bytes,
                destroyed_from=now + DAY_SECONDS,
            )
        )


def _kept(reading: ReadTransaction, option: str) -> _InForce:
    return _InForce(*map(int, setting(reading, option).split()))

"""Refused logins become one leaf an hour, whatever strangers send."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from sft.limits import LOGIN_FAILURES_NAMED, LOGIN_FAILURES_SECONDS, LOGIN_FAILURES_SOURCES
from sft.server.login_failures import FailureCount
from sft.service.login_failures import LoginFailuresInput, note_login_failures

NOW = 1_777_777_777


class Faults:
    def __init__(self) -> None:
        self.events: list[str] = []

    def failed(self, _failure: Any, event: str) -> None:
        self.events.append(event)


class Counted:
    """A count over a clock that stands, and what the log was told."""

    def __init__(self, refuses: BaseException | None = None) -> None:
        self.clock, self.said, self.faults = Clock(), [], Faults()  # type: ignore[var-annotated]
        self.count = FailureCount(self.faults, self.clock, self._act, lambda: NOW + self.clock.seconds())  # type: ignore[arg-type]
        self._refuses = refuses

    def _act(self, act: Any, item: LoginFailuresInput) -> Deferred[Any]:
        assert act is note_login_failures
        self.said.append(item)
        return succeed(None) if self._refuses is None else fail(self._refuses)

    def shown(self) -> list[tuple[int, int, int, tuple[str, ...]]]:
        return [(each.since - NOW, each.failures, each.sources, each.addresses) for each in self.said]


def test_an_hour_of_refused_logins_is_said_once_with_whence_most_came() -> None:
    counted = Counted()
    counted.clock.advance(7)
    for source in ("a", "b", "b"):
        counted.count.count(source)
    counted.clock.advance(LOGIN_FAILURES_SECONDS - 1)
    assert counted.said == []
    counted.clock.advance(1)
    assert counted.shown() == [(7, 3, 2, ("b", "a"))]
    counted.clock.advance(10 * LOGIN_FAILURES_SECONDS)
    assert len(counted.said) == 1, "an hour without any is no leaf"
    counted.count.count("c")
    counted.clock.advance(LOGIN_FAILURES_SECONDS)
    assert counted.shown()[1][1:] == (1, 1, ("c",))


def test_what_was_counted_is_said_at_the_end() -> None:
    counted = Counted()
    counted.count.stop()
    assert counted.said == []
    counted.count.count("a")
    counted.count.stop()
    counted.count.stop()
    counted.clock.advance(2 * LOGIN_FAILURES_SECONDS)
    assert counted.shown() == [(0, 1, 1, ("a",))]


def test_however_many_there_are_one_leaf_holds_them() -> None:
    counted = Counted()
    for number in range(2 * LOGIN_FAILURES_SOURCES):
        counted.count.count(f"2001:db8:{number:x}::/64")
    counted.clock.advance(LOGIN_FAILURES_SECONDS)
    ((_, failures, sources, addresses),) = counted.shown()
    assert (failures, sources, len(addresses)) == (
        2 * LOGIN_FAILURES_SOURCES,
        LOGIN_FAILURES_SOURCES,
        LOGIN_FAILURES_NAMED,
    )


def test_a_log_that_does_not_take_it_is_a_fault_that_is_said() -> None:
    counted = Counted(OSError("full"))
    counted.count.count("a")
    counted.clock.advance(LOGIN_FAILURES_SECONDS)
    assert counted.faults.events == ["login-failures-fault"]

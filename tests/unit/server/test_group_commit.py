"""Files that are checked at once are committed at once, and nobody waits where nothing is checked."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from sft.limits import GROUP_ACTS
from sft.server.group_commit import GroupCommit

Inputs = list[tuple[str, int]]


class Submitted:
    """Stands for the writer: notes what it is given."""

    def __init__(self) -> None:
        self.inputs: list[str] = []
        self.done: list[Deferred[Any]] = []

    def __call__(self, inputs: Any) -> Deferred[Any]:
        self.inputs.append("".join(each for each, _ in inputs))
        self.done.append(Deferred())
        return self.done[-1]


def _of(letters: str) -> Inputs:
    return [(letter, 1) for letter in letters]


def test_what_comes_while_nothing_is_checked_goes_at_once() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    group.act(_of("a"))
    with group.checking():
        assert submitted.inputs == ["a"]
    assert submitted.inputs == ["a"]


def test_what_comes_while_others_are_checked_goes_with_the_last_of_them() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    first, second, third = group.checking(), group.checking(), group.checking()
    for each in (first, second, third):
        each.__enter__()
    group.act(_of("ab"))
    first.__exit__(None, None, None)
    third.__exit__(None, None, None)  # it brings nothing
    assert submitted.inputs == []
    group.act(_of("c"))
    second.__exit__(None, None, None)
    assert submitted.inputs == ["ab", "c"]


def test_whoever_fails_while_checking_keeps_nobody_waiting() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    with pytest.raises(ZeroDivisionError), group.checking():
        group.act(_of("a"))
        raise ZeroDivisionError
    assert submitted.inputs == ["a"]


def test_what_fills_a_group_waits_for_nobody() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    twelve = "abcdefghijkl"
    with group.checking():
        for _ in range(GROUP_ACTS // len(twelve) - 1):
            group.act(_of(twelve))
            assert submitted.inputs == []
        group.act(_of(twelve))  # another would not fit
        assert submitted.inputs == [twelve] * (GROUP_ACTS // len(twelve))
        group.act(_of("a"))
        assert submitted.inputs[-1] == twelve
    assert submitted.inputs[-1] == "a"


def test_each_hears_what_became_of_its_own() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    found: list[Any] = []
    with group.checking():
        group.act(_of("ab")).addCallback(found.append)
        group.act(_of("c")).addErrback(lambda failure: found.append(failure.type))
    submitted.done[0].callback(["A", "B"])
    submitted.done[1].errback(KeyError())
    assert found == [["A", "B"], KeyError]

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


def _act(group: GroupCommit[str, str], letters: str, *, failed: int = 0) -> Deferred[list[str]]:
    inputs: Inputs = [(letter, 1) for letter in letters]
    return group.act(inputs, checked=len(inputs) + failed)


def test_what_comes_while_nothing_is_checked_goes_at_once() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    _act(group, "a")
    with group.checking():
        assert submitted.inputs == ["a"]
    assert submitted.inputs == ["a"]


def test_what_comes_while_others_are_checked_goes_with_the_last_of_them() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    first, second, third = group.checking(), group.checking(), group.checking()
    for each in (first, second, third):
        each.__enter__()
    _act(group, "ab")
    first.__exit__(None, None, None)
    third.__exit__(None, None, None)  # it brings nothing
    assert submitted.inputs == []
    _act(group, "c")
    second.__exit__(None, None, None)
    assert submitted.inputs == ["ab", "c"]


def test_whoever_fails_while_checking_keeps_nobody_waiting() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    with pytest.raises(ZeroDivisionError), group.checking():
        _act(group, "a")
        raise ZeroDivisionError
    assert submitted.inputs == ["a"]


def test_what_fills_a_group_waits_for_nobody() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    twelve = "abcdefghijkl"
    with group.checking():
        for _ in range(GROUP_ACTS // len(twelve) - 1):
            _act(group, twelve)
            assert submitted.inputs == []
        _act(group, twelve)  # another would not fit
        assert submitted.inputs == [twelve] * (GROUP_ACTS // len(twelve))
        _act(group, "abcdef")  # the next group begins anew
        assert submitted.inputs[-1] == twelve
    assert submitted.inputs[-1] == "abcdef"


def test_what_does_not_pass_fills_a_group_too() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    with group.checking():
        _act(group, "a", failed=GROUP_ACTS // 4 - 1)
        for _ in range(2):
            _act(group, "", failed=GROUP_ACTS // 4)
            assert submitted.inputs == []
        _act(group, "", failed=GROUP_ACTS // 4)  # it fits, and as many again would not
        assert submitted.inputs == ["a", "", "", ""]


def test_each_hears_what_became_of_its_own() -> None:
    submitted = Submitted()
    group: GroupCommit[str, str] = GroupCommit(submitted)
    found: list[Any] = []
    with group.checking():
        _act(group, "ab").addCallback(found.append)
        _act(group, "c").addErrback(lambda failure: found.append(failure.type))
    submitted.done[0].callback(["A", "B"])
    submitted.done[1].errback(KeyError())
    assert found == [["A", "B"], KeyError]

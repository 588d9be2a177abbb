"""Group commit: what several requests bring is handed to the writer together, while more of them are being checked.

Rules. A commit by itself costs as much as eleven small files in it (measured in memory; a disk's sync comes on top), so it
takes as many as it may. What is held waits for computing alone, never for a disk, and for no more of it than checks as many as
fill a group, whether they pass or not; where nothing is being checked, nothing is held. Only the reactor's thread comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

from sft.limits import GROUP_ACTS

I = TypeVar("I")  # noqa: E741 - as in sft.store.writer
R = TypeVar("R")


class GroupCommit(Generic[I, R]):
    """Holds inputs of one act.

    Args:
        submit: has the writer act on several inputs, each with its size, and gives what became of each.
    """

    def __init__(self, submit: Callable[[Sequence[tuple[I, int]]], Deferred[list[R]]]) -> None:
        self._submit = submit
        self._checking = 0
        self._held: list[tuple[Sequence[tuple[I, int]], Deferred[list[R]]]] = []
        self._held_checked = 0

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Have others wait for what this block brings, if it brings anything."""
        self._checking += 1
        try:
            yield
        finally:
            self._checking -= 1
            if not self._checking:
                self._submit_held()

    def act(self, inputs: Sequence[tuple[I, int]], *, checked: int) -> Deferred[list[R]]:
        """Have the writer act on inputs, each with its size; gives what became of each, in order.

        Args:
            checked: how many there were, with those that did not pass.
        """
        done: Deferred[list[R]] = Deferred()
        self._held.append((inputs, done))
        self._held_checked += checked
        if not self._checking or self._held_checked + checked > GROUP_ACTS:  # as many again would not fit
            self._submit_held()
        return done

    def _submit_held(self) -> None:
        held, self._held, self._held_checked = self._held, [], 0
        for inputs, done in held:
            self._submit(inputs).chainDeferred(done)

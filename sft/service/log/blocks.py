"""Which blocks of the state trees the database has as they were, and from which leaf on a start replays: a fuzzy checkpoint.

Rules. A change is in its leaf at once and in its block later: writing the block of every change, 8 KiB each, would cost more
than all else of a leaf. Blocks are written by groups that come after, the longest changed first, a few each, when their first
change is ``REDO_LEAVES`` ago. What is written is as of that group: a start replays from the first change that no block has,
and meets changes once more that some have already, which leads to the same.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice, takewhile
from typing import Final, NamedTuple

REDO_LEAVES: Final = 65_536  # replayed in a second
BLOCKS_AT_ONCE: Final = 8  # of one group, at least: 64 KiB beside its own rows

BlockKey = tuple[int, int]
"""Kind of tree, and number of the block."""


class BlockPlan(NamedTuple):
    """What a group does to blocks.

    Attributes:
        due: blocks that it writes: those whose first change is the longest ago.
        redo: from which leaf on a start replays afterwards.
        changed: blocks that it changes and does not write.
        size: of the log before it, which is the leaf of their first change at the earliest.
    """

    due: list[BlockKey]
    redo: int
    changed: list[BlockKey]
    size: int


class ChangedBlocks:
    """Blocks with changes that the database has only in leaves.

    Args:
        first_changes: by block, in order of the leaves.
        redo_leaves: how long ago a first change is when its block is written.
    """

    def __init__(self, first_changes: dict[BlockKey, int], redo_leaves: int = REDO_LEAVES) -> None:
        self._first_changes = first_changes
        self._redo_leaves = redo_leaves

    def plan(self, changed: Collection[BlockKey], size: int, new_size: int) -> BlockPlan:
        """Plan what a group writes that changes some blocks and takes the log from one size to another; changes nothing."""
        most = max(BLOCKS_AT_ONCE, 2 * len(changed))  # else a server that is never idle would fall behind
        old = takewhile(lambda each: each[1] + self._redo_leaves < size, self._first_changes.items())
        due = dict(islice(old, most))
        left = [key for key in changed if key not in due]
        # The oldest are due, so what is left begins behind them: no group looks at all blocks that were ever changed.
        first_left = next(islice(self._first_changes.values(), len(due), None), None)
        redo = first_left if first_left is not None else (size if left else new_size)
        return BlockPlan(list(due), redo, left, size)

    def follow(self, plan: BlockPlan) -> None:
        """Take a plan as done, when its group was committed."""
        for key in plan.due:
            del self._first_changes[key]
        for key in plan.changed:
            self._first_changes.setdefault(key, plan.size)

from __future__ import annotations

import random

from sft.service.log.blocks import BLOCKS_AT_ONCE, BlockKey, ChangedBlocks

REDO = 100


def test_a_block_is_written_when_its_first_change_is_long_ago() -> None:
    blocks = ChangedBlocks({}, redo_leaves=REDO)
    for size in range(0, REDO + 10, 10):
        plan = blocks.plan([(1, 7)], size, size + 10)
        blocks.follow(plan)
        assert (plan.due, plan.redo) == ([], 0)
    plan = blocks.plan([(2, 0)], REDO + 1, REDO + 2)
    assert (plan.due, plan.redo) == ([(1, 7)], REDO + 1)
    blocks.follow(plan)
    assert blocks.plan([], REDO + 2, REDO + 3).redo == REDO + 1


def test_a_block_that_changes_as_it_is_written_is_written_with_that_change() -> None:
    blocks = ChangedBlocks({(1, 7): 0}, redo_leaves=REDO)
    plan = blocks.plan([(1, 7)], 500, 501)
    assert (plan.due, plan.redo, plan.changed) == ([(1, 7)], 501, [])


def test_a_plan_that_is_not_followed_changes_nothing() -> None:
    blocks = ChangedBlocks({(1, 7): 0}, redo_leaves=REDO)
    assert blocks.plan([(1, 8)], 500, 501) == blocks.plan([(1, 8)], 500, 501)


def test_few_blocks_are_written_at_once_the_longest_changed_first() -> None:
    blocks = ChangedBlocks({(2, number): number for number in range(50)}, redo_leaves=REDO)
    plan = blocks.plan([(1, 0)], 1000, 1001)
    assert plan.due == [(2, number) for number in range(BLOCKS_AT_ONCE)]
    assert plan.redo == BLOCKS_AT_ONCE


def test_a_start_never_has_much_more_to_replay_however_many_blocks_change() -> None:
    seed = 7
    print(f"seed {seed}")
    chance = random.Random(seed)
    blocks, size = ChangedBlocks({}, redo_leaves=REDO), 0
    first: dict[BlockKey, int] = {}
    for _ in range(400):
        leaves = chance.randint(1, 64)
        changed = [(2, chance.randrange(10_000)) for _ in range(leaves)]
        plan = blocks.plan(changed, size, size + leaves)
        blocks.follow(plan)
        first |= {key: size for key in changed if key not in first}
        first = {key: leaf for key, leaf in first.items() if key not in plan.due}
        size += leaves
        assert size - plan.redo <= REDO + 3 * 64
        assert plan.redo == min([*first.values(), size])

"""Which rounds of the collector are due, while keys come and after."""

from __future__ import annotations

from itertools import pairwise

from tui.runtime.idle_gc import Rounds


def _looks(rounds, *, until, keys, start=0.0):
    """Let a clock run from look to look; give each moment with its round."""
    now, found = start, []
    while now < until:
        last = max((key for key in keys if key <= now), default=float("-inf"))
        now += rounds.next_in(now, last)
        last = max((key for key in keys if key <= now), default=float("-inf"))
        found.append((now, rounds.due(now, last)))
    return found


def test_while_keys_come_only_the_youngest_are_looked_at_and_often():
    typed = [number / 30 for number in range(300)]
    looks = _looks(Rounds(0.0), until=9.0, keys=typed)
    assert {generation for _, generation in looks} == {0}
    gaps = [after - before for (before, _), (after, _) in pairwise(looks)]
    assert max(gaps) <= 0.2 + 1e-9


def test_whoever_types_for_long_is_held_up_by_the_next_generation_twice_a_minute_at_most():
    typed = [number / 10 for number in range(1200)]
    looks = _looks(Rounds(0.0), until=119.0, keys=typed)
    older = [now for now, generation in looks if generation == 1]
    assert len(older) == 3
    assert all(generation < 2 for _, generation in looks)


def test_a_pause_takes_what_was_left_and_a_long_one_everything_once():
    looks = _looks(Rounds(0.0), until=890.0, keys=[0.0, 1.0])
    assert all(generation == 0 for now, generation in looks if now < 2.0)
    assert all(generation >= 1 for now, generation in looks if now > 2.0)
    assert [now for now, generation in looks if generation == 2] == [next(n for n, _ in looks if n >= 300.0)]


def test_a_screen_that_nobody_touches_is_looked_through_every_ten_minutes():
    looks = _looks(Rounds(0.0), until=3700.0, keys=[])
    whole = [now for now, generation in looks if generation == 2]
    assert len(whole) == 6
    assert whole[0] >= 600

"""Is a wall clock to be believed? What passed while a process lives is known; over a time without one it is not."""

from __future__ import annotations

import pytest

from sft.model.clock import DRIFT_SECONDS, SERVED_SECONDS, STOOD_STILL_SECONDS, ClockState, agrees, looked_at

NOW = 1_796_007_600
HOUR, DAY = 3600, 86_400
MONTHS = 90 * DAY
SOUND = ClockState(NOW)


@pytest.mark.parametrize(
    ("moved", "passed", "doubted"),
    [
        (HOUR, HOUR, False),
        (0, None, False),
        (STOOD_STILL_SECONDS, None, False),  # it was off for a week, and nobody asks
        (STOOD_STILL_SECONDS + 1, None, True),
        (MONTHS, None, True),
        (-DRIFT_SECONDS, None, False),
        (-DRIFT_SECONDS - 1, None, True),
        (HOUR + DRIFT_SECONDS, HOUR, False),
        (HOUR + DRIFT_SECONDS + 1, HOUR, True),
        (HOUR - DRIFT_SECONDS - 1, HOUR, True),
        (MONTHS, MONTHS, False),  # it slept, and its own seconds went on
    ],
)
def test_what_is_doubted(moved: int, passed: int | None, doubted: bool) -> None:
    state = looked_at(SOUND, NOW + moved, passed)
    assert (state.is_doubted, state.seen_at) == (doubted, NOW + moved)
    if doubted:
        assert state.sound_at == NOW + (passed or 0)


def serve(state: ClockState, seconds: int, *, step: int = HOUR) -> ClockState:
    for _ in range(0, seconds, step):
        state = looked_at(state, state.seen_at + step, step)
    return state


def test_a_server_that_was_really_off_for_months_is_believed_after_a_week_of_serving() -> None:
    state = looked_at(SOUND, NOW + MONTHS, None)
    state = serve(state, SERVED_SECONDS - HOUR)
    assert state.is_doubted
    assert serve(state, HOUR) == ClockState(NOW + MONTHS + SERVED_SECONDS)


def test_a_week_of_serving_is_counted_over_restarts_and_without_the_time_between() -> None:
    state = serve(looked_at(SOUND, NOW + MONTHS, None), 3 * DAY)
    for night in range(3):
        assert state.is_doubted, night
        state = looked_at(state, state.seen_at + 16 * HOUR, None)
        state = serve(state, DAY)
    assert state.is_doubted
    assert not serve(state, DAY).is_doubted


@pytest.mark.parametrize("passed", [None, HOUR])
def test_a_clock_that_is_set_right_is_believed_at_once(passed: int | None) -> None:
    wrong = serve(looked_at(SOUND, NOW + MONTHS, passed), DAY)
    right = NOW + (passed or 0) + DAY + HOUR
    assert looked_at(wrong, right, HOUR) == ClockState(right)
    assert looked_at(wrong, right, None) == ClockState(right)
    behind = looked_at(SOUND, NOW - MONTHS, passed)
    assert behind.is_doubted
    assert looked_at(behind, NOW + (passed or 0) + HOUR, HOUR) == ClockState(NOW + (passed or 0) + HOUR)


def test_what_jumped_by_days_while_it_ran_is_not_set_right_by_a_restart() -> None:
    wrong = looked_at(SOUND, NOW + HOUR + 3 * DAY, HOUR)
    assert looked_at(wrong, wrong.seen_at + HOUR, None).is_doubted
    assert looked_at(wrong, wrong.seen_at + HOUR, HOUR).is_doubted


def test_another_jump_begins_the_week_anew() -> None:
    state = serve(looked_at(SOUND, NOW + MONTHS, None), 6 * DAY)
    state = looked_at(state, state.seen_at + MONTHS, HOUR)
    assert state.is_doubted
    assert serve(state, 6 * DAY).is_doubted
    assert not serve(state, SERVED_SECONDS).is_doubted


@pytest.mark.parametrize(
    ("moment", "right"), [(NOW, True), (NOW - DRIFT_SECONDS, True), (NOW + DRIFT_SECONDS + 1, False), (0, False)]
)
def test_who_agrees(moment: int, right: bool) -> None:
    assert agrees(NOW, moment) == right


def test_what_is_written_is_read() -> None:
    for state in (SOUND, ClockState(NOW, NOW - 5, DRIFT_SECONDS, 7)):
        assert ClockState.decode(state.encode()) == state
    for text in (b"", b"x", b"1 2 3 4 5"):
        with pytest.raises((ValueError, TypeError)):
            ClockState.decode(text)

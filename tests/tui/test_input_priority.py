from __future__ import annotations

import os
import selectors
from types import SimpleNamespace

import pytest

from tui.runtime.input_priority import InputPriority, InputPrioritySelector


@pytest.fixture
def stage():
    """A selector with something to read, its clock, and when the last key came."""
    clock = SimpleNamespace(now=100.0)
    keys = SimpleNamespace(last_key_at=0.0)
    ours, theirs = os.pipe()
    os.write(theirs, b"x")
    priority = InputPriority(lambda: clock.now)
    priority.keys = keys
    with InputPrioritySelector(priority) as selector:
        selector.register(ours, selectors.EVENT_READ)
        yield selector, clock, keys
    os.close(ours)
    os.close(theirs)


def test_the_network_is_heard_at_every_turn_while_nobody_types(stage):
    selector, _, _ = stage
    assert selector.select(0)
    assert selector.select(0)


def test_beside_a_key_it_waits_while_there_is_work_and_not_for_long(stage):
    selector, clock, keys = stage
    keys.last_key_at = clock.now
    assert selector.select(0)
    assert not selector.select(0)
    clock.now += 0.009
    assert not selector.select(0)
    clock.now += 0.002
    assert selector.select(0)


def test_beside_a_key_it_is_heard_where_nothing_else_is_to_be_done(stage):
    selector, clock, keys = stage
    keys.last_key_at = clock.now
    assert selector.select(0)
    assert selector.select(1)
    assert selector.select(None)


def test_it_waits_for_no_key_of_long_ago(stage):
    selector, clock, keys = stage
    keys.last_key_at = clock.now
    assert selector.select(0)
    clock.now += 0.049
    assert selector.select(0)
    assert not selector.select(0)
    clock.now += 0.002
    assert selector.select(0)


def test_before_there_is_an_app_nothing_waits():
    assert not InputPriority(lambda: 100.0).goes_first(100.0)

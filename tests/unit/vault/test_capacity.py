from __future__ import annotations

import pytest

from sft.errors import VaultFullError
from sft.limits import SPACE_STEP_BYTES
from sft.vault.capacity import Capacity


def test_promises_add_up_and_end():
    room = Capacity(lambda: 1000, floor_bytes=100)
    first, second = room.promise(500), room.promise(400)
    assert room.free_bytes() == 0
    with pytest.raises(VaultFullError):
        room.promise(1)
    first.end()
    first.end()
    assert room.free_bytes() == 500
    second.end()
    assert room.free_bytes() == 900


def test_what_is_used_is_counted_by_the_disk():
    free = [1000]
    room = Capacity(lambda: free[0], floor_bytes=0)
    promise = room.promise(600)
    free[0] -= 200
    promise.used(200)
    assert room.free_bytes() == 400
    promise.end()
    assert room.free_bytes() == 800


def test_more_than_was_promised_is_promised_first():
    room = Capacity(lambda: 1000, floor_bytes=0)
    promise = room.promise(10)
    promise.require(10)
    assert room.free_bytes() == 990
    promise.require(30)
    assert room.free_bytes() == 970
    with pytest.raises(VaultFullError):
        promise.require(2000)
    assert room.free_bytes() == 970


def test_a_disk_below_the_floor_has_no_room_and_not_less():
    room = Capacity(lambda: 50, floor_bytes=100)
    assert room.free_bytes() == 0
    room.promise(0)
    with pytest.raises(VaultFullError):
        room.promise(1)


def test_one_owner_is_promised_half_of_what_there_is_and_no_more():
    room = Capacity(lambda: 10 * SPACE_STEP_BYTES, floor_bytes=0)
    mine = [room.promise(SPACE_STEP_BYTES, 1) for _ in range(5)]
    with pytest.raises(VaultFullError):
        room.promise(1, 1)
    others = [room.promise(SPACE_STEP_BYTES, owner) for owner in (2, 3)]
    room.promise(SPACE_STEP_BYTES).end()  # the server's own has no share
    for promise in mine[:3]:
        promise.end()
    room.promise(SPACE_STEP_BYTES, 1).end()
    for promise in mine + others:
        promise.end()
    assert room.free_bytes() == 10 * SPACE_STEP_BYTES


def test_one_step_is_everybodys_as_long_as_there_is_room():
    room = Capacity(lambda: SPACE_STEP_BYTES, floor_bytes=0)
    room.promise(SPACE_STEP_BYTES - 5, 1)
    room.promise(5, 1)
    with pytest.raises(VaultFullError):
        room.promise(1, 2)

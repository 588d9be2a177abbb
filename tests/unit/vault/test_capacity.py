from __future__ import annotations

import pytest

from sft.errors import VaultFullError
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

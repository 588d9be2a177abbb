from __future__ import annotations

import pytest

from sft.errors import VaultFullError
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.vault.backend_contract import CONTRACT, load

ID = b"\x0a" * 16


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_contract(rule):
    rule(MemoryBackend())


def test_the_room_is_counted_as_on_a_disk():
    backend = MemoryBackend(capacity_bytes=100, floor_bytes=10)
    assert backend.free_bytes() == 90
    sink = backend.create(ID, 60)
    assert backend.free_bytes() == 30
    sink.write([b"x" * 50])
    assert backend.free_bytes() == 30
    sink.finish()
    assert backend.free_bytes() == 40
    backend.remove(ID)
    assert backend.free_bytes() == 90


def test_a_write_beyond_the_room_ends_the_object():
    backend = MemoryBackend(capacity_bytes=100)
    sink = backend.create(ID, 10)
    with pytest.raises(VaultFullError):
        sink.write([b"x" * 101])
    assert list(backend.leftovers()) == []
    assert backend.free_bytes() == 100


def test_what_is_in_the_quarantine_can_be_looked_at():
    backend = MemoryBackend()
    sink = backend.create(ID, 3)
    sink.write([b"abc"])
    sink.finish()
    assert load(backend, ID) == b"abc"
    backend.quarantine(ID)
    assert backend.quarantined.objects == {ID: b"abc"}

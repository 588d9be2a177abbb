"""A manifest is whole or none, and a list of objects is read where its ids begin."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from sft.crypto.keys import ServerKey
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.operator.backups.manifest import Manifest, ObjectList

KEY = ServerKey.from_seed(bytes(32))
HEAD = Checkpoint(Origin.of_server("acme", bytes(32), 1), 7, bytes(32))
MANIFEST = Manifest(
    program="1",
    taken_at=1_777_816_931,
    server="acme",
    server_id=bytes(32),
    epoch=2,
    head=sign_checkpoint(KEY, HEAD),
    keyring=b"\x00sealed",
    schema="0001",
    database_bytes=4096 * 2049,
    page_bytes=4096,
    pieces=("ab" * 32, "cd" * 32),
    packs=(1, 7),
    new_pages=2,
    objects=1,
    object_bytes=3,
    object_list="ef" * 32,
    files={"policy": b"log ..."},
    files_mac=bytes(32),
)


def test_a_manifest_is_read_as_it_was_written():
    read = Manifest.decode(MANIFEST.encode())
    assert read == MANIFEST
    assert (read.checkpoint.size, read.checkpoint.origin.epoch) == (7, 1)


def test_a_manifest_that_was_cut_or_changed_anywhere_is_none():
    whole = MANIFEST.encode()
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="whole"):
            Manifest.decode(whole[:length])
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(ValueError, match="whole"):
            Manifest.decode(changed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pieces": ("../../../etc/passwd", "cd" * 32)},
        {"pieces": ("", "cd" * 32)},
        {"pieces": ("ab" * 32,)},
        {"pieces": ("ab" * 32,) * 1000},
        {"page_bytes": 0},
        {"page_bytes": -4096},
        {"page_bytes": 1 << 62},
        {"database_bytes": -4096},
        {"database_bytes": 4096 * 2049 + 1},
        {"packs": (1 << 40,)},
        {"packs": (0,)},
        {"objects": -5},
        {"object_bytes": -1},
        {"object_list": "../x"},
        {"taken_at": -1},
        {"epoch": 0},
        {"lacking": -1},
    ],
    ids=str,
)
def test_a_manifest_that_says_what_cannot_be_is_none_though_its_digest_is_right(wrong):
    with pytest.raises(ValueError, match="cannot be"):
        Manifest.decode(replace(MANIFEST, **wrong).encode())


def test_a_list_of_objects_gives_those_that_begin_with_a_byte():
    draw = random.Random(12)
    objects = sorted((draw.randbytes(16), draw.randrange(1 << 40)) for _ in range(700))
    found = ObjectList(ObjectList.of(objects).records)
    assert list(found.all()) == objects
    for first in range(256):
        assert found.beginning_with(first) == {each: size for each, size in objects if each[0] == first}
    assert all(found.get(object_id) == size for object_id, size in objects)
    assert found.size_bytes() == sum(size for _, size in objects)
    assert found.get(bytes(16)) is None
    assert found.get(b"\xff" * 16) is None
    assert ObjectList(b"").beginning_with(0) == {}
    with pytest.raises(ValueError, match="whole"):
        ObjectList(found.records[:-1])

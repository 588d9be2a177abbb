"""A manifest is whole or none, and a list of objects is read where its ids begin."""

from __future__ import annotations

import random

import pytest

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
    database_bytes=10,
    page_bytes=4096,
    pieces=("ab", "cd"),
    packs=(1, 7),
    new_pages=2,
    objects=1,
    object_bytes=3,
    object_list="ef",
    files={"policy": b"log ..."},
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


def test_a_list_of_objects_gives_those_that_begin_with_a_byte():
    draw = random.Random(12)
    objects = sorted((draw.randbytes(16), draw.randrange(1 << 40)) for _ in range(700))
    found = ObjectList(ObjectList.of(objects).records)
    assert list(found.all()) == objects
    for first in range(256):
        assert found.ids_beginning_with(first) == {each for each, _ in objects if each[0] == first}
    assert all(found.get(object_id) == size for object_id, size in objects)
    assert found.size_bytes() == sum(size for _, size in objects)
    assert found.get(bytes(16)) is None
    assert found.get(b"\xff" * 16) is None
    assert ObjectList(b"").ids_beginning_with(0) == set()
    with pytest.raises(ValueError, match="whole"):
        ObjectList(found.records[:-1])

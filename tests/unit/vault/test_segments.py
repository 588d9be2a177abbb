"""Objects of several segments: what is written and read, in which order, and what is refused."""

from __future__ import annotations

import errno
import threading
from dataclasses import replace

import pytest

from sft.crypto.kdf import later_key_key, payload_key
from sft.crypto.sealing import seal
from sft.errors import ObjectCorruptError, ObjectMissingError, VaultError, VaultFullError
from sft.limits import CHUNK_BYTES, UPLOAD_RUNS
from sft.vault.backend_local import LocalBackend
from sft.vault.layout import (
    HEADER_BYTES,
    LATER_KEY,
    LATER_KEY_BYTES,
    encode_header,
    sealed_size,
    segment_count,
    segment_size,
)
from sft.vault.object_keys import ObjectKeys, new_object, next_run
from sft.vault.objects import open_whole, seal_whole
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.fakes.small_segments import SEGMENT_BYTES, SEGMENT_CHUNKS, small_segments  # noqa: F401
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.samples import ID, NEXT_MASTER, OTHER_ID, content, digest, flip, keyring, memory_vault

SIZE = 2 * SEGMENT_BYTES + 5  # three segments
DATA = content(SIZE)
DIGEST = digest(DATA)
CHUNKS = [DATA[at : at + CHUNK_BYTES] for at in range(0, SIZE, CHUNK_BYTES)]


def write(writer, chunks=None, batch=13):
    """Write the rest of the sample, or so many chunks of it."""
    first = writer.size // CHUNK_BYTES
    end = len(CHUNKS) if chunks is None else first + chunks
    for at in range(first, end, batch):
        part = CHUNKS[at : min(at + batch, end)]
        writer.append(writer.seal(part, last=at + len(part) == len(CHUNKS)))


def stored(vault, object_id=ID):
    writer = vault.begin(object_id, SIZE)
    write(writer)
    writer.finish(b"sidecar")
    return writer.key


def cut_after(vault, chunks):
    """Write so much of an object and leave its finished segments."""
    writer = vault.begin(ID, SIZE)
    write(writer, chunks)
    writer.settle()
    writer.leave()
    return writer


def read(vault, key, object_id=ID):
    return b"".join(vault.read_whole(object_id, SIZE, key))


@pytest.fixture(params=["memory", "local"])
def backend(request, tmp_path):
    local = request.param == "local"
    made = LocalBackend.create_at(tmp_path / "v", floor_bytes=0) if local else MemoryBackend()
    yield made
    made.close()


@pytest.fixture(scope="module")
def sample():
    """An object of two runs in memory, which tests put back as it was."""
    vault, backend = memory_vault()
    left = cut_after(vault, SEGMENT_CHUNKS + 7)
    writer = vault.go_on(ID, SIZE, left.key, 1)
    write(writer)
    writer.finish(b"sidecar")
    return vault, backend, writer.key


@pytest.fixture
def sealed(sample):
    vault, backend, key = sample
    segments = [backend.shelf.get(ID, number) for number in range(3)]
    yield vault, backend.shelf, key
    backend.shelf.take(ID, 0)
    for number, data in enumerate(segments):
        backend.shelf.put(ID, number, data)


# -- lengths ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size,segments", [(0, 1), (SEGMENT_BYTES, 1), (SEGMENT_BYTES + 1, 2), (2 * SEGMENT_BYTES, 2), (SIZE, 3)]
)
def test_segments_of_a_content(size, segments):
    assert segment_count(size) == segments
    sizes = [segment_size(number, size) for number in range(segments)]
    assert sum(sizes) == sealed_size(size)
    assert sizes[:-1] == [HEADER_BYTES + SEGMENT_BYTES + 16 * SEGMENT_CHUNKS] * (segments - 1)
    with pytest.raises(ValueError, match=f"no segment {segments}"):
        segment_size(segments, size)


def test_a_whole_object_has_one_segment():
    with pytest.raises(ValueError, match="no single segment"):
        seal_whole(keyring(), ID, bytes(SEGMENT_BYTES + 1))
    key, whole = seal_whole(keyring(), ID, b"x")
    with pytest.raises(ObjectCorruptError):
        open_whole(keyring(), ID, SIZE, key, whole)


# -- writing and reading ------------------------------------------------------------------------------------


def test_what_was_put_is_got(backend):
    vault = Vault(backend, keyring())
    key = stored(vault)
    assert backend.segments(ID) == [0, 1, 2]
    assert list(backend.leftovers()) == []
    assert key.runs == 1
    assert read(vault, key) == DATA
    assert vault.read_sidecar(ID).content == b"sidecar"


@pytest.mark.parametrize("size", [SEGMENT_BYTES, 2 * SEGMENT_BYTES])
def test_a_content_that_ends_with_a_segment_has_no_empty_one(size):
    vault, backend = memory_vault()
    writer = vault.begin(ID, None)
    for at in range(0, size, 16 * CHUNK_BYTES):
        part = [DATA[i : i + CHUNK_BYTES] for i in range(at, at + 16 * CHUNK_BYTES, CHUNK_BYTES)]
        writer.append(writer.seal(part, last=at + 16 * CHUNK_BYTES == size))
    assert writer.has_full == (size > SEGMENT_BYTES)
    writer.finish()
    assert backend.segments(ID) == list(range(size // SEGMENT_BYTES))
    vault.check(ID, size, digest(DATA[:size]), writer.key)


@pytest.mark.parametrize(
    "first", [0, SEGMENT_CHUNKS - 1, SEGMENT_CHUNKS, SEGMENT_CHUNKS + 1, 2 * SEGMENT_CHUNKS - 1, 2 * SEGMENT_CHUNKS]
)
def test_reading_begins_at_any_chunk_and_ends_its_batches_with_a_segment(sealed, first):
    vault, _, key = sealed
    reader = vault.open(ID, SIZE, key, first_chunk=first)
    sizes, found = [], b""
    while boxes := reader.read(13):
        sizes.append(len(boxes))
        found += b"".join(reader.open(boxes))
    reader.close()
    assert found == DATA[first * CHUNK_BYTES :]
    assert max(sizes) <= 13
    edges = {first + sum(sizes[: n + 1]) for n in range(len(sizes))}
    assert edges >= {edge for edge in (SEGMENT_CHUNKS, 2 * SEGMENT_CHUNKS) if edge > first}


@pytest.mark.parametrize("first", [-1, len(CHUNKS)])
def test_reading_begins_at_no_chunk_that_a_content_has_not(sealed, first):
    vault, _, key = sealed
    with pytest.raises(ValueError, match="no chunk"):
        vault.open(ID, SIZE, key, first_chunk=first)


def test_a_reader_that_rests_goes_on_in_the_next_segment(tmp_path):
    backend = LocalBackend.create_at(tmp_path / "v", floor_bytes=0)
    vault = Vault(backend, keyring())
    key = stored(vault)
    reader = vault.open(ID, SIZE, key, first_chunk=25)
    found = []
    while boxes := reader.read(6):
        reader.rest()
        found += reader.open(boxes)
    reader.close()
    assert b"".join(found) == DATA[25 * CHUNK_BYTES :]
    backend.close()


def test_a_full_segment_waits_while_the_next_is_written(backend):
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    write(writer, SEGMENT_CHUNKS - 1)
    assert not writer.has_full
    write(writer, 1)
    assert writer.has_full
    write(writer, 9)
    assert (writer.has_full, writer.finished, backend.segments(ID)) == (True, 0, [])
    assert writer.settle() == writer.settle() == 1
    assert (writer.has_full, backend.segments(ID)) == (False, [0])
    write(writer)
    assert writer.has_full
    writer.finish()
    assert backend.segments(ID) == [0, 1, 2]


def test_who_settles_nothing_has_it_settled_by_the_next_full_one():
    vault, backend = memory_vault()
    writer = vault.begin(ID, SIZE)
    write(writer, 2 * SEGMENT_CHUNKS)
    assert backend.segments(ID) == [0]
    assert writer.has_full
    writer.abort()
    assert list(backend.ids()) == list(backend.leftovers()) == []


def test_a_segment_is_settled_once_whoever_comes_first():
    vault, backend = memory_vault()
    writer = vault.begin(ID, SIZE)
    write(writer, 2 * SEGMENT_CHUNKS)
    threads = [threading.Thread(target=writer.settle) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (writer.finished, backend.segments(ID)) == (2, [0, 1])


def test_room_is_promised_to_each_segment_and_given_back(backend):
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    write(writer, SEGMENT_CHUNKS + 1)
    assert backend._room._promised_bytes == sealed_size(SEGMENT_BYTES) - (HEADER_BYTES + CHUNK_BYTES + 16)
    writer.rest()
    assert backend._room._promised_bytes == 0
    write(writer)
    writer.finish()
    assert backend._room._promised_bytes == 0


def test_a_writer_that_rests_holds_nothing_open_and_goes_on(tmp_path):
    backend = LocalBackend.create_at(tmp_path / "v", floor_bytes=0)
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    for chunks in (3, SEGMENT_CHUNKS - 3, SEGMENT_CHUNKS + 1):
        write(writer, chunks)
        writer.rest()
        writer.rest()
        assert writer._sink is None or writer._sink._file is None
    writer.finish()
    vault.check(ID, SIZE, DIGEST, writer.key)
    backend.close()


def test_a_writer_that_has_sealed_what_it_did_not_write_cannot_go_on():
    writer = memory_vault()[0].begin(ID, SIZE)
    sealed = writer.seal(CHUNKS[:2], last=False)
    assert not writer.intact
    writer.append(sealed)
    assert writer.intact


# -- runs -------------------------------------------------------------------------------------------------


def test_a_run_goes_on_under_a_data_key_of_its_own(backend):
    vault = Vault(backend, keyring())
    first = cut_after(vault, SEGMENT_CHUNKS + 7)
    assert (first.finished, backend.segments(ID), list(backend.leftovers())) == (1, [0], [])
    second = vault.go_on(ID, SIZE, first.key, 1)
    assert second.size == SEGMENT_BYTES
    write(second, SEGMENT_CHUNKS + 2)
    second.settle()
    second.leave()
    third = vault.go_on(ID, SIZE, second.key, 2)
    write(third)
    third.finish(b"sidecar")
    assert third.key.runs == 3
    keys = ObjectKeys.opened(keyring(), ID, third.key)
    assert len({data_key for _, data_key in keys._runs}) == 3
    vault.check(ID, SIZE, DIGEST, third.key)
    assert vault.read_sidecar(ID)[1:] == (third.key.later, b"sidecar")


def test_no_chunk_index_is_sealed_twice_under_one_data_key():
    """Whatever was cut where: each run seals under a key of its own, and within it counts upwards."""
    vault, _ = memory_vault()
    payloads = []
    key, finished = None, 0
    for chunks in (SEGMENT_CHUNKS + 7, 9, SEGMENT_CHUNKS, 1):
        writer = vault.begin(ID, SIZE) if key is None else vault.go_on(ID, SIZE, key, finished)
        indices = range(writer._sealed, writer._sealed + chunks)
        payloads += [(writer._keys.payload(index // SEGMENT_CHUNKS), index) for index in indices]
        write(writer, chunks)
        if writer.settle() > finished:
            key, finished = writer.key, writer.finished
        writer.leave()
    assert finished == 2
    assert len(set(payloads)) == len(payloads)


def test_a_run_that_finished_nothing_is_replaced():
    vault, backend = memory_vault()
    first = cut_after(vault, SEGMENT_CHUNKS)
    dead = vault.go_on(ID, SIZE, first.key, 1)
    write(dead, SEGMENT_CHUNKS)
    dead.settle()  # durable, and no row came to name it
    old = backend.shelf.get(ID, 1)
    dead.leave()
    last = vault.go_on(ID, SIZE, first.key, 1)
    assert backend.segments(ID) == [0]
    write(last)
    last.finish()
    assert last.key.runs == 2
    vault.check(ID, SIZE, DIGEST, last.key)
    backend.shelf.put(ID, 1, old)
    with pytest.raises(ObjectCorruptError) as refused:
        read(vault, last.key)
    assert f"damaged in chunk {SEGMENT_CHUNKS}" in str(refused.value.values["problem"])


def test_a_run_goes_on_after_rotations():
    vault, _ = memory_vault()
    first = cut_after(vault, SEGMENT_CHUNKS)
    vault.adopt(vault.keyring.rotate(NEXT_MASTER))
    row = vault.keyring.rewrap(ID, first.key)
    vault.adopt(vault.keyring.retire())
    second = vault.go_on(ID, SIZE, row, 1)
    write(second, SEGMENT_CHUNKS)
    vault.adopt(vault.keyring.rotate(b"3" * 32))
    write(second)
    second.finish(b"sidecar")
    vault.adopt(vault.keyring.retire())
    assert (second.key.epoch, second.key.runs) == (3, 2)
    vault.open(ID, SIZE, second.key).close()
    vault.adopt(vault.keyring.rotate(b"4" * 32))
    moved = vault.keyring.rewrap(ID, second.key)
    assert moved.later == second.key.later
    vault.adopt(vault.keyring.retire())
    vault.check(ID, SIZE, DIGEST, moved)


def test_a_reencrypted_object_has_one_key(sealed):
    vault, shelf, key = sealed
    assert key.runs == 2
    new = vault.reencrypt(ID, SIZE, DIGEST, key, OTHER_ID, sidecar=b"side")
    assert new.runs == 1
    vault.check(OTHER_ID, SIZE, DIGEST, new)
    assert shelf.numbers(OTHER_ID) == [0, 1, 2]
    vault.remove(OTHER_ID)
    assert shelf.numbers(OTHER_ID) == []


def test_there_is_an_end_of_runs():
    ring = keyring()
    key, _ = new_object(ring, ID)
    for first in range(1, UPLOAD_RUNS):
        key = replace(key, later=key.later + bytes(3) + bytes([1]) + bytes(LATER_KEY_BYTES - 4))
        assert key.runs == first + 1
    with pytest.raises(ObjectCorruptError):
        next_run(ring, ID, key, UPLOAD_RUNS)
    key, _ = new_object(ring, ID)
    key, _ = next_run(ring, ID, key, 3)
    for taken in (0, 1, 3):
        with pytest.raises(ValueError, match="no run"):
            next_run(ring, ID, key, taken)
    next_run(ring, ID, key, 4)


def test_as_many_runs_as_there_may_be_still_open():
    ring = keyring()
    key, keys = new_object(ring, ID)
    later = b""
    for first in range(1, UPLOAD_RUNS):
        box = seal(later_key_key(keys.data_key, encode_header(ID, first)), bytes(24), first.to_bytes(32, "big"))
        later += LATER_KEY.pack(first, bytes(24)) + box
    key = replace(key, later=later)
    assert key.runs == UPLOAD_RUNS
    with pytest.raises(ValueError, match="no run"):
        next_run(ring, ID, key, UPLOAD_RUNS)
    opened = ObjectKeys.opened(ring, ID, key)
    for segment in (0, 500, 999, 2000):
        data_key = min(segment, UPLOAD_RUNS - 1).to_bytes(32, "big") if segment else keys.data_key
        assert opened.payload(segment) == payload_key(data_key, encode_header(ID, segment))


# -- what is refused ----------------------------------------------------------------------------------------


def refused(vault, key):
    with pytest.raises((ObjectCorruptError, ObjectMissingError)) as fault:
        vault.check(ID, SIZE, DIGEST, key)
    return str(fault.value.values["problem"])


def test_the_sample_is_accepted(sealed):
    vault, _, key = sealed
    assert read(vault, key) == DATA


def test_segments_that_were_swapped(sealed):
    vault, shelf, key = sealed
    shelf.segments[ID, 1], shelf.objects[ID] = shelf.objects[ID], shelf.segments[ID, 1]
    assert "segment 1 in the place of segment 0" in refused(vault, key)


def test_a_segment_that_stands_for_another_under_its_header(sealed):
    vault, shelf, key = sealed
    shelf.segments[ID, 1] = shelf.segments[ID, 1][:HEADER_BYTES] + shelf.objects[ID][HEADER_BYTES:]
    assert f"damaged in chunk {SEGMENT_CHUNKS}" in refused(vault, key)
    shelf.objects[ID] = encode_header(ID) + shelf.segments[ID, 1][HEADER_BYTES:]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_segment_that_is_missing(sealed, number):
    vault, shelf, key = sealed
    shelf.take(ID, number)
    assert "is missing" in refused(vault, key)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_segment_of_another_length(sealed, number):
    vault, shelf, key = sealed
    right = shelf.get(ID, number)
    for wrong in (right[:-1], right + b"x", b"")[: 1 if number else 3]:
        shelf.put(ID, number, wrong)
        assert "bytes instead of" in refused(vault, key)


def test_a_segment_too_many(sealed):
    vault, shelf, key = sealed
    shelf.put(ID, 3, shelf.get(ID, 2))
    assert "none of its content's" in refused(vault, key)
    assert read(vault, key) == DATA  # who reads never looks at it


@pytest.mark.parametrize("size", [SEGMENT_BYTES, 2 * SEGMENT_BYTES])
def test_a_row_that_was_shortened_to_the_edge_of_a_segment(sealed, size):
    vault, _, key = sealed
    with pytest.raises(ObjectCorruptError):
        b"".join(vault.read_whole(ID, size, key))


def test_a_segment_of_another_object_of_the_same_content(sealed):
    vault, shelf, key = sealed
    other = stored(vault, OTHER_ID)
    for number in range(2):
        mine = shelf.get(ID, number)
        shelf.put(ID, number, shelf.get(OTHER_ID, number))
        assert "holds another object" in refused(vault, key)
        shelf.put(ID, number, mine[:HEADER_BYTES] + shelf.get(OTHER_ID, number)[HEADER_BYTES:])
        assert "damaged in chunk" in refused(vault, key)
        shelf.put(ID, number, mine)
    with pytest.raises(ObjectCorruptError):
        read(vault, replace(key, later=other.later, epoch=other.epoch, sealed=other.sealed))
    vault.remove(OTHER_ID)


def test_later_keys_that_were_left_out_or_put_in(sealed):
    vault, _, key = sealed
    assert f"damaged in chunk {SEGMENT_CHUNKS}" in refused(vault, replace(key, later=b""))
    later = next_run(vault.keyring, ID, key, 2)[0].later
    assert f"damaged in chunk {2 * SEGMENT_CHUNKS}" in refused(vault, replace(key, later=later))


def test_every_bit_of_a_later_key_counts(sealed):
    vault, _, key = sealed
    for bit in range(8 * LATER_KEY_BYTES):
        with pytest.raises(ObjectCorruptError):
            ObjectKeys.opened(vault.keyring, ID, replace(key, later=flip(key.later, bit)))
    for later in (key.later[:-1], key.later + b"x", key.later * 2, key.later[:4]):
        with pytest.raises(ObjectCorruptError):
            ObjectKeys.opened(vault.keyring, ID, replace(key, later=later))


def test_later_keys_of_another_object():
    ring = keyring()
    mine, other = (next_run(ring, object_id, new_object(ring, object_id)[0], 1)[0] for object_id in (ID, OTHER_ID))
    with pytest.raises(ObjectCorruptError):
        ObjectKeys.opened(ring, ID, replace(mine, later=other.later))


def test_a_sidecar_with_other_later_keys_is_found_by_a_check():
    vault, _ = memory_vault()
    left = cut_after(vault, SEGMENT_CHUNKS)
    writer = vault.go_on(ID, SIZE, left.key, 1)
    write(writer)
    writer.finish(b"sidecar")
    vault.check(ID, SIZE, DIGEST, writer.key)
    again = vault.go_on(ID, SIZE, left.key, 1)
    sidecar = vault._backend.shelf.sidecars
    assert ID not in sidecar  # it goes first
    write(again)
    again.finish()
    vault.check(ID, SIZE, DIGEST, again.key)


# -- faults -------------------------------------------------------------------------------------------------


def test_a_full_disk_in_the_middle_of_a_segment_keeps_the_finished_ones():
    backend = MemoryBackend(capacity_bytes=sealed_size(SIZE))
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    backend.shelf.objects[OTHER_ID] = bytes(sealed_size(SIZE) - sealed_size(SEGMENT_BYTES) - 10 * CHUNK_BYTES)
    chunks = [bytes(CHUNK_BYTES)] * SEGMENT_CHUNKS
    writer.append(writer.seal(chunks, last=False))
    writer.settle()
    with pytest.raises(VaultFullError):
        writer.append(writer.seal(chunks[:20], last=False))
    assert not writer.intact
    writer.leave()
    assert (backend.segments(ID), list(backend.leftovers())) == ([0], [])
    assert vault.free_bytes() == 10 * CHUNK_BYTES


def test_room_for_the_rest_is_asked_when_it_goes_on():
    backend = MemoryBackend(capacity_bytes=sealed_size(SIZE))
    vault = Vault(backend, keyring())
    writer = cut_after(vault, SEGMENT_CHUNKS)
    backend.shelf.objects[OTHER_ID] = b"x"
    with pytest.raises(VaultFullError):
        vault.go_on(ID, SIZE, writer.key, 1)
    vault.go_on(ID, 2 * SEGMENT_BYTES, writer.key, 1)


@pytest.mark.parametrize("step", ["create", "write", "sync_file", "make_folder", "rename", "sync_folder"])
def test_a_fault_in_the_second_segment_keeps_the_first(tmp_path, step):
    disk = FaultyDisk(steps=step)
    backend = LocalBackend.create_at(tmp_path / "v", floor_bytes=0, disk=disk)
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    write(writer, SEGMENT_CHUNKS)
    writer.settle()
    disk.fail_at = disk.count
    with pytest.raises(VaultError):
        write(writer, SEGMENT_CHUNKS)
        writer.settle()
    assert not writer.intact
    assert disk.count == disk.fail_at + 1  # a sync that failed is not tried again
    writer.leave()
    assert (backend.segments(ID), list(backend.leftovers())) == ([0], [])
    assert vault.go_on(ID, SIZE, writer.key, 1).size == SEGMENT_BYTES
    backend.close()


@pytest.mark.parametrize("fails", range(2))
def test_a_fault_of_the_last_sync_leaves_no_last_segment_and_no_sidecar(tmp_path, fails):
    disk = FaultyDisk(code=errno.EIO)
    backend = LocalBackend.create_at(tmp_path / "v", floor_bytes=0, disk=disk)
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, SIZE)
    write(writer)
    writer.settle()
    disk.steps = ["sync_folder"]
    disk.fail_at = disk.count + fails
    with pytest.raises(VaultError):
        writer.finish(b"sidecar")
    assert backend.segments(ID) == [0, 1]
    assert backend.read_sidecar(ID) is None
    writer.abort()
    assert list(backend.ids()) == list(backend.leftovers()) == []
    backend.close()

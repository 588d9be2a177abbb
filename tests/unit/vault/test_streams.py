from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from sft.crypto.stream import open_chunk, seal_chunk
from sft.errors import ObjectCorruptError, VaultError, VaultFullError
from sft.limits import CHUNK_BYTES, SEGMENT_BYTES, SPACE_STEP_BYTES
from sft.vault.backend_local import LocalBackend
from sft.vault.layout import sealed_size
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.samples import ID, MIB, ROWS, content, get, keyring, memory_vault, put, split

FULL = bytes(CHUNK_BYTES)


def test_batches_of_any_size_make_the_same_object():
    data = content(10 * CHUNK_BYTES + 5)
    chunks = [data[i : i + CHUNK_BYTES] for i in range(0, len(data), CHUNK_BYTES)]
    for batch in (1, 3, 8, 11, 100):
        vault, _ = memory_vault()
        writer = vault.begin(ID, len(data))
        for start in range(0, len(chunks), batch):
            part = chunks[start : start + batch]
            writer.append(writer.seal(part, last=start + batch >= len(chunks)))
        assert writer.size == len(data)
        writer.finish()
        ROWS[ID] = writer.key
        assert get(vault, ID, len(data)) == data


def test_sealing_may_run_ahead_of_writing():
    vault, _ = memory_vault()
    writer = vault.begin(ID, 3 * CHUNK_BYTES)
    first = writer.seal([FULL], last=False)
    second = writer.seal([FULL, FULL], last=True)
    writer.append(first)
    writer.append(second)
    writer.finish()
    ROWS[ID] = writer.key
    assert get(vault, ID, 3 * CHUNK_BYTES) == FULL * 3


def test_no_index_is_sealed_twice():
    vault, backend = memory_vault()
    writer = vault.begin(ID, 4 * CHUNK_BYTES)
    sealed = [writer.seal([FULL], last=n == 3)[0] for n in range(4)]
    writer.append(sealed)
    writer.finish()
    assert len(set(sealed)) == 4
    _, chunks = split(backend.shelf.objects[ID])
    assert chunks == sealed


def test_no_index_is_sealed_twice_by_many_threads():
    vault, _ = memory_vault()
    writer = vault.begin(ID, None)

    class Batch(list):
        """Tells whether others were kept out while its indices were taken."""

        alone = False

        def __len__(self):
            self.alone = writer._lock.locked()
            return super().__len__()

    batches = [Batch([FULL] * 2) for _ in range(64)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda batch: writer.seal(batch, last=False), batches))
    # The contents are equal, so the boxes tell the indices.
    expected = {seal_chunk(writer._keys.payload(0), index, False, FULL) for index in range(128)}
    assert {box for boxes in sealed for box in boxes} == expected
    assert all(batch.alone for batch in batches)


def test_a_failed_batch_spends_its_indices():
    vault, _ = memory_vault()
    writer = vault.begin(ID, None)
    with pytest.raises(ValueError, match="no encoding"):
        writer.seal([FULL, b"short"], last=False)
    (after,) = writer.seal([FULL], last=False)
    assert open_chunk(writer._keys.payload(0), 2, False, after) == FULL


@pytest.mark.parametrize(
    "chunks,last",
    [
        ([b""], False),
        ([FULL[1:]], False),
        ([FULL + b"x"], False),
        ([FULL + b"x"], True),
        ([FULL, b""], True),
        ([b"short", FULL], True),
        ([], True),
    ],
)
def test_chunks_that_have_no_encoding_are_a_bug(chunks, last):
    vault, _ = memory_vault()
    writer = vault.begin(ID, None)
    with pytest.raises(ValueError, match=r"no encoding|last batch"):
        writer.seal(chunks, last=last)
    writer.abort()


def test_the_empty_file_is_one_empty_last_chunk():
    vault, _ = memory_vault()
    writer = vault.begin(ID, 0)
    writer.append(writer.seal([b""], last=True))
    writer.finish()
    ROWS[ID] = writer.key
    assert get(vault, ID, 0) == b""


def test_nothing_follows_the_last_chunk():
    vault, _ = memory_vault()
    writer = vault.begin(ID, None)
    writer.append(writer.seal([b"x"], last=True))
    for chunks in ([FULL], [b"x"], []):
        with pytest.raises(ValueError, match=r"complete|last batch"):
            writer.seal(chunks, last=not chunks)
    writer.finish()


def test_an_object_that_is_not_complete_cannot_be_finished():
    vault, backend = memory_vault()
    writer = vault.begin(ID, None)
    with pytest.raises(ValueError, match="not complete"):
        writer.finish()
    sealed = writer.seal([FULL], last=False)
    writer.append(sealed)
    with pytest.raises(ValueError, match="not complete"):
        writer.finish()
    sealed = writer.seal([b"x"], last=True)
    with pytest.raises(ValueError, match="not complete"):
        writer.finish()
    writer.append(sealed)
    writer.finish()
    assert list(backend.ids()) == [ID]


def test_more_than_was_announced_is_refused():
    vault, _ = memory_vault()
    writer = vault.begin(ID, CHUNK_BYTES + 10)
    writer.seal([FULL], last=False)
    with pytest.raises(VaultError) as refused:
        writer.seal([FULL], last=False)
    assert "announced were 65546" in str(refused.value.values["problem"])


@pytest.mark.parametrize("size", [0, 5, 9, 11, CHUNK_BYTES])
def test_another_size_than_was_announced_is_refused(size):
    vault, _ = memory_vault()
    writer = vault.begin(ID, 10)
    with pytest.raises(VaultError):
        writer.seal([content(size)], last=True)


def test_an_aborted_object_leaves_nothing_and_takes_nothing():
    vault, backend = memory_vault()
    writer = vault.begin(ID, None)
    sealed = writer.seal([FULL], last=False)
    writer.append(sealed)
    writer.abort()
    writer.abort()
    with pytest.raises(ValueError, match="complete"):
        writer.seal([FULL], last=False)
    with pytest.raises(VaultError):
        writer.append(sealed)
    assert list(backend.ids()) == list(backend.leftovers()) == []


def test_a_write_that_failed_ends_the_object(tmp_path):
    disk = FaultyDisk(fail_at=1, code=errno.ENOSPC, steps="write")
    backend = LocalBackend.create_at(tmp_path / "vault", floor_bytes=0, disk=disk)
    writer = Vault(backend, keyring()).begin(ID, 2 * CHUNK_BYTES)
    writer.append(writer.seal([FULL], last=False))
    sealed = writer.seal([FULL], last=True)
    with pytest.raises(VaultFullError):
        writer.append(sealed)
    with pytest.raises(VaultError):
        writer.append(sealed)
    with pytest.raises(ValueError, match="not complete"):
        writer.finish()
    writer.abort()
    assert list(backend.ids()) == list(backend.leftovers()) == []
    backend.close()


@pytest.mark.parametrize("announced", [None, 100 * MIB])
def test_room_is_taken_step_by_step_and_nothing_by_an_announcement(announced):
    backend = MemoryBackend(capacity_bytes=3 * SPACE_STEP_BYTES)
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, announced)
    assert vault.free_bytes() == 3 * SPACE_STEP_BYTES
    writer.append(writer.seal([FULL], last=False))
    assert vault.free_bytes() == 3 * SPACE_STEP_BYTES - sealed_size(SEGMENT_BYTES)
    for _ in range(96):
        writer.append(writer.seal([FULL] * 16, last=False))
    writer.append(writer.seal([FULL], last=False))
    held = 7 * sealed_size(SEGMENT_BYTES) if announced is None else sealed_size(announced)  # no more than is to come
    assert vault.free_bytes() == 3 * SPACE_STEP_BYTES - held
    writer.abort()
    assert vault.free_bytes() == 3 * SPACE_STEP_BYTES


def test_the_last_room_is_for_what_is_written_and_not_for_a_step_ahead():
    backend = MemoryBackend(capacity_bytes=SPACE_STEP_BYTES + MIB)
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, None)
    for _ in range(64):
        writer.append(writer.seal([FULL] * 16, last=False))
    sealed = writer.seal([FULL] * 32, last=False)
    with pytest.raises(VaultFullError):
        writer.append(sealed)
    writer.abort()
    assert list(backend.leftovers()) == []


# -- reading --------------------------------------------------------------------------------------------


def reader_of(size, **options):
    vault, backend = memory_vault()
    put(vault, ID, content(size))
    return vault.open(ID, size, ROWS[ID], **options), backend


def test_a_reader_gives_batches_until_the_end():
    size = 5 * CHUNK_BYTES + 7
    reader, _ = reader_of(size)
    found = b""
    left = []
    while sealed := reader.read(2):
        left.append(reader.chunks_left)
        found += b"".join(reader.open(sealed))
    assert found == content(size)
    assert left == [4, 2, 0]
    assert reader.read(8) == []
    assert reader.open([]) == []
    reader.close()
    reader.close()


def test_reading_may_run_ahead_of_opening():
    size = 4 * CHUNK_BYTES
    reader, _ = reader_of(size)
    batches = [reader.read(1) for _ in range(4)]
    assert b"".join(chunk for batch in batches for chunk in reader.open(batch)) == content(size)


@pytest.mark.parametrize("first", [0, 1, 4, 5])
def test_reading_may_begin_at_any_chunk(first):
    size = 5 * CHUNK_BYTES + 7
    reader, _ = reader_of(size, first_chunk=first)
    assert reader.chunks_left == 6 - first
    assert b"".join(reader.open(reader.read(10))) == content(size)[first * CHUNK_BYTES :]


@pytest.mark.parametrize("first", [-1, 6])
def test_reading_from_no_chunk_is_a_bug(first):
    with pytest.raises(ValueError, match="no chunk"):
        reader_of(5 * CHUNK_BYTES + 7, first_chunk=first)


def test_batches_in_another_order_are_refused():
    reader, _ = reader_of(4 * CHUNK_BYTES)
    first, second = reader.read(2), reader.read(2)
    with pytest.raises(ObjectCorruptError):
        reader.open(second)
    with pytest.raises(ObjectCorruptError):
        reader.open(first[::-1])
    reader.open(first)
    with pytest.raises(ObjectCorruptError):
        reader.open(first)
    reader.open(second)


def test_nothing_of_a_damaged_batch_is_returned():
    size = 3 * CHUNK_BYTES
    reader, _ = reader_of(size)
    sealed = reader.read(3)
    with pytest.raises(ObjectCorruptError) as refused:
        reader.open([sealed[0], sealed[1][:-1] + bytes([sealed[1][-1] ^ 1]), sealed[2]])
    assert "chunk 1" in str(refused.value.values["problem"])

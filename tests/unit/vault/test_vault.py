from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sft.errors import ObjectCorruptError, ObjectMissingError, VaultError, VaultFullError
from sft.limits import CHUNK_BYTES
from sft.vault.backend_local import LocalBackend
from sft.vault.layout import HEADER_BYTES, sealed_size
from sft.vault.objects import open_whole, seal_whole
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.vault.samples import (
    ID,
    NEXT_MASTER,
    OTHER_ID,
    ROWS,
    content,
    digest,
    flip,
    get,
    keyring,
    memory_vault,
    put,
    rewrap,
    split,
)

SIZES = [0, 1, 65_535, 65_536, 65_537, 200_000]
SIZE = 200_000
DATA = content(SIZE)


@pytest.fixture(params=["memory", "local"])
def backend(request, tmp_path):
    local = request.param == "local"
    made = LocalBackend.create_at(tmp_path / "v", floor_bytes=0) if local else MemoryBackend()
    yield made
    made.close()


@pytest.fixture
def vault(backend):
    return Vault(backend, keyring())


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_is_got(vault, size):
    put(vault, ID, content(size))
    assert get(vault, ID, size) == content(size)
    vault.check(ID, size, digest(content(size)), ROWS[ID])


@pytest.mark.parametrize("size", SIZES)
def test_a_file_holds_the_bytes_that_the_database_would(backend, size):
    vault = Vault(backend, keyring())
    put(vault, ID, content(size))
    source = backend.open(ID)
    (found,) = source.read(0, [source.size])
    source.close()
    assert len(found) == sealed_size(size)
    assert open_whole(keyring(), ID, size, ROWS[ID], found) == content(size)


def test_an_object_sealed_whole_is_read_from_a_file(backend, vault):
    sink = backend.create(ID, sealed_size(SIZE))
    ROWS[ID], sealed = seal_whole(keyring(), ID, DATA)
    sink.write([sealed])
    sink.finish()
    assert get(vault, ID, SIZE) == DATA


def test_every_object_has_a_data_key_of_its_own(vault):
    put(vault, ID, DATA)
    put(vault, OTHER_ID, DATA)
    assert len({keyring().unwrap(object_id, ROWS[object_id]) for object_id in (ID, OTHER_ID)}) == 2


def test_another_id_than_the_row_names_is_refused(vault):
    put(vault, ID, DATA)
    with pytest.raises(ObjectMissingError):
        vault.open(OTHER_ID, SIZE, ROWS[ID])


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1, 3 * CHUNK_BYTES])
def test_another_size_than_the_row_names_is_refused(vault, size):
    put(vault, ID, DATA)
    with pytest.raises(ObjectCorruptError):
        vault.open(ID, size, ROWS[ID])


def test_a_check_says_what_is_wrong():
    vault, backend = memory_vault()
    put(vault, ID, DATA, b"sidecar")
    vault.check(ID, SIZE, digest(DATA), ROWS[ID])
    with pytest.raises(ObjectCorruptError) as refused:
        vault.check(ID, SIZE, digest(DATA[:-1]), ROWS[ID])
    assert "another content" in str(refused.value.values["problem"])
    with pytest.raises(ObjectMissingError):
        vault.check(OTHER_ID, SIZE, digest(DATA), ROWS[ID])
    backend.shelf.objects[ID] = flip(backend.shelf.objects[ID], 8 * 150_000)
    with pytest.raises(ObjectCorruptError) as refused:
        vault.check(ID, SIZE, digest(DATA), ROWS[ID])
    assert f"object {ID.hex()} is damaged in chunk 2" in str(refused.value.values["problem"])


def test_no_room_is_said_at_the_beginning():
    vault = Vault(MemoryBackend(capacity_bytes=SIZE), keyring())
    with pytest.raises(VaultFullError):
        vault.begin(ID, SIZE)
    vault.begin(ID, SIZE // 2)


def test_reading_and_deleting_work_in_a_full_vault():
    backend = MemoryBackend(capacity_bytes=sealed_size(SIZE))
    vault = Vault(backend, keyring())
    put(vault, ID, DATA)
    assert vault.free_bytes() == 0
    assert get(vault, ID, SIZE) == DATA
    vault.remove(ID)
    put(vault, OTHER_ID, DATA)


def test_an_id_that_is_taken_leaves_no_promise():
    vault, _ = memory_vault()
    put(vault, ID, DATA)
    free = vault.free_bytes()
    with pytest.raises(VaultError):
        vault.begin(ID, SIZE)
    assert vault.free_bytes() == free


def test_what_is_unknown_is_put_aside_and_what_is_removed_is_gone(vault):
    put(vault, ID, DATA, b"sidecar")
    put(vault, OTHER_ID, DATA, b"sidecar")
    assert list(vault.ids()) == [ID, OTHER_ID]
    vault.quarantine(ID)
    vault.remove(OTHER_ID)
    vault.remove(OTHER_ID)
    assert list(vault.ids()) == []


def test_leftovers_of_a_dead_process_go_at_the_start(vault):
    put(vault, ID, DATA)
    vault.begin(OTHER_ID, SIZE)
    assert vault.discard_leftovers() == 1
    assert vault.discard_leftovers() == 0
    assert list(vault.ids()) == [ID]


def test_many_threads_put_and_get_at_once(vault):
    faults = []

    def work(number):
        try:
            data = content(150_000 + number, str(number))
            put(vault, bytes([number]) * 16, data, b"sidecar")
            assert get(vault, bytes([number]) * 16, len(data)) == data
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(list(vault.ids())) == 12


def test_what_is_refused_is_let_go(tmp_path):
    backend = LocalBackend.create_at(tmp_path / "v", floor_bytes=0)
    vault = Vault(backend, keyring())
    put(vault, ID, DATA, b"sidecar")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ObjectCorruptError):
        vault.open(ID, SIZE + 1, ROWS[ID])
    with pytest.raises(ObjectCorruptError):
        vault.open(ID, SIZE, keyring(NEXT_MASTER).wrap(ID, bytes(32)))
    with pytest.raises(ObjectCorruptError):
        vault.reencrypt(ID, SIZE, digest(b""), ROWS[ID], OTHER_ID)
    reading = vault.read_whole(ID, SIZE, ROWS[ID])
    next(reading)
    reading.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    backend.close()


# -- sidecars --------------------------------------------------------------------------------------------


def test_a_sidecar_comes_with_its_object(vault):
    put(vault, ID, DATA, b"name")
    put(vault, OTHER_ID, DATA)
    assert vault.read_sidecar(ID) == (keyring().unwrap(ID, ROWS[ID]), b"", b"name")
    assert vault.read_sidecar(OTHER_ID) is None
    vault.remove(ID)
    assert vault.read_sidecar(ID) is None


def test_sidecars_cannot_be_swapped():
    vault, backend = memory_vault()
    for object_id in (ID, OTHER_ID):
        put(vault, object_id, DATA, object_id)
    backend.shelf.sidecars[ID] = backend.shelf.sidecars[OTHER_ID]
    with pytest.raises(ObjectCorruptError):
        vault.read_sidecar(ID)


def test_a_sidecar_that_does_not_hold_is_said_and_leaves_the_content_sound():
    vault, backend = memory_vault()
    put(vault, ID, DATA, b"sidecar")
    sealed = backend.shelf.sidecars[ID]
    for damaged, problem in ((flip(sealed, 300), "a damaged sidecar"), (b"", "unknown form"), (None, "is missing")):
        backend.shelf.sidecars.pop(ID)
        backend.shelf.sidecars |= {} if damaged is None else {ID: damaged}
        vault.check(ID, SIZE, digest(DATA), ROWS[ID])
        with pytest.raises((ObjectCorruptError, ObjectMissingError)) as refused:
            vault.check_sidecar(ID, ROWS[ID])
        assert problem in str(refused.value.values["problem"])
        vault.write_sidecar(ID, ROWS[ID], b"sidecar")
        vault.check_sidecar(ID, ROWS[ID])
        assert vault.read_sidecar(ID).content == b"sidecar"


def test_a_sidecar_with_another_key_than_the_row_is_found(vault):
    put(vault, ID, DATA, b"name")
    old = ROWS[ID]
    vault.remove(ID)
    put(vault, ID, DATA, b"name")
    vault.check_sidecar(ID, ROWS[ID])
    with pytest.raises(ObjectCorruptError) as refused:
        vault.check_sidecar(ID, old)
    assert "another key" in str(refused.value.values["problem"])


# -- rotation ---------------------------------------------------------------------------------------------


def test_a_rotation_from_beginning_to_end(backend):
    ring = keyring()
    vault = Vault(backend, ring)
    put(vault, ID, DATA, b"sidecar")
    vault.adopt(ring.rotate(NEXT_MASTER))
    put(vault, OTHER_ID, DATA)
    assert get(vault, ID, SIZE) == DATA
    assert rewrap(vault, ID) == 2
    assert get(vault, ID, SIZE) == DATA
    assert ROWS[OTHER_ID].epoch == 2
    vault.adopt(vault.keyring.retire())
    for object_id in (ID, OTHER_ID):
        vault.check(object_id, SIZE, digest(DATA), ROWS[object_id])
    assert vault.read_sidecar(ID).content == b"sidecar"


def test_a_rotation_after_a_rotation(backend):
    vault = Vault(backend, keyring())
    put(vault, ID, DATA)
    for epoch, key in enumerate((NEXT_MASTER, b"3" * 32, b"4" * 32), 2):
        vault.adopt(vault.keyring.rotate(key))
        assert get(vault, ID, SIZE) == DATA
        assert rewrap(vault, ID) == epoch
        vault.adopt(vault.keyring.retire())
        assert get(vault, ID, SIZE) == DATA


def test_what_was_not_resealed_is_lost_with_the_old_key(backend):
    vault = Vault(backend, keyring())
    put(vault, ID, DATA)
    vault.adopt(vault.keyring.rotate(NEXT_MASTER).retire())
    with pytest.raises(ObjectCorruptError) as refused:
        vault.open(ID, SIZE, ROWS[ID])
    assert "unknown" in str(refused.value.values["problem"])


def test_an_upload_that_a_rotation_overtakes_ends_under_the_new_epoch(backend):
    vault = Vault(backend, keyring())
    writer = vault.begin(ID, 10)
    writer.append(writer.seal([content(10)], last=True))
    assert writer.key.epoch == 1
    vault.adopt(vault.keyring.rotate(NEXT_MASTER))
    writer.finish(b"sidecar")
    assert writer.key.epoch == 2
    vault.adopt(vault.keyring.retire())
    vault.check(ID, 10, digest(content(10)), writer.key)


# -- re-encryption ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65_536, 10 * CHUNK_BYTES + 3])
def test_a_reencrypted_object_is_a_new_one(vault, size):
    data = content(size)
    put(vault, ID, data)
    ROWS[OTHER_ID] = vault.reencrypt(ID, size, digest(data), ROWS[ID], OTHER_ID, sidecar=b"side")
    assert ROWS[OTHER_ID].epoch == 1
    vault.check(OTHER_ID, size, digest(data), ROWS[OTHER_ID])
    vault.check(ID, size, digest(data), ROWS[ID])
    assert vault.read_sidecar(OTHER_ID).content == b"side"


def test_a_reencrypted_object_shares_no_chunk():
    vault, backend = memory_vault()
    put(vault, ID, DATA)
    vault.adopt(vault.keyring.rotate(NEXT_MASTER))
    ROWS[OTHER_ID] = vault.reencrypt(ID, SIZE, digest(DATA), ROWS[ID], OTHER_ID)
    assert ROWS[OTHER_ID].epoch == 2
    old, new = backend.shelf.objects[ID], backend.shelf.objects[OTHER_ID]
    assert not set(split(old)[1]) & set(split(new)[1])
    vault.adopt(vault.keyring.retire())
    vault.check(OTHER_ID, SIZE, digest(DATA), ROWS[OTHER_ID])


@pytest.mark.parametrize("bit", [5, 8 * 50, 8 * (HEADER_BYTES + 5), 8 * 199_000])
def test_a_damaged_object_is_not_reencrypted(bit):
    vault, backend = memory_vault()
    put(vault, ID, DATA)
    backend.shelf.objects[ID] = flip(backend.shelf.objects[ID], bit)
    with pytest.raises(ObjectCorruptError):
        vault.reencrypt(ID, SIZE, digest(DATA), ROWS[ID], OTHER_ID)
    assert list(vault.ids()) == [ID]
    assert list(backend.leftovers()) == []


def test_another_content_is_not_reencrypted():
    vault, backend = memory_vault()
    put(vault, ID, DATA)
    with pytest.raises(ObjectCorruptError):
        vault.reencrypt(ID, SIZE, digest(b""), ROWS[ID], OTHER_ID)
    assert list(vault.ids()) == [ID]
    assert list(backend.leftovers()) == []

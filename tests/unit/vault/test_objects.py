from __future__ import annotations

import pytest

from sft.errors import ObjectCorruptError
from sft.vault.layout import HEADER_BYTES, PREFIX_BYTES, SIDECAR_HEADER_BYTES, SIDECAR_MOST_BYTES, TAG_BYTES
from sft.vault.objects import (
    ObjectKeys,
    check_whole,
    key_epoch,
    new_object,
    open_whole,
    reseal_whole,
    rewrap_whole,
    seal_whole,
    sealed_size,
)
from tests.unit.vault.samples import ID, NEXT_MASTER, OTHER_ID, content, digest, flip, keyring, sealed_sample, split

SIZES = [0, 1, 1000, 16_236, 65_535, 65_536, 65_537, 131_072, 200_000]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens(size):
    sealed = seal_whole(keyring(), ID, content(size))
    assert len(sealed) == sealed_size(size)
    assert open_whole(keyring(), ID, size, sealed) == content(size)
    check_whole(keyring(), ID, size, digest(content(size)), sealed)


def test_no_byte_of_a_content_shows():
    sealed = seal_whole(keyring(), ID, b"secret words" * 1000)
    assert b"secret" not in sealed


def test_one_content_twice_is_two_objects_of_nothing_in_common():
    ring = keyring()
    first, second = (seal_whole(ring, object_id, bytes(100_000)) for object_id in (ID, OTHER_ID))
    third = seal_whole(ring, ID, bytes(100_000))
    for one, other in ((first, second), (first, third)):
        for chunk, twin in zip(split(one)[1], split(other)[1], strict=True):
            assert chunk[:16] != twin[:16]
            assert chunk[16:48] != twin[16:48]


def test_every_bit_of_a_small_object_counts():
    for size in (0, 1, 40):
        sealed = sealed_sample(size)
        for bit in range(8 * len(sealed)):
            with pytest.raises(ObjectCorruptError):
                open_whole(keyring(), ID, size, flip(sealed, bit), least_epoch=0)


def test_another_size_than_the_row_names_is_refused():
    sealed = sealed_sample(1000)
    for size in (0, 999, 1001, 65_536):
        with pytest.raises(ObjectCorruptError):
            open_whole(keyring(), ID, size, sealed)


def test_another_id_than_the_row_names_is_refused():
    with pytest.raises(ObjectCorruptError):
        open_whole(keyring(), OTHER_ID, 1000, sealed_sample(1000))


def test_another_digest_than_the_row_names_is_refused():
    sealed = sealed_sample(1000)
    with pytest.raises(ObjectCorruptError) as refused:
        check_whole(keyring(), ID, 1000, digest(b"other"), sealed)
    assert "another content than its row names" in str(refused.value.values["problem"])


def test_a_content_of_no_row_that_fits_is_a_bug():
    with pytest.raises(ValueError, match="no content"):
        open_whole(keyring(), ID, -1, sealed_sample(1))


# -- rotation of a whole object -------------------------------------------------------------------------


def test_a_rewrapped_object_has_the_same_chunks_under_the_next_epoch():
    ring = keyring()
    sealed = seal_whole(ring, ID, content(1000))
    turned = ring.rotate(NEXT_MASTER)
    moved = rewrap_whole(turned, ID, sealed)
    assert (key_epoch(sealed), key_epoch(moved)) == (1, 2)
    assert moved[:HEADER_BYTES] == sealed[:HEADER_BYTES]
    assert moved[PREFIX_BYTES:] == sealed[PREFIX_BYTES:]
    done = turned.retire()
    assert open_whole(done, ID, 1000, moved, least_epoch=2) == content(1000)
    assert rewrap_whole(done, ID, moved) == moved
    with pytest.raises(ObjectCorruptError):
        open_whole(turned, ID, 1000, sealed, least_epoch=2)


def test_a_damaged_object_is_not_rewrapped():
    turned = keyring().rotate(NEXT_MASTER)
    sealed = sealed_sample(1000)
    for bit in (0, 8 * 10, 8 * HEADER_BYTES, 8 * PREFIX_BYTES - 1):
        with pytest.raises(ObjectCorruptError):
            rewrap_whole(turned, ID, flip(sealed, bit))
    with pytest.raises(ObjectCorruptError):
        rewrap_whole(turned, OTHER_ID, sealed)
    with pytest.raises(ObjectCorruptError):
        rewrap_whole(turned, ID, sealed[: PREFIX_BYTES - 1])


def test_a_resealed_object_has_a_new_id_and_a_new_data_key():
    ring = keyring()
    sealed = seal_whole(ring, ID, content(1000))
    copy = reseal_whole(ring, ID, 1000, sealed, OTHER_ID)
    assert open_whole(ring, OTHER_ID, 1000, copy) == content(1000)
    keys = [
        ring.unwrap(object_id, data[HEADER_BYTES:PREFIX_BYTES], 1)
        for object_id, data in ((ID, sealed), (OTHER_ID, copy))
    ]
    assert keys[0] != keys[1]
    with pytest.raises(ObjectCorruptError):
        reseal_whole(ring, ID, 1000, flip(sealed, 8 * 500), OTHER_ID)


def test_an_epoch_cannot_be_read_where_there_is_no_key_section():
    with pytest.raises(ObjectCorruptError):
        key_epoch(sealed_sample(0)[: PREFIX_BYTES - 1])


# -- sidecars ---------------------------------------------------------------------------------------------


def keys_of(object_id=ID):
    return new_object(keyring(), object_id)[1]


def test_a_sidecar_opens_for_its_object_alone():
    ring = keyring()
    keys = keys_of()
    sealed = keys.seal_sidecar(ring, b"name and signature")
    assert keys.open_sidecar(sealed) == b"name and signature"
    assert b"name" not in sealed
    other = ObjectKeys.of(OTHER_ID, keys.data_key)
    with pytest.raises(ObjectCorruptError):
        other.open_sidecar(sealed)


def test_every_bit_and_length_of_a_sidecar_counts():
    keys = keys_of()
    sealed = keys.seal_sidecar(keyring(), b"name")
    for bit in range(8 * len(sealed)):
        with pytest.raises(ObjectCorruptError):
            keys.open_sidecar(flip(sealed, bit))
    for length in range(len(sealed)):
        with pytest.raises(ObjectCorruptError):
            keys.open_sidecar(sealed[:length])
    with pytest.raises(ObjectCorruptError):
        keys.open_sidecar(sealed + b"\0")


def test_a_sidecar_has_a_bound():
    keys = keys_of()
    most = SIDECAR_MOST_BYTES - SIDECAR_HEADER_BYTES - TAG_BYTES
    assert len(keys.seal_sidecar(keyring(), bytes(most))) == SIDECAR_MOST_BYTES
    with pytest.raises(ValueError, match="too long"):
        keys.seal_sidecar(keyring(), bytes(most + 1))


def test_a_replaced_sidecar_has_a_nonce_of_its_own():
    ring, keys = keyring(), keys_of()
    assert keys.seal_sidecar(ring, b"same") != keys.seal_sidecar(ring, b"same")


def test_keys_of_an_object_show_no_secret():
    keys = keys_of()
    assert keys.data_key.hex() not in repr(keys)
    assert repr(keys.payload)[2:-1] not in repr(keys)
    assert repr(keys.data_key)[2:-1] not in repr(keys)

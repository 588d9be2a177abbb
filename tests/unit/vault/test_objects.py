from __future__ import annotations

import pytest

from sft.errors import ObjectCorruptError
from sft.vault.layout import (
    HEADER_BYTES,
    LATER_KEY_BYTES,
    SIDECAR_HEADER_BYTES,
    SIDECAR_KEYS,
    SIDECAR_MOST_BYTES,
    TAG_BYTES,
)
from sft.vault.object_keys import new_object
from sft.vault.objects import check_whole, open_sidecar, open_whole, reseal_whole, seal_sidecar, seal_whole, sealed_size
from tests.unit.vault.samples import (
    ID,
    NEXT_MASTER,
    OTHER_ID,
    ROWS,
    content,
    digest,
    flip,
    keyring,
    sealed_sample,
    split,
)

LATER = bytes(range(LATER_KEY_BYTES)) * 3
SIZES = [0, 1, 1000, 16_340, 65_535, 65_536, 65_537, 131_072, 200_000]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens(size):
    key, sealed = seal_whole(keyring(), ID, content(size))
    assert len(sealed) == sealed_size(size)
    assert open_whole(keyring(), ID, size, key, sealed) == content(size)
    check_whole(keyring(), ID, size, digest(content(size)), key, sealed)


def test_no_byte_of_a_content_shows():
    _, sealed = seal_whole(keyring(), ID, b"secret words" * 1000)
    assert b"secret" not in sealed


def test_one_content_twice_is_two_objects_of_nothing_in_common():
    ring = keyring()
    first, second = (seal_whole(ring, object_id, bytes(100_000))[1] for object_id in (ID, OTHER_ID))
    third = seal_whole(ring, ID, bytes(100_000))[1]
    for one, other in ((first, second), (first, third)):
        for chunk, twin in zip(split(one)[1], split(other)[1], strict=True):
            assert chunk[:16] != twin[:16]
            assert chunk[16:48] != twin[16:48]


def test_every_bit_of_a_small_object_counts():
    for size in (0, 1, 40):
        sealed = sealed_sample(size)
        for bit in range(8 * len(sealed)):
            with pytest.raises(ObjectCorruptError):
                open_whole(keyring(), ID, size, ROWS[ID], flip(sealed, bit))


def test_another_size_than_the_row_names_is_refused():
    sealed = sealed_sample(1000)
    for size in (0, 999, 1001, 65_536):
        with pytest.raises(ObjectCorruptError):
            open_whole(keyring(), ID, size, ROWS[ID], sealed)


def test_another_id_than_the_row_names_is_refused():
    with pytest.raises(ObjectCorruptError):
        open_whole(keyring(), OTHER_ID, 1000, keyring().wrap(OTHER_ID, bytes(32)), sealed_sample(1000))


def test_another_digest_than_the_row_names_is_refused():
    sealed = sealed_sample(1000)
    with pytest.raises(ObjectCorruptError) as refused:
        check_whole(keyring(), ID, 1000, digest(b"other"), ROWS[ID], sealed)
    assert "another content than its row names" in str(refused.value.values["problem"])


def test_a_content_of_no_row_that_fits_is_a_bug():
    with pytest.raises(ValueError, match="no content"):
        open_whole(keyring(), ID, -1, keyring().wrap(ID, bytes(32)), sealed_sample(1))


def test_an_object_holds_no_key():
    """Its row alone does: what is left of a file of a row that is gone opens nothing."""
    ring = keyring()
    key, sealed = seal_whole(ring, ID, content(1000))
    assert len(sealed) == HEADER_BYTES + TAG_BYTES + 1000
    assert ring.unwrap(ID, key) not in sealed
    assert key.box not in sealed


def test_a_resealed_object_has_a_new_id_and_a_new_data_key():
    ring = keyring()
    key, sealed = seal_whole(ring, ID, content(1000))
    new_key, copy = reseal_whole(ring, ID, 1000, key, sealed, OTHER_ID)
    assert open_whole(ring, OTHER_ID, 1000, new_key, copy) == content(1000)
    assert ring.unwrap(ID, key) != ring.unwrap(OTHER_ID, new_key)
    with pytest.raises(ObjectCorruptError):
        reseal_whole(ring, ID, 1000, key, flip(sealed, 8 * 500), OTHER_ID)


# -- sidecars ---------------------------------------------------------------------------------------------


def keys_of(object_id=ID):
    return new_object(keyring(), object_id)[1]


def test_a_sidecar_opens_for_its_object_alone_and_tells_its_key():
    ring, keys = keyring(), keys_of()
    sealed = seal_sidecar(ring, keys, LATER, b"name and signature")
    assert open_sidecar(ring, ID, sealed) == (keys.data_key, LATER, b"name and signature")
    assert b"name" not in sealed
    assert keys.data_key not in sealed
    with pytest.raises(ObjectCorruptError):
        open_sidecar(ring, OTHER_ID, sealed)
    with pytest.raises(ObjectCorruptError):
        open_sidecar(keyring(label="other"), ID, sealed)


def test_a_sidecar_opens_after_a_rotation():
    ring = keyring()
    sealed = seal_sidecar(ring, keys_of(), b"", b"name")
    assert open_sidecar(ring.rotate(NEXT_MASTER).retire(), ID, sealed).content == b"name"


def test_every_bit_and_length_of_a_sidecar_counts():
    ring = keyring()
    sealed = seal_sidecar(ring, keys_of(), b"", b"name")
    for bit in range(8 * len(sealed)):
        with pytest.raises(ObjectCorruptError):
            open_sidecar(ring, ID, flip(sealed, bit))
    for length in range(len(sealed)):
        with pytest.raises(ObjectCorruptError):
            open_sidecar(ring, ID, sealed[:length])
    with pytest.raises(ObjectCorruptError):
        open_sidecar(ring, ID, sealed + b"\0")


def test_a_sidecar_has_a_bound():
    keys = keys_of()
    most = SIDECAR_MOST_BYTES - SIDECAR_HEADER_BYTES - TAG_BYTES - SIDECAR_KEYS.size
    assert len(seal_sidecar(keyring(), keys, b"", bytes(most))) == SIDECAR_MOST_BYTES
    with pytest.raises(ValueError, match="too long"):
        seal_sidecar(keyring(), keys, b"", bytes(most + 1))


def test_keys_of_an_object_show_no_secret():
    keys = keys_of()
    assert keys.data_key.hex() not in repr(keys)
    assert repr(keys.payload)[2:-1] not in repr(keys)
    assert repr(keys.data_key)[2:-1] not in repr(keys)

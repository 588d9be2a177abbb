import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.secret import SecretBox

from sft.crypto.stream import CHUNK_BYTES, open_chunk, seal_chunk
from sft.errors import DecryptionFailedError

KEY = bytes(range(32))
FULL = bytes(CHUNK_BYTES)


@given(index=st.integers(0, (1 << 64) - 1), chunk=st.binary(min_size=1, max_size=200))
def test_a_last_chunk_opens_at_its_place(index: int, chunk: bytes) -> None:
    box = seal_chunk(KEY, index, True, chunk)
    assert open_chunk(KEY, index, True, box) == chunk


def test_the_nonce_is_index_and_flag() -> None:
    index = 0x0102030405060708
    for last in (False, True):
        nonce = bytes(15) + bytes(range(1, 9)) + bytes([last])
        expected = SecretBox(KEY).encrypt(FULL, nonce).ciphertext
        assert seal_chunk(KEY, index, last, FULL) == expected
        assert open_chunk(KEY, index, last, expected) == FULL


def test_a_chunk_opens_at_no_other_place() -> None:
    places = list(itertools.product((0, 1, 2, 256), (False, True)))
    for sealed_at, opened_at in itertools.permutations(places, 2):
        box = seal_chunk(KEY, *sealed_at, FULL)
        with pytest.raises(DecryptionFailedError):
            open_chunk(KEY, *opened_at, box)


def test_only_a_full_chunk_is_followed_by_another() -> None:
    for size in (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES + 1):
        with pytest.raises(ValueError, match="no encoding"):
            seal_chunk(KEY, 0, False, bytes(size))


def test_a_last_chunk_is_neither_empty_nor_too_long() -> None:
    for index, size in ((1, 0), (0, CHUNK_BYTES + 1), (5, CHUNK_BYTES + 1)):
        with pytest.raises(ValueError, match="no encoding"):
            seal_chunk(KEY, index, True, bytes(size))


def test_empty_content_is_one_empty_chunk() -> None:
    assert open_chunk(KEY, 0, True, seal_chunk(KEY, 0, True, b"")) == b""


def test_other_encodings_are_refused_although_their_tags_hold() -> None:
    box = SecretBox(KEY)
    cases = [(0, False, CHUNK_BYTES - 1), (0, False, 0), (1, True, 0), (0, True, CHUNK_BYTES + 1)]
    for index, last, size in cases:
        nonce = bytes(15) + index.to_bytes(8, "big") + bytes([last])
        sealed = box.encrypt(bytes(size), nonce).ciphertext
        with pytest.raises(DecryptionFailedError):
            open_chunk(KEY, index, last, sealed)


@pytest.mark.parametrize("length", [0, 1, 15])
def test_less_than_a_tag_is_refused(length: int) -> None:
    with pytest.raises(DecryptionFailedError):
        open_chunk(KEY, 0, True, bytes(length))


def test_a_place_beyond_64_bits_is_a_bug() -> None:
    with pytest.raises(OverflowError):
        seal_chunk(KEY, 1 << 64, True, b"x")

from __future__ import annotations

import pytest

from sft.errors import ObjectCorruptError
from sft.limits import CHUNK_BYTES, FILE_BYTES, INLINE_OBJECT_BYTES
from sft.vault.layout import (
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    SEALED_KEY_BYTES,
    TAG_BYTES,
    SealedKey,
    chunk_count,
    chunk_span,
    encode_header,
    fits_inline,
    require_header,
    sealed_size,
)
from tests.unit.vault.samples import ID, OTHER_ID

EDGES = [0, 1, 2, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES, FILE_BYTES]


@pytest.mark.parametrize("size,chunks", [(0, 1), (1, 1), (65_535, 1), (65_536, 1), (65_537, 2), (131_072, 2)])
def test_chunks_of_a_content(size, chunks):
    assert chunk_count(size) == chunks
    assert sealed_size(size) == 28 + size + 16 * chunks


@pytest.mark.parametrize("size", [-1, FILE_BYTES + 1])
def test_sizes_of_no_content_are_a_bug(size):
    with pytest.raises(ValueError, match="no content"):
        sealed_size(size)


def test_small_objects_fit_the_database():
    most = INLINE_OBJECT_BYTES - HEADER_BYTES - TAG_BYTES
    assert most == 16_340
    assert fits_inline(0)
    assert fits_inline(most)
    assert not fits_inline(most + 1)


@pytest.mark.parametrize("size", EDGES[:-1])
def test_spans_cover_an_object(size):
    at = HEADER_BYTES
    for index in range(chunk_count(size)):
        offset, length = chunk_span(index, size)
        assert offset == at
        at += length
    assert at == sealed_size(size)


def test_spans_of_chunks_that_are_not_there_are_a_bug():
    for index, size in [(1, CHUNK_BYTES), (-1, 5), (1, 0)]:
        with pytest.raises(ValueError, match="no chunk"):
            chunk_span(index, size)
    assert chunk_span(0, 0) == (HEADER_BYTES, TAG_BYTES)
    assert chunk_span(1, CHUNK_BYTES + 1) == (HEADER_BYTES + SEALED_CHUNK_BYTES, 17)


def test_a_header_is_its_bytes():
    assert encode_header(ID) == b"SFTOBJ\x01\x10" + ID + bytes(4)
    assert encode_header(ID, 258) == b"SFTOBJ\x01\x10" + ID + b"\0\0\1\2"
    require_header(encode_header(ID), ID)


@pytest.mark.parametrize(
    "header,why",
    [
        (encode_header(OTHER_ID), "another object, " + OTHER_ID.hex()),
        (b"SFTOBK" + encode_header(ID)[6:], "does not begin"),
        (b"SFTOBJ\x02" + encode_header(ID)[7:], "version 2"),
        (b"SFTOBJ\x00" + encode_header(ID)[7:], "version 0"),
        (b"SFTOBJ\x01\x0f" + ID + bytes(4), "2^15"),
        (encode_header(ID, 1), "segment 1 in the place of segment 0"),
        (encode_header(ID)[:-1], "shorter"),
        (encode_header(ID) + b"\0", "shorter"),
        (b"", "shorter"),
    ],
)
def test_any_other_header_is_refused_and_says_why(header, why):
    with pytest.raises(ObjectCorruptError) as refused:
        require_header(header, ID)
    assert why in str(refused.value.values["problem"])
    assert ID.hex() in str(refused.value.values["problem"])


def test_a_sealed_key_is_a_nonce_and_a_box():
    key = SealedKey(3, b"n" * 24 + b"b" * 80)
    assert (key.nonce, key.box) == (b"n" * 24, b"b" * 80)
    assert len(key.sealed) == SEALED_KEY_BYTES


@pytest.mark.parametrize("object_id", [b"", bytes(15), bytes(17)])
def test_an_id_of_another_length_is_a_bug(object_id):
    with pytest.raises(ValueError, match="16 bytes"):
        encode_header(object_id)

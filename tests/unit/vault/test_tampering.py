"""Nothing that differs from what was sealed is ever opened: bits, lengths, orders, swaps, splices, and ill-made objects.

A flip in a chunk opens only that chunk, by a reader that begins there; tests/campaigns/vault_bits.py flips every bit.
"""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from sft.crypto.sealing import seal
from sft.errors import ObjectCorruptError, VaultError
from sft.limits import CHUNK_BYTES
from sft.vault.keyring import Keyring
from sft.vault.layout import (
    CHUNK_LOG2,
    HEADER_BYTES,
    OBJECT_ID_BYTES,
    SEALED_CHUNK_BYTES,
    VERSION,
    SealedKey,
    encode_header,
    sealed_size,
)
from sft.vault.object_keys import ObjectKeys, new_object
from sft.vault.objects import open_whole, seal_whole
from sft.vault.vault import Vault
from tests.unit.vault.samples import ID, OTHER_ID, content, digest, flip, join, keyring, memory_vault, split

SIZE = 3 * CHUNK_BYTES - 7
KEY, WHOLE = seal_whole(keyring(), ID, content(SIZE))
EDGE_BYTES = 64
TAG_BITS = 128


def get(vault: Vault, object_id: bytes, size: int, key: SealedKey) -> bytes:
    return b"".join(vault.read_whole(object_id, size, key))


def vault_with(sealed: bytes) -> Vault:
    vault, backend = memory_vault()
    backend.shelf.objects[ID] = sealed
    return vault


def test_the_sample_is_accepted():
    assert get(vault_with(WHOLE), ID, SIZE, KEY) == content(SIZE)


# -- bits -----------------------------------------------------------------------------------------------


def test_every_bit_of_the_header():
    vault, backend = memory_vault()
    for bit in range(8 * HEADER_BYTES):
        backend.shelf.objects[ID] = flip(WHOLE, bit)
        with pytest.raises(ObjectCorruptError):
            vault.open(ID, SIZE, KEY)


@pytest.mark.parametrize("index", range(3))
def test_the_bits_of_a_chunk(index):
    """All bits of the tag and of both ends, and a bit of every 31st byte, others in each chunk; `make torture` flips all."""
    reader = vault_with(WHOLE).open(ID, SIZE, KEY, first_chunk=index)
    (sealed,) = reader.read(1)
    size = len(sealed)
    drawn = random.Random(index)
    bits = {
        *range(TAG_BITS),
        *range(8 * EDGE_BYTES),
        *range(8 * (size - EDGE_BYTES), 8 * size),
        *(8 * at + drawn.randrange(8) for at in range(index, size, 31)),
    }
    accepted = []
    for bit in sorted(bits):
        try:
            reader.open([flip(sealed, bit)])
        except ObjectCorruptError:
            continue
        accepted.append(bit)
    assert accepted == []
    assert reader.open([sealed]) == [content(SIZE)[index * CHUNK_BYTES :][:CHUNK_BYTES]]


def test_a_flipped_bit_is_refused_by_check_wherever_it_is():
    drawn = random.Random(1)
    for at in (0, HEADER_BYTES, HEADER_BYTES, HEADER_BYTES + SEALED_CHUNK_BYTES, len(WHOLE) - 1):
        vault = vault_with(flip(WHOLE, 8 * at + drawn.randrange(8)))
        with pytest.raises(ObjectCorruptError):
            vault.check(ID, SIZE, digest(content(SIZE)), KEY)


# -- lengths --------------------------------------------------------------------------------------------


def test_a_cut_anywhere():
    """Every length about an edge, and every 29th between."""
    accepted = []
    ring = keyring()
    edges = (0, HEADER_BYTES, HEADER_BYTES, *(HEADER_BYTES + n * SEALED_CHUNK_BYTES for n in (1, 2)))
    lengths = {*range(0, len(WHOLE), 29), *range(len(WHOLE) - EDGE_BYTES, len(WHOLE))}
    lengths |= {edge + step for edge in edges for step in range(-EDGE_BYTES, EDGE_BYTES)}
    for length in sorted(each for each in lengths if each >= 0):
        try:
            open_whole(ring, ID, SIZE, KEY, WHOLE[:length])
        except ObjectCorruptError:
            continue
        accepted.append(length)
    assert accepted == []


@pytest.mark.parametrize(
    "length",
    [
        *(edge + step for edge in (0, HEADER_BYTES, HEADER_BYTES) for step in (0, 1)),
        *(HEADER_BYTES + n * SEALED_CHUNK_BYTES + step for n in (1, 2) for step in (-1, 0, 1, 16)),
        len(WHOLE) - 1,
    ],
)
def test_a_cut_file_is_refused_whatever_size_is_claimed(length):
    """Also of a row that was changed so as to fit: the length is right then, and a tag is not."""
    vault = vault_with(WHOLE[:length])
    for size in {SIZE, CHUNK_BYTES, 2 * CHUNK_BYTES, max(0, length - HEADER_BYTES - 16)}:
        with pytest.raises(ObjectCorruptError):
            get(vault, ID, size, KEY)


@pytest.mark.parametrize("more", [*range(1, 40), CHUNK_BYTES, SEALED_CHUNK_BYTES, 200_000])
def test_every_extension(more):
    for tail in (bytes(more), (WHOLE * 2)[-more:]):
        with pytest.raises(ObjectCorruptError):
            get(vault_with(WHOLE + tail), ID, SIZE, KEY)


# -- orders ---------------------------------------------------------------------------------------------

SIX = 6 * CHUNK_BYTES  # all chunks of one length, so that no length tells them apart
SIX_KEY, SIX_WHOLE = seal_whole(keyring(), ID, content(SIX))


def test_every_order_of_six_chunks():
    prefix, chunks = split(SIX_WHOLE)
    vault, backend = memory_vault()
    accepted = []
    for order in permutations(range(6)):
        backend.shelf.objects[ID] = join(prefix, [chunks[index] for index in order])
        reader = vault.open(ID, SIX, SIX_KEY)
        try:
            while sealed := reader.read(1):
                reader.open(sealed)
        except ObjectCorruptError:
            continue
        accepted.append(order)
    assert accepted == [tuple(range(6))]


def test_every_chunk_repeated_in_the_place_of_another():
    prefix, chunks = split(SIX_WHOLE)
    for place in range(6):
        for other in range(6):
            if place == other:
                continue
            changed = [*chunks[:place], chunks[other], *chunks[place + 1 :]]
            with pytest.raises(ObjectCorruptError):
                get(vault_with(join(prefix, changed)), ID, SIX, SIX_KEY)


def test_every_chunk_left_out_or_put_in_once_more():
    prefix, chunks = split(SIX_WHOLE)
    for place in range(6):
        shorter = join(prefix, chunks[:place] + chunks[place + 1 :])
        longer = join(prefix, [*chunks[: place + 1], *chunks[place:]])
        for sealed, size in ((shorter, SIX - CHUNK_BYTES), (longer, SIX + CHUNK_BYTES)):
            assert len(sealed) == sealed_size(size)
            for claimed in (SIX, size):
                with pytest.raises(ObjectCorruptError):
                    get(vault_with(sealed), ID, claimed, SIX_KEY)


# -- swaps and splices ------------------------------------------------------------------------------------

OTHER_KEY, OTHER_WHOLE = seal_whole(keyring(), OTHER_ID, content(SIZE, "other"))


def test_an_object_under_the_id_of_another():
    for key in (KEY, OTHER_KEY):
        with pytest.raises(ObjectCorruptError):
            get(vault_with(OTHER_WHOLE), ID, SIZE, key)


def test_an_object_whose_header_was_given_the_id_of_another():
    changed = WHOLE[:HEADER_BYTES] + OTHER_WHOLE[HEADER_BYTES:]
    for key in (KEY, OTHER_KEY):
        with pytest.raises(ObjectCorruptError):
            get(vault_with(changed), ID, SIZE, key)


@pytest.mark.parametrize("mixed", range(1, 15))
def test_every_mixture_of_two_objects(mixed):
    """Header and chunks, each from one or the other, under the key of either."""
    parts = [(whole[:HEADER_BYTES], *split(whole)[1]) for whole in (WHOLE, OTHER_WHOLE)]
    changed = b"".join(parts[mixed >> place & 1][place] for place in range(4))
    assert changed not in (WHOLE, OTHER_WHOLE)
    vault, backend = memory_vault()
    for object_id in (ID, OTHER_ID):
        backend.shelf.objects[object_id] = changed
        for key in (KEY, OTHER_KEY):
            with pytest.raises(ObjectCorruptError):
                get(vault, object_id, SIZE, key)


def test_the_same_content_sealed_twice_under_one_id():
    """As after a re-encryption that kept the id, which none does: the data key alone tells them apart."""
    ring = Keyring.open(keyring().seal(), bytes(range(32)))
    (key, first), (other_key, second) = (seal_whole(ring, ID, content(SIZE)) for _ in range(2))
    for place in range(3):
        prefix, chunks = split(first)
        chunks[place] = split(second)[1][place]
        with pytest.raises(ObjectCorruptError):
            get(vault_with(join(prefix, chunks)), ID, SIZE, key)
    with pytest.raises(ObjectCorruptError):
        get(vault_with(first), ID, SIZE, other_key)


# -- objects that no writer makes ----------------------------------------------------------------------------

FULL = content(CHUNK_BYTES)
SHORT = b"short"


def nonce(index: int, last: bool) -> bytes:
    return bytes(15) + index.to_bytes(8, "big") + bytes([last])


MADE_KEY, MADE_KEYS = new_object(keyring(), ID)


def made_of(*chunks: tuple[int, bool, bytes], tail: bytes = b"") -> bytes:
    """Seal chunks under indices and flags of one's choice, by somebody who has the keys."""
    return (
        join(encode_header(ID), [seal(MADE_KEYS.payload(0), nonce(i, last), data) for i, last, data in chunks]) + tail
    )


ILL_MADE: dict[str, bytes] = {
    "stream_no_chunk": made_of(),
    "stream_no_final": made_of((0, False, FULL), (1, False, SHORT)),
    "stream_no_final_full": made_of((0, False, FULL)),
    "stream_no_final_two_chunks": made_of((0, False, FULL), (1, False, SHORT)),
    "stream_no_final_two_chunks_full": made_of((0, False, FULL), (1, False, FULL)),
    "stream_empty_not_final": made_of((0, False, b"")),
    "stream_empty_final": made_of((0, False, FULL), (1, True, b"")),
    "stream_empty_final_after_two": made_of((0, False, FULL), (1, False, FULL), (2, True, b"")),
    "stream_two_final_chunks": made_of((0, True, SHORT), (1, True, SHORT)),
    "stream_two_final_chunks_full": made_of((0, True, FULL), (1, True, FULL)),
    "stream_two_final_chunks_second_empty": made_of((0, True, FULL), (1, True, b"")),
    "stream_final_too_early": made_of((0, True, FULL), (1, False, SHORT)),
    "stream_short_chunk": made_of((0, False, SHORT), (1, True, FULL)),
    "stream_short_second_chunk": made_of((0, False, FULL), (1, False, SHORT), (2, True, FULL)),
    "stream_long_chunk": made_of((0, True, FULL + b"x")),
    "stream_long_first_chunk": made_of((0, False, FULL + b"x"), (1, True, SHORT)),
    "stream_skipped_index": made_of((0, False, FULL), (2, True, SHORT)),
    "stream_first_index_not_zero": made_of((1, True, SHORT)),
    "stream_repeated_index": made_of((0, False, FULL), (0, True, SHORT)),
    "stream_trailing_garbage_short": made_of((0, True, SHORT), tail=b"x"),
    "stream_trailing_garbage_long": made_of((0, True, SHORT), tail=FULL + FULL),
    "stream_trailing_garbage_after_full": made_of((0, True, FULL), tail=b"x" * 17),
    "stream_trailing_tag": made_of((0, True, FULL), tail=bytes(16)),
    "stream_bad_tag": flip(made_of((0, True, SHORT)), 8 * HEADER_BYTES),
    "stream_bad_tag_second_chunk": flip(
        made_of((0, False, FULL), (1, True, SHORT)), 8 * (HEADER_BYTES + SEALED_CHUNK_BYTES)
    ),
    "stream_bad_tag_second_chunk_full": flip(
        made_of((0, False, FULL), (1, True, FULL)), 8 * (HEADER_BYTES + SEALED_CHUNK_BYTES)
    ),
    "stream_missing_tag": made_of((0, True, b""))[:-1],
    "stream_flag_not_one": encode_header(ID) + seal(MADE_KEYS.payload(0), bytes(23) + b"\x02", SHORT),
    "header_of_nothing": b"",
    "header_magic": b"SFTOBX" + WHOLE[6:],
    "header_version_zero": WHOLE[:6] + bytes([0]) + WHOLE[7:],
    "header_version_next": WHOLE[:6] + bytes([VERSION + 1]) + WHOLE[7:],
    "header_chunk_size": WHOLE[:7] + bytes([CHUNK_LOG2 + 1]) + WHOLE[8:],
    "header_id": WHOLE[:8] + OTHER_ID + WHOLE[8 + OBJECT_ID_BYTES :],
    "header_segment": WHOLE[: HEADER_BYTES - 1] + b"\1" + WHOLE[HEADER_BYTES:],
    "plaintext": content(SIZE),
}

CLAIMED = {0, 5, 10, SIZE, CHUNK_BYTES, CHUNK_BYTES + 1, CHUNK_BYTES + 5, 2 * CHUNK_BYTES}


@pytest.mark.parametrize("name", ILL_MADE)
def test_an_object_that_no_writer_makes(name):
    """Whatever size the row claims, also the one that fits the length best."""
    sealed = ILL_MADE[name]
    key = KEY if name.startswith("header") else MADE_KEY
    rest = len(sealed) - HEADER_BYTES
    fitting = {rest - 16 * n for n in range(1, 5) if rest >= 16 * n}
    for size in CLAIMED | fitting:
        with pytest.raises(VaultError):
            get(vault_with(sealed), ID, size, key)
        with pytest.raises(VaultError):
            open_whole(keyring(), ID, size, key, sealed)


@pytest.mark.parametrize(
    "chunks",
    [
        [(0, True, b"")],
        [(0, True, b"x")],
        [(0, True, FULL)],
        [(0, False, FULL), (1, True, b"x")],
        [(0, False, FULL), (1, True, FULL)],
    ],
)
def test_the_same_way_of_making_them_makes_good_ones(chunks):
    data = b"".join(chunk for _, _, chunk in chunks)
    sealed = made_of(*chunks)
    assert get(vault_with(sealed), ID, len(data), MADE_KEY) == data
    assert open_whole(keyring(), ID, len(data), MADE_KEY, sealed) == data


def test_the_header_is_in_the_payload_key():
    """A sealed key that were good for two headers would still open no chunk of the other."""
    _, keys = new_object(keyring(), ID)
    assert ObjectKeys(ID, [(0, keys.data_key)]).payload(0) == keys.payload(0)
    assert ObjectKeys(OTHER_ID, [(0, keys.data_key)]).payload(0) != keys.payload(0)
    assert keys.payload(1) != keys.payload(0)

"""Tiles and bundles as C2SP writes them, and nodes read from tiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import ProofInvalidError
from sft.ledger.tiles import Tile, bundle_path, decode_bundle, encode_bundle, read_tile, tile_path, tile_width
from tests.unit.ledger import naive
from tests.unit.ledger.naive import HASHES
from tests.unit.ledger.stored import StoredLog, nodes_of


# The first, third and fourth are the specification's own.
@pytest.mark.parametrize(
    "level,index,width,path",
    [
        (0, 1_234_067, 256, "tile/0/x001/x234/067"),
        (0, 0, 256, "tile/0/000"),
        (0, 273, 112, "tile/0/273.p/112"),
        (1, 1, 17, "tile/1/001.p/17"),
        (3, 999, 1, "tile/3/999.p/1"),
        (2, 1000, 255, "tile/2/x001/000.p/255"),
    ],
)
def test_paths(level, index, width, path):
    assert tile_path(level, index, width) == path
    assert Tile(level, index, bytes(32 * width)).path == path
    assert bundle_path(index, width) == path.replace(f"tile/{level}/", "tile/entries/")


@pytest.mark.parametrize("index,width", [(-1, 256), (0, 0), (0, 257)])
def test_no_path_of_no_tile(index, width):
    with pytest.raises(ValueError, match="no tile"):
        tile_path(0, index, width)


def test_widths_of_the_specifications_example():
    # 70,000 leaves: 256 · 273 + 112 hashes, 256 + 17 above them, and one.
    assert [tile_width(70_000, 0, index) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tile_width(70_000, 1, index) for index in (0, 1, 2)] == [256, 17, 0]
    assert [tile_width(70_000, 2, 0), tile_width(70_000, 3, 0)] == [1, 0]


# -- bundles ----------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_comes_back(entries):
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_a_bundle_is_what_the_specification_says():
    assert encode_bundle([b"", b"ab", bytes(65_535)]) == b"\x00\x00" + b"\x00\x02ab" + b"\xff\xff" + bytes(65_535)


@pytest.mark.parametrize("entries", [[bytes(65_536)], [b""] * 257])
def test_what_no_bundle_holds_is_a_bug(entries):
    with pytest.raises(ValueError, match="256 entries of 65535 bytes"):
        encode_bundle(entries)


@pytest.mark.parametrize(
    "data,width",
    [
        (b"", 1),
        (b"\x00", 1),
        (b"\x00\x01", 1),
        (b"\x00\x02a", 1),
        (b"\x00\x01a", 0),
        (b"\x00\x01a", 2),
        (b"\x00\x01a\x00", 1),
        (b"\x00\x01a\x00", 2),
        (b"\x00\x01a\x00\x00", 1),
    ],
)
def test_a_bundle_that_does_not_hold(data, width):
    with pytest.raises(ProofInvalidError):
        decode_bundle(data, width)


@given(st.binary(max_size=600), st.integers(0, 300))
def test_a_bundle_has_one_form(data, width):
    try:
        entries = decode_bundle(data, width)
    except ProofInvalidError:
        return
    assert encode_bundle(entries) == data


# -- nodes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 256, *(pytest.param(size, marks=pytest.mark.long) for size in (700, 1024, 1200))])
def test_every_node_is_read_from_tiles(size):
    log = StoredLog()
    log.append(HASHES[:1200])
    node = nodes_of(size, log.read)  # older ones from the same, newer tiles
    for level in range(size.bit_length()):
        for index in range(size >> level):
            assert node(level, index) == naive.node(level, index)


@pytest.mark.parametrize("length", [0, 32 * 43, 32 * 44 - 1, 32 * 44 + 1, 32 * 257])
def test_a_tile_of_another_shape_is_refused(length):
    with pytest.raises(ProofInvalidError, match="44 hashes were expected"):
        read_tile(lambda _level, _index: bytes(length), 0, 0, 44)

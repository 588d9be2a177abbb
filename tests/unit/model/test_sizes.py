"""Sizes are read as people type them, and written so that they are the same again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.model.sizes import parse_size, typed_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("500", 500),
        ("500B", 500),
        ("1k", 1024),
        ("50G", 50 << 30),
        ("50 GiB", 50 << 30),
        ("50gb", 50 << 30),
        (" 1.5T ", 3 << 39),
        ("0.5K", 512),
    ],
)
def test_a_size_as_people_type_it(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "G", "-1", "1.5", "0.3K", "50X", "50 G B", "1e9", "٣", "9" * 21, "1,000", "50G 1"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_size(text)


@given(size_bytes=st.integers(0, 1 << 62))
def test_what_is_written_is_read_again(size_bytes: int) -> None:
    assert parse_size(typed_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0"), (1023, "1023"), (50 << 30, "50G"), (1536, "1536"), (3 << 20, "3M")]
)
def test_it_is_written_in_the_largest_unit_that_is_exact(size_bytes: int, text: str) -> None:
    assert typed_size(size_bytes) == text

from __future__ import annotations

import click
import pytest

from sft.cli.transfer_options import RateType


@pytest.mark.parametrize(
    ("text", "bytes_per_second"),
    [
        ("16K", 16_384),
        ("500k", 512_000),
        ("2M", 2_097_152),
        ("1.5MiB/s", 1_572_864),
        ("1G", 2**30),
        ("100000", 100_000),
    ],
)
def test_a_rate_is_bytes_a_second(text, bytes_per_second):
    assert RateType().convert(text, None, None) == bytes_per_second


@pytest.mark.parametrize("text", ["", "fast", "0", "15K", "2T", "-1M", "1e9", "2  M", "9999G"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(click.UsageError):
        RateType().convert(text, None, None)

"""When files go to the trash by themselves, as it is typed."""

from __future__ import annotations

import click

from sft.model.text import expiry_seconds


def expiry_option(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Read a time span, in seconds; None where none is given."""
    return None if value is None else expiry_seconds(value)


def expiry_text(seconds: int) -> str:
    """Return a time span as ``expiry_option`` reads it."""
    for unit, letter in ((86_400, "d"), (3_600, "h")):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds // 60}m"

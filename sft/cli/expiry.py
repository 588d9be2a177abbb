"""When files go to the trash by themselves, as it is typed and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from sft.client.api.files import set_expiry, show_file
from sft.client.concurrency import gather_limited
from sft.client.session import Session
from sft.errors import SftError
from sft.model.text import expiry_seconds

_AT_ONCE: Final = 8


def expiry_option(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Read a time span, in seconds; None where none is given."""
    return None if value is None else expiry_seconds(value)


def expiry_text(seconds: int) -> str:
    """Return a time span as ``expiry_option`` reads it."""
    for unit, letter in ((86_400, "d"), (3_600, "h")):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds // 60}m"


async def set_expiries(session: Session, paths: Sequence[str], expires_at: int | None) -> list[tuple[str, SftError]]:
    """Have files expire at a moment, None being never; return those of which that could not be said, and why."""

    async def one(path: str) -> tuple[str, SftError] | None:
        try:
            await set_expiry(session, await show_file(session, path), expires_at)
        except SftError as error:
            return path, error
        return None

    return [failed for failed in await gather_limited(_AT_ONCE, paths, one) if failed is not None]

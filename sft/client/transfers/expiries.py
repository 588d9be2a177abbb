"""Having files that are there go to the trash by themselves, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.client.api.files import set_expiry, show_file
from sft.client.concurrency import gather_limited
from sft.client.session import Session
from sft.errors import SftError

_AT_ONCE: Final = 8


async def set_expiries(session: Session, paths: Sequence[str], expires_at: int | None) -> list[tuple[str, SftError]]:
    """Have files expire at a moment, None being never; return those of which that could not be said, and why."""

    async def one(path: str) -> tuple[str, SftError] | None:
        try:
            file = await show_file(session, path)
            await set_expiry(session, path, file.id, expires_at)
        except SftError as error:
            return path, error
        return None

    return [failed for failed in await gather_limited(_AT_ONCE, paths, one) if failed is not None]

"""Whether the log that a session is shown has what it is shown without a proof: a head that ends long before is an old one.

Rules. The clock of this computer decides nothing, and two times of the server's alone do not either: its clock may have been
set back. What is shown names its leaf. Where that is beyond the head that was told, or where it was stored more than a day
after the newest leaf that this session has seen, the server is asked for that very leaf, once for many: it has to be in the
log, and of that time. What names no leaf is no later than the newest one, for leaves are in order of their times. A log that
slept for weeks is no alarm. What was proved with its answer needs none of this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from sft.client.api import Requester
from sft.client.api.leaves import prove_leaf
from sft.errors import NotFoundError
from sft.model.records import File

STALE_SECONDS: Final = 24 * 3600


class Logged(Struct, frozen=True):
    """What the server says that it stored.

    Args:
        leaf: index in its log.
        stored_at: Unix seconds, by its clock.
    """

    leaf: int
    stored_at: int


def logged_of(files: Iterable[File]) -> list[Logged]:
    """Return what a listing says of its files."""
    return [Logged(file.version.leaf, file.version.stored_at) for file in files]


async def require_in_log(session: Requester, shown: Sequence[Logged]) -> None:
    """Hold what was shown to the log.

    Raises:
        LogStaleError: the log that is shown ended before.
        LogProofError: that it has it is not proved.
    """
    log = session.log
    if log is None:
        return
    while suspects := [each for each in shown if _is_newer(each, log.told.checkpoint.size, log.newest_time)]:
        beyond = max(suspects, key=lambda each: (each.leaf, each.stored_at))
        asked = beyond if beyond.leaf >= log.told.checkpoint.size else max(suspects, key=lambda each: each.stored_at)
        try:
            leaf, _ = await prove_leaf(session, asked.leaf)
        except NotFoundError:
            log.refuse_as_stale(asked.stored_at)
        log.saw(leaf)
        if asked.stored_at > leaf.time + STALE_SECONDS or asked.leaf >= log.told.checkpoint.size:
            log.refuse_as_stale(asked.stored_at)


async def require_moments_in_log(session: Requester, moments: Iterable[int]) -> None:
    """Hold the times of what names no leaf to the log: leaves are in order of their times, so the newest one is later.

    Args:
        moments: when the server says that it did what the log has too, Unix seconds.

    Raises:
        LogStaleError: the log that is shown ended more than a day before.
        LogProofError: that it has its newest leaf is not proved.
    """
    log, newest = session.log, max(moments, default=0)
    if log is None or newest <= log.newest_time + STALE_SECONDS:
        return
    with contextlib.suppress(NotFoundError):
        await prove_leaf(session, log.told.checkpoint.size)  # where there is more, its head is told with it
    leaf, _ = await prove_leaf(session, log.told.checkpoint.size - 1)
    log.saw(leaf)
    if newest > log.newest_time + STALE_SECONDS:
        log.refuse_as_stale(newest)


def _is_newer(shown: Logged, size: int, newest_time: int) -> bool:
    return shown.leaf >= size or shown.stored_at > newest_time + STALE_SECONDS

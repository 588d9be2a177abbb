"""When people last did something, as the server's log proves it: it shows an admin whose account sleeps.

Rules. Nobody's looking around is in the log, so this is no "last seen". One question a person, so only so many are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sft.client.api.log import LogQuery
from sft.model.records import User
from tui.gateway import Activity

_MOST_PEOPLE: Final = 100
_LOOKED_AT: Final = 8  # leaves: what was done to somebody is not what they did


async def last_acts(activity: Activity, people: Iterable[User]) -> dict[int, int]:
    """Return by user id when each did something last, in Unix seconds; only those of whom the newest leaves tell it."""
    found: dict[int, int] = {}
    for user in [*people][:_MOST_PEOPLE]:
        page = await activity.before(LogQuery(user_id=user.id), limit=_LOOKED_AT)
        times = [line.leaf.time for line in page.lines if line.actor_id == user.id]
        if times:
            found[user.id] = times[0]
    return found

"""Answer ``twistd sft session …``."""

from __future__ import annotations

from typing import Any

from sft.client.connection import ServerConnection
from sft.errors import NotFoundError, UsageError
from sft.model.names import safe
from sft.model.text import local_time, utc_time
from sft.operator.clock import wall_clock
from sft.operator.printing import print_json, print_table
from sft.wire import messages as m


async def list_sessions(session: ServerConnection, options: Any) -> int:
    """Print who is connected."""
    live = (await session.request(m.ListSessions, m.SessionList)).sessions
    if options["json"]:
        print_json(
            [
                {
                    "id": each.id,
                    "user": each.user,
                    "role": each.role,
                    "address": each.address,
                    "since_at": utc_time(each.since_at),
                    "doing": each.doing,
                }
                for each in live
            ]
        )
        return 0
    now = wall_clock()
    rows = [
        (
            each.id,
            each.user,
            each.role,
            each.address,
            local_time(each.since_at, now=now),
            each.doing,
        )
        for each in live
    ]
    print_table(("number", "user", "role", "address", "since", "doing"), rows)
    return 0


async def kick(session: ServerConnection, options: Any) -> int:
    """End a session."""
    number = options["NUMBER"]
    if not number.isdecimal():
        raise UsageError(
            problem=f"{safe(number)} is no number", remedy="twistd sft session list shows them"
        )
    done = await session.request(m.KickSession, m.Done, session_id=int(number))
    if not done.changed:
        raise NotFoundError(what="session", name=number)
    if options["json"]:
        print_json({"id": int(number), "changed": True})
    else:
        print(f"session {number} is ended")
    return 0

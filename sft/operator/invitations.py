"""Answer ``twistd sft invite …`` and ``twistd sft link``."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from sft.client.connection import ServerConnection
from sft.crypto.keys import InvitationKey, ServerPublic
from sft.errors import UsageError
from sft.model.links import InvitationLink, ServerLink, parse_address
from sft.model.names import safe
from sft.model.records import Invitation, ServerInfo
from sft.model.wording import local_time, utc_time
from sft.operator.clock import wall_clock
from sft.operator.people import role_of
from sft.operator.printing import print_json, print_table
from sft.wire import messages as m

UNITS: Final = {"m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> int:
    """Read a time such as 30m, 12h or 2d; UsageError otherwise."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if found is None:
        raise UsageError(
            problem=f"{safe(text)} is no time", remedy="Such as 12h or 2d, at most 30d"
        )
    return int(found[1]) * UNITS[found[2]]


def invitation_json(invitation: Invitation) -> dict[str, object]:
    """Describe an invitation for scripts."""
    return {
        "id": invitation.id,
        "name": invitation.name,
        "role": str(invitation.role),
        "maker": invitation.maker,
        "created_at": utc_time(invitation.created_at),
        "expires_at": utc_time(invitation.expires_at),
        "state": str(invitation.state),
        "used_by": invitation.used_by,
    }


def _address_of(server: ServerInfo) -> tuple[str, int]:
    if not server.address:
        raise UsageError(
            problem="No link can say where this server is: it has never listened",
            remedy="Start it once, or give serve --public HOST:PORT",
        )
    return parse_address(server.address)


async def make(session: ServerConnection, options: Any) -> int:
    """Make an invitation; its link stands alone on standard output."""
    key = InvitationKey.generate()
    done = await session.request(
        m.MakeInvitation,
        m.InvitationShown,
        public_key=key.point,
        role=role_of(options["role"]),
        name=options["user"],
        seconds=seconds_of(options["expires"]),
    )
    made, server = done.invitation, done.server
    host, port = _address_of(server)
    link = InvitationLink(
        host=host,
        port=port,
        server_key=server.public_key,
        server_name=server.name,
        seed=key.seed,
        role=made.role,
        expires_at=made.expires_at,
        user_name=made.name,
    ).text()
    if options["json"]:
        print_json({"link": link, **invitation_json(made)})
        return 0
    print(link)
    whom = safe(made.name) if made.name else "anybody who has it"
    until = local_time(made.expires_at, now=wall_clock(), weekday=True)
    print(
        f"For {whom}, {made.role}, once, until {until}. Whoever has this line can join with it.",
        file=sys.stderr,
    )
    if is_loopback(host):
        print("It works on this machine only: links say what serve --public says.", file=sys.stderr)
    return 0


def is_loopback(host: str) -> bool:
    """Say whether a host of a link is this machine only."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


async def list_all(session: ServerConnection, options: Any) -> int:
    """Print the invitations of the last month."""
    made = (await session.request(m.ListInvitations, m.InvitationList)).invitations
    if options["json"]:
        print_json([invitation_json(each) for each in made])
        return 0
    now = wall_clock()
    rows = [
        (
            each.id,
            each.name or "-",
            each.role,
            each.maker,
            local_time(each.expires_at, now=now),
            each.state,
            each.used_by or "",
        )
        for each in made
    ]
    print_table(("number", "for", "role", "by", "until", "state", "used by"), rows)
    return 0


async def withdraw(session: ServerConnection, options: Any) -> int:
    """Make an invitation void."""
    number = options["NUMBER"]
    if not number.isdecimal():
        raise UsageError(
            problem=f"{safe(number)} is no number", remedy="twistd sft invite list shows them"
        )
    done = await session.request(m.WithdrawInvitation, m.Done, invitation_id=int(number))
    if options["json"]:
        print_json({"id": int(number), "changed": done.changed})
    else:
        print(
            f"invitation {number} is withdrawn"
            if done.changed
            else f"invitation {number} was void already"
        )
    return 0


async def link(session: ServerConnection, options: Any) -> int:
    """Print the server's link: address and key, no secret."""
    server = (await session.request(m.ShowServer, m.ServerShown)).server
    host, port = _address_of(server)
    text = ServerLink(
        host=host, port=port, server_key=server.public_key, server_name=server.name
    ).text()
    words = ServerPublic(server.public_key).words()
    if options["json"]:
        print_json(
            {
                "link": text,
                "server": server.name,
                "address": server.address,
                "server_key_words": words,
            }
        )
        return 0
    print(text)
    print(f"{safe(server.name)} at {safe(server.address)}, key {words}", file=sys.stderr)
    return 0

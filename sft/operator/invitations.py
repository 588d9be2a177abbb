"""Answer ``twistd sft invite …`` and ``twistd sft link``."""

from __future__ import annotations

import sys
from typing import Any

from sft.client.connection import ServerConnection
from sft.crypto.keys import InvitationKey, ServerPublic
from sft.errors import UsageError
from sft.model.links import ServerLink, invitation_link, is_loopback, parse_address
from sft.model.names import safe
from sft.model.records import Invitation, ServerInfo
from sft.model.text import invitation_seconds, local_time, utc_time
from sft.operator.clock import wall_clock
from sft.operator.people import role_of
from sft.operator.printing import print_json, print_table
from sft.wire import messages as m


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
        seconds=invitation_seconds(options["expires"]),
    )
    made, server = done.invitation, done.server
    host, _ = _address_of(server)
    link = invitation_link(
        made,
        key.seed,
        address=server.address,
        server_key=server.public_key,
        server_name=server.name,
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

"""Who a claim belongs to. Its signatures hold already; whether that key may come in, the services say."""

from __future__ import annotations

from sft.model.access import Caller, operator_caller
from sft.server.context import ServerContext
from sft.service import login
from sft.wire.login import Claim


async def identify(context: ServerContext, claim: Claim, session_id: int) -> Caller:
    """Find the caller behind a claim; a join registers first.

    Raises:
        RequestError: this key or invitation does not let anybody in, and why.
    """
    if claim.kind == "operator":
        return operator_caller(session_id)
    key = claim.public_key or b""
    if claim.kind == "join":
        joining = login.JoinInput(claim.user_name, key, claim.device, claim.invitation, session_id)
        await context.act(login.join, joining)
    # Whoever is locked out while this reads is no live session yet, and would not hear of it: so read again then.
    while True:
        changes = context.sessions.changes_of_all
        caller = await context.read(login.login, login.LoginInput(claim.user_name, key, session_id))
        if context.sessions.changes_of_all == changes:
            return caller

"""Another device of one's own: its key is vouched for, and known here from then on."""

from __future__ import annotations

from sft.client.api import people
from sft.client.session import Session
from sft.crypto.keys import PublicKey
from sft.model.records import User


async def add_device(session: Session, public_key: PublicKey, device: str) -> User:
    """Vouch for the key of another device of ours, so that no later login here finds it new; return who we are then."""
    user = await people.add_key(session, public_key, device)
    await session.pool.run(session.pins.learn, [user], now=int(session.clock()))
    return user

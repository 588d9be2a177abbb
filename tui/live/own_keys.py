"""The person's own keys at the server in use: their devices, one more, one that follows, one that is over.

Rules. Keys are shown as the server's log has them. That the server ends the session of a key that another one follows is no
news: the next login, with the new one, follows at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from sft.client import rotating
from sft.client.api import people
from sft.client.devices import add_device
from sft.client.identity import given
from sft.client.session import Session
from sft.crypto.keys import PublicKey
from sft.errors import ConnectionLostError, SftError
from sft.model.links import ServerLink
from sft.model.records import DeviceKey, KeyEnd, User
from tui.gateway import Account
from tui.live.as_future import from_coroutine
from tui.live.session_access import SessionAccess


class LiveOwnKeys:
    """Keys of the person in use.

    Args:
        use: connects an account, with its passphrase.
    """

    def __init__(self, access: SessionAccess, use: Callable[[str, str | None], Coroutine[Any, Any, None]]) -> None:
        self._access = access
        self._use = use
        self.all = access.asking(_all)
        self.add = access.asking(_add)
        self.revoke = access.asking(_revoke)

    async def device_link(self) -> str:
        profile = await self._access.profile()
        link = ServerLink(
            profile.host, profile.port, profile.server_key, profile.server_name, server_id=profile.server_id
        )
        return link.text()

    async def rotate(self, passphrase: str | None) -> Account:
        """Make a key that follows the one in use, and connect with it."""
        access, reconnector = self._access, self._access.reconnector
        if reconnector is None:
            raise ConnectionLostError
        profile = await access.profile()
        preparing = rotating.prepare(
            access.state, profile, access.pool, given(passphrase), encode_key=access.encode_key
        )
        prepared, _ = await from_coroutine(preparing)
        lost: ConnectionLostError | None = None
        with reconnector.quietly():
            try:
                await access.ask(lambda session: rotating.rotate(session, access.state, access.pool, prepared))
            except ConnectionLostError as error:  # the server may have taken it: the next login finds that out
                lost = error
            with contextlib.suppress(SftError):  # the connection says it
                await self._use(profile.name, passphrase)
        now = await access.profile()
        if lost is not None and now.public_key != prepared.next_key:
            raise lost
        return await access.account(now)


async def _all(session: Session) -> list[DeviceKey]:
    return list((await people.show_user_by_id(session, session.user_id)).keys)


async def _add(session: Session, public_key: PublicKey, device: str) -> DeviceKey:
    return _key_of(await add_device(session, public_key, device), public_key.encode())


async def _revoke(session: Session, public_key: bytes, reason: KeyEnd, cut_off: int = 0) -> DeviceKey:
    return _key_of(await people.revoke_key(session, public_key, reason, cut_off), public_key)


def _key_of(user: User, public_key: bytes) -> DeviceKey:
    return next(key for key in user.keys if key.public_key == public_key)

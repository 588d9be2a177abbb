"""Showing another key of the server's, once the keyring has it.

    heads of the log → settings in the database → server.pub → what new sessions are shown

Rules. The keyring is the truth: a start reads all of this from it, so whatever fails here is made good by the next one, and the
key from before is shown until then. Sessions that are there go on with the key that they were shown: receipts are under it.
"""

from __future__ import annotations

from msgspec.structs import replace

from sft.crypto.keys import ServerKey
from sft.server.context import ServerContext
from sft.service import settings


async def follow_keyring(context: ServerContext) -> None:
    """Show whoever connects from now on the key that the keyring holds."""
    keyring = context.storage.vault.keyring
    if context.stopping or keyring.server_seed == context.server_key.seed:
        return
    key = ServerKey.from_seed(keyring.server_seed)
    point = key.public.point
    context.head_signer.follow(key)
    await context.act(settings.change_settings, settings.SettingsChange(server_key=point))
    await context.maintenance_pool.run(context.keep_server_key, point)
    context.storage = context.storage.under(key)
    context.successions = keyring.successions
    context.info = replace(context.info, public_key=point)

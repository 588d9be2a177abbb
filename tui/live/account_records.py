"""The accounts of this computer as the screens see them: profiles and keys, read on the pool."""

from __future__ import annotations

import contextlib

from sft.client.identity import Identity
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.errors import SftError
from tui.gateway import Account


def listed(state: StateFolder) -> list[Account]:
    """List them, those that were never acknowledged too (blocks)."""
    profiles = Profiles(state)
    default = profiles.default_name()
    return [account_of(state, profile, default) for profile in profiles.all()]


def account_of(state: StateFolder, profile: Profile, default: str) -> Account:
    """Describe one (blocks)."""
    protected = False
    with contextlib.suppress(SftError):  # a key that is missing says so when it is opened
        protected = Identity(state, profile).encrypted()
    key = profile.key
    return Account(
        name=profile.name,
        server=profile.server_name,
        address=profile.address,
        user=profile.user_name,
        role=profile.role,
        device=profile.device,
        joined=profile.joined,
        protected=protected,
        in_use_first=profile.name == default,
        key_words=key.words(),
        minisign_key=key.text(),
        server_words=profile.server.words(),
        pinned_at=profile.pinned_at,
        joined_at=profile.joined_at,
    )

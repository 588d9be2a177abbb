"""Whether a key is a person's by the word of another one of theirs: a new device's, or the one that follows.

Rules. Pure. Whoever vouches had to be the person's key at that leaf of the log: begun before, not ended before, and not in a
thief's hands. A key that somebody else gave a person has no such word. What was vouched for by a key that is known as stolen by
then falls with it, as at the server (``sft.service.stolen_keys``).
"""

from __future__ import annotations

from collections.abc import Collection

from sft.crypto.endorsement import vouched
from sft.model.records import DeviceKey, User


def is_endorsed(user: User, key: DeviceKey, known: Collection[bytes], server_id: bytes) -> bool:
    """Return whether one of the known keys of a person vouched for another one.

    Args:
        user: as the registry shows them, with every key.
        known: public keys that are theirs.
    """
    return any(
        _vouched(user, other, key, server_id)
        for other in user.keys
        if other.public_key in known and _could_vouch(other, key)
    )


def fallen_unsaid(user: User, server_id: bytes) -> set[bytes]:
    """Return the keys that stolen ones vouched for from their cut-offs on, where the registry does not say that they fell."""
    if all(key.cut_off_leaf is None for key in user.keys):
        return set()
    cut_offs = {key.public_key: key.cut_off_leaf for key in user.keys if key.cut_off_leaf is not None}
    fallen: set[bytes] = set()
    for key in sorted(user.keys, key=lambda each: each.start_leaf):  # whoever vouches begins earlier
        if cut_offs.get(key.public_key, key.start_leaf + 1) <= key.start_leaf:
            continue
        in_doubt = [
            other
            for other in user.keys
            if other.start_leaf < key.start_leaf
            and cut_offs.get(other.public_key, key.start_leaf + 1) <= key.start_leaf
        ]
        if any(_vouched(user, other, key, server_id) for other in in_doubt):
            cut_offs[key.public_key] = key.start_leaf
            fallen.add(key.public_key)
    return fallen


def _could_vouch(other: DeviceKey, key: DeviceKey) -> bool:
    if other.start_leaf >= key.start_leaf:
        return False
    in_time = other.end_leaf is None or key.start_leaf <= other.end_leaf  # one that follows begins where the other ends
    return in_time and (other.cut_off_leaf is None or key.start_leaf < other.cut_off_leaf)


def _vouched(user: User, other: DeviceKey, key: DeviceKey, server_id: bytes) -> bool:
    return vouched(other.public_key, key.endorsement, key.public_key, key.device, user_id=user.id, server_id=server_id)

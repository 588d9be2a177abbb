"""Whether a key is a person's by the word of another one of theirs: a new device's, or the one that follows.

Rules. Pure. The word is the statement that asked for the key (``key-add``, ``key-rotate``); its text is written again from
the key and its device. Whoever vouches had to be the person's key at that leaf of the log: begun before, not ended before,
and not in a thief's hands. A key that somebody else gave a person has no such word.
"""

from __future__ import annotations

from collections.abc import Collection

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError
from sft.model.records import DeviceKey, User


def is_endorsed(user: User, key: DeviceKey, known: Collection[bytes], server_id: bytes) -> bool:
    """Return whether one of the known keys of a person vouched for another one.

    Args:
        user: as the registry shows them, with every key.
        known: public keys that are theirs.
    """
    if not key.endorsement:
        return False
    try:
        signature = FileSignature.parse(key.endorsement)
        comment = StatementComment.parse(signature.comment)
        if comment.user != user.id or comment.server_id != server_id:
            return False
        # No other act has just these fields.
        said = ActStatement(comment, {"key": key.public_key, "device": key.device})
    except (CryptoError, ValueError):
        return False
    return any(
        _vouched(PublicKey.decode_or_none(other.public_key), said, signature)
        for other in user.keys
        if other.public_key in known and _could_vouch(other, key)
    )


def _could_vouch(other: DeviceKey, key: DeviceKey) -> bool:
    if other.start_leaf >= key.start_leaf:
        return False
    in_time = other.end_leaf is None or key.start_leaf <= other.end_leaf  # one that follows begins where the other ends
    return in_time and (other.cut_off_leaf is None or key.start_leaf < other.cut_off_leaf)


def _vouched(public: PublicKey | None, said: ActStatement, signature: FileSignature) -> bool:
    if public is None:
        return False
    try:
        verify_statement(public, said, signature)
    except (CryptoError, ValueError):
        return False
    return True

"""Whether a key vouched for another one: the statement with which its person asked for that.

Rules. Pure. The statement is of the acts ``key-add`` or ``key-rotate``; its text is written again from the key and its device,
so that it vouches for no other. Whether whoever vouched could do so at that time is not judged here.
"""

from __future__ import annotations

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError


def vouched(
    voucher: bytes, endorsement: bytes, public_key: bytes, device: str, *, user_id: int, server_id: bytes
) -> bool:
    """Return whether an endorsement is by this key of a user.

    Args:
        voucher: the key that is thought to have vouched, 42 bytes.
        endorsement: four lines; empty of a key for which none vouched.
        public_key: that was vouched for, 42 bytes.
        device: its device's name.
        server_id: 32 bytes.
    """
    if not endorsement:
        return False
    try:
        signature = FileSignature.parse(endorsement)
        comment = StatementComment.parse(signature.comment)
        if comment.user != user_id or comment.server_id != server_id:
            return False
        # No other act has just these fields.
        verify_statement(
            PublicKey.decode(voucher), ActStatement(comment, {"key": public_key, "device": device}), signature
        )
    except (CryptoError, ValueError):
        return False
    return True

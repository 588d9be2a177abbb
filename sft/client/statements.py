"""What a person signs of what they ask for, made without a question from the very fields of the request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sft.crypto.signatures import sign_statement
from sft.crypto.statement import NONCE_BYTES, ActStatement, StatementComment

if TYPE_CHECKING:
    from sft.crypto.keys import Entropy, SigningKey


def sign_act(
    key: SigningKey,
    act: str,
    fields: Mapping[str, object],
    *,
    server_id: bytes,
    user_id: int,
    now: int,
    head: str,
    entropy: Entropy = os.urandom,
) -> bytes:
    """Sign an act.

    Args:
        key: of the session; of whoever joins, the new one.
        act: of ``sft.crypto.statement.ACTS``.
        user_id: 0 for whoever joins.
        now: Unix seconds.
        head: of the server's log, the newest that this computer has seen.

    Returns:
        The four lines of a minisign signature.
    """
    comment = StatementComment(
        act=act, server_id=server_id, user=user_id, ts=now, nonce=entropy(NONCE_BYTES), head=head
    )
    return sign_statement(key, ActStatement(comment, fields)).encode()

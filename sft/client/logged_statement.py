"""By whose key the statement of a leaf is: what a person signed of what the log says that they did.

Rules. A statement counts under a key of the user whom the facts name, and under no other; and for what the facts tell of. Where
its text was erased with the names in it, its comment says act, user and time, and no more. Pure.
"""

from __future__ import annotations

from msgspec import Struct

from sft.client.logged import LogLine
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_kept_statement
from sft.crypto.statement import JOIN
from sft.errors import CryptoError, LedgerFormatError
from sft.ledger.facts import Facts
from sft.ledger.stated_facts import require_said
from sft.model.records import User


class SignedBy(Struct, frozen=True):
    """Whose statement a leaf has.

    Attributes:
        name: of the user.
        words: of the key; empty where the statement holds under none of the user's.
        whole: the text is there, and the signature is over it.
        at: when it was signed by the signer's clock, Unix seconds; None where it does not hold.
    """

    name: str
    words: str
    whole: bool
    at: int | None


def signed_by(line: LogLine, user: User, server_id: bytes) -> SignedBy:
    """Find the key of a user under which the statement of a leaf holds.

    Args:
        user: whom the leaf names as who did it, with all keys.
    """
    signature, text = line.facts.get("statement"), line.personal.get("statement_text")
    text = text if isinstance(text, str) else None
    try:
        facts = Facts() if line.record is None else Facts.decode(line.record.facts.body)
    except LedgerFormatError:
        return SignedBy(user.name, "", whole=False, at=None)
    for key in user.keys:
        public = PublicKey.decode_or_none(key.public_key)
        if public is None or not isinstance(signature, str):
            continue
        try:
            parsed = FileSignature.parse(signature.encode())
            comment = verify_kept_statement(public, parsed, text)
            require_said(line.kind, facts, public, parsed, comment, text or "")
        except (CryptoError, ValueError):
            continue
        who = 0 if comment.act == JOIN else user.id
        if (comment.server_id, comment.user) == (server_id, who):
            return SignedBy(user.name, public.words(), text is not None, comment.ts)
    return SignedBy(user.name, "", whole=False, at=None)

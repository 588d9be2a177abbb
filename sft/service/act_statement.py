"""What a person signed of an act, held against what is asked for.

Rules. Every act of a person on people, keys, folders and names of files carries a statement: its text is written here from the
input itself, with the person's id, this server's id, and the moment, nonce and head that the comment says. So a good signature
over another act, name, version or server is none here. It is judged in the transaction that does the act, by the key of the
session, which the same transaction has found to be the person's and not ended; that its head is this log's is found before
(``require_seen_of``), for a log only grows. The operator has no key and signs nothing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, Protocol, TypedDict

from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError, SignatureRefusedError
from sft.model.access import Caller
from sft.service.log.ledger import Ledger
from sft.service.log.seen import require_seen
from sft.store.rows import ReadTransaction
from sft.store.users import key_by_id

MOMENTS: Final = range(2**40 + 1)  # what the columns of a date hold; no clock is compared


class AskedAct(Struct, frozen=True):
    """What a statement has to say: an act of ``sft.crypto.statement.ACTS``, and its fields."""

    act: str
    fields: dict[str, Any]


class SignedInput(Protocol):
    """The input of an act that people sign; ``statement`` is empty for the operator."""

    @property
    def caller(self) -> Caller: ...

    @property
    def statement(self) -> bytes: ...

    @property
    def asked(self) -> AskedAct:
        """What it asks for."""


class EventStatement(TypedDict):
    """What an event keeps of a statement; both empty for the operator."""

    statement: bytes
    statement_text: bytes


NOT_SIGNED: Final = EventStatement(statement=b"", statement_text=b"")


def require_statement(reading: ReadTransaction, item: SignedInput) -> EventStatement:
    """Check that a person signed what an input asks for, with the key of the session.

    Raises:
        SignatureRefusedError: naming what does not fit.
    """
    caller = item.caller
    if caller.operator:
        return NOT_SIGNED
    key = key_by_id(reading, caller.key_id or 0)
    return require_signed(
        reading, item.asked, item.statement, caller.user_id or 0, b"" if key is None else key.public_key
    )


def require_seen_of(ledger: Ledger, statement: bytes) -> None:
    """Check that the head that a statement names is this log's, or that it is none; may read tiles.

    Raises:
        SignatureRefusedError: it is not.
    """
    with suppress(CryptoError):  # what cannot be read the act refuses, in its words
        require_seen(ledger, StatementComment.parse(FileSignature.parse(statement).comment).head)


def require_signed(
    reading: ReadTransaction, asked: AskedAct, statement: bytes, user_id: int, public_key: bytes
) -> EventStatement:
    """Check a statement of a user under a key that was found to be theirs; SignatureRefusedError names what does not fit."""
    if not statement:
        raise SignatureRefusedError(problem="it carries no statement")
    try:
        signature = FileSignature.parse(statement)
        comment = StatementComment.parse(signature.comment)
    except CryptoError as fault:
        raise SignatureRefusedError(str(fault), problem="it carries no statement that can be read") from fault
    for name, found, expected in (
        ("act", comment.act, asked.act),
        ("server", comment.server_id, reading.rows.server_id),
        ("user", comment.user, user_id),
    ):
        if found != expected:
            raise SignatureRefusedError(problem=f"its {name} is another")
    if comment.ts not in MOMENTS:
        raise SignatureRefusedError(problem="its date is out of range")
    try:
        expected_statement = ActStatement(comment, asked.fields)
        text = verify_statement(PublicKey.decode(public_key), expected_statement, signature)
    except (CryptoError, ValueError) as fault:
        problem = "it says something else, or is not signed with the key of this session"
        raise SignatureRefusedError(str(fault), problem=problem) from fault
    return EventStatement(statement=signature.encode(), statement_text=text.encode("ascii"))

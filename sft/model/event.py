"""What every event is: one frozen value that says what an act did, and who did it.

Rules. See ``sft.model.events``, which has the events themselves.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from sft.model.access import Caller


class DomainEvent(Struct, frozen=True, kw_only=True):
    """Something that an act did.

    Attributes:
        by: who did it; for what the server does of itself, the operator.
        routine: a step of maintenance, of which there are as many as objects: the event log has no line of it.
        warning: the operator has to do something about it.
        leaf: it stands in the ledger. What changes a user, a key, a file or a folder does.
    """

    routine: ClassVar[bool] = False
    warning: ClassVar[bool] = False
    leaf: ClassVar[bool] = True

    by: Caller


class StatedEvent(DomainEvent, frozen=True, kw_only=True):
    """Something that a person asked for, and signed.

    Attributes:
        statement: the minisign signature, four lines; empty for what the operator did.
        statement_text: what it is over. It names people and paths: what erases names erases it too.
    """

    statement: bytes = b""
    statement_text: bytes = b""

"""The heads that people sign to have seen, held to this log.

Rules. A head that the log does not have is no mistake of whoever signed it: it came from somewhere, and what was seen there is
not here. So what carries it is refused before it is done; afterwards everybody who reads it is shown that it is this log's. A
log only grows: what was had once is had for ever, and need not be looked at again in the transaction. An epoch goes on the same
tree as those before it: a head of one of these is here as far as it was kept, and what was seen beyond that is not.
"""

from __future__ import annotations

import re
from typing import Final

from sft.crypto.comment import NO_HEAD
from sft.errors import SignatureRefusedError
from sft.ledger.checkpoints import parse_head_text
from sft.service.log.ledger import Ledger

_HEAD: Final = b"\thead:"
_PLACE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,18}):[0-9a-f]{64}\n")


def place_seen(signature: bytes) -> tuple[int, int] | None:
    """Return epoch and size of the head in a signature's trusted comment; None where it has none."""
    found = _PLACE.match(signature.rpartition(_HEAD)[2])
    return None if found is None else (int(found[1]), int(found[2]))


def require_seen(ledger: Ledger, head: str) -> None:
    """Check that a head is one of the log's; may read tiles.

    Args:
        head: ``epoch.size:root``, of the form that a comment has.

    Raises:
        SignatureRefusedError: it is another log's, or this one does not go so far.
    """
    if head == NO_HEAD:
        return
    epoch, size, root = parse_head_text(head)
    if epoch > ledger.epoch or ledger.root_at(size) != root:
        raise SignatureRefusedError(problem="it names a head that this server's log has not had")

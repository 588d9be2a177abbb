"""A leaf of the server's log and the head that an answer is under, as the session was told it.

Rules. A session's head is one that it was told; the operator is told it with the answer, under the server's key. What does not
hold ends the session.
"""

from __future__ import annotations

from typing import Final, NoReturn

from sft.client.api import Requester
from sft.crypto.signed_note import text_of
from sft.errors import CryptoError, LogProofError
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LogLeaf
from sft.ledger.proofs import verify_inclusion
from sft.model.evidence import ProvedLeaf
from sft.wire.messages import LeafProved, ProveLeaf

_WHAT: Final = "what its log says"


async def prove_leaf(session: Requester, number: int) -> tuple[LogLeaf, Checkpoint]:
    """Show a leaf and the head under which it was proved; NotFoundError if the log has none of that index."""
    proved, head = await show_proof(session, number)
    return LogLeaf.decode(proved.leaf), head


async def show_proof(session: Requester, number: int) -> tuple[ProvedLeaf, Checkpoint]:
    """Show a leaf with its proof, which holds, and the head that it is under; otherwise as ``prove_leaf``."""
    proved = (await session.request(ProveLeaf, LeafProved, number=number)).leaf
    head = head_of(session, proved.head)
    try:
        verify_inclusion(leaf_hash(proved.leaf), number, head.size, proved.inclusion, head.root)
        LogLeaf.decode(proved.leaf)
    except CryptoError as fault:
        refuse(session, fault.detail)
    return proved, head


def head_of(session: Requester, note: str) -> Checkpoint:
    """Take the head that came with an answer; LogProofError if it is none of this log's."""
    if session.log is not None:
        return session.log.of_session(note)
    try:
        said = Checkpoint.parse(text_of(note)).origin
        return open_checkpoint(note, Origin.of_server(said.host, session.server_id, said.epoch), session.server_key)
    except CryptoError as fault:
        refuse(session, fault.detail)


def refuse(session: Requester, detail: str) -> NoReturn:
    """Stop for what was not proved; LogProofError."""
    if session.log is not None:
        session.log.refuse(_WHAT, None, detail)
    name = session.server_name
    raise LogProofError(detail, server=name, profile=name, what=_WHAT)

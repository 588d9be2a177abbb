"""How this server is: what its process knows, with what its database says."""

from __future__ import annotations

from typing import Final

from sft import __version__
from sft.errors import InternalError
from sft.ledger.checkpoints import Checkpoint
from sft.model.status import ServerStatus
from sft.server.context import ServerContext
from sft.service.status import StoredStatus

FAULT: Final = InternalError.code


def status_of(context: ServerContext, stored: StoredStatus) -> ServerStatus:
    """Put together how the server is."""
    counts = context.counts
    received, sent = moved_bytes(context)
    return ServerStatus(
        version=__version__,
        name=context.info.name,
        listening=context.listening,
        started_at=counts.started_at,
        now=context.clock(),
        sessions=sum(each.user_id is not None for each in context.sessions.all()),
        strangers=context.admission.waiting,
        files=stored.owned.files,
        size_bytes=stored.owned.size_bytes,
        free_bytes=counts.free_bytes,
        damages=stored.damages,
        checked_at=stored.checked_at,
        check_faults=stored.check_faults,
        collected_at=stored.collected_at,
        backed_up_at=stored.backed_up_at,
        key_epoch=context.storage.vault.keyring.epoch,
        key_since_at=stored.key_since,
        log_size=context.ledger.tree.size,
        witnessed_size=witnessed_size(context),
        received_bytes=received,
        sent_bytes=sent,
        refused=counts.refusals.total() - counts.refusals[FAULT],
        faults=counts.refusals[FAULT],
        waiting=context.waiting_options,
    )


def moved_bytes(context: ServerContext) -> tuple[int, int]:
    """Add up what the network carried since the start: received, and sent."""
    live = [each.moved_bytes for each in context.sessions.all()]
    received = context.counts.received_bytes + sum(each for each, _ in live)
    return received, context.counts.sent_bytes + sum(each for _, each in live)


def witnessed_size(context: ServerContext) -> int | None:
    """Return up to which leaf a quorum has cosigned the log; None where nobody is asked."""
    witnessing = context.witnessing
    if witnessing is None or not witnessing.witnesses:
        return None
    note = witnessing.cosigned
    return 0 if note is None else Checkpoint.parse(note.text).size

"""How this server is: what its process knows, with what its database says."""

from __future__ import annotations

from itertools import chain, islice
from typing import Final

from sft import __version__
from sft.errors import InternalError
from sft.ledger.checkpoints import Checkpoint
from sft.model.status import LiveStatus, ServerStatus, SessionRates
from sft.server.context import ServerContext
from sft.server.throughput import SAMPLE_SECONDS
from sft.service.maintenance.growth import days_until_full
from sft.service.status import StoredStatus

FAULT: Final = InternalError.code


def status_of(context: ServerContext, stored: StoredStatus) -> ServerStatus:
    """Put together how the server is."""
    counts = context.counts
    (received, sent), _ = context.moved_bytes()
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
        daily_growth_bytes=stored.daily_growth_bytes,
        days_until_full=days_until_full(counts.free_bytes, stored.daily_growth_bytes),
        hooks=() if context.hooks is None else context.hooks.status,
        clock_sound_at=stored.clock_sound_at,
        key_unreadable=stored.key_unreadable,
    )


def live_of(context: ServerContext, most: int) -> LiveStatus:
    """Say what this server does now, with so many of its sessions: the fastest, then the newest that move nothing."""
    throughput, sessions = context.throughput, context.sessions
    numbers = throughput.busiest(most)
    moving = set(numbers)
    resting = (each.session_id for each in reversed(sessions.all()) if each.session_id not in moving)
    shown = []
    for number in islice(chain(numbers, resting), most):
        session = sessions.find(number)
        if session is not None:
            shown.append(SessionRates(session.describe(), *throughput.rate(number)))
    spans = throughput.spans
    return LiveStatus(
        sample_seconds=SAMPLE_SECONDS,
        received_rates=tuple(received for received, _ in spans),
        sent_rates=tuple(sent for _, sent in spans),
        busiest=tuple(shown),
        refusals=context.last_refusals.newest(),
    )


def witnessed_size(context: ServerContext) -> int | None:
    """Return up to which leaf a quorum has cosigned the log; None where nobody is asked."""
    witnessing = context.witnessing
    if witnessing is None or not witnessing.witnesses:
        return None
    note = witnessing.cosigned
    return 0 if note is None else Checkpoint.parse(note.text).size

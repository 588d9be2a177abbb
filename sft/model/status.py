"""How a server is: what its operator and its admins look at from day to day.

Rules. Counts since the start begin at 0 with it. A moment that never was is None. Nothing here names a file or a person.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sft.model.records import Count, Record, Seconds, ShortText

OptionNames = Annotated[tuple[ShortText, ...], Meta(max_length=64)]


class ServerStatus(Record, frozen=True):
    """How a server is.

    Attributes:
        listening: where; "" where an operator's command serves for itself alone.
        damages: contents that are known to be damaged.
        files: those in the trash too; ``size_bytes`` with all their versions.
        log_size: leaves; ``witnessed_size`` up to where a quorum has cosigned it, None where nobody is asked to.
        key_epoch: of the master key, since ``key_since``.
        checked_at: when contents were read whole last, by a check or by the scrub; ``check_faults`` of those did not hold.
        free_bytes: what can be stored, above the floor; None where that is not known yet.
        waiting: options of the configuration that wait for a restart.
    """

    version: ShortText
    name: ShortText
    listening: ShortText
    started_at: Seconds
    now: Seconds
    sessions: Count
    strangers: Count
    files: Count
    size_bytes: Count
    free_bytes: Count | None
    damages: Count
    checked_at: Seconds | None
    check_faults: Count
    collected_at: Seconds
    backed_up_at: Seconds | None
    key_epoch: Count
    key_since_at: Seconds
    log_size: Count
    witnessed_size: Count | None
    received_bytes: Count
    sent_bytes: Count
    refused: Count
    faults: Count
    waiting: OptionNames = ()

"""How a server is: what its operator and its admins look at from day to day.

Rules. Counts since the start begin at 0 with it. A moment that never was is None. ``ServerStatus``, which metrics are made of
too, names no file and no person; ``LiveStatus`` does, and is for who may see sessions.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from sft.limits import HOOKS_MOST, KIB
from sft.model.records import Count, Record, Seconds, SessionInfo, ShortText

SAMPLES_MOST: Final = 150  # of throughput: five minutes
BUSIEST_MOST: Final = 100  # sessions that are shown
REFUSALS_MOST: Final = 100
OPTION_BYTES: Final = 16 * KIB  # of one value: two that are lists and all the others fit into one frame

OptionNames = Annotated[tuple[ShortText, ...], Meta(max_length=64)]
Rates = Annotated[tuple[Count, ...], Meta(max_length=SAMPLES_MOST)]

EventWords = Annotated[tuple[ShortText, ...], Meta(max_length=64)]


class HookStatus(Record, frozen=True):
    """How a hook is.

    Attributes:
        target: its program, or the host of its URL.
        position: the first leaf that may still have to be delivered; None where no server serves.
        delivered: events since the start.
        failures: in a row, since ``failing_since``; ``problem`` is the last one.
    """

    name: ShortText
    events: EventWords
    target: ShortText
    position: Count | None = None
    delivered: Count = 0
    failures: Count = 0
    failing_since: Seconds | None = None
    problem: ShortText = ""


class OptionInForce(Record, frozen=True):
    """An option of the configuration, as the server that runs has it.

    Attributes:
        value: as TOML has it; "" where that is too long to be told.
        source: where it comes from, in the word of ``config show``.
    """

    name: ShortText
    value: Annotated[str, Meta(max_length=OPTION_BYTES)]
    source: ShortText


OptionsInForce = Annotated[tuple[OptionInForce, ...], Meta(max_length=64)]
HookStatuses = Annotated[tuple[HookStatus, ...], Meta(max_length=HOOKS_MOST)]


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
        daily_growth_bytes: of all that is stored, over the last month; None while less than two days are known.
        days_until_full: as it grows; None where it does not, or that is not known.
        clock_sound_at: where the server's clock is doubted, the last moment that is known; None where it is believed.
        key_unreadable: the next start would not find the file that gives the master key.
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
    daily_growth_bytes: int | None = None
    days_until_full: Count | None = None
    hooks: HookStatuses = ()
    clock_sound_at: Seconds | None = None
    key_unreadable: bool = False


class SessionRates(Record, frozen=True):
    """A live session, and how many bytes a second it received and sent when that was looked at last."""

    session: SessionInfo
    received_rate: Count
    sent_rate: Count


class LastRefusal(Record, frozen=True):
    """What somebody asked for and did not get, however often.

    Attributes:
        at: when that was last; ``times`` in all since it was first kept.
        who: a person's name, or the address of who has not logged in.
        is_person: which of both.
        request: the kind of it, such as ``GetFile``.
        code: of the error; INTERNAL is a fault of the server's own.
        about: the path or name, cut; a fault's reference.
    """

    at: Seconds
    times: Count
    who: ShortText
    is_person: bool
    request: ShortText
    code: ShortText
    about: ShortText


class LiveStatus(Record, frozen=True):
    """What a server does now, for who looks on.

    Attributes:
        received_rates: bytes a second that the network carried to the server, by spans of so many seconds, the newest last;
            ``sent_rates`` from it, for the same spans.
        busiest: sessions, the fastest first.
        refusals: the newest first.
    """

    sample_seconds: Count
    received_rates: Rates
    sent_rates: Rates
    busiest: Annotated[tuple[SessionRates, ...], Meta(max_length=BUSIEST_MOST)]
    refusals: Annotated[tuple[LastRefusal, ...], Meta(max_length=REFUSALS_MOST)]

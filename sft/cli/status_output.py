"""How a server is, as ``sftd status`` and ``sft status`` print it."""

from __future__ import annotations

from typing import Final

from sft.cli.columns import aligned
from sft.cli.json_output import Document, session_document
from sft.cli.next_steps import NextSteps
from sft.model.names import safe
from sft.model.status import HookStatus, LiveStatus, ServerStatus
from sft.model.status_words import refusal_text, status_facts, status_head
from sft.model.text import count_text, local_time, shown_name, size_text, utc_time

_TIMES: Final = ("started_at", "now", "checked_at", "collected_at", "backed_up_at", "key_since_at", "clock_sound_at")
_REFUSALS_PRINTED: Final = 10


def status_document(status: ServerStatus) -> Document:
    """Return it as ``--json`` has it."""
    document: Document = {name: getattr(status, name) for name in status.__struct_fields__}
    document |= {name: None if document[name] is None else utc_time(getattr(status, name)) for name in _TIMES}
    return document | {
        "uptime_seconds": status.now - status.started_at,
        "waiting": list(status.waiting),
        "hooks": [hook_document(each) for each in status.hooks],
    }


def hook_document(hook: HookStatus) -> Document:
    """Return how a hook is, as ``--json`` has it."""
    return {
        "name": hook.name,
        "events": list(hook.events),
        "target": hook.target,
        "position": hook.position,
        "delivered": hook.delivered,
        "failures": hook.failures,
        "failing_since": None if hook.failing_since is None else utc_time(hook.failing_since),
        "problem": hook.problem,
    }


def status_lines(status: ServerStatus, now: float, steps: NextSteps) -> list[str]:
    """Return it as a person reads it."""
    rows = [
        (fact.title, fact.text if fact.error is None else f"{fact.text}. {steps.of(fact.error, now=now)}")
        for fact in status_facts(status, now)
    ]
    return [status_head(status), *aligned(rows)]


def live_document(live: LiveStatus) -> Document:
    """Return what a server does now, as ``--json`` has it."""
    return {
        "received_rate": live.received_rates[-1] if live.received_rates else 0,
        "sent_rate": live.sent_rates[-1] if live.sent_rates else 0,
        "busiest": [
            session_document(each.session) | {"received_rate": each.received_rate, "sent_rate": each.sent_rate}
            for each in live.busiest
        ],
        "refusals": [
            {
                "at": utc_time(each.at),
                "times": each.times,
                "who": each.who,
                "is_person": each.is_person,
                "request": each.request,
                "code": each.code,
                "about": each.about,
            }
            for each in live.refusals
        ],
    }


def live_lines(live: LiveStatus, sessions: int, now: float) -> list[str]:
    """Return what a server does now, as a person reads it.

    Args:
        sessions: how many people's there are.
    """
    received = live.received_rates[-1] if live.received_rates else 0
    sent = live.sent_rates[-1] if live.sent_rates else 0
    lines = ["", f"now         receives {size_text(received)}/s, sends {size_text(sent)}/s"]
    busiest = [
        (
            f"  {shown_name(each.session.user)}",
            f"{size_text(each.received_rate)}/s",
            f"{size_text(each.sent_rate)}/s",
            safe(each.session.address),
            local_time(each.session.since_at, now=now),
            safe(each.session.doing),
        )
        for each in live.busiest
    ]
    if busiest:
        lines += ["", *aligned([("  name", "to server", "from it", "from", "since", "doing"), *busiest], right=(1, 2))]
    if sessions > len(busiest):
        lines.append(f"  and {count_text(sessions - len(busiest))} more")
    if live.refusals:
        newest = live.refusals[:_REFUSALS_PRINTED]
        said = [(f"  {local_time(each.at, now=now)}", shown_name(each.who), refusal_text(each)) for each in newest]
        lines += ["", "refused last", *aligned(said)]
    return lines

"""``status``: how the server is, at a glance.

Rules. It ends with the status of a check where a content is known to be damaged, and as absent where no server runs.
"""

from __future__ import annotations

from typing import Final

from sft.client.api import people
from sft.model.names import safe
from sft.model.status import ServerStatus
from sft.model.text import count_text, counted, duration_text, local_time, size_text, utc_time
from sft.operator.control import Command
from sft.operator.files import FAULTS_STATUS

ABSENT_STATUS: Final = 3
_DAY: Final = 24 * 3600


async def show(command: Command) -> int:
    """Print how the server is; return the exit status."""
    status = await people.show_status(command.session)
    command.console.show(status_document(status), *status_lines(status, command.now))
    if not status.listening:
        return ABSENT_STATUS
    return FAULTS_STATUS if status.damages else 0


def status_document(status: ServerStatus) -> dict[str, object]:
    """Return it as ``--json`` has it."""
    document: dict[str, object] = {name: getattr(status, name) for name in status.__struct_fields__}
    times = ("started_at", "now", "checked_at", "collected_at", "backed_up_at", "key_since_at")
    document |= {name: None if document[name] is None else utc_time(getattr(status, name)) for name in times}
    return document | {"uptime_seconds": status.now - status.started_at, "waiting": list(status.waiting)}


def status_lines(status: ServerStatus, now: float) -> list[str]:
    """Return it as a person reads it."""

    def when(moment: int | None) -> str:
        return "never" if moment is None else local_time(moment, now=now)

    room = "" if status.free_bytes is None else f"; room for {size_text(status.free_bytes)}"
    known = f"{counted(status.damages, 'content')} known" if status.damages else "none known"
    read = "never" if status.checked_at is None else f"last {when(status.checked_at)}"
    held = f", {count_text(status.check_faults)} did not hold" if status.check_faults else ""
    witnessed = status.witnessed_size
    far = "" if witnessed is None else f", witnessed up to {count_text(witnessed)}"
    moved = f"received {size_text(status.received_bytes)}, sent {size_text(status.sent_bytes)}"
    if status.listening:
        up = f"listens at {safe(status.listening)}, up {span_text(status.now - status.started_at)}"
    else:
        up = "no server runs"
    lines = [
        f"{safe(status.name)}: sft {safe(status.version)}, {up}",
        f"sessions    {count_text(status.sessions)}, and {count_text(status.strangers)} not logged in",
        f"stored      {counted(status.files, 'file')}, {size_text(status.size_bytes)} with all versions{room}",
        f"damage      {known}; contents were read whole {read}{held}",
        f"backup      {when(status.backed_up_at)}",
        f"trash       collected {when(status.collected_at)}",
        f"master key  number {status.key_epoch}, for {span_text(status.now - status.key_since_at)}",
        f"log         {count_text(status.log_size)} leaves{far}",
        f"since start {moved}; {counted(status.refused, 'refusal')}, {counted(status.faults, 'fault')} of its own",
    ]
    if status.waiting:
        lines.append(f"waits for a restart: {', '.join(map(safe, status.waiting))}")
    return lines


def span_text(seconds: int) -> str:
    """Return how long something has been so: in days, or more exactly where it is less."""
    days = seconds // _DAY
    return counted(days, "day") if days else duration_text(max(seconds, 0))

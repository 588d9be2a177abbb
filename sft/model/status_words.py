"""How a server is, in words: one fact a line, with a title; what it was asked for last; pure.

Rules. Front ends show these and add next steps alone, so that an operator at the server and an admin afar read the same. Names
of a server are made harmless here. What wants somebody's attention says so.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from sft.errors import ClockDoubtedError, MasterKeyGoneError, SftError
from sft.limits import DAY_SECONDS
from sft.model.names import safe
from sft.model.status import LastRefusal, ServerStatus
from sft.model.text import count_text, counted, duration_text, local_time, size_text

_FULL_SOON_DAYS: Final = 30
_OLD_DAYS: Final = 31  # a scrub reads all within 30
_NEXT_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class StatusFact(Struct, frozen=True):
    """One line of it: ``is_doubtful`` wants attention, and a front end has a next step about ``error``."""

    title: str
    text: str
    is_doubtful: bool = False
    error: SftError | None = None


def status_head(status: ServerStatus) -> str:
    """Say which server it is, which program, and how long it has been up."""
    if status.listening:
        up = f"listens at {safe(status.listening)}, up {span_text(status.now - status.started_at)}"
    else:
        up = "no server runs"
    return f"{safe(status.name)}: sft {safe(status.version)}, {up}"


def status_facts(status: ServerStatus, now: float) -> list[StatusFact]:
    """Say the rest, what is looked at most often first."""
    moved = f"received {size_text(status.received_bytes)}, sent {size_text(status.sent_bytes)}"
    witnessed = status.witnessed_size
    far = "" if witnessed is None else f", witnessed up to {count_text(witnessed)}"
    facts = [
        StatusFact("sessions", f"{count_text(status.sessions)}, and {count_text(status.strangers)} not logged in"),
        StatusFact("stored", f"{counted(status.files, 'file')}, {size_text(status.size_bytes)} with all versions"),
        _room(status),
        _damage(status, now),
        StatusFact("backup", _when(status.backed_up_at, now), is_doubtful=_is_old(status.backed_up_at, status)),
        StatusFact("trash", f"collected {_when(status.collected_at, now)}"),
        _key(status),
        StatusFact("log", f"{count_text(status.log_size)} leaves{far}"),
        StatusFact(
            "since start",
            f"{moved}; {counted(status.refused, 'refusal')}, {counted(status.faults, 'fault')} of its own",
            is_doubtful=status.faults > 0,
        ),
    ]
    if status.clock_sound_at is not None:
        facts.append(_clock(status.now, status.clock_sound_at, now))
    if status.hooks:
        facts.append(_hooks(status, now))
    if status.waiting:
        options = ", ".join(map(safe, status.waiting))
        facts.append(StatusFact("options", f"wait for a restart: {options}", is_doubtful=True))
    return facts


def _room(status: ServerStatus) -> StatusFact:
    if status.free_bytes is None:
        return StatusFact("room", "not looked at yet")
    room, growth, days = size_text(status.free_bytes), status.daily_growth_bytes, status.days_until_full
    if growth is None:
        grows = "how fast it fills is known after two days"
    elif days is None:
        grows = "it does not grow"
    else:
        grows = f"full in {counted(days, 'day')}, as it grows by {size_text(growth)} a day"
    return StatusFact("room", f"{room}; {grows}", is_doubtful=days is not None and days < _FULL_SOON_DAYS)


def _damage(status: ServerStatus, now: float) -> StatusFact:
    known = f"{counted(status.damages, 'content')} known" if status.damages else "none known"
    read = "never read whole" if status.checked_at is None else f"read whole last {_when(status.checked_at, now)}"
    held = f", {count_text(status.check_faults)} did not hold" if status.check_faults else ""
    return StatusFact(
        "damage", f"{known}; contents were {read}{held}",
        is_doubtful=bool(status.damages or status.check_faults),
    )  # fmt: skip


def _key(status: ServerStatus) -> StatusFact:
    said = f"number {status.key_epoch}, for {span_text(status.now - status.key_since_at)}"
    if not status.key_unreadable:
        return StatusFact("master key", said)
    lost = "its file cannot be read any more, and without it everything is lost at the next start"
    error = MasterKeyGoneError(problem="its file is not there, or is open to others")
    return StatusFact("master key", f"{said}: {lost}", is_doubtful=True, error=error)


def _hooks(status: ServerStatus, now: float) -> StatusFact:
    failing = [each for each in status.hooks if each.failures]
    if not failing:
        return StatusFact("hooks", f"{counted(len(status.hooks), 'hook')}, none fails")
    said = "; ".join(
        f"{safe(each.name)} fails since {_when(each.failing_since, now)} ({counted(each.failures, 'failure')}): "
        f"{safe(each.problem)}"
        for each in failing
    )
    return StatusFact("hooks", said, is_doubtful=True)


def _clock(server_now: int, sound_at: int, now: float) -> StatusFact:
    said = (
        f"says {local_time(server_now, now=now)}, which nothing confirms since {local_time(sound_at, now=now)}: nothing is "
        "destroyed by age until somebody signs something at that moment, or a week has passed"
    )
    error = ClockDoubtedError(now_at=server_now, sound_at=sound_at)
    return StatusFact("clock", said, is_doubtful=True, error=error)


def _is_old(moment: int | None, status: ServerStatus) -> bool:
    """Return whether what should be done again and again was not, on a server that has been there long enough for it."""
    since = status.key_since_at if moment is None else moment
    return status.now - since > _OLD_DAYS * DAY_SECONDS


def _when(moment: int | None, now: float) -> str:
    return "never" if moment is None else local_time(moment, now=now)


def span_text(seconds: int) -> str:
    """Return how long something has been so: in days, or more exactly where it is less."""
    days = seconds // DAY_SECONDS
    return counted(days, "day") if days else duration_text(max(seconds, 0))


def request_text(request: str) -> str:
    """Write the kind of a request as words: ``GetFile`` is ``get file``."""
    return safe(_NEXT_WORD.sub(" ", request).lower())


def refusal_text(refusal: LastRefusal) -> str:
    """Say what was refused and why: ``move a/b.txt [NOT_YOURS], 12 times``."""
    about = f" {safe(refusal.about)}" if refusal.about else ""
    often = f", {count_text(refusal.times)} times" if refusal.times > 1 else ""
    return f"{request_text(refusal.request)}{about} [{safe(refusal.code)}]{often}"

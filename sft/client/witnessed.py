"""How far a server's log is witnessed, by the policy that this computer has for it.

    policies/<server id>           C2SP tlog-policy, as a person gave it; without one nobody's cosignature is asked for
    heads/<server id>/cosigned     the newest checkpoint that the server showed with cosignatures

Rules. It is looked at by whoever shows it, and stops nothing: a witness that is dead is nobody's fault here. What was shown was
proved at its login to be of the log that this computer follows (``sft.client.log_follower``); whose cosignatures it has, and
whether these are enough, is judged anew each time, for the policy may have changed. A quorum's time is that of the last one
that it needs, by the witness's own clock, and never later than now. Everything here blocks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from sft.client.heads import Head, Heads
from sft.client.os_errors import translating_os_errors
from sft.client.profiles import Profile
from sft.client.state import StateFolder, name_of_server
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import server_note_key
from sft.errors import CryptoError, UsageError
from sft.ledger.checkpoints import verify_cosignatures
from sft.ledger.policy import Policy
from sft.limits import POLICY_BYTES, UNWITNESSED_SECONDS
from sft.model.names import safe
from sft.model.text import count_text, local_time


class LogStanding(Struct, frozen=True):
    """How far a server's log was seen here, and how far it is witnessed.

    Attributes:
        size: leaves of the newest head.
        has_quorum: whether the policy asks for cosignatures at all.
        witnessed_size: leaves of the newest checkpoint with a quorum; None where none has, or none is asked for.
        witnessed_at: when that quorum was complete, Unix seconds.
        lacking: witnesses of the quorum whose cosignatures the newest shown checkpoint has not.
        overdue: nothing was witnessed for longer than a day.
    """

    size: int
    has_quorum: bool = False
    witnessed_size: int | None = None
    witnessed_at: int | None = None
    lacking: tuple[str, ...] = ()
    overdue: bool = False

    @property
    def is_unwitnessed(self) -> bool:
        """Whether cosignatures are asked for, and the newest head lacks a quorum of them."""
        return self.has_quorum and (self.witnessed_size is None or self.witnessed_size < self.size)

    @property
    def lacking_names(self) -> list[str]:
        """The names of ``lacking``, harmless: octets of a policy may be no text."""
        return [safe(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")) for name in self.lacking]


def standing_text(standing: LogStanding | None, *, now: float) -> str:
    """Say how far a log was seen, and how far it is witnessed where anybody is asked for that."""
    if standing is None:
        return "not seen yet"
    seen = f"{count_text(standing.size)} leaves"
    if not standing.has_quorum:
        return seen
    if standing.witnessed_size is None or standing.witnessed_at is None:
        return f"{seen}, not yet witnessed: {', '.join(standing.lacking_names)} did not cosign"
    newer = standing.size - standing.witnessed_size
    rest = f", {count_text(newer)} not yet" if newer > 0 else ""
    when = local_time(standing.witnessed_at, now=now)
    return f"{seen}, witnessed up to {count_text(standing.witnessed_size)} on {when}{rest}"


def overdue_text(name: str, standing: LogStanding | None) -> str:
    """Say that a quorum is missing for longer than a day in the log of a profile; empty where it is not."""
    if standing is None or not standing.overdue:
        return ""
    return f"No quorum of your witnesses has cosigned the log of {safe(name)} for more than a day; all else goes on."


def keep_cosigned(state: StateFolder, server_id: bytes, cosigned: Head) -> None:
    """Keep what a login showed, unless a newer one is kept: a server may show an older one later, or none."""
    before = Heads(state, server_id).cosigned()
    if before is None or before.checkpoint.size <= cosigned.checkpoint.size:
        Heads(state, server_id).keep_cosigned(cosigned)


def keep_policy(state: StateFolder, profile: Profile, data: bytes) -> Policy:
    """Keep a policy for a server.

    Raises:
        PolicyError: it is not written as one.
        UsageError: it names logs, and this server's is not among them.
    """
    policy = Policy.parse(data)
    head = _newest(state, profile.server_id)
    if policy.logs and head is not None:
        origin = head.checkpoint.origin.text()
        if server_note_key(profile.server, origin) not in policy.keys_of(origin):
            raise UsageError(
                problem=f"The policy names other logs than {origin} with the key of {profile.name}",
                remedy="Add its log line, as its operator gives it, or leave log lines out",
            )
    state.write(_name(profile.server_id), data)
    return policy


def keep_policy_file(state: StateFolder, profile: Profile, path: Path) -> Policy:
    """Keep the policy of a file that a person named (blocks); raises what ``keep_policy`` does, and LocalFileError."""
    with translating_os_errors(path), path.open("rb") as opened:
        data = opened.read(POLICY_BYTES + 1)
    return keep_policy(state, profile, data)


def log_standing(state: StateFolder, server_id: bytes, *, now: float) -> LogStanding | None:
    """Say how far a server's log is witnessed; None where no head of it was seen yet.

    Raises:
        PolicyError: the policy was damaged.
    """
    head = _newest(state, server_id)
    if head is None:
        return None
    data = state.read(_name(server_id))
    policy = Policy() if data is None else Policy.parse(data)
    size = head.checkpoint.size
    if not policy.has_quorum:
        return LogStanding(size)
    cosigned, held = Heads(state, server_id).cosigned(), dict[NoteKey, int]()
    if cosigned is not None:
        with contextlib.suppress(CryptoError):  # a line that does not hold: nothing of it counts
            held = verify_cosignatures(cosigned.note, policy.witness_keys())
    at = _complete_at(policy, held, now)
    if cosigned is None or at is None:
        with translating_os_errors(state.path(_name(server_id))):
            asked_since = state.path(_name(server_id)).stat().st_mtime
        return LogStanding(
            size, has_quorum=True, lacking=policy.lacking(held), overdue=now - asked_since > UNWITNESSED_SECONDS
        )
    return LogStanding(
        size,
        has_quorum=True,
        witnessed_size=cosigned.checkpoint.size,
        witnessed_at=at,
        overdue=now - at > UNWITNESSED_SECONDS,
    )


def _complete_at(policy: Policy, held: Mapping[NoteKey, int], now: float) -> int | None:
    counted: set[NoteKey] = set()
    for key in sorted(held, key=lambda key: -held[key]):
        counted.add(key)
        if policy.is_satisfied(counted):
            return min(held[key], int(now))
    return None


def _newest(state: StateFolder, server_id: bytes) -> Head | None:
    kept = Heads(state, server_id).read()
    return kept[-1] if kept else None


def _name(server_id: bytes) -> str:
    return f"policies/{name_of_server(server_id)}"

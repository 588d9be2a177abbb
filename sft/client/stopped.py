"""Servers that are not used any more, for a log that contradicts itself: that does not pass, and is not cleared by itself.

    stopped/<server id>.json                     the error, as it was first told
    evidence/<server id>-heads-<time>/           what was seen of a log that was given up

Rules. Only what came over an authenticated session gets here: whoever else can write to the line stops nobody. The first
error stays; every later session with this server is refused with its words, before anything is sent, until a person who typed
the server's name has it taken away. That it cannot be written changes nothing about the stop. Everything here blocks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from sft.client.evidence import keep_log
from sft.client.heads import Head, Heads
from sft.client.profiles import Profile
from sft.client.receipts import receipt_paths
from sft.client.state import StateFolder, name_of_server
from sft.client.versions_seen import VersionsSeen
from sft.errors import ClientError, LedgerError, LogForkedError, LogProofError, LogWentBackError, Value

_KINDS: Final = {kind.code: kind for kind in (LogWentBackError, LogForkedError, LogProofError)}


class StopRecord(Struct, frozen=True):
    """Why a server is not used."""

    code: str
    values: dict[str, Value]

    def error(self) -> LedgerError | None:
        kind = _KINDS.get(self.code)
        if kind is None or not kind.names_of_values() <= self.values.keys():
            return None
        return kind(**cast("dict[str, Any]", self.values))


def require_not_stopped(state: StateFolder, profile: Profile) -> None:
    """Refuse a server whose log was caught in a contradiction; LedgerError as it was told then."""
    data = state.read(_stop_name(profile.server_id))
    if data is None:
        return
    error = None
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):  # damaged: a stop it is all the same
        error = msgspec.json.decode(data, type=StopRecord).error()
    raise error or LogProofError(server=profile.name, profile=profile.name, what="its log, which was caught in a lie")


def known_heads(state: StateFolder, profile: Profile, *, looking: bool = False) -> list[Head]:
    """Return what is known of a server's log; LedgerError if it is not used any more, and nobody only looks at it."""
    if not looking:
        require_not_stopped(state, profile)
    return Heads(state, profile.server_id).read()


def stop(
    state: StateFolder, profile: Profile, error: LedgerError, exhibits: Iterable[tuple[str, str]], *, now: int
) -> LedgerError:
    """Keep what shows the contradiction, and that the server is not used any more.

    Args:
        exhibits: what each is, and its text as it came.

    Returns:
        The error, with the file that keeps the evidence.
    """
    told = type(error)(error.detail, **cast("dict[str, Any]", {**error.values, "profile": profile.name}))
    kept = keep_log(state, profile, error, exhibits, now=now)
    if kept is not None:
        told.values["evidence"] = kept
    if error.code in _KINDS:
        _keep_stop(state, profile, StopRecord(told.code, told.values))
    return told


def _keep_stop(state: StateFolder, profile: Profile, stopped: StopRecord) -> None:
    try:
        with state.locked():
            if state.read(_stop_name(profile.server_id)) is None:
                state.write(_stop_name(profile.server_id), msgspec.json.encode(stopped))
    except ClientError:
        pass  # this command stops; the next one meets the same server


class StopReview(Struct, frozen=True):
    """What a person has to look at before a server is used again.

    Args:
        why: it was stopped, if it was.
        heads: of its log, as this computer saw it.
        receipts: paths of those that may be of what another log lacks: all that this computer keeps.
    """

    why: LedgerError | None
    heads: list[Head]
    receipts: list[str]


def review_of(state: StateFolder, profile: Profile) -> StopReview:
    """Return what a person has to look at of a server."""
    why = None
    try:
        require_not_stopped(state, profile)
    except LedgerError as error:
        why = error
    return StopReview(why, Heads(state, profile.server_id).read(), receipt_paths(state, profile.server_id))


def use_again(
    state: StateFolder,
    profile: Profile,
    *,
    now: int,
    shown: Head | None = None,
    has_all: bool = False,
    continued: Iterable[Head] = (),
) -> str:
    """Take the stop away, for a person who has looked; the evidence stays, and what was seen of its log is put aside.

    Args:
        shown: of the log that they were shown, which is what is known from now on; None: whatever is shown next.
        has_all: that log goes on all that was seen of the one before.
        continued: the heads of the one before that it was proved to go on.

    Returns:
        Where that is.
    """
    to = f"evidence/{name_of_server(profile.server_id)}-heads-{now}"
    heads = Heads(state, profile.server_id)
    heads.put_aside(to, continued)
    if not has_all:
        VersionsSeen.put_aside(state, profile.server_id, to)  # some of them are newer than what there is
    if shown is not None:
        heads.keep(shown)
    state.remove(_stop_name(profile.server_id))
    return str(state.path(to))


def _stop_name(server_id: bytes) -> str:
    return f"stopped/{name_of_server(server_id)}.json"

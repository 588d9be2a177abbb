"""``log``: what others need of the server's log, and how far its heads are witnessed; read from the home itself.

Rules. No server is asked, and none has to run: the last head and what was cosigned are files. What they say is checked here as
anybody else would, by the keys of the home and of its policy.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import Any, TypedDict

from sft.cli.console import Console
from sft.crypto.keys import ServerPublic
from sft.crypto.signed_note import server_note_key, text_of
from sft.errors import HomeError, SftError
from sft.ledger.checkpoints import Checkpoint, verify_cosignatures
from sft.ledger.policy import Policy
from sft.model.names import safe
from sft.model.text import count_text, shell_path, utc_time
from sft.operator.control import require_server
from sft.operator.home import Home
from sft.operator.witnesses import read_cosigned, read_policy


class LogKeyJson(TypedDict):
    """The log's name and key."""

    log: str
    key: str


class WitnessJson(TypedDict):
    """One witness of the policy, and what it has cosigned of what clients are given."""

    name: str
    url: str | None
    cosigned_at: str | None


class WitnessesJson(TypedDict):
    """How far the log is witnessed."""

    log: str
    size: int
    witnessed_size: int | None
    quorum: str
    satisfied: bool
    witnesses: list[WitnessJson]


def show_key(home: Home, options: Any) -> int:
    """Print the log's key as policies have it; return the exit status."""
    origin = _head(home).origin.text()
    key = server_note_key(ServerPublic(home.server_key()), origin).vkey()
    _console(options).show(LogKeyJson(log=origin, key=key), key)
    return 0


def show_witnesses(home: Home, options: Any) -> int:
    """Print who has cosigned the checkpoint that clients are given, and when; return the exit status."""
    console = _console(options)
    head, policy = _head(home), read_policy(home)
    size, held = _cosigned(home, policy, head)
    rows = [
        WitnessJson(
            name=each.name, url=each.url or None, cosigned_at=utc_time(held[each.key]) if each.key in held else None
        )
        for each in policy.witnesses
    ]
    satisfied = bool(held) and policy.is_satisfied(held)
    document = WitnessesJson(
        log=head.origin.text(),
        size=head.size,
        witnessed_size=size,
        quorum=policy.quorum,
        satisfied=satisfied,
        witnesses=rows,
    )
    far = "not yet witnessed" if size is None else f"witnessed up to leaf {count_text(size)}"
    console.show(document, f"{count_text(head.size)} leaves, {far}; quorum {safe(policy.quorum)}")
    console.table(
        [(safe(row["name"]), row["cosigned_at"] or "-", safe(row["url"] or "not asked")) for row in rows],
        head=("witness", "cosigned", "asked at"),
    )
    return 0


def _console(options: Any) -> Console:
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    return console


def _head(home: Home) -> Checkpoint:
    require_server(home)
    with closing(home.open_log_head()) as file:
        note = file.note
    if note is None:
        raise HomeError(
            home=str(home.path),
            problem="its log has no head",
            remedy=f"Start the server once: sftd --home {shell_path(str(home.path))} serve",
        )
    return Checkpoint.parse(text_of(note))


def _cosigned(home: Home, policy: Policy, head: Checkpoint) -> tuple[int | None, dict[Any, int]]:
    data = read_cosigned(home)
    try:
        note = (data or b"").decode("utf-8")
        checkpoint = Checkpoint.parse(text_of(note))
        held = verify_cosignatures(note, policy.witness_keys())
    except (SftError, UnicodeDecodeError):  # none yet, or of witnesses that the policy has no more
        return None, {}
    return (checkpoint.size, held) if checkpoint.origin == head.origin and held else (None, {})

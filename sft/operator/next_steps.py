"""What the operator can do next about an error: the command line's steps, but where ``sftd`` has a command of its own.

Rules. A step names the home that the operator named: typed as it stands, it is about the same server. No step is a command that
talks to a server as a user does; what only people's commands can meet has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from sft.cli.next_steps import STEPS, NextSteps
from sft.errors import SftError
from sft.model.records import NoteAbout
from sft.model.text import shell_path

_LISTS: Final = {"user": "user", "active user": "user", "invitation": "invite", "session": "session", "hook": "hook"}
_RESTART: Final = "Is the server of another version? Restart it"
_LOOK_AT_LOG: Final = "Look at what the server's log says"

_KEY_ELSEWHERE: Final = (
    "Copy the key into a file of yours, 0600; restart with sftd serve --master-key file:FILE; sftd vault rotate-key; "
    "give out the new key in FILE where the old one comes from; restart with the --master-key of before"
)
_ONE_COPY: Final = (
    "Put back the data folder as one copy has it, all of it: keyring, sft.sqlite with its -wal, vault, log-head"
)

NEVER_MET: Final = frozenset(
    {
        "ACCOUNT_CHANGED", "AGENT", "CHANGED_HERE", "CHANGED_SINCE", "CUT_OFF", "EXISTS", "INVITE_EXPIRED", "INVITE_UNKNOWN",
        "INVITE_USED", "INVITE_WITHDRAWN", "KEY_ENDED", "KEY_LOCKED", "KEY_NOT_ENDORSED", "KEY_REVOKED", "KEY_UNKNOWN",
        "LAST_KEY", "LINK_INCOMPLETE", "LOCKED_OUT", "LOGIN_REFUSED", "MOVE_UNSIGNED", "NAME_RESERVED", "NEWEST_VERSION",
        "NOT_JOINED", "NO_VERSION",
        "NOT_SHOWN", "NOT_SMALL", "OLDER_VERSION", "OPERATOR_ONLY", "OWN_KEY_UNKNOWN", "PASSPHRASE_WRONG", "PIN_CHANGED",
        "PROFILE_UNKNOWN", "QUOTA_BYTES", "QUOTA_FILES", "RECEIPT_BAD", "RECEIVER_QUOTA", "REGISTRATION_CLOSED", "REMOVED",
        "RESUME_REFUSED",
        "RIGHTS_CHANGED", "ROLE_FORBIDS", "SERVER_KEY_CHANGED", "SIGNATURE_MISSING", "SIGNER_KEY_ENDED", "SIGNER_KEY_STOLEN",
        "SAME_TARGET", "SIGNER_NOT_PINNED", "SIGNER_UNKNOWN", "SOURCE_CHANGED", "SOURCE_NAMELESS", "TARGET_AMBIGUOUS",
        "TOO_MANY_DELETIONS", "TRASH_CHANGED", "UPLOAD_GONE", "VERSION_DESTROYED",
    }
)  # fmt: skip
"""Codes of what people alone do at their own computers; at the server's they would be a fault."""


def _where_to_look(what: str, _name: str) -> str:
    return f"sftd {_LISTS.get(what, 'file')} list"


_OWN: Final = {
    "BACKUP_RUNS": "Wait until it has ended, then again",
    "BAD_REQUEST": _RESTART,
    "CLOCK_DOUBTED": "Is it right? sftd vault collect --clock-is-right. Else set it right: it is looked at each hour",
    "CONTENT_DAMAGED": "sftd vault check",
    "DATABASE_BUSY": "Which program has the database open? End it, then again",
    "INTERNAL": "Look for the reference in the server's log",
    "KEY_FORMAT": "Give the file that sft key export wrote, or the key itself (RW...)",
    "KEY_TAKEN": "Give another key",
    "LAST_ADMIN": "sftd user role NAME admin, then again",
    "LOG_DAMAGED": _ONE_COPY,
    "LOG_FORKED": _LOOK_AT_LOG,
    "LOG_PROOF": _LOOK_AT_LOG,
    "LOG_RESTARTED": _LOOK_AT_LOG,
    "LOG_ROLLED_BACK": f"{_ONE_COPY}; or go on without what came later: sftd log restart --reason TEXT",
    "LOG_WENT_BACK": _LOOK_AT_LOG,
    "MASTER_KEY": "Put your copy of it back, or say where it lies: sftd serve --master-key file:PATH",
    "MASTER_KEY_OPEN": "Has nobody read it? chmod 600 {path}. Else, after that: sftd vault rotate-key --reencrypt",
    "MASTER_KEY_GONE": (
        "Put it back as it was, 0600, before the server stops: no start opens anything without it. Is there no copy? Have "
        "every file copied out while the server runs"
    ),
    "MASTER_KEY_ELSEWHERE": _KEY_ELSEWHERE,
    "NAME_CLASH": "Choose another name",
    "NAME_IN_USE": "Choose another name",
    "NAME_TAKEN": "Choose another name",
    "NOT_EMPTY": "sftd file delete -r {path}",
    "NOT_YOURS": _LOOK_AT_LOG,
    "NO_KEY_LEFT": "End them all, and give a new one: sftd user reset-key NAME --stolen-since NUMBER",
    "PROTOCOL": _RESTART,
    "RECORD_FORGED": "sftd vault check",
    "SERVER_FULL": "Make room on its disk",
    "SIGNATURE_BAD": "sftd vault check",
    "STORE": "Is there room on its disk, and whose are its files? Else put a backup back: sftd restore DIR",
    "TOO_MANY_KEYS": "Only another name has room: sftd user add NAME PUBLIC_KEY",
    "UNREACHABLE": "Look whether it runs, and what its log says",
    "VERSION_UNKNOWN": _RESTART,
}
OF_NOTES: Final = MappingProxyType(
    {
        NoteAbout.QUARANTINE: "sftd vault quarantine list, or drop",
        NoteAbout.WITHOUT_PLACE: "Into files, with author, path and signature: sftd vault rebuild --export DIR",
        NoteAbout.LOCKED_OUT: "To let one in: sftd user reset-key NAME, with a new key; then sftd user enable NAME",
    }
)
"""What the operator can do about what a job of the vault notes."""

_OF_ANSWERS: Final = {
    "EXISTS": "Under another name, or first move {path}",
    "KEY_REVOKED": "sftd user reset-key NAME",
    "LOGIN_REFUSED": "Disabled? sftd user enable NAME",
    "NOT_YOURS": "{owner} can, or an admin ({admins})",
    "OPERATOR_ONLY": "You can, here",
    "RECEIVER_QUOTA": "sftd user quota {owner} --bytes SIZE",
    "QUOTA_BYTES": "sftd user quota NAME --bytes SIZE",
    "QUOTA_FILES": "sftd user quota NAME --files N",
    "REGISTRATION_CLOSED": "sftd serve --registration invite",
    "ROLE_FORBIDS": "sftd user role {name} {needed}",
}
_STEPS: Final = MappingProxyType({**STEPS, **dict.fromkeys(NEVER_MET, STEPS["FAULT"]), **_OWN})


def at_home(text: str, home: str) -> str:
    """Return a text whose commands name a home; "" leaves them as they are."""
    named = f"sftd --home {shell_path(home)} "
    return re.sub(r"\bsftd (?!--home)", lambda _: named, text) if home else text


class _At(NextSteps, frozen=True):
    """The steps for a home that was named on the command line.

    Args:
        home: as it was named.
    """

    home: str = ""

    def of(self, error: SftError, *, now: float, zone: tzinfo | None = None) -> str:
        return at_home(super().of(error, now=now, zone=zone), self.home)


def steps_at(home: str) -> NextSteps:
    """Return what is said next; commands name a home that was named ("" where none was)."""
    look: Callable[[str, str], str] = _where_to_look
    return _At(_STEPS, look, home=home)


def steps_of_answers(home: str) -> NextSteps:
    """Return what is said next of an act that somebody else may not do, which the operator only asks about."""
    look: Callable[[str, str], str] = _where_to_look
    return _At({**_STEPS, **_OF_ANSWERS}, look, home=home)


NEXT_STEPS: Final = steps_at("")

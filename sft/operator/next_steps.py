"""What the operator can do next about an error: the command line's steps, but where ``twistd sft`` has a command of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sft.cli.next_steps import STEPS, NextSteps

_LISTS: Final = {"user": "user", "active user": "user", "invitation": "invite", "session": "session"}
_RESTART: Final = "Is the server of another version? Restart it"

_KEY_ELSEWHERE: Final = (
    "Copy the key into a file of yours, 0600; restart with --master-key file:FILE; twistd sft vault rotate-key; "
    "give out the new key in FILE where the old one comes from; restart with the --master-key of before"
)
_ONE_COPY: Final = "Put back the data folder as one copy has it, all of it: keyring, sft.sqlite, vault, log-head"


def _where_to_look(what: str, _name: str) -> str:
    return f"twistd sft {_LISTS.get(what, 'file')} list"


NEXT_STEPS: Final = NextSteps(
    MappingProxyType(
        {
            **STEPS,
            "BAD_REQUEST": _RESTART,
            "CONTENT_DAMAGED": "twistd sft vault check",
            "INTERNAL": "Look for the reference in the server's log",
            "KEY_FORMAT": "Give the file that sft key export wrote, or the key itself (RW...)",
            "KEY_TAKEN": "Give another key",
            "LAST_ADMIN": "twistd sft user role NAME admin, then again",
            "LOG_DAMAGED": _ONE_COPY,
            "LOG_ROLLED_BACK": f"{_ONE_COPY}; or go on without what came later: twistd sft log restart --reason TEXT",
            "MASTER_KEY_ELSEWHERE": _KEY_ELSEWHERE,
            "NAME_TAKEN": "Choose another name",
            "NOT_EMPTY": "twistd sft file delete -r {path}",
            "PROTOCOL": _RESTART,
            "RECORD_FORGED": "twistd sft vault check",
            "DATABASE_BUSY": "Which program has the database open? End it, then again",
            "SERVER_FULL": "Make room on its disk",
            "UNREACHABLE": "Look whether it runs, and what its log says",
            "VERSION_UNKNOWN": _RESTART,
        }
    ),
    _where_to_look,
)

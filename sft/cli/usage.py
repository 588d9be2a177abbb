"""What is said of a command line that is none, to people of ``sft`` and to the operator alike; and which status means what."""

from __future__ import annotations

import re
from typing import Final

import click

from sft.errors import UsageError

STATUSES: Final = (
    "Exit statuses: 0 done, 1 some items, 2 usage, 3 absent, 4 not allowed, 5 conflict, 6 connection, "
    "7 verification, 8 key or identity, 9 full, 10 this computer, 11 server fault, 130/143 interrupted."
)
FAULTS_STATUS: Final = 7  # a check went through, and something does not hold
_MEANT: Final = re.compile(r"\. Did you mean (.*)\?$")
_NO_NUMBER: Final = re.compile(r"('.*') is not a valid integer(?: range)?$")
_LINK: Final = re.compile(r"sft://[^\s'\"]+", re.IGNORECASE)


def usage_of(error: click.ClickException, program: str, meant: str | None = None) -> UsageError:
    """Return click's error as ours: one sentence, and what to type instead, or else the help of the very command.

    Args:
        meant: the line that was meant, where that is known.
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else program
    problem = " ".join(error.format_message().removesuffix(".").split())
    problem = _MEANT.sub(r"; did you mean \1", problem)  # no question before the full stop
    # What was typed is repeated; an invitation in a wrong place is not, for screens and logs are read by others.
    problem = _LINK.sub("sft://...", problem)
    problem = _NO_NUMBER.sub(r"\1 is no whole number", problem)
    remedy = meant or getattr(error, "remedy", None) or f"See: {command} --help"
    return UsageError(problem=problem, remedy=_LINK.sub("sft://...", remedy))


def asks_json(arguments: list[str]) -> bool:
    """Whether a command line that cannot be read asks for JSON all the same."""
    return "--json" in arguments[: arguments.index("--") if "--" in arguments else None]

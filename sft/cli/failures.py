"""Every failure, as a person reads it and as a program does.

Rules. An error of the tree is its sentence, its code, one next step and its reference, never a traceback. What nobody foresaw
is written with its traceback into ``sft.log`` of the state folder under a reference, and the reference is what a person reads.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import tzinfo
from typing import TypedDict

from sft.cli.console import Console
from sft.cli.next_steps import NEXT_STEPS, NextSteps
from sft.client.fault_log import FaultLog
from sft.errors import LedgerError, ServerKeyChangedError, SftError, UsageError
from sft.model.names import safe
from sft.model.text import code_of, sentence, shown_name


class ErrorJson(TypedDict):
    """An error in the document that ``--json`` prints."""

    code: str
    exit: int
    message: str
    next: str
    ref: str | None


class Fatal(TypedDict):
    """The document of a command that failed as a whole."""

    error: ErrorJson


def error_json(error: SftError, *, now: float, zone: tzinfo | None = None, steps: NextSteps = NEXT_STEPS) -> ErrorJson:
    return {
        "code": code_of(error),
        "exit": error.exit_status,
        "message": sentence(error, now=now, zone=zone),
        "next": steps.of(error, now=now, zone=zone),
        "ref": safe(error.ref) or None,
    }


def error_lines(error: SftError, *, now: float, zone: tzinfo | None = None, steps: NextSteps = NEXT_STEPS) -> list[str]:
    """Return an error as the command line shows it: sentence and code, then the next step and the reference."""
    said = sentence(error, now=now, zone=zone).removesuffix(".")
    step = steps.of(error, now=now, zone=zone)
    reference = f"(ref {safe(error.ref)})" if error.ref else ""
    below = " ".join(filter(None, [step, reference]))
    return [f"sft: {said} [{code_of(error)}]", *_seen(error), *([f"     {below}"] if below else [])]


def _seen(error: SftError) -> list[str]:
    """Return what has to be compared by a person, or handed to one, where a server shows another key or another log."""
    if not isinstance(error, ServerKeyChangedError | LedgerError):
        return []
    names = (("pinned", "pinned"), ("shown", "shown now"), ("evidence", "evidence"))
    return [f"     {title:9}  {safe(str(error.values[name]))}" for name, title in names if error.values.get(name)]


def report(console: Console, error: SftError, *, now: float, steps: NextSteps = NEXT_STEPS) -> int:
    """Report an error on both streams; return the exit status."""
    if console.json:
        document: Fatal = {"error": error_json(error, now=now, steps=steps)}
        console.document(document)
    for line in error_lines(error, now=now, steps=steps):
        console.warn(line)
    return error.exit_status


def unforeseen(error: BaseException, log: FaultLog) -> SftError:
    """Return what nobody foresaw as an error that can be shown; its traceback goes to the log."""
    text = "".join(traceback.format_exception(error))
    return SftError(type(error).__name__, ref=log.keep(text))


def no_text(error: Exception, arguments: Sequence[str]) -> UsageError | None:
    """Return the error for what was typed and is no UTF-8, where a fault is about that; None for any other.

    Only the name of a file here may be such: every other way that an argument takes ends where it is written as UTF-8.
    """
    cause = error.__cause__ if isinstance(error, SftError) else error
    typed = next((each for each in arguments if not _is_text(each)), None)
    if typed is None or not isinstance(cause, UnicodeEncodeError):
        return None
    return UsageError(
        problem=f"{shown_name(typed)} has a byte that is not UTF-8", remedy="Type it anew, in a UTF-8 locale"
    )


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True

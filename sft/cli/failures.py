"""Every failure, as a person reads it and as a program does.

Rules. An error of the tree is its sentence, its code, one next step and its reference, never a traceback. What nobody foresaw
is written with its traceback into ``sft.log`` of the state folder under a reference, and the reference is what a person reads.
"""

from __future__ import annotations

import traceback
from typing import TypedDict

from sft.cli.console import Console
from sft.client.fault_log import FaultLog
from sft.errors import SftError
from sft.model.wording import ErrorJson, error_json, error_lines


class Fatal(TypedDict):
    """The document of a command that failed as a whole."""

    error: ErrorJson


def report(console: Console, error: SftError, *, now: float) -> int:
    """Tell of an error on both streams; say the exit status."""
    if console.json:
        document: Fatal = {"error": error_json(error, now=now)}
        console.document(document)
    for line in error_lines(error, now=now):
        console.warn(line)
    return error.exit_status


def unforeseen(error: BaseException, log: FaultLog) -> SftError:
    """Turn what nobody foresaw into an error that can be told; its traceback goes to the log."""
    text = "".join(traceback.format_exception(error))
    return SftError(type(error).__name__, ref=log.keep(text))

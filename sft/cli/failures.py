"""Every failure, as a person reads it and as a program does.

Rules. An error of the tree is its sentence, its code, one next step and its reference, never a traceback. What nobody foresaw
is written with its traceback into ``sft.log`` of the state folder under a reference, and the reference is what a person reads.
"""

from __future__ import annotations

import os
import secrets
import traceback
from pathlib import Path
from typing import Final, TypedDict

from sft.cli.console import Console
from sft.errors import SftError
from sft.limits import MIB
from sft.model.wording import ErrorJson, error_json, error_lines

_LOG: Final = "sft.log"
_LOG_BYTES: Final = MIB
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is mistaken for another


class Fatal(TypedDict):
    """The document of a command that failed as a whole."""

    error: ErrorJson


class FaultLog:
    """The file that keeps the details of faults.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _LOG

    def keep(self, text: str) -> str:
        """Append a text; say the reference under which it stands. A log that cannot be written is done without."""
        ref = "".join(secrets.choice(_LETTERS) for _ in range(8))
        ref = f"{ref[:4]}-{ref[4:]}"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            log = os.open(self.path, flags, 0o600)
            try:
                if os.fstat(log).st_size > _LOG_BYTES:
                    os.ftruncate(log, 0)
                os.write(log, f"-- {ref}\n{text.rstrip()}\n".encode(errors="backslashreplace"))
            finally:
                os.close(log)
        except OSError:
            return ref
        return ref


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

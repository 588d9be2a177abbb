"""Where the details of our own faults go: a log of the state folder, under a reference that a person can tell.

Rules. A log that cannot be written is done without. One that has grown too long begins anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sft.limits import MIB
from sft.model.text import new_reference

_LOG: Final = "sft.log"
_LOG_BYTES: Final = MIB


class FaultLog:
    """The file that keeps the details of faults."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _LOG

    def keep(self, text: str) -> str:
        """Append a text; say the reference under which it stands. A log that cannot be written is done without."""
        ref = new_reference()
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

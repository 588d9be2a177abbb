"""Where the details of our own faults go: the log of the state folder, under a reference that a person can tell."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from sft.limits import MIB

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is mistaken for another


def keep(folder: Path, text: str) -> str:
    """Append a text to ``sft.log``; a log that cannot be written is done without."""
    ref = "".join(secrets.choice(_LETTERS) for _ in range(8))
    ref = f"{ref[:4]}-{ref[4:]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        log = os.open(folder / "sft.log", flags, 0o600)
        try:
            if os.fstat(log).st_size > MIB:
                os.ftruncate(log, 0)
            os.write(log, f"-- {ref}\n{text.rstrip()}\n".encode(errors="backslashreplace"))
        finally:
            os.close(log)
    except OSError:
        return ref
    return ref

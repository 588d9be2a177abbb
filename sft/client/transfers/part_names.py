"""What a download's part is called, and which parts in a folder are removed.

Rules. A part's name shows for which file it was made, so that a note of one is believed for that file alone. Removed is the one
that was noted; or, of one whose process died before it was noted, what is a regular file of ours with one name, and a week old.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from sft import durable
from sft.crypto.digests import blake2b_512
from sft.limits import KEPT_SECONDS

_PART: Final = re.compile(r"\.sft-(?:[0-9a-f]{16}){1,2}(\.minisig)?\.part")
_BOUND_DIGITS: Final = 16  # of a part's id: what shows for which name it was made


def is_part(name: str) -> bool:
    """Return whether a name is that of a download that is not finished."""
    return name.startswith(".sft-") and name.endswith(".part")


def is_part_id_of(part_id: str, local: str) -> bool:
    """Return whether a part of this id was made for this name, which is absolute."""
    return part_id[-_BOUND_DIGITS:] == _bound_digits(local)


def new_part_id(local: str) -> str:
    """Draw the id of a part for a name, which is absolute."""
    return secrets.token_hex(8) + _bound_digits(local)


def _bound_digits(local: str) -> str:
    return blake2b_512(os.fsencode(local)).hexdigest()[:_BOUND_DIGITS]


def part_names(part_id: str) -> tuple[str, str]:
    """Return the names of a part and of its signature's."""
    return f".sft-{part_id}.part", f".sft-{part_id}.minisig.part"


def is_ours(found: os.stat_result) -> bool:
    """Return whether it is a regular file of this user's, with one name."""
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1


def remove_part(folder: Path, part_id: str, identity: tuple[int, int]) -> None:
    """Remove a part that was left, if it is that one."""
    part, signature_part = part_names(part_id)
    with contextlib.suppress(OSError), durable.opened_folder(folder) as opened:
        found = os.stat(part, dir_fd=opened, follow_symlinks=False)
        if (found.st_dev, found.st_ino) == identity:
            os.unlink(part, dir_fd=opened)
            os.unlink(signature_part, dir_fd=opened)


def remove_old_parts(folder: int, now: float) -> None:
    """Remove what nobody has written to for a week; no note tells of the part of a file of one segment."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _PART.fullmatch(entry.name):
                continue
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                # Not its date, which is the version's.
                if is_ours(found) and found.st_ctime + KEPT_SECONDS <= now:
                    os.unlink(entry.name, dir_fd=folder)

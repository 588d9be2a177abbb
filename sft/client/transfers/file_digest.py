"""The digest of a file of this computer."""

from __future__ import annotations

import os

from sft.crypto.digests import blake2b_512
from sft.limits import MIB


def read_digest(file_fd: int) -> bytes:
    """Read an open file from where it stands to its end for its BLAKE2b-512 (blocks); OSError if it cannot be read."""
    running = blake2b_512()
    while block := os.read(file_fd, MIB):
        running.update(block)
    return running.digest()

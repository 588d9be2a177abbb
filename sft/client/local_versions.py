"""Which version of a file of the server's lies on this computer, as far as that is known without reading it or asking anybody.

Rules. What is known is what was kept: digests of files that were read here and are as they were (``DigestCache``), and receipts
of what was stored from here. Nothing is known of most files, and that is no answer. Everything here blocks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from sft.client.receipts import kept_receipt
from sft.client.state import StateFolder
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_file import seen_as

_LOOKED_BACK: Final = 5  # versions: each is a file of the state


class AskedVersion(Struct, frozen=True):
    """A file here, and the newest version there that it may be.

    Args:
        local: its path.
        digest: of that version; the first half tells enough.
    """

    local: str
    file_id: bytes
    version: int
    digest: bytes


class LocalVersion(Struct, frozen=True):
    """What is known of a file here.

    Args:
        modified_at: Unix seconds.
        changed_ns: its ctime.
        is_newest: whether it is the version that was asked for; None where that is not known.
        older: the number of an earlier one that it is; 0 where none is known.
    """

    size: int
    modified_at: int
    changed_ns: int
    is_newest: bool | None = None
    older: int = 0


class LocalVersions:
    """What one computer knows.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, state: StateFolder, clock: Callable[[], float]) -> None:
        self.state = state
        self._clock = clock
        self._digests = DigestCache(state, clock)
        self._read_of: tuple[int, int] | None = None

    def find(self, server_id: bytes, asked: Sequence[AskedVersion]) -> list[LocalVersion | None]:
        """Return what is known of each; None for what is no regular file, or nothing."""
        self._refresh()
        return [self._find(server_id, one) for one in asked]

    def _refresh(self) -> None:
        """Read the digests anew where a transfer has added some."""
        try:
            found = self.state.path(DigestCache.NAME).stat()
        except OSError:
            return
        read_of = (found.st_mtime_ns, found.st_size)
        if read_of != self._read_of:
            self._read_of, self._digests = read_of, DigestCache(self.state, self._clock)

    def _find(self, server_id: bytes, asked: AskedVersion) -> LocalVersion | None:
        try:
            found = os.lstat(asked.local)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        file = seen_as(asked.local, "", found)
        is_newest = self._digests.is_known_as(file, asked.digest)
        older = 0
        if is_newest is False:
            for number in range(asked.version - 1, max(asked.version - 1 - _LOOKED_BACK, 0), -1):
                receipt = kept_receipt(self.state, server_id, asked.file_id, number)
                if receipt is not None and self._digests.is_known_as(file, receipt.digest):
                    older = number
                    break
        return LocalVersion(found.st_size, int(found.st_mtime), found.st_ctime_ns, is_newest, older)

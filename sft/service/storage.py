"""What the services for files share in one process: the vault, the server's key, and what is under way.

Rules. Nothing here decides. One ``FileStorage`` lives as long as the server and may be used from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sft.crypto.keys import ServerKey
from sft.errors import VaultError
from sft.vault.vault import Vault

OBJECT_ID_BYTES: Final = 16


class InFlight:
    """Ids of objects that lie in the vault, or soon will, before any row names them.

    ``vault check`` would take such an object for an orphan.
    """

    __slots__ = ("_ids", "_lock")

    def __init__(self) -> None:
        self._ids: set[bytes] = set()
        self._lock = threading.Lock()

    def add(self, object_id: bytes) -> None:
        """Note an object before the vault begins it."""
        with self._lock:
            self._ids.add(object_id)

    def discard(self, object_id: bytes) -> None:
        """Forget an object that a row names now, or that is gone; idempotent."""
        with self._lock:
            self._ids.discard(object_id)

    def __contains__(self, object_id: object) -> bool:
        with self._lock:
            return object_id in self._ids

    def __len__(self) -> int:
        with self._lock:
            return len(self._ids)


class FileStorage:
    """The vault and the identity that receipts are signed with.

    Attributes:
        server_id: what authors name in their signatures, 32 bytes.
        in_flight: objects that no row names yet.
    """

    __slots__ = ("_rotating", "in_flight", "server_id", "server_key", "vault")

    def __init__(self, vault: Vault, server_key: ServerKey) -> None:
        self.vault = vault
        self.server_key = server_key
        self.server_id = vault.keyring.server_id
        self.in_flight = InFlight()
        self._rotating = threading.Lock()

    @contextmanager
    def rotation(self) -> Iterator[None]:
        """Move objects to other keys within the block, one thread at a time; VaultError if another is at it."""
        if not self._rotating.acquire(blocking=False):
            raise VaultError(problem="its keys are being changed already")
        try:
            yield
        finally:
            self._rotating.release()

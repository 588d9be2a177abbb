"""What the services for files share in one process: the vault, the server's key and its log.

Rules. Nothing here decides. One ``FileStorage`` lives as long as the server shows its key and may be used from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from msgspec import Struct

from sft.crypto.keys import ServerKey
from sft.errors import BackupRunningError, ServerFullError, TransferEndedError, VaultError
from sft.limits import SPACE_STEP_BYTES
from sft.service.log.ledger import Ledger
from sft.store.row_types import UploadRow, VersionRow
from sft.vault.copy_lock import CopyLock
from sft.vault.vault import SealedKey, Vault

OBJECT_ID_BYTES: Final = 16


def sealed_key_of(row: VersionRow | UploadRow) -> SealedKey:
    """Return the data keys of an object, as the row of its version or open upload keeps them."""
    return SealedKey(row.epoch, row.sealed_key, row.later_keys)


def under_current_key(storage: FileStorage, object_id: bytes, key: SealedKey) -> SealedKey:
    """Have the master key in use seal a data key; a rotation counts on it that no act names an older one.

    Raises:
        TransferEndedError: the key that seals it was retired.
    """
    keyring = storage.vault.keyring
    if key.epoch == keyring.epoch:  # nearly always: whoever uses it opens it
        return key
    if key.epoch not in keyring.epochs:
        raise TransferEndedError(problem="the master key was rotated meanwhile")
    return keyring.rewrap(object_id, key)


class DamagedContent(Struct, frozen=True):
    """A content that was not what had been stored when it was read.

    Attributes:
        object_id: of the version that names it now.
        problem: what does not hold, in words.
    """

    object_id: bytes
    file_id: bytes
    number: int
    path: str
    problem: str


class FileStorage:
    """The vault, the identity that receipts are signed with, and the log that authors say to have seen.

    Attributes:
        server_id: what authors name in their signatures, 32 bytes.
        damaged: told of each content that does not open when somebody reads it, on any thread.

    Args:
        copy_lock: keeps objects and keys as they are while they are copied; None where nobody can copy them.
    """

    __slots__ = ("_copy_lock", "_rotating", "damaged", "ledger", "server_id", "server_key", "vault")

    def __init__(
        self,
        vault: Vault,
        server_key: ServerKey,
        ledger: Ledger,
        damaged: Callable[[DamagedContent], None] = lambda _: None,
        *,
        copy_lock: CopyLock | None = None,
    ) -> None:
        self.vault = vault
        self.damaged = damaged
        self._copy_lock = copy_lock
        self.ledger = ledger
        self.server_key = server_key
        self.server_id = vault.keyring.server_id
        self._rotating = threading.Lock()

    def under(self, server_key: ServerKey) -> FileStorage:
        """Return the same, with another identity: who was shown the one before gets receipts under it."""
        other = FileStorage(self.vault, server_key, self.ledger, self.damaged, copy_lock=self._copy_lock)
        other._rotating = self._rotating
        return other

    def require_room(self) -> None:
        """Refuse work that writes every row where nothing is free above the floor: what is below is for reading and deleting.

        Raises:
            ServerFullError: so it is.
        """
        if not self.vault.free_bytes():
            raise ServerFullError(size_bytes=SPACE_STEP_BYTES)

    @contextmanager
    def rotation(self) -> Iterator[None]:
        """Move objects to other keys within the block, one thread at a time.

        Raises:
            VaultError: another is at it.
            BackupRunningError: somebody copies it.
        """
        if not self._rotating.acquire(blocking=False):
            raise VaultError(problem="its keys are being changed already")
        try:
            with self.destroying() as may:
                if not may:
                    raise BackupRunningError
                yield
        finally:
            self._rotating.release()

    def destroying(self) -> AbstractContextManager[bool]:
        """Destroy objects that rows named within the block, where it is given True; else a backup may need them yet."""
        return nullcontext(True) if self._copy_lock is None else self._copy_lock.changing()

"""The right to copy a vault as it is, or to destroy in it and change its keys: one of the two at a time, of any process.

    copying    one: a backup, from before it reads the keyring until it has the last object
    changing   any number: objects that are destroyed, keys that are changed

Rules. A copy is of one moment only if what that moment names stays until it was read: an object that is destroyed meanwhile
is missing from the copy, and a keyring that was copied before a rotation opens nothing of what is copied after it. The lock
is the kernel's, on the vault's folder, and ends with the process that has it. Nobody waits here: who is refused says so, or
comes again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from sft import durable


class CopyLock:
    """The lock of one vault.

    Args:
        root: the vault's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def copying(self) -> AbstractContextManager[bool]:
        """Try to keep everything as it is within the block; False where somebody destroys, changes keys, or copies.

        Raises:
            OSError: of the vault's folder; here and in ``changing``.
        """
        return durable.locked_folder(self._root, alone=True)

    def changing(self) -> AbstractContextManager[bool]:
        """Try to be allowed to destroy and to change keys within the block; False while somebody copies."""
        return durable.locked_folder(self._root, alone=False)

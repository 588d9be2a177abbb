"""The keyring's file and what gives the master key, held together: opened at a start, turned by a rotation.

    turn    read both again and settle → stage a new master key → keyring sealed under it, durably → into use → settle

Rules. At any moment, whatever failed before, one of the master keys that are kept opens the keyring that a power cut would
leave: a staged key is never written over, it goes only when the keyring on disk is not sealed under it, and the old one only
when the keyring under the new one is durable. What a failed rotation left is read from the disk, never from memory, and
settled before another begins. A keyring is in use from the moment it is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sft.errors import MasterKeyElsewhereError, MasterKeyError, MasterKeyOpenError, PassphraseFixedError
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import load_keyring, replace_keyring
from sft.vault.master_key import FileMasterKey, MasterKeySource, PassphraseMasterKey, open_keyring

Adopt = Callable[[Keyring], None]
"""Puts a keyring into use."""


class MasterKeyStore:
    """Knows where one home's keyring and master key lie.

    Args:
        path: of the keyring's file.
        source: what gives the master key.
        source_name: how the operator named the source.
    """

    def __init__(self, path: Path, source: MasterKeySource, source_name: str = "file") -> None:
        self._path = path
        self._source = source
        self._source_name = source_name

    def open(self) -> Keyring:
        """Open the keyring as it lies on the disk, and make the master key that opens it the only one.

        Raises:
            VaultError: no key fits, something is damaged, or cannot be settled; nothing is lost by it.
        """
        candidates = self._source.candidates()
        keyring, master_key = open_keyring(load_keyring(self._path), candidates)
        if len(candidates) > 1:
            if master_key != candidates[0]:
                # That it can be read does not say that it survives a power cut: the sync of its folder may be what failed.
                replace_keyring(self._path, keyring.seal())
            self._source.settle(master_key)
        if keyring.older_row_key is not None:
            # Likewise: who is shown a server key follows it, and cannot go back to the one that a power cut brings back.
            replace_keyring(self._path, keyring.seal())
        return keyring

    def require_rotatable(self) -> FileMasterKey:
        """Return the source, if the server keeps it itself.

        Raises:
            MasterKeyElsewhereError, PassphraseFixedError: it does not.
        """
        if isinstance(self._source, FileMasterKey):
            return self._source
        if isinstance(self._source, PassphraseMasterKey):
            raise PassphraseFixedError
        raise MasterKeyElsewhereError(source=self._source_name)

    def problem(self) -> str:
        """Say why the next start would not find the file that gives the master key; "" where it would, or there is none."""
        if isinstance(self._source, FileMasterKey | PassphraseMasterKey):
            try:
                self._source.look()
            except MasterKeyOpenError as fault:
                return f"the {fault.values['kind']} {fault.values['path']} is open to others"
            except MasterKeyError as fault:
                return str(fault.values["problem"])
        return ""

    def turn(self, adopt: Adopt) -> Keyring:
        """Begin a rotation: a new master key and the keyring of the next epoch.

        Returns:
            The keyring in use now. Where a rotation was left unfinished it is that one's, and no new key is made.

        Raises:
            VaultError: what failed; the keyring in use is the one from before, or the new one, and either goes on.
        """
        source = self.require_rotatable()
        keyring = self.open()
        adopt(keyring)
        if keyring.rotating:
            return keyring
        master_key = source.stage()
        keyring = keyring.rotate(master_key)
        replace_keyring(self._path, keyring.seal())
        adopt(keyring)
        source.settle(master_key)
        return keyring

    def renew(self, adopt: Adopt, *, now: int) -> Keyring:
        """Begin a change of row key and server key: the keyring with new ones, the row key before, and the note of the other.

        Returns:
            The keyring in use now. Where a change was left unfinished it is that one's, and no new key is made.

        Raises:
            VaultError: what failed; the keyring in use is the one from before, or the new one, and either goes on.
        """
        keyring = self.open()
        adopt(keyring)
        if keyring.older_row_key is None:
            keyring = keyring.renew(now=now)
            replace_keyring(self._path, keyring.seal())
            adopt(keyring)
        return keyring

    def retire_row_key(self, keyring: Keyring, adopt: Adopt) -> None:
        """End a change of the row key: the old one is given up."""
        retired = keyring.retire_row_key()
        replace_keyring(self._path, retired.seal())
        adopt(retired)

    def retire(self, keyring: Keyring, adopt: Adopt) -> None:
        """End a rotation: the old epoch is given up."""
        retired = keyring.retire()
        replace_keyring(self._path, retired.seal())
        adopt(retired)

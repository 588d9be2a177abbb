"""The keyring: what the master key seals beside the objects' data keys (FORMAT.md §6).

It holds the key of the row MACs, the seed of the server's identity, the id by which clients know the server whatever its key,
the notes of the keys before by which a client follows to this one, the number of the master key's epoch, and, while a rotation
is unfinished, the wrapping keys of older epochs; likewise the row key before, while rows may still carry its MACs.

Rules. A keyring is a value: rotating and retiring make a new one. The master key itself is never kept, only the two keys
derived from it: one seals keyrings, the other data keys, so what lies in a keyring for the sake of old objects cannot open
an old keyring. No repr shows a secret. The random source is given.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sft.crypto.kdf import keyring_check, keyring_key, wrapping_key
from sft.crypto.keys import Entropy, ServerKey
from sft.crypto.sealing import open_box, seal
from sft.crypto.succession import SUCCESSION_BYTES, SUCCESSIONS_MOST, sign_succession
from sft.errors import DecryptionFailedError, MasterKeyError, ServerKeyFixedError, VaultError
from sft.vault.layout import (
    BINDING_BYTES,
    EPOCH_MOST,
    KEY_BYTES,
    NONCE_BYTES,
    SEALED_KEY_BYTES,
    TAG_BYTES,
    SealedKey,
    corrupt,
    encode_header,
)

KEYRING_MAGIC: Final = b"SFTKEY"
KEYRING_VERSION: Final = 1
KEYRING_HEADER: Final = struct.Struct(">6sBBI32s")
KEYRING_HEADER_BYTES: Final = KEYRING_HEADER.size
RECORD: Final = struct.Struct(f">{KEYRING_HEADER_BYTES}s32s32s32s32sBB")
OLDER_EPOCH: Final = struct.Struct(">I32s")
OLDER_MOST: Final = 1  # a rotation waits for the one before
NOTE_LENGTH: Final = struct.Struct(">H")
_NONE: Final = bytes(KEY_BYTES)
_BOX_AT: Final = KEYRING_HEADER_BYTES + NONCE_BYTES

_BINDING: Final = b"sft/1 sealed key"  # BLAKE2b's personalization has exactly 16 bytes
DAMAGED: Final = "the keyring is damaged"
WRONG_MASTER_KEY: Final = "the master key is not the one that sealed this keyring"


@dataclass(frozen=True, slots=True, eq=False)
class _MasterKeys:
    """What is derived from one master key; the key itself is let go."""

    sealing: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)
    check: bytes = field(repr=False)

    @classmethod
    def of(cls, master_key: bytes) -> _MasterKeys:
        return cls(sealing=keyring_key(master_key), wrapping=wrapping_key(master_key), check=keyring_check(master_key))


@dataclass(frozen=True, slots=True, eq=False)
class Keyring:
    """What a server's home turns on; see the module.

    Attributes:
        epoch: of the master key that seals what is sealed now, from 1.
        row_key: key of the row MACs, 32 bytes.
        server_seed: Ed25519 seed of the server's identity, 32 bytes.
        server_id: hash of the server's first key, 32 bytes; nothing changes it.
        older_row_key: the row key before, while rows may carry its MACs.
        successions: notes that say which keys this server's one followed, oldest first.
    """

    epoch: int
    row_key: bytes = field(repr=False)
    server_seed: bytes = field(repr=False)
    server_id: bytes
    older_row_key: bytes | None = field(repr=False)
    successions: tuple[str, ...]
    _master: _MasterKeys = field(repr=False)
    _older: Mapping[int, bytes] = field(repr=False)
    _entropy: Entropy = field(repr=False)

    @classmethod
    def generate(cls, master_key: bytes, *, entropy: Entropy = os.urandom) -> Keyring:
        """Draw the keyring of a new home."""
        row_key, server_seed = entropy(KEY_BYTES), entropy(KEY_BYTES)
        server_id = ServerKey.from_seed(server_seed).public.server_id()
        return cls(1, row_key, server_seed, server_id, None, (), _MasterKeys.of(master_key), {}, entropy)

    @classmethod
    def open(cls, sealed: bytes, master_key: bytes, *, entropy: Entropy = os.urandom) -> Keyring:
        """Open what ``seal`` made.

        Raises:
            VaultError: of another master key, damaged, or of a version that is unknown. A check value tells the first
                two apart, so that an operator looks for the right thing.
        """
        header = sealed[:KEYRING_HEADER_BYTES]
        if len(header) != KEYRING_HEADER_BYTES or not header.startswith(KEYRING_MAGIC):
            raise VaultError(problem=DAMAGED)
        _, version, flags, epoch, check = KEYRING_HEADER.unpack(header)
        if (version, flags) != (KEYRING_VERSION, 0):
            raise VaultError(problem=f"the keyring has the format version {version}.{flags}, which is unknown")
        master = _MasterKeys.of(master_key)
        if not hmac.compare_digest(check, master.check):
            raise MasterKeyError(problem=WRONG_MASTER_KEY)
        nonce = sealed[KEYRING_HEADER_BYTES:_BOX_AT]
        try:
            record = open_box(master.sealing, nonce, sealed[_BOX_AT:])
        except DecryptionFailedError as fault:
            raise VaultError(problem=DAMAGED) from fault
        if len(record) < RECORD.size or not record.startswith(header):
            raise VaultError(problem=DAMAGED)
        _, row_key, server_seed, server_id, older_row_key, count, notes = RECORD.unpack_from(record)
        rest = record[RECORD.size :]
        notes_at = count * OLDER_EPOCH.size
        if count > OLDER_MOST or notes > SUCCESSIONS_MOST or len(rest) < notes_at:
            raise VaultError(problem=DAMAGED)
        older = dict(OLDER_EPOCH.iter_unpack(rest[:notes_at]))
        successions = tuple(_notes(rest[notes_at:]))
        if len(successions) != notes:
            raise VaultError(problem=DAMAGED)
        if epoch < 1 or set(older) - {epoch - 1} or 0 in older:
            raise VaultError(problem=DAMAGED)
        before = None if older_row_key == _NONE else older_row_key
        return cls(epoch, row_key, server_seed, server_id, before, successions, master, older, entropy)

    @property
    def epochs(self) -> frozenset[int]:
        """Every epoch whose data keys can be opened."""
        return frozenset((self.epoch, *self._older))

    @property
    def rotating(self) -> bool:
        """Data keys may still be sealed under the older epoch."""
        return bool(self._older)

    def seal(self) -> bytes:
        """Write the keyring's file, anew each time: the nonce is random."""
        header = KEYRING_HEADER.pack(KEYRING_MAGIC, KEYRING_VERSION, 0, self.epoch, self._master.check)
        older_row_key = self.older_row_key or _NONE
        counts = len(self._older), len(self.successions)
        record = RECORD.pack(header, self.row_key, self.server_seed, self.server_id, older_row_key, *counts)
        record += b"".join(OLDER_EPOCH.pack(*pair) for pair in sorted(self._older.items()))
        notes = [note.encode("utf-8") for note in self.successions]
        record += b"".join(NOTE_LENGTH.pack(len(note)) + note for note in notes)
        nonce = self._entropy(NONCE_BYTES)
        return header + nonce + seal(self._master.sealing, nonce, record)

    def rotate(self, master_key: bytes) -> Keyring:
        """Make the keyring of the next epoch; what older epochs sealed stays readable until ``retire``.

        Raises:
            VaultError: it is the key in use, or the rotation before is unfinished.
        """
        if self.rotating:
            raise VaultError(problem="the rotation before this one is unfinished")
        if self.epoch == EPOCH_MOST:
            raise VaultError(problem="the master key was rotated as often as can be counted")
        master = _MasterKeys.of(master_key)
        if hmac.compare_digest(master.check, self._master.check):
            raise VaultError(problem="the new master key is the one in use")
        older = {self.epoch: self._master.wrapping}
        return replace(self, epoch=self.epoch + 1, _master=master, _older=older)

    def retire(self) -> Keyring:
        """Make the keyring without older epochs: what is sealed under them is lost for ever."""
        return replace(self, _older={})

    def require_renewable(self) -> None:
        """Raise ServerKeyFixedError where a change would begin that clients could not follow."""
        if self.older_row_key is None and len(self.successions) >= SUCCESSIONS_MOST:
            raise ServerKeyFixedError(times=len(self.successions))

    def renew(self, *, now: int) -> Keyring:
        """Draw another row key and another server key, which the one before says follows it.

        The row key before stays good until ``retire_row_key``; of the server key before nothing stays but its note.

        Raises:
            VaultError: rows may still carry MACs of one before.
            ServerKeyFixedError: clients could not follow.
        """
        if self.older_row_key is not None:
            raise VaultError(problem="the change of the row key before this one is unfinished")
        self.require_renewable()
        row_key, server_seed = self._entropy(KEY_BYTES), self._entropy(KEY_BYTES)
        old, new = ServerKey.from_seed(self.server_seed), ServerKey.from_seed(server_seed)
        note = sign_succession(old, self.server_id, new.public, made_at=now)
        return replace(
            self,
            row_key=row_key,
            older_row_key=self.row_key,
            server_seed=server_seed,
            successions=(*self.successions, note),
        )

    def retire_row_key(self) -> Keyring:
        """Make the keyring without the row key before: rows with a MAC under that alone are refused for ever."""
        return replace(self, older_row_key=None)

    # -- data keys ---------------------------------------------------------------------------------

    def random(self, count: int) -> bytes:
        """Draw bytes from the random source that this keyring was given."""
        return self._entropy(count)

    def wrap(self, object_id: bytes, data_key: bytes) -> SealedKey:
        """Seal an object's data key under the current epoch, for the object's row."""
        nonce = self._entropy(NONCE_BYTES)
        binding = _binding(object_id, self.epoch)
        return SealedKey(self.epoch, nonce + seal(self._master.wrapping, nonce, data_key + binding))

    def unwrap(self, object_id: bytes, key: SealedKey) -> bytes:
        """Open the data key of exactly this object.

        Args:
            object_id: as the authenticated row names it.
            key: from the same row.

        Raises:
            ObjectCorruptError: changed, of another object, or of an epoch that is unknown.
        """
        wrapping = self._master.wrapping if key.epoch == self.epoch else self._older.get(key.epoch)
        if wrapping is None:
            raise corrupt(object_id, f"is sealed under the master key {key.epoch}, which is unknown")
        if len(key.sealed) != SEALED_KEY_BYTES:
            raise corrupt(object_id, "has no whole sealed key")
        try:
            opened = open_box(wrapping, key.nonce, key.box)
        except DecryptionFailedError as fault:
            raise corrupt(object_id, "has a damaged sealed key") from fault
        data_key, binding = opened[:KEY_BYTES], opened[KEY_BYTES:]
        if not hmac.compare_digest(binding, _binding(object_id, key.epoch)):
            raise corrupt(object_id, "has the sealed key of another object")
        return data_key

    def rewrap(self, object_id: bytes, key: SealedKey) -> SealedKey:
        """Seal a data key under the current epoch; one that is so already stays as it is.

        Raises:
            ObjectCorruptError: it does not open.
        """
        data_key = self.unwrap(object_id, key)
        return key if key.epoch == self.epoch else replace(self.wrap(object_id, data_key), later=key.later)


def sealed_epoch(sealed: bytes) -> int:
    """Read which master key seals a keyring; VaultError for what is none. Nothing of it is verified."""
    if len(sealed) < KEYRING_HEADER_BYTES or not sealed.startswith(KEYRING_MAGIC):
        raise VaultError(problem="the keyring does not begin as one")
    _, _, _, epoch, _ = KEYRING_HEADER.unpack(sealed[:KEYRING_HEADER_BYTES])
    return int(epoch)


def _notes(rest: bytes) -> Iterator[str]:
    """Read notes up to the end; VaultError for what is none."""
    while rest:
        length = int.from_bytes(rest[: NOTE_LENGTH.size])
        note, rest = rest[NOTE_LENGTH.size :][:length], rest[NOTE_LENGTH.size + length :]
        if not 0 < length == len(note) <= SUCCESSION_BYTES:
            raise VaultError(problem=DAMAGED)
        try:
            yield note.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise VaultError(problem=DAMAGED) from fault


def _binding(object_id: bytes, epoch: int) -> bytes:
    """Hash what a key section belongs to: SecretBox has no associated data, so it lies within."""
    return hashlib.blake2b(
        encode_header(object_id) + epoch.to_bytes(4, "big"), digest_size=BINDING_BYTES, person=_BINDING
    ).digest()


KEYRING_LEAST_BYTES: Final = KEYRING_HEADER_BYTES + NONCE_BYTES + TAG_BYTES + RECORD.size
KEYRING_MOST_BYTES: Final = (
    KEYRING_LEAST_BYTES + OLDER_MOST * OLDER_EPOCH.size + SUCCESSIONS_MOST * (NOTE_LENGTH.size + SUCCESSION_BYTES)
)

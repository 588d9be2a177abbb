"""Objects on a backend: begun, opened, checked, rotated, removed.

Rules. Id and size are told by an authenticated row, and an object that differs is refused before its first chunk. The epoch
that a row names is the oldest that may rule. Whatever is written anew gets a new id and a new data key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sft.crypto.digests import blake2b_512
from sft.limits import CREDIT_STEP_CHUNKS, UNKNOWN_SIZE_STEP_BYTES
from sft.vault.backend import Backend, ObjectSource
from sft.vault.keyring import Keyring
from sft.vault.layout import HEADER_BYTES, KEY_SECTION_BYTES, KeySection, chunk_count, sealed_size
from sft.vault.objects import ObjectKeys, require_digest, require_length
from sft.vault.streams import ObjectReader, ObjectWriter

__all__ = ["BATCH_CHUNKS", "ObjectReader", "ObjectWriter", "Vault"]

BATCH_CHUNKS: Final = CREDIT_STEP_CHUNKS


class Vault:
    """A backend and the keyring that opens what lies there; any thread may call it."""

    def __init__(self, backend: Backend, keyring: Keyring) -> None:
        self._backend = backend
        self._keyring = keyring

    @property
    def keyring(self) -> Keyring:
        return self._keyring

    def adopt(self, keyring: Keyring) -> None:
        """Use another keyring, once its file is durable."""
        self._keyring = keyring

    # -- objects -----------------------------------------------------------------------------------

    def begin(self, object_id: bytes, size: int | None) -> ObjectWriter:
        """Begin an object under a new data key, with room reserved.

        Args:
            object_id: 16 random bytes, never used before.
            size: of the content, which must then hold; None where it is unknown: room is taken in steps.

        Raises:
            VaultFullError: there is no room.
        """
        room = UNKNOWN_SIZE_STEP_BYTES if size is None else sealed_size(size)
        sink = self._backend.create(object_id, room)
        try:
            return ObjectWriter(lambda: self._keyring, object_id, size, sink)
        except BaseException:
            sink.abort()
            raise

    def open(self, object_id: bytes, size: int, *, least_epoch: int = 1, first_chunk: int = 0) -> ObjectReader:
        """Begin to read an object, from any of its chunks.

        Args:
            object_id: as the authenticated row names it; size and least_epoch likewise.
            size: of the content.
            least_epoch: an older key section is refused.
            first_chunk: where to begin.

        Raises:
            ObjectMissingError: there is none.
            ObjectCorruptError: another length, header or key section than it must have.
        """
        if not 0 <= first_chunk < chunk_count(size):
            raise ValueError(f"a content of {size} bytes has no chunk {first_chunk}")
        source = self._backend.open(object_id)
        try:
            require_length(object_id, source.size, size)
            keys, _ = self._keys(object_id, source, least_epoch)
            return ObjectReader(source, keys, size, first_chunk)
        except BaseException:
            source.close()
            raise

    def _keys(self, object_id: bytes, source: ObjectSource, least_epoch: int) -> tuple[ObjectKeys, int]:
        """Open the key section that rules: the one beside the object, else the one within."""
        header, section = source.read(0, [HEADER_BYTES, KEY_SECTION_BYTES])
        beside = self._backend.read_key_section(object_id)
        ruling = section if beside is None else beside
        # The keyring is read after the section: a rotation adopts the new one before it rewrites the first.
        keys = ObjectKeys.from_prefix(self._keyring, object_id, header + section, ruling, least_epoch)
        return keys, KeySection.decode(ruling, object_id).epoch

    def read_whole(self, object_id: bytes, size: int, *, least_epoch: int = 1) -> Iterator[bytes]:
        """Read a content chunk by chunk; for who has a thread to spend."""
        reader = self.open(object_id, size, least_epoch=least_epoch)
        try:
            while sealed := reader.read(BATCH_CHUNKS):
                yield from reader.open(sealed)
        finally:
            reader.close()

    def check(
        self,
        object_id: bytes,
        size: int,
        digest: bytes,
        *,
        least_epoch: int = 1,
        each: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Read an object whole, and its sidecar if there is one.

        Raises:
            ObjectMissingError: there is none.
            ObjectCorruptError: it is not what was sealed, or not the content that its row names.
        """
        found = blake2b_512()
        for chunk in self.read_whole(object_id, size, least_epoch=least_epoch):
            found.update(chunk)
            each(len(chunk))
        require_digest(object_id, found.digest(), digest)
        self.read_sidecar(object_id, least_epoch=least_epoch)

    def remove(self, object_id: bytes) -> None:
        self._backend.remove(object_id)

    def quarantine(self, object_id: bytes) -> None:
        """Move an object that nobody knows out of the way, deleting nothing."""
        self._backend.quarantine(object_id)

    def quarantine_figures(self) -> tuple[int, int]:
        """Count the files that were moved out of the way, and their bytes."""
        return self._backend.quarantine_figures()

    def ids(self) -> Iterator[bytes]:
        return self._backend.ids()

    def discard_leftovers(self) -> int:
        """Remove what a dead process was writing, at start, when no writer is open; return how many objects."""
        leftovers = list(self._backend.leftovers())
        for object_id in leftovers:
            self._backend.discard(object_id)
        return len(leftovers)

    def free_bytes(self) -> int:
        return self._backend.free_bytes()

    def close(self) -> None:
        self._backend.close()

    # -- what lies beside an object ------------------------------------------------------------------

    def read_sidecar(self, object_id: bytes, *, least_epoch: int = 1) -> bytes | None:
        """Open a sidecar, None where there is none; ObjectCorruptError if it or the object's start does not hold."""
        sealed = self._backend.read_sidecar(object_id)
        if sealed is None:
            return None
        return self._open_keys(object_id, least_epoch)[0].open_sidecar(sealed)

    def write_sidecar(self, object_id: bytes, content: bytes, *, least_epoch: int = 1) -> None:
        keys, _ = self._open_keys(object_id, least_epoch)
        self._backend.write_sidecar(object_id, keys.seal_sidecar(self._keyring, content))

    def rewrap(self, object_id: bytes, *, least_epoch: int = 1) -> int:
        """Move an object to the current epoch unless that was done; return the epoch that rules now, for the row."""
        keys, epoch = self._open_keys(object_id, least_epoch)
        keyring = self._keyring
        if epoch == keyring.epoch:
            return epoch
        self._backend.replace_key_section(object_id, keyring.wrap(object_id, keys.data_key))
        return keyring.epoch

    def _open_keys(self, object_id: bytes, least_epoch: int) -> tuple[ObjectKeys, int]:
        source = self._backend.open(object_id)
        try:
            return self._keys(object_id, source, least_epoch)
        finally:
            source.close()

    def reencrypt(
        self,
        object_id: bytes,
        size: int,
        digest: bytes,
        new_object_id: bytes,
        *,
        least_epoch: int = 1,
        sidecar: bytes | None = None,
        each: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Copy an object to a new one under a new data key, as after a leak; the old one stays.

        Returns:
            The new object's epoch, for the row.

        Raises:
            ObjectCorruptError: the old one does not hold; nothing new is left.
        """
        found = blake2b_512()
        reader = self.open(object_id, size, least_epoch=least_epoch)
        writer = None
        try:
            writer = self.begin(new_object_id, size)
            while sealed := reader.read(BATCH_CHUNKS):
                chunks = reader.open(sealed)
                for chunk in chunks:
                    found.update(chunk)
                    each(len(chunk))
                writer.append(writer.seal(chunks, last=reader.chunks_left == 0))
            require_digest(object_id, found.digest(), digest)
            writer.finish(sidecar)
        except BaseException:
            if writer is not None:
                writer.abort()
            raise
        finally:
            reader.close()
        return writer.epoch

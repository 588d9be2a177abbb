"""Objects on a backend: begun, opened, checked, rotated, removed.

Rules. Id, size and sealed key are told by an authenticated row, and an object that differs is refused before its first chunk.
Whatever is written anew gets a new id and a new data key. A rotation touches rows alone, and nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from sft.crypto.digests import blake2b_512
from sft.errors import ObjectMissingError, VaultFullError
from sft.limits import CREDIT_STEP_CHUNKS, SEGMENT_BYTES, SEGMENT_CHUNKS, SPACE_STEP_BYTES
from sft.vault.backend import Backend, ObjectSource
from sft.vault.keyring import Keyring
from sft.vault.layout import HEADER_BYTES, SealedKey, chunk_count, corrupt, require_header, sealed_size, segment_count
from sft.vault.object_keys import ObjectKeys, new_object, next_run
from sft.vault.objects import OpenedSidecar, open_sidecar, require_digest, require_length, seal_sidecar
from sft.vault.streams import ObjectReader, ObjectWriter

__all__ = ["BATCH_CHUNKS", "ObjectReader", "ObjectWriter", "SealedKey", "Vault"]

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

    def begin(self, object_id: bytes, size: int | None, *, owner: int | None = None) -> ObjectWriter:
        """Begin an object under a new data key; room is taken in steps, as data comes.

        Args:
            object_id: 16 random bytes, never used before.
            size: of the content, which must then hold; None where it is unknown.
            owner: whose share of the room it takes; None for the server's own.

        Raises:
            VaultFullError: so much is not free now.
        """
        self._require_room(SPACE_STEP_BYTES if size is None else sealed_size(size))
        key = new_object(self._keyring, object_id)
        return ObjectWriter(lambda: self._keyring, self._backend, owner, object_id, size, key)

    def go_on(
        self, object_id: bytes, size: int, key: SealedKey, finished: int, *, owner: int | None = None
    ) -> ObjectWriter:
        """Begin another run of an object that was cut, under a data key of its own, after the finished segments.

        Args:
            size: of the whole content.
            key: as the open upload's row holds it.
            finished: how many segments its row names, at least 1; what lies there beyond them is removed.

        Raises:
            VaultFullError: so much is not free now.
            ObjectCorruptError: the key does not hold.
        """
        opened = next_run(self._keyring, object_id, key, finished)
        self._backend.remove(object_id, finished)
        self._require_room(sealed_size(size) - finished * sealed_size(SEGMENT_BYTES))
        return ObjectWriter(lambda: self._keyring, self._backend, owner, object_id, size, opened, finished)

    def _require_room(self, wanted: int) -> None:
        if wanted > self._backend.free_bytes():
            problem = "there is no room left above the floor that is kept free"
            raise VaultFullError(f"{wanted} bytes are wanted", problem=problem)

    def open(self, object_id: bytes, size: int, key: SealedKey, *, first_chunk: int = 0) -> ObjectReader:
        """Begin to read an object, from any of its chunks.

        Args:
            object_id: as the authenticated row names it; size and key likewise.
            size: of the content.
            key: the sealed data key.
            first_chunk: where to begin.

        Raises:
            ObjectMissingError: there is none.
            ObjectCorruptError: another length, header or key than it must have.
        """
        if not 0 <= first_chunk < chunk_count(size):
            raise ValueError(f"a content of {size} bytes has no chunk {first_chunk}")
        open_segment = partial(self._open_segment, object_id, size)
        source = open_segment(first_chunk // SEGMENT_CHUNKS)
        try:
            keys = ObjectKeys.opened(self._keyring, object_id, key)
        except BaseException:
            source.close()
            raise
        return ObjectReader(open_segment, source, keys, size, first_chunk)

    def _open_segment(self, object_id: bytes, size: int, segment: int) -> ObjectSource:
        source = self._backend.open(object_id, segment)
        try:
            require_length(object_id, source.size, size, segment)
            (header,) = source.read(0, [HEADER_BYTES])
            require_header(header, object_id, segment)
        except BaseException:
            source.close()
            raise
        return source

    def read_whole(self, object_id: bytes, size: int, key: SealedKey) -> Iterator[bytes]:
        """Read a content chunk by chunk; for who has a thread to spend."""
        reader = self.open(object_id, size, key)
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
        key: SealedKey,
        *,
        each: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Read an object whole. What lies beside it is for ``check_sidecar``.

        Raises:
            ObjectMissingError: there is none.
            ObjectCorruptError: it is not what was sealed, or not the content that its row names.
        """
        found = blake2b_512()
        for chunk in self.read_whole(object_id, size, key):
            found.update(chunk)
            each(len(chunk))
        require_digest(object_id, found.digest(), digest)
        self._check_segments(object_id, size)

    def look_at(self, object_id: bytes, size: int, key: SealedKey) -> None:
        """Look whether an object is there, each segment with its length and header, under its key; no chunk is read.

        Raises as ``check``.
        """
        ObjectKeys.opened(self._keyring, object_id, key)
        for segment in range(segment_count(size)):
            self._open_segment(object_id, size, segment).close()
        self._check_segments(object_id, size)

    def _check_segments(self, object_id: bytes, size: int) -> None:
        if self._backend.segments(object_id) != list(range(segment_count(size))):
            raise corrupt(object_id, "has segments that are none of its content's")

    def check_prefix(
        self,
        object_id: bytes,
        size: int,
        segments: int,
        digest: bytes,
        key: SealedKey,
        *,
        each: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Read the first segments of an object that is not whole; ``digest`` is of their content. Raises as ``check``."""
        found = blake2b_512()
        reader = self.open(object_id, size, key)
        try:
            for _ in range(segments * SEGMENT_CHUNKS // BATCH_CHUNKS):
                for chunk in reader.open(reader.read(BATCH_CHUNKS)):
                    found.update(chunk)
                    each(len(chunk))
        finally:
            reader.close()
        require_digest(object_id, found.digest(), digest)

    def segments(self, object_id: bytes) -> list[int]:
        """Name the segments that lie under an id, in order."""
        return self._backend.segments(object_id)

    def remove(self, object_id: bytes, first_segment: int = 0) -> None:
        """Destroy an object for good, or its segments from a number on."""
        self._backend.remove(object_id, first_segment)

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
        count = len(list(self._backend.leftovers()))
        self._backend.discard_leftovers()
        return count

    def free_bytes(self) -> int:
        return self._backend.free_bytes()

    def close(self) -> None:
        self._backend.close()

    # -- what lies beside an object ------------------------------------------------------------------

    def read_sidecar(self, object_id: bytes) -> OpenedSidecar | None:
        """Open an object's sidecar; None where there is none.

        Raises:
            ObjectCorruptError: it does not hold.
        """
        sealed = self._backend.read_sidecar(object_id)
        return None if sealed is None else open_sidecar(self._keyring, object_id, sealed)

    def check_sidecar(self, object_id: bytes, key: SealedKey) -> None:
        """Check that an object has a sidecar from which its row could be made again: the content reads well without.

        Raises:
            ObjectMissingError: there is none.
            ObjectCorruptError: it does not open, or has other keys than the row.
        """
        sidecar = self.read_sidecar(object_id)
        if sidecar is None:
            raise ObjectMissingError(problem=f"the sidecar of object {object_id.hex()} is missing")
        if sidecar[:2] != (self._keyring.unwrap(object_id, key), key.later):
            raise corrupt(object_id, "has a sidecar with another key")

    def write_sidecar(self, object_id: bytes, key: SealedKey, content: bytes) -> None:
        """Write the sidecar of an object anew, in the place of one that does not hold.

        Args:
            key: as the row holds it.
            content: what the index can be rebuilt from, in the clear; it is sealed here.

        Raises:
            VaultError: the disk refuses; what lay there may be gone.
        """
        keys = ObjectKeys.opened(self._keyring, object_id, key)
        self._backend.write_sidecar(object_id, seal_sidecar(self._keyring, keys, key.later, content))

    def reencrypt(
        self,
        object_id: bytes,
        size: int,
        digest: bytes,
        key: SealedKey,
        new_object_id: bytes,
        *,
        sidecar: bytes | None = None,
        each: Callable[[int], None] = lambda _: None,
    ) -> SealedKey:
        """Copy an object to a new one under a new data key, as after a leak; the old one stays.

        Returns:
            The new object's sealed key, for the row.

        Raises:
            ObjectMissingError, ObjectCorruptError, ObjectUnreadableError: the old one does not hold, or is not to be read;
                nothing new is left.
            VaultError: the new one cannot be written.
        """
        found = blake2b_512()
        reader = self.open(object_id, size, key)
        writer = None
        try:
            writer = self.begin(new_object_id, size)
            while sealed := reader.read(BATCH_CHUNKS):
                chunks = reader.open(sealed)
                for chunk in chunks:
                    found.update(chunk)
                    each(len(chunk))
                writer.append(writer.seal(chunks, last=reader.chunks_left == 0))
                writer.settle()
            require_digest(object_id, found.digest(), digest)
            writer.finish(sidecar)
        except BaseException:
            if writer is not None:
                writer.abort()
            raise
        finally:
            reader.close()
        return writer.key

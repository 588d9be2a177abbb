"""One object on its way to a backend, and one on its way back, in batches.

Rules. Arithmetic and cryptography (``seal``, ``open``) stand apart from input and output (``append``, ``read``), so that
the caller chooses the thread of each; none waits for a network. No chunk index is ever sealed twice under one data key: a
writer counts for itself, begins with a new data key, and goes on after no fault. No byte is returned before its chunk's tag
held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from sft.crypto.stream import seal_chunk
from sft.errors import VaultError, VaultFullError
from sft.limits import SPACE_STEP_BYTES
from sft.vault.backend import ObjectSink, ObjectSource
from sft.vault.keyring import Keyring
from sft.vault.layout import chunk_count, chunk_span, encode_header, sealed_size
from sft.vault.objects import ObjectKeys, new_object, seal_sidecar


class ObjectWriter:
    """One object on its way to the backend; ``Vault.begin`` makes it.

    Attributes:
        object_id: 16 bytes.
        size: bytes of content sealed so far.
        key: the sealed data key, for the row; read it after ``finish``, which moves it to a newer master key if there is.
    """

    def __init__(
        self, current_keyring: Callable[[], Keyring], object_id: bytes, announced: int | None, sink: ObjectSink
    ) -> None:
        keyring = current_keyring()
        self.object_id = object_id
        self.size = 0
        self._current_keyring = current_keyring
        self._announced = announced
        self._sink = sink
        self.key, self._keys = new_object(keyring, object_id)
        self._unwritten = [encode_header(object_id)]
        self._to_come_bytes = None if announced is None else sealed_size(announced)
        self._ahead_bytes = 0  # promised, and not written yet
        self._lock = threading.Lock()
        self._sealed = 0
        self._appended = 0
        self._complete = False

    def seal(self, chunks: Sequence[bytes], *, last: bool) -> list[bytes]:
        """Seal the next chunks; pure computing.

        Args:
            chunks: of 65,536 bytes each; with ``last`` the final one may be shorter, and is empty for empty content alone.
            last: nothing follows.

        Returns:
            As many sealed chunks, for ``append``.

        Raises:
            VaultError: more content than was announced, or less.
            ValueError: a chunk of another length, or anything after the last.
        """
        if last and not chunks:
            raise ValueError("the last batch holds the last chunk")
        with self._lock:
            # Taken before the first is sealed: no fault and no other thread leads to one of them a second time.
            if self._complete:
                raise ValueError("the object is complete")
            first, final = self._sealed, self._sealed + len(chunks) - 1
            self._sealed += len(chunks)
            self._complete = last
            self.size += sum(map(len, chunks))
            size = self.size
        if self._announced is not None and (size > self._announced or (last and size != self._announced)):
            raise VaultError(
                problem=f"object {self.object_id.hex()} got {size} bytes, announced were {self._announced}"
            )
        return [
            seal_chunk(self._keys.payload, index, last and index == final, chunk)
            for index, chunk in enumerate(chunks, first)
        ]

    def append(self, sealed: Sequence[bytes]) -> None:
        """Write sealed chunks, in the order in which they were sealed; input and output only.

        Raises:
            VaultFullError: no room. Any fault ends the object: only ``abort`` is left.
        """
        pieces = [*self._unwritten, *sealed]
        self._reserve(sum(map(len, pieces)))
        self._sink.write(pieces)
        self._unwritten = []
        self._appended += len(sealed)

    def _reserve(self, count: int) -> None:
        """Keep a step's room ahead of the data: what was only announced takes none."""
        if count > self._ahead_bytes:
            step = max(count, SPACE_STEP_BYTES)
            if self._to_come_bytes is not None:
                step = min(step, max(count, self._to_come_bytes))
            with suppress(VaultFullError):  # then what is written now must fit by itself, and the sink asks
                self._sink.reserve(step - self._ahead_bytes)
                self._ahead_bytes = step
        self._ahead_bytes = max(0, self._ahead_bytes - count)
        if self._to_come_bytes is not None:
            self._to_come_bytes -= count

    def finish(self, sidecar: bytes | None = None) -> None:
        """Make the object durable and visible, with its sidecar; input and output.

        Args:
            sidecar: what the index can be rebuilt from, in the clear; it is sealed here.

        Raises:
            ValueError: chunks are missing.
            VaultError: it could not be stored; nothing of it is left.
        """
        if not self._complete or self._appended != self._sealed:
            raise ValueError("the object is not complete")
        keyring = self._current_keyring()
        if keyring.epoch != self.key.epoch:
            # The master key was rotated meanwhile, and the old one may be retired before the row is there.
            self.key = keyring.wrap(self.object_id, self._keys.data_key)
        self._sink.finish(None if sidecar is None else seal_sidecar(keyring, self._keys, sidecar))

    def abort(self) -> None:
        """Leave nothing behind; harmless after ``finish`` and when repeated."""
        self._complete = True
        self._sink.abort()


class ObjectReader:
    """One object being read; ``Vault.open`` makes it, after header, key and length held."""

    def __init__(self, source: ObjectSource, keys: ObjectKeys, size: int, first_chunk: int) -> None:
        self._source = source
        self._keys = keys
        self._size = size
        self._count = chunk_count(size)
        self._read = first_chunk
        self._opened = first_chunk

    @property
    def chunks_left(self) -> int:
        return self._count - self._read

    def read(self, chunk_count: int) -> list[bytes]:
        """Read at most so many sealed chunks, none at the end (input and output); ObjectCorruptError if it shrank."""
        spans = [
            chunk_span(index, self._size) for index in range(self._read, min(self._read + chunk_count, self._count))
        ]
        if not spans:
            return []
        sealed = self._source.read(spans[0][0], [length for _, length in spans])
        self._read += len(sealed)
        return sealed

    def open(self, sealed: Sequence[bytes]) -> list[bytes]:
        """Open chunks in the order of reading (pure computing): all of them, or none and ObjectCorruptError."""
        first = self._opened
        content = [
            self._keys.open_chunk(index, box, last=index == self._count - 1) for index, box in enumerate(sealed, first)
        ]
        self._opened = first + len(sealed)
        return content

    @property
    def chunks_opened(self) -> int:
        return self._opened

    def rest(self) -> None:
        """Hold nothing open until the next read."""
        self._source.rest()

    def close(self) -> None:
        """Let the object go; harmless when repeated."""
        self._source.close()

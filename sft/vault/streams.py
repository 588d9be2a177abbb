"""One object on its way to a backend, and one on its way back, in batches.

Rules. Arithmetic and cryptography (``seal``, ``open``) stand apart from input and output (``append``, ``settle``, ``read``), so
that the caller chooses the thread of each; none waits for a network. No chunk index is ever sealed twice under one data key:
a writer counts for itself, begins with a new data key, and goes on after no fault. No byte is returned before its chunk's tag
held.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sft.crypto.stream import seal_chunk
from sft.errors import VaultError, VaultFullError
from sft.limits import SEGMENT_BYTES, SEGMENT_CHUNKS, SPACE_STEP_BYTES
from sft.vault.backend import Backend, ObjectSink, ObjectSource
from sft.vault.keyring import Keyring
from sft.vault.layout import SealedKey, chunk_count, chunk_span, encode_header, sealed_size, segment_size
from sft.vault.object_keys import ObjectKeys
from sft.vault.objects import seal_sidecar

_FULL_SEGMENT_BYTES: Final = sealed_size(SEGMENT_BYTES)


class ObjectWriter:
    """One run of an object on its way to the backend; ``Vault.begin`` and ``Vault.go_on`` make it.

    A segment that is full waits for ``settle``, which may run on another thread while the next one is written.

    Args:
        key: sealed, and the same opened: the last run's is this writer's own.
        finished: segments that the runs before have finished.

    Attributes:
        object_id: 16 bytes.
        size: bytes of content sealed so far, with those of the runs before.
        key: the sealed data keys, for the row; read it after ``finish``, which moves it to a newer master key if there is.
        finished: segments that are durable.
    """

    def __init__(
        self,
        current_keyring: Callable[[], Keyring],
        backend: Backend,
        owner: int | None,
        object_id: bytes,
        announced: int | None,
        key: tuple[SealedKey, ObjectKeys],
        finished: int = 0,
    ) -> None:
        self.object_id = object_id
        self.size = finished * SEGMENT_BYTES
        self.key, self._keys = key
        self.finished = finished
        self._current_keyring = current_keyring
        self._backend = backend
        self._owner = owner
        self._announced = announced
        self._lock = threading.Lock()
        self._sealed = self._appended = finished * SEGMENT_CHUNKS
        self._complete = False
        self._broken = False
        self._over = False
        self._settling = threading.Lock()
        self._full: deque[ObjectSink] = deque()
        self._segment = finished
        self._sink: ObjectSink | None = self._create()
        self._written_bytes = 0  # of the segment that is being written
        self._ahead_bytes = 0  # promised to it, and not written yet

    def _create(self) -> ObjectSink:
        return self._backend.create(self.object_id, 0, self._owner, segment=self._segment)

    @property
    def intact(self) -> bool:
        """Whether it can go on: what was sealed was written, and no step failed."""
        return not self._broken and self._sealed == self._appended

    @property
    def has_full(self) -> bool:
        """Whether a segment waits for ``settle``."""
        return bool(self._full)

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
            seal_chunk(self._keys.payload(index // SEGMENT_CHUNKS), index, last and index == final, chunk)
            for index, chunk in enumerate(chunks, first)
        ]

    def append(self, sealed: Sequence[bytes]) -> None:
        """Write sealed chunks, in the order in which they were sealed; input and output only.

        Raises:
            VaultFullError: no room. Any fault ends the run: only ``abort`` and ``leave`` are left.
        """
        rest = list(sealed)
        try:
            while rest:
                room = SEGMENT_CHUNKS - self._appended % SEGMENT_CHUNKS
                part, rest = rest[:room], rest[room:]
                self._write(part)
                self._appended += len(part)
                if self._appended % SEGMENT_CHUNKS == 0 and not (self._complete and self._appended == self._sealed):
                    self._fill()
        except BaseException:
            self._broken = True
            raise

    def _write(self, part: list[bytes]) -> None:
        if self._over:
            raise VaultError(problem=f"object {self.object_id.hex()} is not being written")
        sink = self._sink
        if sink is None:
            sink = self._sink = self._create()
        pieces = part if self._written_bytes else [encode_header(self.object_id, self._segment), *part]
        count = sum(map(len, pieces))
        self._reserve(sink, count)
        sink.write(pieces)
        self._written_bytes += count
        self._ahead_bytes = max(0, self._ahead_bytes - count)

    def _reserve(self, sink: ObjectSink, count: int) -> None:
        """Keep room ahead of the data, up to a segment's: what was only announced takes none."""
        if count <= self._ahead_bytes:
            return
        whole = _FULL_SEGMENT_BYTES if self._announced is None else segment_size(self._segment, self._announced)
        step = max(count, min(SPACE_STEP_BYTES, whole - self._written_bytes))
        with suppress(VaultFullError):  # then what is written now must fit by itself, and the sink asks
            sink.reserve(step - self._ahead_bytes)
            self._ahead_bytes = step

    def _fill(self) -> None:
        """Let a full segment wait for ``settle``; where the one before still does, it is settled here."""
        self.settle()
        if self._sink is not None:
            self._full.append(self._sink)
        self._sink = None
        self._segment += 1
        self._written_bytes = self._ahead_bytes = 0

    def settle(self) -> int:
        """Make durable and visible what is full, in order; return how many segments are. Input and output.

        Raises:
            VaultError: one could not be stored; likewise.
        """
        with self._settling:
            try:
                while self._full:
                    self._full[0].finish()
                    self._full.popleft()
                    self.finished += 1
            except BaseException:
                self._broken = True
                raise
        return self.finished

    def rest(self) -> None:
        """Hold nothing open and nothing promised until the next ``append``; input and output.

        Raises:
            VaultError: what was written could not be made durable; likewise.
        """
        self.settle()
        try:
            if self._sink is not None:
                self._sink.rest()
        except BaseException:
            self._broken = True
            raise
        self._ahead_bytes = 0

    def finish(self, sidecar: bytes | None = None) -> None:
        """Make the object durable and visible, with its sidecar; input and output.

        Args:
            sidecar: what the index can be rebuilt from, in the clear; it is sealed here.

        Raises:
            ValueError: chunks are missing.
            VaultError: it could not be stored; only ``abort`` and ``leave`` are left.
        """
        if not self._complete or self._appended != self._sealed or self._sink is None:
            raise ValueError("the object is not complete")
        self.settle()
        keyring = self._current_keyring()
        if keyring.epoch != self.key.epoch:
            # The master key was rotated meanwhile, and the old one may be retired before the row is there.
            self.key = replace(keyring.wrap(self.object_id, self._keys.data_key), later=self.key.later)
        self._sink.finish(None if sidecar is None else seal_sidecar(keyring, self._keys, self.key.later, sidecar))
        self._over = True

    def leave(self) -> None:
        """Leave the finished segments, and nothing of what is unfinished; harmless after ``finish`` and when repeated."""
        if self._over:
            return
        self._over = self._complete = True
        with self._settling:
            for sink in (*self._full, self._sink):
                if sink is not None:
                    sink.abort()
            self._full.clear()

    def abort(self) -> None:
        """Leave nothing behind; likewise.

        Raises:
            VaultError: finished segments could not be removed.
        """
        if not self._over:
            self.leave()
            if self.finished:
                self._backend.remove(self.object_id)


class ObjectReader:
    """One object being read; ``Vault.open`` makes it, after header, key and length of the first segment that is read held.

    Args:
        open_segment: opens a segment and checks length and header.
        source: of the segment that holds the first chunk.
    """

    def __init__(
        self,
        open_segment: Callable[[int], ObjectSource],
        source: ObjectSource,
        keys: ObjectKeys,
        size: int,
        first_chunk: int,
    ) -> None:
        self._open_segment = open_segment
        self._source = source
        self._segment = first_chunk // SEGMENT_CHUNKS
        self._keys = keys
        self._size = size
        self._count = chunk_count(size)
        self._read = first_chunk
        self._opened = first_chunk

    @property
    def chunks_left(self) -> int:
        return self._count - self._read

    def read(self, chunk_count: int) -> list[bytes]:
        """Read at most so many sealed chunks of one segment, none at the end (input and output).

        Raises:
            ObjectCorruptError: a segment shrank, or is another.
            ObjectMissingError: one is not there.
        """
        if not self.chunks_left:
            return []
        segment = self._read // SEGMENT_CHUNKS
        if segment != self._segment:
            source = self._open_segment(segment)
            self._source.close()
            self._source, self._segment = source, segment
        end = min(self._read + chunk_count, self._count, (segment + 1) * SEGMENT_CHUNKS)
        spans = [chunk_span(index, self._size) for index in range(self._read, end)]
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

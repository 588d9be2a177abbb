"""What is read for an upload: a regular file, or a pipe.

Rules. Everything here blocks and runs on the pool. A file is opened once and read once; it is the same file from its first
byte to its last by size, mtime and inode, or nothing of it is signed. A pipe that was read from is never opened again: the
rest of it would pass for the whole. A source always knows whether the chunk that it gives is the last: it looks one ahead
where no size is known.
"""

from __future__ import annotations

import os
import select
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from weakref import WeakSet

from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.client.transfers.local_file import LocalFile, seen_as
from sft.errors import LocalFileError, SourceChangedError
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES

_DATE_MOST: Final = 2**40  # a message holds no date beyond; some file systems do
_POLL_SECONDS: Final = 0.2  # how soon a reader of a silent pipe sees that it was given up


class Stated(NamedTuple):
    """What is signed of a source beside its content.

    Args:
        dated_at: its date, Unix seconds.
        executable: its owner may run it.
    """

    dated_at: int
    executable: bool = False


class UploadSource(Protocol):
    """Where an upload's bytes come from."""

    @property
    def size(self) -> int | None:
        """Bytes to come; None while nobody knows."""

    unchanged: LocalFile | None
    """The regular file that was read, once ``require_unchanged`` found nothing about it changed; None for a pipe."""

    def small(self) -> bytes | None:
        """Return the whole content if it fits one request, else None; to be called once, before ``fetch``."""

    def fetch(self, count: int) -> tuple[list[bytes], bool]:
        """Return the next chunks, at least one, and whether the last is among them."""

    def require_unchanged(self) -> Stated:
        """Check that it is still what was opened, and return what is signed of it."""

    def give_up(self) -> None:
        """Make a read that waits end soon, in an error."""

    def close(self) -> None:
        """Close it, when nothing reads it any more; idempotent."""


class FileSource:
    """A regular file.

    Args:
        path: may be a link: whoever named it meant what it leads to.
        identity: device and inode that it must have.

    Raises:
        LocalFileError: it cannot be opened, or is no regular file, or holds something where its size is 0.
        SourceChangedError: it is another file than the one that was meant.
    """

    def __init__(self, path: Path, *, follow: bool = True, identity: tuple[int, int] | None = None) -> None:
        self.name = str(path)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        with translating_os_errors(path):
            self._fd = os.open(path, flags)  # a FIFO must not hang it
        found = os.fstat(self._fd)
        self.seen = seen_as(self.name, "", found)
        self.unchanged: LocalFile | None = None
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise LocalFileError(
                path=self.name, problem="is not a regular file", remedy="Name a file, or send a pipe with -"
            )
        if identity not in {None, self.seen.identity}:
            self.close()
            raise SourceChangedError("another file has its name", path=self.name)
        self.size: int = self.seen.size
        self._left = self.size
        if not self.size:
            self._require_empty()

    def _require_empty(self) -> None:
        """Refuse what a system makes as it is read, as in /proc: no size tells its end."""
        try:
            made = os.read(self._fd, 1) and not os.fstat(self._fd).st_size
        except OSError as error:
            self.close()
            raise describe_os_error(error, self.name) from error
        if made:
            self.close()
            raise LocalFileError(
                path=self.name, problem="holds more than its size says", remedy="Send it as a pipe, with -"
            )

    def small(self) -> bytes | None:
        if self.size > SMALL_FILE_BYTES:
            return None
        return self._read(self.size)

    def fetch(self, count: int) -> tuple[list[bytes], bool]:
        """Return the next chunks; SourceChangedError if it ended early."""
        chunks = [self._read(min(CHUNK_BYTES, self._left))]
        while self._left and len(chunks) < count:
            chunks.append(self._read(min(CHUNK_BYTES, self._left)))
        return chunks, not self._left

    def rewind(self, done: int = 0) -> None:
        """Go back, or on, to what follows so many bytes: a source that is compared before it is sent is read twice."""
        with translating_os_errors(self.name):
            os.lseek(self._fd, done, os.SEEK_SET)
        self._left = self.size - done

    @property
    def opened_as(self) -> tuple[int, int, int, int]:
        """Device, inode, size and date (ns) as they were when it was opened."""
        return _written(self.seen)

    @property
    def local(self) -> str:
        """Its path, absolute."""
        return str(Path(self.name).absolute())

    def require_unchanged(self) -> Stated:
        """Check that nobody wrote to it; SourceChangedError if size, date or file are others."""
        with translating_os_errors(self.name):
            found = os.fstat(self._fd)
        now = seen_as(self.name, "", found)
        if _written(now) != _written(self.seen):
            raise SourceChangedError(path=self.name)
        self.unchanged = now if now == self.seen else None
        dated_at = max(-_DATE_MOST, min(_DATE_MOST, now.modified_ns // 10**9))
        return Stated(dated_at, executable=bool(found.st_mode & stat.S_IXUSR))

    def give_up(self) -> None:
        """Do nothing: a file keeps no reader waiting."""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self, size: int) -> bytes:
        with translating_os_errors(self.name):
            data = os.read(self._fd, size) if size else b""
            while len(data) < size:
                more = os.read(self._fd, size - len(data))
                if not more:
                    raise SourceChangedError("it became shorter", path=self.name)
                data += more
        self._left -= size
        return data


class _Stream(Protocol):
    def fileno(self) -> int: ...


_read_from: Final[WeakSet[_Stream]] = WeakSet()


class PipeSource:
    """Bytes of unknown number from an open stream, standard input by default.

    Args:
        clock: the date of what has none of its own.

    Raises:
        LocalFileError: it was read from before.
    """

    def __init__(self, stream: _Stream, clock: Callable[[], float], name: str = "-") -> None:
        self.name = name
        if stream in _read_from:
            raise LocalFileError(
                path=name, problem="was read from already, and cannot be read again", remedy="Start what writes it anew"
            )
        self.size: int | None = None
        self.unchanged: LocalFile | None = None
        self._stream = stream
        self._fd = stream.fileno()
        self._clock = clock
        self._ahead: bytes | None = None
        self._given_up = threading.Event()

    @property
    def was_read(self) -> bool:
        """Whether anything of it may be gone from the pipe."""
        return self._stream in _read_from

    def small(self) -> bytes | None:
        """Return the whole content if it ends within one request; what was read stays for ``fetch``."""
        head = self._read(CHUNK_BYTES)
        self._ahead = head
        if len(head) > SMALL_FILE_BYTES:
            return None
        self.size = len(head)
        return head

    def fetch(self, count: int) -> tuple[list[bytes], bool]:
        """Return the next chunks, reading one ahead to know the last."""
        held = self._read(CHUNK_BYTES) if self._ahead is None else self._ahead
        chunks: list[bytes] = []
        while True:
            self._ahead = self._read(CHUNK_BYTES) if len(held) == CHUNK_BYTES else b""
            chunks.append(held)
            if not self._ahead:
                return chunks, True
            if len(chunks) == count:
                return chunks, False
            held = self._ahead

    def require_unchanged(self) -> Stated:
        """Return the present: a pipe has no date and cannot be compared with itself."""
        return Stated(int(self._clock()))

    def give_up(self) -> None:
        """Make a read that waits for more end."""
        self._given_up.set()

    def close(self) -> None:
        self.give_up()

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        wanted = size
        with translating_os_errors(self.name):
            while wanted:
                if self._given_up.is_set():
                    raise SourceChangedError("given up", path=self.name)
                if not select.select([self._fd], [], [], _POLL_SECONDS)[0]:
                    continue
                _read_from.add(self._stream)
                data = os.read(self._fd, wanted)
                if not data:
                    break
                parts.append(data)
                wanted -= len(data)
        return b"".join(parts)


def _written(file: LocalFile) -> tuple[int, int, int, int]:
    """Return what tells a file from one that was written since."""
    return *file.identity, file.size, file.modified_ns

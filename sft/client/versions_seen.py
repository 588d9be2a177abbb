"""The highest version of each file that this computer has seen a good signature of, and what was signed there.

    versions/<server id>    records of a file's id (16 bytes), a version, the file's slot in the server's log (8 bytes each,
                            big endian), the first half of the BLAKE2b-512 of the version's digest and signed name, and 1 if
                            its content was read here, else 0 (a byte), in the order of seeing; the first has "sft versions"
                            in place of an id, the number of the format, 4, and zeros

What is older is not the newest; what was judged once is known again without its signature; a file has one slot for ever: in
a second one it could have a second history; and what was read here to its end, and was what was signed, is said to be verified.

Rules. What other processes of this person saw since this one began is not read: it may be newer than what this one was shown
before, and no server is accused of that. A format of a higher number is refused. A record is added at the end, never changed; a
long file is written anew with what was seen last. A record that a crash cut off is cut away before the next one. What the disk
does not take is remembered while this process runs. Everything may block, and be called from any thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from struct import Struct
from typing import Final

from sft.client.state import StateFolder, name_of_server
from sft.crypto.digests import blake2b_512
from sft.errors import LocalDiskFullError, LocalFileError

_RECORD: Final = Struct(">16sQQ32s?")
_FORMAT: Final = 4
_KEPT_BYTES: Final = 32  # as hard to meet on purpose as a whole SHA-256
_MAGIC: Final = b"sft versions".ljust(16, b"\0")
_HEAD: Final = _RECORD.pack(_MAGIC, _FORMAT, 0, b"", False)
_MOST_RECORDS: Final = 260_000  # 16 MiB, nearly: what the state reads
_KEPT_RECORDS: Final = 200_000  # when it is written anew
_WRITTEN_AT_ONCE: Final = 256  # what a kill may forget, and a small part of a put or get of many files


NO_PLACE: Final = 0  # the root folder's slot: of a file it means that none was proved

Seen = tuple[int, int, bytes, bool]
"""A version, the file's slot, what tells whether another version is it, and whether its content was read here."""

NEVER: Final[Seen] = (0, NO_PLACE, b"", False)


class VersionsSeen:
    """What was seen of one server's files, as of when it was made: before anything is asked of that server."""

    def __init__(self, state: StateFolder, server_id: bytes) -> None:
        self._state = state
        self._name = f"versions/{name_of_server(server_id)}"
        self._began = state.inode_and_size(self._name)
        self._highest: dict[bytes, Seen] | None = None
        self._unwritten: dict[bytes, Seen] = {}
        self._lock = threading.Lock()

    @staticmethod
    def put_aside(state: StateFolder, server_id: bytes, to: str) -> None:
        """Move what was seen of a server's files into a folder of the state: what is shown next is the first that is seen."""
        name = name_of_server(server_id)
        if name in state.names("versions"):
            state.move(f"versions/{name}", f"{to}/versions")

    @property
    def path(self) -> str:
        """Where it is kept."""
        return str(self._state.path(self._name))

    def highest(self, file_id: bytes) -> int:
        """Return the highest version seen of a file; 0 for none.

        Raises:
            LocalFileError: what earlier runs have seen cannot be read, is no such file, or a newer sft wrote it.
        """
        with self._lock:
            return self._loaded().get(file_id, NEVER)[0]

    def knows(self, file_id: bytes, version: int, digest: bytes, name: str) -> bool:
        """Return whether the highest version seen of a file is this one, of this content and signed as this."""
        return self._seen_as(file_id, version, digest, name) is not None

    def was_read(self, file_id: bytes, version: int, digest: bytes, name: str) -> bool:
        """Return whether the highest version seen is this one, as ``knows``, and its content was read on this computer."""
        seen = self._seen_as(file_id, version, digest, name)
        return seen is not None and seen[3]

    def place(self, file_id: bytes) -> int:
        """Return the slot in which a file was first proved to be; ``NO_PLACE`` for none."""
        with self._lock:
            return self._loaded().get(file_id, NEVER)[1]

    def note(
        self, file_id: bytes, version: int, digest: bytes, name: str, place: int = NO_PLACE, *, read: bool = False
    ) -> None:
        """Remember a version whose signature holds, over a content and a name; the first place that is told stays.

        Args:
            read: the content was read here to its end, and has that digest; once so of a version, it stays so.
        """
        with self._lock:
            known = self._loaded()
            before = known.get(file_id, NEVER)
            proof = _proof(digest, name)
            seen = (version, before[1] or place, proof, read or (before[3] and before[:3:2] == (version, proof)))
            if version < before[0] or seen == before:
                return
            known[file_id] = self._unwritten[file_id] = seen
            if len(self._unwritten) >= _WRITTEN_AT_ONCE:
                self._write()

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            if self._unwritten:
                self._write()

    def _seen_as(self, file_id: bytes, version: int, digest: bytes, name: str) -> Seen | None:
        with self._lock:
            seen = self._loaded().get(file_id, NEVER)
            return seen if seen[:3:2] == (version, _proof(digest, name)) else None

    def _loaded(self) -> dict[bytes, Seen]:
        if self._highest is None:
            self._highest = self._read(as_began=True)
        return self._highest

    def _write(self) -> None:
        records = b"".join(_RECORD.pack(file_id, *one) for file_id, one in self._unwritten.items())
        with contextlib.suppress(LocalDiskFullError, LocalFileError), self._state.locked():
            written = self._state.append(self._name, records, record_bytes=_RECORD.size, head=_HEAD)
            self._unwritten = {}
            if written > _MOST_RECORDS * _RECORD.size:
                self._shorten()

    def _shorten(self) -> None:
        kept = [*self._read().items()][-_KEPT_RECORDS:]
        self._state.write(
            self._name, _HEAD + b"".join(_RECORD.pack(file_id, *one) for file_id, one in kept), sync=False
        )

    def _read(self, *, as_began: bool = False) -> dict[bytes, Seen]:
        """Return the highest version of each file, the last seen last; of the whole file, or of it as it was at first."""
        data = self._state.read(self._name) or b""
        # One that was written anew meanwhile, or could not be looked at, is read whole: to forget what was seen would be worse
        # than to know too much. Where there was none, all of it came since.
        if as_began and self._began is not None:
            inode, size = self._began
            now = self._state.inode_and_size(self._name)
            if size == 0 or (now is not None and now[0] == inode):
                data = data[:size]
        records = _parsed(data)
        magic, number, *_ = next(records, (_MAGIC, _FORMAT, NO_PLACE, b"", False))
        if magic != _MAGIC or number < _FORMAT:
            raise LocalFileError(
                path=self.path,
                problem="is damaged",
                remedy="Move it away: what was seen of older versions is forgotten then",
            )
        if number > _FORMAT:
            raise LocalFileError(
                path=self.path,
                problem=f"was written by a newer sft (format {number}; this one reads {_FORMAT})",
                remedy="Update this program: nothing was changed",
            )
        known: dict[bytes, Seen] = {}
        for file_id, version, place, proof, read in records:
            before = known.pop(file_id, NEVER)
            known[file_id] = before if before[0] > version else (version, before[1] or place, proof, read)
        return known


def _proof(digest: bytes, name: str) -> bytes:
    return blake2b_512(digest + name.encode()).digest()[:_KEPT_BYTES]


def _parsed(data: bytes) -> Iterator[tuple[bytes, int, int, bytes, bool]]:
    whole = len(data) - len(data) % _RECORD.size
    # Of no view: Python 3.11 ends by a segmentation fault where its collector finds one that is still read from, and the
    # traceback of a refusal keeps this.
    return _RECORD.iter_unpack(data[:whole])

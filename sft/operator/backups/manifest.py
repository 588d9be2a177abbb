"""What a backup is made of, and what it says of itself: one document, written last (FORMAT.md §13).

Rules. A document with its own digest behind it: one that was cut or changed is none. It holds what is small (keyring, signed
head, settings), and names what is large by digest (pieces of the database, the list of objects). No digest here makes
anything true: who restores believes the MACs of rows, which the keyring opens, and the signature of the head.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sft.crypto.signed_note import text_of
from sft.errors import CryptoError
from sft.ledger.checkpoints import Checkpoint

FORMAT: Final = 1
MANIFEST_MOST_BYTES: Final = 1 << 28  # pieces of a database of 1 TiB
PIECE_BYTES: Final = 256 * 1024

_ID_BYTES: Final = 16
_RECORD_BYTES: Final = _ID_BYTES + 8  # of the list of objects
_SUM_BYTES: Final = 64 + 1
_SIZE_BYTES: Final = 8


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One backup.

    Attributes:
        program: the version of sft that took it.
        taken_at: Unix seconds, when its moment was.
        server: what it was called then.
        epoch: of the master key that opens it.
        head: the last head of the log that was signed before its moment: the note.
        schema: the version of the database.
        pieces: SHA-256 of each piece of the database, in order, in hexadecimal.
        objects: how many the list of objects has.
        object_bytes: of their contents.
        object_list: SHA-256 of that list.
        lacking: objects that the database names, and that could not be copied whole.
        files: small files of the home, by name: its settings, and what makes a master key out of a passphrase.
    """

    format: int = FORMAT
    program: str
    taken_at: int
    server: str
    server_id: bytes
    epoch: int
    head: str
    keyring: bytes
    schema: str
    database_bytes: int
    pieces: tuple[str, ...]
    objects: int
    object_bytes: int
    object_list: str
    lacking: int = 0
    files: dict[str, bytes] = {}

    @property
    def checkpoint(self) -> Checkpoint:
        """The head, as it says; ``sft.operator.backups.restoring`` verifies it."""
        return Checkpoint.parse(text_of(self.head))

    def encode(self) -> bytes:
        document = msgspec.json.encode(self) + b"\n"
        return document + hashlib.sha256(document).hexdigest().encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read a document; ValueError for one that is not whole, or is of another version."""
        document, digest = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
        if hashlib.sha256(document).hexdigest().encode() + b"\n" != digest:
            raise ValueError("is not whole")
        try:
            found = msgspec.json.decode(document, type=cls)
            _ = found.checkpoint
        except (msgspec.DecodeError, CryptoError) as error:
            raise ValueError("is of a version that this program does not know") from error
        if found.format != FORMAT:
            raise ValueError(f"has the format {found.format}, and this program knows {FORMAT}")
        return found


class ObjectList:
    """The objects of a backup, by rising id: 16 bytes of it and 8 of its content's size each.

    Raises:
        ValueError: it is not made of such records.
    """

    def __init__(self, records: bytes) -> None:
        if len(records) % _RECORD_BYTES:
            raise ValueError("is not whole")
        self.records = records

    @classmethod
    def of(cls, objects: Iterable[tuple[bytes, int]]) -> ObjectList:
        """Make the list of objects that come by rising id."""
        records = bytearray()
        for object_id, size in objects:
            records += object_id + size.to_bytes(_SIZE_BYTES)
        return cls(bytes(records))

    def __len__(self) -> int:
        return len(self.records) // _RECORD_BYTES

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.records).hexdigest()

    def size_bytes(self) -> int:
        """Add up the contents."""
        return sum(size for _, size in self.all())

    def all(self) -> Iterator[tuple[bytes, int]]:
        return self._from(0, len(self))

    def beginning_with(self, first: int) -> Iterator[tuple[bytes, int]]:
        """Go through the objects whose id begins with a byte."""
        return self._from(self._place(first), self._place(first + 1))

    def ids_beginning_with(self, first: int) -> set[bytes]:
        """Return the ids that begin with a byte; of a million objects all of them take a third of a second."""
        start, end = self._place(first) * _RECORD_BYTES, self._place(first + 1) * _RECORD_BYTES
        records = self.records
        return {records[at : at + _ID_BYTES] for at in range(start, end, _RECORD_BYTES)}

    def _from(self, start: int, end: int) -> Iterator[tuple[bytes, int]]:
        for at in range(start * _RECORD_BYTES, end * _RECORD_BYTES, _RECORD_BYTES):
            record = self.records[at : at + _RECORD_BYTES]
            yield record[:-_SIZE_BYTES], int.from_bytes(record[-_SIZE_BYTES:])

    def _place(self, first: int) -> int:
        """Find the first object whose id does not begin with less than a byte."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.records[middle * _RECORD_BYTES] < first:
                low = middle + 1
            else:
                high = middle
        return low

"""What a backup is made of, and what it says of itself: one document, written last (FORMAT.md §13).

Rules. A document with its own digest behind it: one that was cut or changed is none. It holds what is small (keyring, signed
head, settings), and names what is large by digest (the table of the database's pages, the list of objects). No digest here
makes anything true: who restores believes the MACs of rows, which the keyring opens, and the signature of the head.
"""

from __future__ import annotations

import hashlib
import re
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sft.crypto.signed_note import text_of
from sft.errors import CryptoError
from sft.ledger.checkpoints import Checkpoint

FORMAT: Final = 1
MANIFEST_MOST_BYTES: Final = 1 << 28  # of a database of some TiB
PIECE_PAGES: Final = 2048  # 64 KiB of the table: where nothing changed but a few pages, a few pieces are written

_ID_BYTES: Final = 16
_RECORD: Final = struct.Struct(">16sQ")  # of the list of objects
_RECORD_BYTES: Final = _RECORD.size
_SUM_BYTES: Final = 64 + 1
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_PAGE_BYTES: Final = frozenset(1 << power for power in range(9, 17))  # of SQLite's databases
_PACKS_END: Final = 1 << 32
_LAST_BYTE: Final = 255


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One backup.

    Attributes:
        program: the version of sft that took it.
        taken_at: Unix seconds, when its moment was.
        server: what it was called then.
        epoch: of the master key that opens it.
        head: the last head of the log that was signed before its moment: the note.
        schema: the version of the database.
        page_bytes: of a page of the database.
        pieces: SHA-256 of each piece of the table of its pages, in order, in hexadecimal.
        packs: the numbers of the packs in which these pages lie.
        new_pages: how many of them this run wrote.
        objects: how many the list of objects has.
        object_bytes: of their contents.
        object_list: SHA-256 of that list.
        lacking: objects that the database names, and that could not be copied whole.
        files: small files of the home, by name: its settings, and what makes a master key out of a passphrase.
        files_mac: the server's, which says that they were its own (``sft.operator.backups.home_files``).
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
    page_bytes: int
    pieces: tuple[str, ...]
    packs: tuple[int, ...]
    new_pages: int
    objects: int
    object_bytes: int
    object_list: str
    lacking: int = 0
    files: dict[str, bytes]
    files_mac: bytes

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
        if not found.is_sound():
            raise ValueError("says what cannot be")
        return found

    def is_sound(self) -> bool:
        """Return whether names and numbers are such as a backup has: whoever reads on relies on that."""
        pages, rest = divmod(self.database_bytes, self.page_bytes) if self.page_bytes in _PAGE_BYTES else (0, 1)
        counts = (self.taken_at, self.objects, self.object_bytes, self.new_pages, self.lacking, pages, self.epoch - 1)
        return (
            rest == 0
            and min(counts) >= 0
            and len(self.pieces) == -(-pages // PIECE_PAGES)
            and all(map(_DIGEST.fullmatch, (*self.pieces, self.object_list)))
            and all(0 < number < _PACKS_END for number in self.packs)
        )


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
        pack = _RECORD.pack
        return cls(b"".join([pack(object_id, size) for object_id, size in objects]))

    def __len__(self) -> int:
        return len(self.records) // _RECORD_BYTES

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.records).hexdigest()

    def size_bytes(self) -> int:
        """Add up the contents."""
        return sum(size for _, size in self.all())

    def all(self) -> Iterator[tuple[bytes, int]]:
        return _RECORD.iter_unpack(self.records)

    def get(self, object_id: bytes) -> int | None:
        """Find the size of an object; None where it is not in the list."""
        at = self._place(object_id) * _RECORD_BYTES
        found = self.records[at : at + _RECORD_BYTES]
        return int.from_bytes(found[_ID_BYTES:]) if found[:_ID_BYTES] == object_id else None

    def beginning_with(self, first: int) -> dict[bytes, int]:
        """Return the sizes of the objects whose ids begin with a byte; of a million objects that takes half a second."""
        start, end = self._place(bytes([first])), self._place(bytes([first + 1]) if first < _LAST_BYTE else None)
        return dict(_RECORD.iter_unpack(self.records[start * _RECORD_BYTES : end * _RECORD_BYTES]))

    def _place(self, wanted: bytes | None) -> int:
        """Find the first object whose id is not less than this; behind the last one for None."""
        if wanted is None:
            return len(self)
        return bisect_left(range(len(self)), wanted, key=self._id)

    def _id(self, number: int) -> bytes:
        return self.records[number * _RECORD_BYTES : number * _RECORD_BYTES + _ID_BYTES]

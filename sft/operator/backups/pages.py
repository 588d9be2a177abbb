"""The pages of a database in a folder of backups: which of them changed since a table of them, and where each lies.

    table    an entry for each page: its digest, the number of the pack that it lies in, its place there; in pieces by digest
    pack     up to 4,096 pages that one run wrote, behind one another

Rules. A page is written where its digest is not that of the table before, or its pack is not whole: a run writes what changed
and reads everything, which takes a second for some hundred MiB: SQLite has no list of changed pages. A pack of which less than
half is needed is given up: what is needed of it is written anew, of no more pages in a run than the run before wrote, and one
pack. So what lies here is at most some twice what is needed, and a run still takes what it takes in proportion to changes.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, NoReturn, Self

from sft.operator.backups.folder import PACKS, BackupFolder, pack_name
from sft.operator.backups.incoming import Incoming
from sft.operator.backups.manifest import PIECE_PAGES, Manifest
from sft.store.database import FULL_CHECKPOINT_BYTES
from sft.store.database_pages import PAGES_AT_ONCE, DatabasePages

DIGEST_BYTES: Final = 24
PACK_PAGES: Final = 4096

_ENTRY: Final = struct.Struct(f">{DIGEST_BYTES}sII")
_ENTRY_BYTES: Final = _ENTRY.size
_PACK_END: Final = DIGEST_BYTES + 4
_STEP_BYTES: Final = 256 * 1024
_OPEN_PACKS: Final = 64

PIECE_MOST_BYTES: Final = PIECE_PAGES * _ENTRY_BYTES


class CopiedPages(NamedTuple):
    """The table of one moment's pages, in which packs they lie, and how many were written."""

    table: bytes
    packs: tuple[int, ...]
    new: int

    def pieces(self) -> Iterator[bytes]:
        for at in range(0, len(self.table), PIECE_MOST_BYTES):
            yield self.table[at : at + PIECE_MOST_BYTES]


class PageCopying:
    """Copies the pages of one moment into packs; for one thread.

    Args:
        incoming: at the root of the folder.
        sizes: of the packs that are there, in bytes, by number.
        before: the newest backup's manifest and table; None where there is none.
        each: told of the bytes of each step; may pause, or raise to end the copying.
    """

    def __init__(
        self,
        incoming: Incoming,
        sizes: Mapping[int, int],
        before: tuple[Manifest, bytes] | None,
        *,
        each: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._incoming = incoming
        self._sizes = sizes
        self._before = before
        self._each = each
        self._waiting: list[memoryview] = []
        self._pack = max(sizes, default=0) + 1
        self._new = 0
        self.bytes = 0

    def copy(self, pages: DatabasePages) -> CopiedPages:
        """Write what changed; it has its name with the batch."""
        size = pages.page_bytes
        before, usable = self._usable(size)
        table = bytearray()
        for first in range(0, pages.count, PAGES_AT_ONCE):
            data = memoryview(pages.read(first, PAGES_AT_ONCE))
            at = first * _ENTRY_BYTES
            for start in range(0, len(data), size):
                page = data[start : start + size]
                digest = page_digest(page)
                entry = before[at : at + _ENTRY_BYTES]
                if entry[:DIGEST_BYTES] == digest and entry[DIGEST_BYTES:_PACK_END] in usable:
                    table += entry
                else:
                    table += digest + self._add(page)
                at += _ENTRY_BYTES
            # A log that grows long slows every reader of the server down: then the moment ends as soon as it can.
            self._each(len(data) if pages.log_bytes() < FULL_CHECKPOINT_BYTES else 0)
        self._end_pack()
        return CopiedPages(bytes(table), tuple(sorted(packs_of(table))), self._new)

    def _usable(self, page_bytes: int) -> tuple[bytes, set[bytes]]:
        """Return the table before, and the packs in which a page that did not change may stay, as they stand there."""
        if self._before is None or self._before[0].page_bytes != page_bytes:
            return b"", set()
        manifest, table = self._before
        needed, last = packs_of(table), dict[int, int]()
        for _, pack, place in _ENTRY.iter_unpack(table):
            if place > last.get(pack, -1):
                last[pack] = place
        usable = {pack for pack in needed if self._sizes.get(pack, 0) >= (last[pack] + 1) * page_bytes}
        left = manifest.new_pages + PACK_PAGES
        for pack in sorted(usable, key=needed.__getitem__):
            left -= needed[pack]
            if left < 0 or 2 * needed[pack] * page_bytes >= self._sizes[pack]:
                break
            usable.discard(pack)
        return table, {pack.to_bytes(4) for pack in usable}

    def _add(self, page: memoryview) -> bytes:
        """Have a page written; return where, as an entry has it."""
        place = struct.pack(">II", self._pack, len(self._waiting))
        self._waiting.append(page)
        self._new += 1
        if len(self._waiting) == PACK_PAGES:
            self._end_pack()
        return place

    def _end_pack(self) -> None:
        if not self._waiting:
            return
        name, data = pack_name(self._pack), b"".join(self._waiting)
        with self._incoming.writing(name, (PACKS,), name) as file:
            for at in range(0, len(data), _STEP_BYTES):
                step = data[at : at + _STEP_BYTES]
                self._incoming.write(file, step)
                self._each(0)
        self._incoming.settle()
        self.bytes += len(data)
        self._waiting.clear()
        self._pack += 1


class PageReader:
    """Reads the pages of a backup; for one thread, and closed by its block."""

    def __init__(self, folder: BackupFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._files: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def pages(self) -> Iterator[bytes]:
        """Read all of them, in order; BackupError where one is gone or damaged."""
        size, count = self._manifest.page_bytes, 0
        for digest in self._manifest.pieces:
            piece = self._folder.piece(digest, at_most=PIECE_MOST_BYTES)
            if len(piece) % _ENTRY_BYTES:
                self._refuse_table()
            for wanted, pack, place in _ENTRY.iter_unpack(piece):
                with self._folder.acting("cannot be read", "Run this as the user that owns it"):
                    page = os.pread(self._file(pack), size, place * size)
                if page_digest(page) != wanted:
                    self._folder.refuse(
                        f"page {count + 1} of its database is damaged, in pack {pack_name(pack)}",
                        "Restore another one: sftd restore DIR --list",
                    )
                count += 1
                yield page
        if count * size != self._manifest.database_bytes:
            self._refuse_table()

    def _refuse_table(self) -> NoReturn:
        self._folder.refuse(
            "the table of its database's pages is damaged", "Restore another one: sftd restore DIR --list"
        )

    def _file(self, pack: int) -> int:
        if pack not in self._files:
            if len(self._files) >= _OPEN_PACKS:
                os.close(self._files.pop(next(iter(self._files))))
            self._files[pack] = self._folder.open_pack(pack)
        return self._files[pack]


def page_digest(page: bytes | memoryview) -> bytes:
    # Twice as fast as BLAKE2b where the processor has instructions for it, as nearly all have.
    return hashlib.sha256(page).digest()[:DIGEST_BYTES]


def packs_of(table: bytes | bytearray) -> Counter[int]:
    """Count the pages of a table by pack."""
    return Counter(pack for _, pack, _ in _ENTRY.iter_unpack(table))

"""The list of an archive, without unpacking it: zip and tar, also one that is compressed as a whole.

Rules. Of a zip the directory alone is read. A tar is walked forward header by header; the sizes in it are what it says. What is
compressed is opened up to ``OPENED_BYTES`` and no further, with bounded memory: a bomb is as large as its beginning.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from sft.limits import MIB

OPENED_BYTES: Final = 4 * MIB
ENTRIES_LISTED: Final = 200
_MOST_ENTRIES: Final = 100_000  # counted
_BLOCK: Final = 512
_NAME_BYTES: Final = 4096
_LZMA_MEMORY: Final = 64 * MIB
_GZIP_WINDOW: Final = 31
_COMPRESSED: Final = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"))


class ArchiveEntry(NamedTuple):
    """One thing in an archive, as the archive says; a folder's name ends with a slash."""

    name: str
    size_bytes: int


class ArchiveList(NamedTuple):
    """The entries of an archive.

    Args:
        entries: the first ones.
        found: how many there are, as far as was looked.
        is_cut: there is more than was looked at.
    """

    kind: str
    entries: list[ArchiveEntry]
    found: int
    is_cut: bool


def opened(content: bytes) -> tuple[str, bytes, bool] | None:
    """Open what is compressed as a whole, up to a bound; None for what is not.

    Returns:
        By what it is compressed, the beginning, and whether there is more.
    """
    for mark, kind in _COMPRESSED:
        if content.startswith(mark):
            out, is_cut = _decompressed(content, kind)
            return (kind, out, is_cut) if out or not is_cut else None
    return None


def archive_of(content: bytes) -> ArchiveList | None:
    """List an archive; None for what is none, or cannot be read."""
    if content[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return _zip(content)
    return _tar(content)


def _decompressed(content: bytes, kind: str) -> tuple[bytes, bool]:
    out = b""
    try:
        if kind == "gzip":
            reader = zlib.decompressobj(_GZIP_WINDOW)
            out = reader.decompress(content, OPENED_BYTES)
            return out, not reader.eof
        other = bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
        out = other.decompress(content, OPENED_BYTES)
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, MemoryError):
        return out, True
    return out, not other.eof


def _zip(content: bytes) -> ArchiveList | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [
                ArchiveEntry(each.filename[:_NAME_BYTES], each.file_size)
                for each in archive.infolist()[:ENTRIES_LISTED]
            ]
            return ArchiveList("zip", found, len(archive.infolist()), is_cut=False)
    except Exception:  # noqa: BLE001 - bytes of a stranger: whatever the reader makes of them, they are no list
        return None


def _tar(content: bytes) -> ArchiveList | None:
    entries, count = list[ArchiveEntry](), 0
    walk = _TarWalk(content)
    for entry in walk:
        if count < ENTRIES_LISTED:
            entries.append(entry)
        count += 1
        if count >= _MOST_ENTRIES:
            break
    return ArchiveList("tar", entries, count, is_cut=not walk.is_over) if count else None


class _TarWalk:
    """The headers of a tar, one after the other.

    Attributes:
        is_over: its end was met, and not the end of what is there.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.is_over = False

    def __iter__(self) -> Iterator[ArchiveEntry]:
        at, long_name = 0, ""
        while at + _BLOCK <= len(self._content):
            header = self._content[at : at + _BLOCK]
            if not header.strip(b"\0"):
                self.is_over = True
                return
            size = _number(header[124:136])
            if size is None or not _is_sound(header):
                return
            body = self._content[at + _BLOCK : at + _BLOCK + min(size, _NAME_BYTES)]
            kind = header[156:157]
            at += _BLOCK + -(-size // _BLOCK) * _BLOCK
            if kind == b"L":  # GNU: the name of the next one
                long_name = _text(body)
            elif kind == b"x":  # POSIX: what is said of the next one
                long_name = _pax_path(body) or long_name
            elif kind not in {b"K", b"g"}:
                yield ArchiveEntry(long_name or _name(header, kind), size)
                long_name = ""


def _is_sound(header: bytes) -> bool:
    stated = _number(header[148:156])
    return stated == sum(header[:148]) + sum(header[156:]) + 8 * 0x20


def _number(field: bytes) -> int | None:
    """Read a number as tar has it: octal digits, or binary if its first bit is set; None for what is none."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else None


def _name(header: bytes, kind: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    whole = f"{prefix}/{name}" if prefix else name
    return f"{whole}/" if kind == b"5" and not whole.endswith("/") else whole


def _pax_path(body: bytes) -> str:
    for line in body.split(b"\n"):
        _, _, said = line.partition(b" ")
        if said.startswith(b"path="):
            return _text(said[5:])
    return ""


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")

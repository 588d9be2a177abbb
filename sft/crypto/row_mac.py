"""The MAC on a database row: keyed BLAKE2b-256 over server, table and the row's other columns; and the sum of all MACs.

What is hashed is MessagePack in its smallest forms, which tells types, lengths and NULL apart: the server's id (of its first
key), the table's name, then an array of the values in the schema's order, without the NULLs at its end. So a row of another
server's database is refused, and a later migration may append a column that is NULL in every row there is, and the MACs
stand.

A MAC says that the server wrote a row, not that it is there still. So all MACs together have a sum, modulo 2^256, of their
digests under the server's id, which no change of the row key changes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Final, cast

import msgspec

from sft.crypto.keys import KEY_BYTES

ROW_MAC_BYTES: Final = 32

RowValue = str | int | bytes | None

_PURPOSE: Final = b"sft row 1"
_SUM_PURPOSE: Final = b"sft row sum 1"
_BACKUP: Final = "a backup's settings"  # no table has this name
SUM_MODULUS: Final = 1 << 256
_TYPES: Final[frozenset[type]] = frozenset({str, int, bytes, type(None)})

_encoder: Final = msgspec.msgpack.Encoder()


class RowMac:
    """Makes and checks the MACs of one table; threads may share it.

    Args:
        key: the row key, 32 bytes of the keyring.
        server_id: 32 bytes.
        table: the table's name.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes, server_id: bytes, table: str) -> None:
        _require_key(key)
        begun = _encoder.encode(server_id) + _encoder.encode(table)
        self._begun = hashlib.blake2b(begun, digest_size=ROW_MAC_BYTES, key=key, person=_PURPOSE)

    def make(self, values: Sequence[RowValue]) -> bytes:
        """Return the MAC of the values of every column but its own, in the schema's order."""
        return self._made(values if _TYPES.issuperset(map(type, values)) else [_plain(value) for value in values])

    def holds(self, values: Sequence[RowValue], mac: object) -> bool:
        """Return whether a MAC is that of these values; whoever asks raises when it is not.

        Values of another type than a row holds are encoded as what they are, and ``make`` made no such MAC.
        """
        try:
            return isinstance(mac, bytes) and hmac.compare_digest(self._made(values), mac)
        except (TypeError, UnicodeEncodeError, OverflowError):  # what no row of ours ever held
            return False

    def _made(self, values: Sequence[RowValue]) -> bytes:
        length = len(values)
        while length and values[length - 1] is None:
            length -= 1
        digest = self._begun.copy()
        digest.update(_encoder.encode(values[:length]))
        return digest.digest()


class RowSum:
    """What each MAC adds to the sum of all; threads may share it.

    Args:
        key: the server's id, 32 bytes.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        _require_key(key)
        self._begun = hashlib.blake2b(digest_size=ROW_MAC_BYTES, key=key, person=_SUM_PURPOSE)

    def term(self, mac: bytes) -> int:
        digest = self._begun.copy()
        digest.update(mac)
        return int.from_bytes(digest.digest(), "big")

    def total(self, macs: Iterable[bytes]) -> int:
        """Add up MACs, in whatever order."""
        return sum(map(self.term, macs)) % SUM_MODULUS


def backup_mac(key: bytes, server_id: bytes, digest: bytes) -> bytes:
    """Return the MAC over the digest of what a backup has beside database and contents: settings (FORMAT.md §13)."""
    return RowMac(key, server_id, _BACKUP).make([digest])


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a row key has {KEY_BYTES} bytes, not {len(key)}")


def _plain(value: object) -> RowValue:
    if isinstance(value, str):
        return str(value)  # a member of an enumeration is stored as its text
    if type(value) in _TYPES:
        return cast("RowValue", value)
    raise TypeError(f"a row holds no {type(value).__name__}")

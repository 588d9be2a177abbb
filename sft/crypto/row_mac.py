"""The mark on a database row: keyed BLAKE2b-256 over the table's name and the row's other columns.

What is hashed is MessagePack in its smallest forms, which tells types, lengths and NULL apart: the table's name,
then an array of the values in the schema's order, without the NULLs at its end. So a later migration may append
a column that is NULL in every row there is, and the marks stand.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, cast

import msgspec

from sft.crypto.keys import KEY_BYTES

ROW_MAC_BYTES: Final = 32

RowValue = str | int | bytes | None

_PURPOSE: Final = b"sft row 1"
_TYPES: Final[frozenset[type]] = frozenset({str, int, bytes, type(None)})

_encoder: Final = msgspec.msgpack.Encoder()


class RowMac:
    """Makes and checks the marks of one table; threads may share it.

    Args:
        key: the row key, 32 bytes of the keyring.
        table: the table's name.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes, table: str) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a row key has {KEY_BYTES} bytes, not {len(key)}")
        name = _encoder.encode(table)
        self._begun = hashlib.blake2b(name, digest_size=ROW_MAC_BYTES, key=key, person=_PURPOSE)

    def make(self, values: Sequence[RowValue]) -> bytes:
        """Mark a row by the values of every column but the mark, in the schema's order."""
        if not _TYPES.issuperset(map(type, values)):
            values = [_plain(value) for value in values]
        length = len(values)
        while length and values[length - 1] is None:
            length -= 1
        digest = self._begun.copy()
        digest.update(_encoder.encode(values[:length]))
        return digest.digest()

    def holds(self, values: Sequence[RowValue], mark: object) -> bool:
        """Return whether a mark is that of these values; whoever asks raises when it is not."""
        try:
            return isinstance(mark, bytes) and hmac.compare_digest(self.make(values), mark)
        except (TypeError, UnicodeEncodeError, OverflowError):  # what no row of ours ever held
            return False


def _plain(value: object) -> RowValue:
    if isinstance(value, str):
        return str(value)  # a member of an enumeration is stored as its text
    if type(value) in _TYPES:
        return cast("RowValue", value)
    raise TypeError(f"a row holds no {type(value).__name__}")

"""Decoders of MessagePack, each made when it is first needed: to look through a type takes a millisecond or so.

Rules. A value of ours that says what it is has a tag of one byte behind an array's head of one byte.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_ARRAY: Final = 0x90
_ARRAY_MASK: Final = 0xF0


@cache
def _decoder_of(kind: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


def decode_as(kind: type[T], data: bytes) -> T:
    """Read a value of a kind; msgspec.DecodeError, UnicodeDecodeError or RecursionError for what is none."""
    value: T = _decoder_of(kind).decode(data)
    return value


def tag_in(data: bytes) -> int | None:
    """Read the tag of an encoded value; None where none can be."""
    return data[1] if len(data) > 1 and data[0] & _ARRAY_MASK == _ARRAY else None


def tag_of(kind: type[msgspec.Struct]) -> Any:
    return kind.__struct_config__.tag

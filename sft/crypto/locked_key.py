"""A user's secret key in memory that is never swapped: one page, locked, left out of dumps, and zeroed when it is forgotten.

Rules. The seed comes into the page by reading it there, and no bytes object ever holds it: signing takes the page's address.
What libsodium keeps on its stack meanwhile it zeroes itself. Signs what ``sft.crypto.signatures`` says that a user's key signs.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any, Final

import nacl._sodium  # type: ignore[import-not-found]

from sft.crypto._ed25519 import POINT_BYTES, SEED_BYTES, SIGNATURE_BYTES
from sft.crypto.keys import KEY_ID_BYTES, PublicKey
from sft.crypto.signatures import is_signed_by_users
from sft.errors import KeyFormatError

# The bindings take a key as bytes, which are copied and never zeroed; their own library takes an address.
_ffi: Final[Any] = nacl._sodium.ffi  # noqa: SLF001
_lib: Final[Any] = nacl._sodium.lib  # noqa: SLF001
_EXPANDED_AT: Final = 64  # of the page: behind what was handed over

HANDED_BYTES: Final = KEY_ID_BYTES + SEED_BYTES
"""What a key comes as: key id, seed."""


class LockedKey:
    """A key in locked memory; usable once ``read`` has filled it.

    Raises:
        OSError: this computer does not lock memory for us.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._start = _ffi.cast("unsigned char *", _ffi.from_buffer(self._page))
        if _lib.sodium_mlock(self._start, mmap.PAGESIZE):
            raise OSError("memory cannot be locked")
        self._public: PublicKey | None = None

    @property
    def public(self) -> PublicKey:
        if self._public is None:
            raise KeyFormatError("the key is forgotten")
        return self._public

    def read(self, read_into: Callable[[memoryview], int]) -> None:
        """Take a key.

        Args:
            read_into: fills a part of what it is given and returns how much of it; 0 at the end.

        Raises:
            KeyFormatError: it ends before it is whole.
        """
        view, filled = memoryview(self._page), 0
        while filled < HANDED_BYTES:
            more = read_into(view[filled:HANDED_BYTES])
            if not more:
                self.forget()
                raise KeyFormatError("a key that is cut short")
            filled += more
        key_id = bytes(view[:KEY_ID_BYTES])
        point, expanded = _ffi.new("unsigned char[]", POINT_BYTES), self._start + _EXPANDED_AT
        _lib.crypto_sign_seed_keypair(point, expanded, self._start + KEY_ID_BYTES)
        _lib.sodium_memzero(self._start, HANDED_BYTES)
        self._public = PublicKey(key_id, bytes(_ffi.buffer(point)))

    def sign(self, message: bytes) -> bytes:
        """Sign what a user's key signs; ValueError for anything else, KeyFormatError once it is forgotten."""
        if self._public is None:
            raise KeyFormatError("the key is forgotten")
        if not is_signed_by_users(message):
            raise ValueError("not of a form that a user's key signs")
        signed = _ffi.new("unsigned char[]", SIGNATURE_BYTES + len(message))
        _lib.crypto_sign(signed, _ffi.NULL, message, len(message), self._start + _EXPANDED_AT)
        return bytes(_ffi.buffer(signed, SIGNATURE_BYTES))

    def forget(self) -> None:
        """Zero the page; idempotent."""
        self._public = None
        _lib.sodium_memzero(self._start, mmap.PAGESIZE)

"""The digest of content: BLAKE2b-512, which is what a prehashed minisign signature signs."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sft.errors import SignatureInvalidError

DIGEST_BYTES: Final = 64

_PREFIX: Final = "blake2b512:"
_TEXT: Final = re.compile(rf"{_PREFIX}([0-9a-f]{{{2 * DIGEST_BYTES}}})")


def blake2b_512(data: bytes = b"") -> hashlib.blake2b:
    """Begin a running digest: ``update``, ``copy``, ``digest``."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES)


def digest_text(digest: bytes) -> str:
    """Write a digest with its algorithm: ``blake2b512:`` and 128 hexadecimal digits."""
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
    return _PREFIX + digest.hex()


def parse_digest(text: str) -> bytes:
    """Read what ``digest_text`` writes and nothing else; SignatureInvalidError for any other text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise SignatureInvalidError("not a digest")
    return bytes.fromhex(found[1])

"""Keys as words that two people can read to each other: 88 bits in eight words; and passphrases made of the same words.

``wordlist.txt`` is the published English list of BIP-39: 2,048 words, no two alike in their first
four letters. The bits are the first 88 of BLAKE2b-256 of the key, eleven to a word, most
significant first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

WORDS: Final = 8
_BITS: Final = 11  # 2,048 words
_PREFIX_BYTES: Final = WORDS * _BITS // 8


@cache
def wordlist() -> tuple[str, ...]:
    """The 2,048 words, in their published order."""
    return tuple(Path(__file__).with_name("wordlist.txt").read_text("ascii").split())


@lru_cache(maxsize=1024)
def words(data: bytes) -> str:
    """Name a public key, given whole, by eight words in two groups of four: ``a-b-c-d e-f-g-h``."""
    prefix = hashlib.blake2b(data, digest_size=32).digest()[:_PREFIX_BYTES]
    bits = int.from_bytes(prefix, "big")
    chosen = [wordlist()[bits >> _BITS * place & (1 << _BITS) - 1] for place in reversed(range(WORDS))]
    return "-".join(chosen[: WORDS // 2]) + " " + "-".join(chosen[WORDS // 2 :])


def drawn(count: int, entropy: Callable[[int], bytes]) -> str:
    """Draw words at random, eleven bits each: a passphrase that a person can write down."""
    draws = (int.from_bytes(entropy(2), "big") % len(wordlist()) for _ in range(count))
    return "-".join(wordlist()[draw] for draw in draws)  # 65,536 is a multiple of 2,048: none is likelier

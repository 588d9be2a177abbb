"""RFC 6962's definitions, 2.1 to 2.1.2, as they stand there: recursive, slow, and by nobody's code but this."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

LEAVES = [b"leaf %d" % index for index in range(1200)]
HASHES = [sha256(b"\x00" + leaf).digest() for leaf in LEAVES]


@cache
def head(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    if end == start:
        return sha256(b"").digest()
    if end - start == 1:
        return sha256(b"\x00" + LEAVES[start]).digest()
    k = _largest_power_below(end - start)
    return sha256(b"\x01" + head(start, start + k) + head(start + k, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end])."""
    n = end - start
    if n == 1:
        return []
    k = _largest_power_below(n)
    if m < k:
        return [*path(m, start, start + k), head(start + k, end)]
    return [*path(m - k, start + k, end), head(start, start + k)]


def proof(m: int, n: int) -> list[bytes]:
    """PROOF(m, D[n])."""
    return _subproof(m, 0, n, whole=True)


def _subproof(m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    n = end - start
    if m == n:
        return [] if whole else [head(start, end)]
    k = _largest_power_below(n)
    if m <= k:
        return [*_subproof(m, start, start + k, whole=whole), head(start + k, end)]
    return [*_subproof(m - k, start + k, end, whole=False), head(start, start + k)]


def node(level: int, index: int) -> bytes:
    """Give a complete subtree, as proofs ask for it."""
    return head(index << level, (index + 1) << level)


def _largest_power_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k

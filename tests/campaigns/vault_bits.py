"""Flip every single bit of a three-chunk object, and try every length, through the vault's own reader.

    python tests/campaigns/vault_bits.py [--processes N]

About 1.57 million flips; half a minute on two cores. Ends with status 1 if anything but the object itself was accepted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from sft.errors import ObjectCorruptError
from sft.limits import CHUNK_BYTES
from sft.vault.keyring import Keyring
from sft.vault.layout import HEADER_BYTES, SEALED_CHUNK_BYTES
from sft.vault.objects import open_whole, seal_whole
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend

MASTER = bytes(range(32))
OBJECT_ID = bytes(16)
SIZE = 3 * CHUNK_BYTES
CONTENT = hashlib.shake_256(b"campaign").digest(SIZE)
STEP_BYTES = 4096


def _entropy(size: int) -> bytes:
    return hashlib.shake_256(b"entropy %d" % size).digest(size)


_KEY, _SEALED = seal_whole(Keyring.generate(MASTER, entropy=_entropy), OBJECT_ID, CONTENT)


def _vault() -> tuple[Vault, MemoryBackend]:
    keyring = Keyring.generate(MASTER, entropy=_entropy)
    backend = MemoryBackend()
    backend.shelf.objects[OBJECT_ID] = _SEALED
    return Vault(backend, keyring), backend


def flip_prefix() -> list[int]:
    """Flip every bit of the header.

    Returns:
        The bits whose flip was accepted.
    """
    vault, backend = _vault()
    whole = bytearray(backend.shelf.objects[OBJECT_ID])
    accepted = []
    for bit in range(8 * HEADER_BYTES):
        whole[bit >> 3] ^= 1 << (bit & 7)
        backend.shelf.objects[OBJECT_ID] = bytes(whole)
        whole[bit >> 3] ^= 1 << (bit & 7)
        try:
            vault.open(OBJECT_ID, SIZE, _KEY)
        except ObjectCorruptError:
            continue
        accepted.append(bit)
    return accepted


def flip_chunk(index: int, start: int, end: int) -> list[int]:
    """Flip every bit of some bytes of a chunk, which alone is opened.

    Returns:
        The bits of the object whose flip was accepted.
    """
    vault, _ = _vault()
    reader = vault.open(OBJECT_ID, SIZE, _KEY, first_chunk=index)
    (sealed,) = reader.read(1)
    changed = bytearray(sealed)
    accepted = []
    for bit in range(8 * start, 8 * min(end, len(sealed))):
        changed[bit >> 3] ^= 1 << (bit & 7)
        box = bytes(changed)
        changed[bit >> 3] ^= 1 << (bit & 7)
        try:
            reader.open([box])
        except ObjectCorruptError:
            continue
        accepted.append(8 * (HEADER_BYTES + index * SEALED_CHUNK_BYTES) + bit)
    if reader.open([sealed]) != [CONTENT[index * CHUNK_BYTES :][:CHUNK_BYTES]]:
        raise AssertionError("the object itself is not what it was")
    return accepted


def cut_everywhere() -> list[int]:
    """Try every length but the right one, up to a chunk more.

    Returns:
        The lengths that were accepted.
    """
    vault, backend = _vault()
    keyring, whole = vault.keyring, backend.shelf.objects[OBJECT_ID]
    longer = whole + bytes(SEALED_CHUNK_BYTES)
    accepted = []
    for length in range(len(longer) + 1):
        if length == len(whole):
            continue
        try:
            open_whole(keyring, OBJECT_ID, SIZE, _KEY, longer[:length])
        except ObjectCorruptError:
            continue
        accepted.append(length)
    return accepted


def main() -> int:
    """Run all of it and print what was found."""
    parser = argparse.ArgumentParser(description="Flip every bit of a three-chunk object.")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        lengths = pool.submit(cut_everywhere)
        flips = [pool.submit(flip_prefix)] + [
            pool.submit(flip_chunk, index, start, start + STEP_BYTES)
            for index in range(3)
            for start in range(0, SEALED_CHUNK_BYTES, STEP_BYTES)
        ]
        accepted = [bit for done in flips for bit in done.result()]
        wrong_lengths = lengths.result()
    bits = 8 * (HEADER_BYTES + 3 * SEALED_CHUNK_BYTES)
    print(f"{bits:,} flips: {len(accepted)} accepted {accepted[:10]}")
    print(f"{HEADER_BYTES + 4 * SEALED_CHUNK_BYTES:,} lengths: {len(wrong_lengths)} accepted")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if accepted or wrong_lengths else 0


if __name__ == "__main__":
    sys.exit(main())

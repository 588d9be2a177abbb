"""What the vault's tests share: fixed keys, a random source with a seed, contents, and objects made of parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count

from sft.limits import CHUNK_BYTES
from sft.vault.keyring import Keyring
from sft.vault.layout import HEADER_BYTES, SEALED_CHUNK_BYTES, SealedKey
from sft.vault.objects import seal_whole
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend

MASTER = bytes(range(32))
NEXT_MASTER = bytes(range(32, 64))
ID = bytes.fromhex("0a" * 16)
OTHER_ID = bytes.fromhex("0b" * 16)
MIB = 1 << 20

ROWS: dict[bytes, SealedKey] = {}
"""What the row of each object holds: the key that ``put`` or ``sealed_sample`` gave last."""


def seeded(label: str) -> Callable[[int], bytes]:
    """A random source that gives the same bytes in every run."""
    calls = count()
    return lambda size: hashlib.shake_256(f"{label} {next(calls)}".encode()).digest(size)


@lru_cache(16)
def content(size: int, label: str = "content") -> bytes:
    return hashlib.shake_256(label.encode()).digest(size)


def keyring(master_key: bytes = MASTER, label: str = "keyring") -> Keyring:
    return Keyring.generate(master_key, entropy=seeded(label))


def memory_vault() -> tuple[Vault, MemoryBackend]:
    backend = MemoryBackend()
    return Vault(backend, keyring()), backend


def put(vault: Vault, object_id: bytes, data: bytes, sidecar: bytes | None = None) -> None:
    writer = vault.begin(object_id, len(data))
    chunks = [data[i : i + CHUNK_BYTES] for i in range(0, len(data), CHUNK_BYTES)] or [b""]
    for start in range(0, len(chunks), 2):
        batch = chunks[start : start + 2]
        writer.append(writer.seal(batch, last=start + 2 >= len(chunks)))
    writer.finish(sidecar)
    ROWS[object_id] = writer.key


def get(vault: Vault, object_id: bytes, size: int) -> bytes:
    return b"".join(vault.read_whole(object_id, size, ROWS[object_id]))


def rewrap(vault: Vault, object_id: bytes) -> int:
    """Do what a rotation does to a row; return its epoch."""
    ROWS[object_id] = vault.keyring.rewrap(object_id, ROWS[object_id])
    return ROWS[object_id].epoch


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data).digest()


def split(sealed: bytes) -> tuple[bytes, list[bytes]]:
    """An object's header and its sealed chunks."""
    rest = sealed[HEADER_BYTES:]
    pieces = [rest[i : i + SEALED_CHUNK_BYTES] for i in range(0, len(rest), SEALED_CHUNK_BYTES)]
    return sealed[:HEADER_BYTES], pieces


def join(prefix: bytes, chunks: Sequence[bytes]) -> bytes:
    return prefix + b"".join(chunks)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


def sealed_sample(size: int, object_id: bytes = ID, label: str = "content") -> bytes:
    ROWS[object_id], sealed = seal_whole(keyring(), object_id, content(size, label))
    return sealed

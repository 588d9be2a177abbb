"""Write vault.json: keyrings, objects, a key that was sealed anew, a sidecar, and objects to refuse, from fixed seeds.

    python tests/vectors/generate_vault.py

Every random byte is SHAKE-256 of a label and of how many draws came before, so anyone can make the file again.
"""

from __future__ import annotations

import hashlib
import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sft.crypto.kdf import keyring_key, payload_key, wrapping_key
from sft.crypto.sealing import open_box
from sft.crypto.stream import seal_chunk
from sft.limits import CHUNK_BYTES, SEGMENT_CHUNKS
from sft.vault.keyring import KEYRING_HEADER_BYTES, Keyring
from sft.vault.layout import HEADER_BYTES, NONCE_BYTES, SEALED_CHUNK_BYTES, SealedKey, chunk_count, encode_header
from sft.vault.object_keys import ObjectKeys, new_object, next_run
from sft.vault.objects import seal_sidecar, seal_whole

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path(__file__).with_name("vault.json")

MASTER_KEY = bytes(range(32))
NEXT_MASTER_KEY = bytes(range(32, 64))
OBJECT_ID = bytes(range(0xA0, 0xB0))
SIZES = [0, 1, 16_340, 65_535, 65_536, 65_537, 200_000]
SEGMENTED_SIZE = 2 * SEGMENT_CHUNKS * CHUNK_BYTES + 5
WHOLE_UP_TO_BYTES = 200  # longer objects are given by their SHA-256


def drawn(label: str) -> Callable[[int], bytes]:
    """A random source that anyone can make again."""
    calls = count()
    return lambda size: hashlib.shake_256(f"{label} {next(calls)}".encode()).digest(size)


def content(size: int) -> bytes:
    """The content of a size."""
    return hashlib.shake_256(b"content").digest(size)


def build() -> dict[str, Any]:
    """Make all vectors."""
    first = Keyring.generate(MASTER_KEY, entropy=drawn("vault"))
    rotating = first.rotate(NEXT_MASTER_KEY)
    retired = rotating.retire()
    sealed = {size: seal_whole(first, OBJECT_ID, content(size)) for size in SIZES}
    whole = {size: sealed_object for size, (_, sealed_object) in sealed.items()}
    key = sealed[1][0]
    data_key = first.unwrap(OBJECT_ID, key)
    run = Keyring.open(first.seal(), MASTER_KEY, entropy=drawn("runs"))
    key_of_runs, keys_of_runs = next_run(run, OBJECT_ID, new_object(run, OBJECT_ID)[0], 1)
    return {
        "keyring": _keyring(first, MASTER_KEY),
        "keyring_rotating": _keyring(rotating, NEXT_MASTER_KEY),
        "keyring_retired": _keyring(retired, NEXT_MASTER_KEY),
        "keyring_renewed": _keyring(retired.renew(now=1_700_000_003), NEXT_MASTER_KEY),
        "objects": [_object(first, size, *sealed[size]) for size in SIZES],
        "segments": _segments(run, key_of_runs),
        "resealed_key": {
            "object_id": OBJECT_ID.hex(),
            "epoch": rotating.epoch,
            "data_key": data_key.hex(),
            "sealed_key": rotating.rewrap(OBJECT_ID, key).sealed.hex(),
        },
        "sidecar": {
            "object_id": OBJECT_ID.hex(),
            "data_key": keys_of_runs.data_key.hex(),
            "later_keys": key_of_runs.later.hex(),
            "content": b"what the service keeps".hex(),
            "sealed": seal_sidecar(run, keys_of_runs, key_of_runs.later, b"what the service keeps").hex(),
        },
        "refused": _refused(whole),
    }


def _keyring(keyring: Keyring, master_key: bytes) -> dict[str, Any]:
    file = keyring.seal()
    nonce = file[KEYRING_HEADER_BYTES : KEYRING_HEADER_BYTES + NONCE_BYTES]
    record = open_box(keyring_key(master_key), nonce, file[KEYRING_HEADER_BYTES + NONCE_BYTES :])
    return {
        "master_key": master_key.hex(),
        "epoch": keyring.epoch,
        "row_key": keyring.row_key.hex(),
        "server_seed": keyring.server_seed.hex(),
        "successions": list(keyring.successions),
        "wrapping_key": wrapping_key(master_key).hex(),
        "keyring_key": keyring_key(master_key).hex(),
        "record": record.hex(),
        "file": file.hex(),
    }


def _object(keyring: Keyring, size: int, key: SealedKey, sealed: bytes) -> dict[str, Any]:
    data_key = keyring.unwrap(OBJECT_ID, key)
    return {
        "size": size,
        "object_id": OBJECT_ID.hex(),
        "content_sha256": hashlib.sha256(content(size)).hexdigest(),
        "data_key": data_key.hex(),
        "payload_key": payload_key(data_key, encode_header(OBJECT_ID)).hex(),
        "epoch": key.epoch,
        "sealed_key": key.sealed.hex(),
        "length": len(sealed),
        "sha256": hashlib.sha256(sealed).hexdigest(),
        "whole": sealed.hex() if len(sealed) <= WHOLE_UP_TO_BYTES else None,
    }


def segments_of(keyring: Keyring, key: SealedKey) -> list[bytes]:
    """Seal a content of three segments, the first by one run and the others by a second."""
    keys = ObjectKeys.opened(keyring, OBJECT_ID, key)
    data = content(SEGMENTED_SIZE)
    chunks = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
    final = chunk_count(len(data)) - 1
    return [
        encode_header(OBJECT_ID, segment)
        + b"".join(
            seal_chunk(keys.payload(segment), index, index == final, chunks[index])
            for index in range(segment * SEGMENT_CHUNKS, min((segment + 1) * SEGMENT_CHUNKS, len(chunks)))
        )
        for segment in range(3)
    ]


def _segments(keyring: Keyring, key: SealedKey) -> dict[str, Any]:
    keys = ObjectKeys.opened(keyring, OBJECT_ID, key)
    return {
        "size": SEGMENTED_SIZE,
        "object_id": OBJECT_ID.hex(),
        "content_sha256": hashlib.sha256(content(SEGMENTED_SIZE)).hexdigest(),
        "data_key": keys.data_key.hex(),
        "epoch": key.epoch,
        "sealed_key": key.sealed.hex(),
        "later_keys": key.later.hex(),
        "segments": [
            {
                "payload_key": keys.payload(number).hex(),
                "length": len(sealed),
                "sha256": hashlib.sha256(sealed).hexdigest(),
            }
            for number, sealed in enumerate(segments_of(keyring, key))
        ],
    }


def refused_objects(sealed: dict[int, bytes]) -> list[tuple[str, str, bytes, int]]:
    """Make what a reader must refuse, each of the objects above, with the size that its row is made to claim."""
    two, one = sealed[65_537], sealed[1]
    first_end = HEADER_BYTES + SEALED_CHUNK_BYTES
    longest = sealed[200_000]
    second_end = first_end + SEALED_CHUNK_BYTES
    flipped = one[:HEADER_BYTES] + bytes([one[HEADER_BYTES] ^ 1]) + one[HEADER_BYTES + 1 :]
    return [
        ("cut_at_a_chunk_edge", "65,537 without its last chunk", two[:first_end], 65_536),
        ("cut_within_a_chunk", "65,537 up to 65,579 bytes", two[: first_end - 1], 65_535),
        ("cut_to_the_header", "65,537 up to 28 bytes", two[:HEADER_BYTES], 0),
        ("lengthened", "1 and a zero byte", one + b"\0", 2),
        ("lengthened_by_its_chunk", "1 and its chunk again", one + one[HEADER_BYTES:], 18),
        (
            "chunks_swapped",
            "200,000 with chunks 0 and 1 in each other's place",
            longest[:HEADER_BYTES]
            + longest[first_end:second_end]
            + longest[HEADER_BYTES:first_end]
            + longest[second_end:],
            200_000,
        ),
        (
            "chunk_of_another_object",
            "200,000 with chunk 0 of 65,537",
            longest[:HEADER_BYTES] + two[HEADER_BYTES:first_end] + longest[first_end:],
            200_000,
        ),
        ("segment_two", "1 with segment number 1", one[: HEADER_BYTES - 1] + b"\1" + one[HEADER_BYTES:], 1),
        ("version_two", "1 with version 2", one[:6] + b"\2" + one[7:], 1),
        ("tag_flipped", "1 with the lowest bit of its first tag byte flipped", flipped, 1),
    ]


def _refused(sealed: dict[int, bytes]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "made_of": recipe,
            "claimed_size": size,
            "length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "whole": data.hex() if len(data) <= WHOLE_UP_TO_BYTES else None,
        }
        for name, recipe, data, size in refused_objects(sealed)
    }


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

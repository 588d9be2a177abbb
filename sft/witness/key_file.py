"""The witness's name and keys: one small file, made at the first start and never changed.

    {"name": "witness.example.org/w1", "ed25519": "<seed, 64 digits>", "mldsa44": "<seed, 64 digits>"}

Rules. 0600, and refused where others may read it: whoever has these seeds can vouch for a log that never was. Two seeds, for a
cosigner's keys share nothing. The name is in every ML-DSA cosignature: another name is another witness.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from sft import durable
from sft.crypto.keys import SEED_BYTES
from sft.crypto.note_keys import CosignerKey, SignatureType, is_key_name

KEYS: Final = "keys"
_MOST_BYTES: Final = 4096


class _Contents(Struct, forbid_unknown_fields=True):
    name: str
    ed25519: str
    mldsa44: str


class WitnessKeys(Struct, frozen=True):
    """The keys of one witness, under its name: one for each type of cosignature."""

    name: str
    cosigners: tuple[CosignerKey, ...]


def read_keys(folder: int) -> WitnessKeys | None:
    """Read the keys of an open folder; None where there are none yet.

    Raises:
        OSError: they cannot be read.
        PermissionError: others may read them.
        ValueError: the file is damaged.
    """
    try:
        data = durable.read_regular(folder, KEYS, _MOST_BYTES)
    except FileNotFoundError:
        return None
    if stat.S_IMODE(os.stat(KEYS, dir_fd=folder, follow_symlinks=False).st_mode) != durable.PRIVATE_FILE:
        raise PermissionError("others may read it")
    try:
        contents = msgspec.json.decode(data, type=_Contents)
    except msgspec.DecodeError as fault:
        raise ValueError("another form") from fault
    return _keys(contents)


def make_keys(folder: int, name: str, entropy: Callable[[int], bytes] = os.urandom) -> WitnessKeys:
    """Make the keys of a new witness, durably; the caller has seen that there are none, and holds the folder's lock.

    Args:
        name: of the witness, as policies and signature lines have it; ValueError for what is none.
    """
    contents = _Contents(name, entropy(SEED_BYTES).hex(), entropy(SEED_BYTES).hex())
    keys = _keys(contents)
    durable.replace_file(folder, KEYS, msgspec.json.encode(contents) + b"\n")
    return keys


def _keys(contents: _Contents) -> WitnessKeys:
    if not is_key_name(contents.name):
        raise ValueError("no name of a key")
    seeds = {SignatureType.ED25519_COSIGNATURE: contents.ed25519, SignatureType.MLDSA44_COSIGNATURE: contents.mldsa44}
    cosigners = tuple(CosignerKey(contents.name, kind, bytes.fromhex(seed)) for kind, seed in seeds.items())
    return WitnessKeys(contents.name, cosigners)

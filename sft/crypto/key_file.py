"""minisign's secret key file: two lines, a comment and base64 of 158 bytes.

    "Ed" ‖ kdf "Sc" or two zeros ‖ checksum "B2" ‖ salt 32 ‖ opslimit u64 LE ‖ memlimit u64 LE ‖
    (key id 8 ‖ seed 32 ‖ point 32 ‖ BLAKE2b-256("Ed" ‖ key id ‖ seed ‖ point)) XOR scrypt's 104

Rules. The stock tool opens what is written here, and this opens what it wrote. Ours cost 64 MiB and
about 0.2 s; stock keys about 1 GiB and 3 to 4 s: never on the reactor's thread. A hostile file may
ask for any amount of memory and time: more than the stock tool's most is refused. An unencrypted
file of ``minisign -G -W`` has a checksum of zeros. XOR hides no change: checksum and point are what
tells a wrong passphrase and a damaged file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import nacl.bindings

from sft import limits
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.keys import KEY_ID_BYTES, SEED_BYTES, Entropy, SigningKey
from sft.errors import KeyFormatError, PassphraseWrongError

MEMLIMIT: Final = 64 * limits.MIB
OPSLIMIT: Final = MEMLIMIT // 32  # with these libsodium takes N = 2^16, r = 8, p = 1

_MOST_OPSLIMIT: Final = 1 << 25  # what libsodium calls sensitive, the stock tool's choice
_MOST_MEMLIMIT: Final = limits.GIB
_SCRATCH_BYTES: Final = 64 * limits.MIB  # scrypt's own, above memlimit

_ALGORITHM: Final = b"Ed"
_SCRYPT: Final = b"Sc"
_NO_KDF: Final = b"\x00\x00"
_CHECKSUM: Final = b"B2"
_LAYOUT: Final = struct.Struct("<2s2s2s32sQQ104s")
_SALT_BYTES: Final = 32
_CHECKSUM_BYTES: Final = 32
_SECRET_BYTES: Final = 104
_COMMENT: Final = "untrusted comment: "
_FILE_CHARACTERS: Final = 2048
_LINES: Final = 2


@dataclass(frozen=True, slots=True, repr=False)
class _KeyFile:
    encrypted: bool
    salt: bytes
    opslimit: int
    memlimit: int
    secret: bytes


def encode(
    key: SigningKey,
    passphrase: str | None,
    *,
    entropy: Entropy = os.urandom,
    opslimit: int = OPSLIMIT,
    memlimit: int = MEMLIMIT,
) -> str:
    """Write a secret key file.

    Args:
        key: the key pair; its public half is written with it.
        passphrase: as typed, byte for byte; None leaves the key unprotected, which only its owner may ask for.
        entropy: gives the 32 bytes of salt.
        opslimit: libsodium's measure of work; it travels in the file.
        memlimit: of memory, in bytes; likewise.
    """
    plain = key.public.key_id + key.seed + key.public.point
    plain += _checksum(plain)
    if passphrase is None:
        fields = (_NO_KDF, _CHECKSUM, bytes(_SALT_BYTES), 0, 0, plain)
        title = "minisign secret key"
    else:
        if not passphrase:
            raise ValueError("an empty passphrase protects nothing")
        salt = entropy(_SALT_BYTES)
        mask = _mask(passphrase, _KeyFile(True, salt, opslimit, memlimit, plain))
        fields = (_SCRYPT, _CHECKSUM, salt, opslimit, memlimit, _xor(plain, mask))
        title = "minisign encrypted secret key"
    return f"{_COMMENT}{title}\n{encode_base64(_LAYOUT.pack(_ALGORITHM, *fields))}\n"


def is_encrypted(text: str) -> bool:
    """Return whether a key file needs a passphrase; KeyFormatError if it is no minisign secret key file."""
    return _read(text).encrypted


def decode(text: str, ask_passphrase: Callable[[], str]) -> SigningKey:
    """Open a secret key file.

    Args:
        text: the whole file.
        ask_passphrase: called once, and only when the file is encrypted.

    Raises:
        KeyFormatError: another format, damaged, or asking for more than 1 GiB.
        PassphraseWrongError: the passphrase does not open it.
        MemoryError: this computer has less free than the file asks for.
    """
    file = _read(text)
    if not file.encrypted:
        plain, checksum = file.secret[:-_CHECKSUM_BYTES], file.secret[-_CHECKSUM_BYTES:]
        if checksum not in (bytes(_CHECKSUM_BYTES), _checksum(plain)):
            raise KeyFormatError("the key file is damaged: its checksum does not fit")
    else:
        opened = _xor(file.secret, _mask(ask_passphrase(), file))
        plain, checksum = opened[:-_CHECKSUM_BYTES], opened[-_CHECKSUM_BYTES:]
        if not hmac.compare_digest(checksum, _checksum(plain)):
            raise PassphraseWrongError("the checksum does not fit")
    key_id, seed = plain[:KEY_ID_BYTES], plain[KEY_ID_BYTES : KEY_ID_BYTES + SEED_BYTES]
    key = SigningKey.from_seed(seed, key_id)
    # To sign with a point that is not the seed's gives the seed away.
    if key.public.point != plain[KEY_ID_BYTES + SEED_BYTES :]:
        raise KeyFormatError("the key file is damaged: its halves do not fit")
    return key


def _read(text: str) -> _KeyFile:
    lines = text.splitlines()
    if len(text) > _FILE_CHARACTERS or len(lines) != _LINES or not lines[0].startswith(_COMMENT):
        raise KeyFormatError("not the two lines of a secret key file")
    try:
        data = decode_base64(lines[1].strip())
        algorithm, kdf, checksum, salt, opslimit, memlimit, secret = _LAYOUT.unpack(data)
    except (ValueError, struct.error) as fault:
        raise KeyFormatError("not the 158 bytes of a secret key") from fault
    if algorithm != _ALGORITHM or checksum != _CHECKSUM or kdf not in (_SCRYPT, _NO_KDF):
        raise KeyFormatError("a secret key of an unknown kind")
    file = _KeyFile(kdf == _SCRYPT, salt, opslimit, memlimit, secret)
    if file.encrypted and (opslimit > _MOST_OPSLIMIT or memlimit > _MOST_MEMLIMIT):
        raise KeyFormatError(f"the key asks for {memlimit} bytes and {opslimit} steps to unlock")
    return file


def _mask(passphrase: str, file: _KeyFile) -> bytes:
    # Within our bounds every pair of limits gives parameters that scrypt takes.
    n_log2, r, p = nacl.bindings.nacl_bindings_pick_scrypt_params(file.opslimit, file.memlimit)
    try:
        return nacl.bindings.crypto_pwhash_scryptsalsa208sha256_ll(
            passphrase.encode("utf-8", "surrogateescape"),
            file.salt,
            1 << n_log2,
            r,
            p,
            dklen=_SECRET_BYTES,
            maxmem=_MOST_MEMLIMIT + _SCRATCH_BYTES,
        )
    except RuntimeError as fault:  # the only way in which it can still fail
        raise MemoryError(f"scrypt needs {file.memlimit} bytes") from fault


def _checksum(plain: bytes) -> bytes:
    return hashlib.blake2b(_ALGORITHM + plain, digest_size=_CHECKSUM_BYTES).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))

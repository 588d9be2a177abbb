import subprocess
import sys

import nacl.pwhash.argon2id
import pytest

from sft.crypto import passphrase
from sft.errors import KeyFormatError
from sft.limits import GIB, MIB

SALT = bytes(range(16))


def test_derivation_is_argon2id() -> None:
    derived = passphrase.derive("pässword", SALT, 2, 8 * MIB)
    oracle = nacl.pwhash.argon2id.kdf(32, "pässword".encode(), SALT, 2, 8 * MIB)
    assert derived == oracle


def test_a_passphrase_is_the_bytes_that_were_typed() -> None:
    typed = b"p\xe4ss"  # a terminal that is not UTF-8
    derived = passphrase.derive(typed.decode("utf-8", "surrogateescape"), SALT, 1, 8 * MIB)
    assert derived == nacl.pwhash.argon2id.kdf(32, typed, SALT, 1, 8 * MIB)


def test_every_argument_changes_the_key() -> None:
    derived = {
        passphrase.derive("a", SALT, 1, 8 * MIB),
        passphrase.derive("b", SALT, 1, 8 * MIB),
        passphrase.derive("a", bytes(16), 1, 8 * MIB),
        passphrase.derive("a", SALT, 2, 8 * MIB),
        passphrase.derive("a", SALT, 1, 9 * MIB),
    }
    assert len(derived) == 5


@pytest.mark.parametrize(
    "salt,ops,mem",
    [
        (SALT[:15], 3, MIB),
        (SALT + b"\0", 3, MIB),
        (SALT, 0, MIB),
        (SALT, 17, MIB),
        (SALT, 3, 0),
        (SALT, 3, 8191),
        (SALT, 3, GIB + 1),
        (SALT, 3, 1 << 63),
    ],
)
def test_parameters_of_a_hostile_file_are_refused(salt: bytes, ops: int, mem: int) -> None:
    with pytest.raises(KeyFormatError):
        passphrase.derive("a", salt, ops, mem)


def test_the_default_is_libsodiums_moderate() -> None:
    assert passphrase.OPSLIMIT == nacl.pwhash.argon2id.OPSLIMIT_MODERATE
    assert passphrase.MEMLIMIT == nacl.pwhash.argon2id.MEMLIMIT_MODERATE


STARVED = f"""
import resource
from sft.crypto import key_file, passphrase
from sft.crypto.keys import SigningKey
resource.setrlimit(resource.RLIMIT_AS, ({384 * MIB}, {384 * MIB}))
key = SigningKey.from_seed(bytes(32), bytes(8))
for derive in (
    lambda: passphrase.derive("a", bytes(16), 1, {GIB}),
    lambda: key_file.encode(key, "a", opslimit={GIB // 32}, memlimit={GIB}),
):
    try:
        derive()
    except MemoryError as fault:
        print(fault)
"""


def test_too_little_memory_is_not_a_wrong_passphrase() -> None:
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"Argon2id needs {GIB} bytes\nscrypt needs {GIB} bytes\n"

import base64
import hashlib
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import nacl_bindings_pick_scrypt_params

from sft.crypto import key_file
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import Entropy, SigningKey
from sft.crypto.signatures import FileSignature, verify_plain
from sft.errors import KeyFormatError, PassphraseWrongError
from sft.limits import GIB, MIB

# The format is the same, and the tests stay quick.
encode_cheaply = partial(key_file.encode, opslimit=1 << 15, memlimit=MIB)


def never() -> str:
    raise AssertionError("asked for a passphrase")


def parts(text: str) -> bytearray:
    return bytearray(base64.b64decode(text.split("\n")[1]))


def with_parts(data: bytes | bytearray) -> str:
    return f"untrusted comment: a key\n{base64.b64encode(data).decode()}\n"


@given(
    seed=st.binary(min_size=32, max_size=32),
    key_id=st.binary(min_size=8, max_size=8),
    passphrase=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_every_key_reads_back(seed: bytes, key_id: bytes, passphrase: str) -> None:
    key = SigningKey.from_seed(seed, key_id)
    bare = key_file.decode(key_file.encode(key, None), never)
    sealed = key_file.decode(encode_cheaply(key, passphrase), lambda: passphrase)
    assert bare.seed == sealed.seed == seed
    assert bare.public == sealed.public == key.public


def test_the_layout_of_an_unprotected_key(key: SigningKey) -> None:
    data = bytes(parts(key_file.encode(key, None)))
    assert len(data) == 158
    assert data[:54] == b"Ed\0\0B2" + bytes(48)
    assert data[54:126] == key.public.key_id + key.seed + key.public.point
    assert data[126:] == blake2b_256(b"Ed" + data[54:126])


def blake2b_256(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def test_the_layout_of_a_protected_key(key: SigningKey, entropy: Entropy) -> None:
    salt = bytes(range(32))
    text = key_file.encode(key, "secret", entropy=lambda size: salt[:size])
    data = bytes(parts(text))
    assert data[:6] == b"EdScB2"
    assert data[6:38] == salt
    assert struct.unpack("<QQ", data[38:54]) == (64 * MIB // 32, 64 * MIB)
    assert key.seed not in data
    assert key.public.point not in data
    assert text.startswith("untrusted comment: minisign encrypted secret key\n")


def test_our_parameters_cost_64_mib_and_one_pass() -> None:
    n_log2, r, p = nacl_bindings_pick_scrypt_params(key_file.OPSLIMIT, key_file.MEMLIMIT)
    assert (128 * r << n_log2, p) == (64 * MIB, 1)


def test_two_files_of_one_key_differ(key: SigningKey) -> None:
    assert encode_cheaply(key, "a") != encode_cheaply(key, "a")


def test_a_wrong_passphrase(key: SigningKey) -> None:
    text = encode_cheaply(key, "right")
    for wrong in ("Right", "right ", "righ", ""):
        with pytest.raises(PassphraseWrongError):
            key_file.decode(text, lambda wrong=wrong: wrong)  # type: ignore[misc]


def test_a_passphrase_is_the_bytes_that_were_typed(
    key: SigningKey, minisign: Callable[..., Any], tmp_path: Path
) -> None:
    typed = b"p\xe4ss".decode("utf-8", "surrogateescape")  # a terminal that is not UTF-8
    text = encode_cheaply(key, typed)
    assert key_file.decode(text, lambda: typed).seed == key.seed
    tmp_path.joinpath("user.key").write_text(encode_cheaply(key, "grüße"))
    done = minisign("-R", "-s", "user.key", "-p", "user.pub", typed="grüße\n")
    assert done.returncode == 0, done


@settings(max_examples=200)
@given(opslimit=st.integers(0, 1 << 25), memlimit=st.integers(0, GIB))
def test_scrypt_takes_every_pair_of_limits_within_the_bounds(opslimit: int, memlimit: int) -> None:
    n_log2, r, p = nacl_bindings_pick_scrypt_params(opslimit, memlimit)
    assert p >= 1
    assert n_log2 >= 1
    assert 128 * r * (p + (1 << n_log2) + 2) <= GIB + 64 * MIB


def test_it_asks_once_and_only_when_encrypted(key: SigningKey) -> None:
    asked = 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        return "right"

    key_file.decode(key_file.encode(key, None), ask)
    assert asked == 0
    key_file.decode(encode_cheaply(key, "right"), ask)
    assert asked == 1


def test_is_encrypted(key: SigningKey) -> None:
    assert key_file.is_encrypted(encode_cheaply(key, "a"))
    assert not key_file.is_encrypted(key_file.encode(key, None))
    with pytest.raises(KeyFormatError):
        key_file.is_encrypted(key.public.pub_file())


def test_an_empty_passphrase_is_not_taken_for_one(key: SigningKey) -> None:
    with pytest.raises(ValueError, match="empty"):
        key_file.encode(key, "")


def test_every_flipped_bit_of_an_unprotected_key_is_refused(key: SigningKey) -> None:
    good = parts(key_file.encode(key, None))
    ignored = range(8 * 6, 8 * 54)  # salt and limits say nothing without a passphrase
    for bit in range(8 * len(good)):
        spoiled = bytearray(good)
        spoiled[bit // 8] ^= 1 << bit % 8
        if bit in ignored:
            assert key_file.decode(with_parts(spoiled), never).seed == key.seed
        else:
            with pytest.raises(KeyFormatError):
                key_file.decode(with_parts(spoiled), never)


def test_every_flipped_byte_of_a_protected_key_is_refused(key: SigningKey) -> None:
    good = parts(encode_cheaply(key, "right"))
    for place in (*range(38), *range(54, 158)):
        spoiled = bytearray(good)
        spoiled[place] ^= 0x10
        with pytest.raises((KeyFormatError, PassphraseWrongError)):
            key_file.decode(with_parts(spoiled), lambda: "right")


def test_the_zero_checksum_of_stock_unprotected_keys_is_taken(key: SigningKey) -> None:
    data = parts(key_file.encode(key, None))
    data[126:] = bytes(32)
    assert key_file.decode(with_parts(data), never).seed == key.seed


def test_a_zero_checksum_does_not_hide_a_point_that_is_not_the_seeds(key: SigningKey) -> None:
    data = parts(key_file.encode(key, None))
    data[126:] = bytes(32)
    for place in (62, 93, 94, 125):
        spoiled = bytearray(data)
        spoiled[place] ^= 1
        with pytest.raises(KeyFormatError):
            key_file.decode(with_parts(spoiled), never)


def test_a_hostile_file_gets_neither_memory_nor_time(key: SigningKey) -> None:
    data = parts(encode_cheaply(key, "right"))
    for opslimit, memlimit in (
        (1 << 25, GIB + 1),
        (1 << 25, (1 << 64) - 1),
        ((1 << 25) + 1, GIB),
        ((1 << 64) - 1, MIB),
    ):
        struct.pack_into("<QQ", data, 38, opslimit, memlimit)
        with pytest.raises(KeyFormatError):
            key_file.decode(with_parts(data), never)
    struct.pack_into("<QQ", data, 38, 1 << 25, GIB)
    assert key_file.is_encrypted(with_parts(data))


def test_parameters_of_zero_are_no_crash(key: SigningKey) -> None:
    data = parts(encode_cheaply(key, "right"))
    struct.pack_into("<QQ", data, 38, 0, 0)
    with pytest.raises(PassphraseWrongError):
        key_file.decode(with_parts(data), lambda: "right")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:0],
        lambda text: text.split("\n")[0],
        lambda text: text.split("\n")[1],
        lambda text: text + text,
        lambda text: text.replace("untrusted comment: ", "comment: "),
        lambda text: text.rstrip("\n")[:-4],
        lambda text: text.rstrip("\n") + "AAAA",
        lambda text: text.rstrip("\n") + "====",
        lambda text: text.replace("RW", "é2"),
        lambda text: text.replace("key\n", "k" * 3000 + "\n"),
    ],
)
def test_another_format_is_refused(key: SigningKey, spoil: Callable[[str], str]) -> None:
    text = key_file.encode(key, None)
    assert spoil(text) != text
    with pytest.raises(KeyFormatError):
        key_file.decode(spoil(text), never)


def test_line_ends_of_another_system_are_read(key: SigningKey) -> None:
    text = key_file.encode(key, None)
    assert key_file.decode(text.replace("\n", "\r\n"), never).seed == key.seed
    assert key_file.decode(text.rstrip("\n"), never).seed == key.seed


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_the_stock_tool_signs_with_our_key(
    key: SigningKey, minisign: Callable[..., Any], tmp_path: Path, passphrase: str | None
) -> None:
    tmp_path.joinpath("user.key").write_text(key_file.encode(key, passphrase))
    tmp_path.joinpath("file").write_bytes(b"content")
    done = minisign("-S", "-s", "user.key", "-m", "file", typed=f"{passphrase}\n")
    assert done.returncode == 0, done
    signature = FileSignature.parse(tmp_path.joinpath("file.minisig").read_bytes())
    verify_plain(key.public, blake2b_512(b"content").digest(), signature)


@pytest.mark.long
def test_the_stock_tool_refuses_a_wrong_passphrase_for_our_key(
    key: SigningKey, minisign: Callable[..., Any], tmp_path: Path
) -> None:
    tmp_path.joinpath("user.key").write_text(key_file.encode(key, "right"))
    tmp_path.joinpath("file").write_bytes(b"content")
    done = minisign("-S", "-s", "user.key", "-m", "file", typed="wrong\n")
    assert done.returncode != 0
    assert "Wrong password" in done.stderr


def test_an_unprotected_key_of_the_stock_tool_opens(minisign: Callable[..., Any], tmp_path: Path) -> None:
    assert minisign("-G", "-W", "-p", "s.pub", "-s", "s.key").returncode == 0
    text = tmp_path.joinpath("s.key").read_text()
    assert not key_file.is_encrypted(text)
    key = key_file.decode(text, never)
    assert key.public.pub_file() == tmp_path.joinpath("s.pub").read_text()


@pytest.mark.long
def test_a_protected_key_of_the_stock_tool_opens(minisign: Callable[..., Any], tmp_path: Path) -> None:
    # With little memory the tool halves its parameters until they fit: quick, and the same format.
    typed = "correct horse\n" * 2
    done = minisign("-G", "-p", "s.pub", "-s", "s.key", typed=typed, memory_kib=150_000)
    assert done.returncode == 0, done
    text = tmp_path.joinpath("s.key").read_text()
    assert key_file.is_encrypted(text)
    key = key_file.decode(text, lambda: "correct horse")
    assert key.public.pub_file() == tmp_path.joinpath("s.pub").read_text()
    with pytest.raises(PassphraseWrongError):
        key_file.decode(text, lambda: "wrong horse")

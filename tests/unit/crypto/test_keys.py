import base64
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto import key_file
from sft.crypto.keys import Entropy, InvitationKey, PublicKey, ServerKey, ServerPublic, SigningKey
from sft.crypto.words import words
from sft.errors import KeyFormatError


def test_public_key_is_minisigns_42_bytes(key: SigningKey) -> None:
    data = key.public.encode()
    assert data == b"Ed" + key.public.key_id + key.public.point
    assert len(data) == 42
    assert PublicKey.decode(data) == key.public


@given(key_id=st.binary(min_size=8, max_size=8), seed=st.binary(min_size=32, max_size=32))
def test_every_form_of_a_public_key_reads_back(key_id: bytes, seed: bytes) -> None:
    public = SigningKey.from_seed(seed, key_id).public
    assert PublicKey.decode(public.encode()) == public
    assert PublicKey.parse(public.text()) == public
    assert PublicKey.parse(public.pub_file()) == public
    assert PublicKey.parse(public.pub_file().replace("\n", "\r\n")) == public


@pytest.mark.parametrize("length", [0, 1, 41, 43, 84])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.decode((b"Ed" + bytes(100))[:length])


@pytest.mark.parametrize("algorithm", [b"ED", b"ed", b"Sc", b"\0\0"])
def test_another_algorithm_is_refused(key: SigningKey, algorithm: bytes) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.decode(algorithm + key.public.encode()[2:])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:0],
        lambda text: f"untrusted comment: {text[1:]}",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text + "====",
        lambda text: text[:20] + " " + text[20:],
        lambda text: text[:20] + "é" + text[21:],
        lambda text: text[:20] + "-" + text[21:],
        lambda text: "one\ntwo\n" + text,
    ],
)
def test_a_mistyped_key_is_refused(key: SigningKey, spoil: Callable[[str], str]) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.parse(spoil(key.public.text()))


def test_bytes_that_are_no_point_are_refused_where_a_person_types() -> None:
    for point in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)):
        text = base64.b64encode(b"Ed" + bytes(8) + point).decode()
        with pytest.raises(KeyFormatError):
            PublicKey.parse(text)


def test_pub_file_shows_the_key_id_as_minisign_does(key: SigningKey) -> None:
    public = PublicKey(bytes.fromhex("0102030405060700"), key.public.point)
    first, second, rest = public.pub_file().split("\n")
    assert first == "untrusted comment: minisign public key 7060504030201"
    assert second == public.text()
    assert rest == ""


def test_stock_minisign_recreates_the_same_pub_file(
    key: SigningKey, minisign: Callable[..., Any], tmp_path: Path
) -> None:
    tmp_path.joinpath("s.key").write_text(key_file.encode(key, None))
    done = minisign("-R", "-s", "s.key", "-p", "s.pub")
    assert done.returncode == 0, done
    assert tmp_path.joinpath("s.pub").read_text() == key.public.pub_file()


def test_words_of_a_user_key_are_over_all_42_bytes(key: SigningKey) -> None:
    assert key.public.words() == words(key.public.encode())
    copied_id = PublicKey(bytes(8), key.public.point)
    assert copied_id.words() != key.public.words()


def test_server_id_is_the_hash_of_the_point(server: ServerKey) -> None:
    point = server.public.point
    assert server.public.server_id() == hashlib.blake2b(point, digest_size=32).digest()
    assert server.public.words() == words(point)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_server_key_has_32_bytes(length: int) -> None:
    with pytest.raises(KeyFormatError):
        ServerPublic(bytes(length))


@pytest.mark.parametrize("kind", [ServerKey, InvitationKey])
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(kind: type[ServerKey] | type[InvitationKey], length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        kind.from_seed(bytes(length))


def test_the_same_random_bytes_give_the_same_key(entropy: Entropy) -> None:
    def fixed(size: int) -> bytes:
        return bytes(range(size))

    key = SigningKey.generate(fixed)
    assert (key.seed, key.public.key_id) == (bytes(range(32)), bytes(range(8)))
    assert ServerKey.generate(fixed).seed == InvitationKey.generate(fixed).seed == key.seed
    assert SigningKey.generate(entropy).seed != SigningKey.generate(entropy).seed


def test_generated_keys_differ() -> None:
    assert len({SigningKey.generate().public for _ in range(50)}) == 50


def test_no_secret_is_shown_or_serialized(entropy: Entropy) -> None:
    for key in (SigningKey.generate(entropy), ServerKey.generate(entropy), InvitationKey.generate(entropy)):
        shown = repr(key) + str(key) + f"{key}" + repr(key._secret)
        assert key.seed.hex() not in shown
        assert repr(key.seed) not in shown
        assert base64.b64encode(key.seed).decode() not in shown
        with pytest.raises(TypeError):
            pickle.dumps(key)


def test_the_public_half_is_shown(key: SigningKey, server: ServerKey) -> None:
    assert key.public.text() in repr(key)
    assert server.public.point.hex() in repr(server)
    assert key.public.text() in repr(key.public)

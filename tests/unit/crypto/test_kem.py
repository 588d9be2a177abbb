import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from sft.crypto import kem
from sft.crypto.keys import Entropy
from sft.errors import CryptoUnavailableError, KeyExchangeError


def test_the_library_has_ml_kem() -> None:
    kem.require_available()


def test_both_sides_agree(entropy: Entropy) -> None:
    client = kem.EphemeralKem.generate(entropy)
    secret, ciphertext = kem.encapsulate(client.public)
    assert (len(client.public), len(secret), len(ciphertext)) == (1184, 32, 1088)
    assert client.receive(ciphertext) == secret


def test_the_key_follows_from_64_bytes() -> None:
    def fixed(size: int) -> bytes:
        assert size == 64
        return bytes(range(size))

    assert kem.EphemeralKem.generate(fixed).public == kem.EphemeralKem.generate(fixed).public
    assert kem.EphemeralKem.generate().public != kem.EphemeralKem.generate().public


def test_a_changed_ciphertext_gives_another_secret(entropy: Entropy) -> None:
    def fixed(size: int) -> bytes:
        return bytes(size)

    secret, ciphertext = kem.encapsulate(kem.EphemeralKem.generate(fixed).public)
    for place in (0, 500, 1087):
        changed = bytearray(ciphertext)
        changed[place] ^= 1
        assert kem.EphemeralKem.generate(fixed).receive(bytes(changed)) != secret


@pytest.mark.parametrize("length", [0, 1, 1087, 1089])
def test_a_ciphertext_of_another_length_is_refused(entropy: Entropy, length: int) -> None:
    with pytest.raises(KeyExchangeError):
        kem.EphemeralKem.generate(entropy).receive(bytes(length))


@pytest.mark.parametrize("length", [0, 32, 1183, 1185])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyExchangeError):
        kem.encapsulate(bytes(length))


def test_coefficients_that_are_not_reduced_are_refused(entropy: Entropy) -> None:
    public = kem.EphemeralKem.generate(entropy).public
    with pytest.raises(KeyExchangeError):
        kem.encapsulate(b"\xff" * 3 + public[3:])


def test_an_ephemeral_key_receives_once(entropy: Entropy) -> None:
    client = kem.EphemeralKem.generate(entropy)
    _, ciphertext = kem.encapsulate(client.public)
    client.receive(ciphertext)
    assert client._secret is None
    with pytest.raises(KeyExchangeError):
        client.receive(ciphertext)


def test_a_refused_ciphertext_spends_the_key_too(entropy: Entropy) -> None:
    client = kem.EphemeralKem.generate(entropy)
    _, ciphertext = kem.encapsulate(client.public)
    for received in (b"", ciphertext):
        with pytest.raises(KeyExchangeError):
            client.receive(received)


class Absent:
    """What the library's classes do where its OpenSSL has no ML-KEM."""

    @classmethod
    def refuse(cls, _: bytes) -> None:
        raise UnsupportedAlgorithm("ML-KEM-768 is not supported by this backend")

    from_seed_bytes = refuse
    from_public_bytes = refuse


def test_a_library_without_ml_kem_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kem, "MLKEM768PrivateKey", Absent)
    monkeypatch.setattr(kem, "MLKEM768PublicKey", Absent)
    with pytest.raises(CryptoUnavailableError):
        kem.require_available()
    with pytest.raises(CryptoUnavailableError):
        kem.EphemeralKem.generate()
    with pytest.raises(CryptoUnavailableError):
        kem.encapsulate(bytes(kem.PUBLIC_BYTES))

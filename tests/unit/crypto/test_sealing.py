import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox

from sft.crypto import sealing
from sft.crypto.keys import Entropy
from sft.errors import DecryptionFailedError, KeyExchangeError

KEY = bytes(range(32))
NONCE = bytes(range(24))

# Points whose multiples by a clamped scalar are zero: whoever sealed to one would use a known key.
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@given(
    key=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=24, max_size=24),
    plaintext=st.binary(max_size=300),
)
def test_a_box_opens_to_what_was_sealed(key: bytes, nonce: bytes, plaintext: bytes) -> None:
    box = sealing.seal(key, nonce, plaintext)
    assert len(box) == len(plaintext) + sealing.TAG_BYTES
    assert box == SecretBox(key).encrypt(plaintext, nonce).ciphertext
    assert sealing.open_box(key, nonce, box) == plaintext


def test_every_changed_bit_is_refused() -> None:
    box = sealing.seal(KEY, NONCE, b"content")
    for bit in range(8 * len(box)):
        changed = bytearray(box)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailedError):
            sealing.open_box(KEY, NONCE, bytes(changed))


def test_every_other_length_is_refused() -> None:
    box = sealing.seal(KEY, NONCE, b"content")
    for length in range(len(box)):
        with pytest.raises(DecryptionFailedError):
            sealing.open_box(KEY, NONCE, box[:length])
    with pytest.raises(DecryptionFailedError):
        sealing.open_box(KEY, NONCE, box + b"\0")


def test_another_key_or_nonce_does_not_open() -> None:
    box = sealing.seal(KEY, NONCE, b"content")
    for key, nonce in ((bytes(32), NONCE), (KEY, bytes(24)), (KEY[:31], NONCE), (KEY, NONCE[:23])):
        with pytest.raises(DecryptionFailedError):
            sealing.open_box(key, nonce, box)


def test_what_is_not_bytes_is_our_error_too() -> None:
    box = sealing.seal(KEY, NONCE, b"content")
    with pytest.raises(DecryptionFailedError):
        sealing.open_box(KEY, NONCE, bytearray(box))  # type: ignore[arg-type]


@pytest.mark.parametrize("key,nonce", [(KEY[:31], NONCE), (KEY, NONCE[:23])])
def test_sealing_with_a_wrong_length_is_a_bug(key: bytes, nonce: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        sealing.seal(key, nonce, b"")


def test_a_session_key_is_delivered(entropy: Entropy) -> None:
    client = sealing.EphemeralBox.generate(entropy)
    sealed = sealing.deliver_session_key(client.public, KEY)
    assert len(sealed) == sealing.SEALED_SESSION_KEY_BYTES
    assert client.receive(sealed) == KEY


def test_delivery_is_pynacls_sealed_box() -> None:
    theirs = PrivateKey.generate()
    delivered = sealing.deliver_session_key(bytes(theirs.public_key), KEY)
    assert SealedBox(theirs).decrypt(delivered) == KEY


def test_the_same_key_is_never_sealed_alike(entropy: Entropy) -> None:
    client = sealing.EphemeralBox.generate(entropy)
    delivered = {sealing.deliver_session_key(client.public, KEY) for _ in range(50)}
    assert len(delivered) == 50


@pytest.mark.parametrize("point", [bytes.fromhex(point) for point in LOW_ORDER])
def test_low_order_keys_are_refused(point: bytes) -> None:
    with pytest.raises(KeyExchangeError):
        sealing.deliver_session_key(point, KEY)


def test_a_box_from_a_low_order_sender_is_refused(entropy: Entropy) -> None:
    for point in LOW_ORDER:
        client = sealing.EphemeralBox.generate(entropy)
        with pytest.raises(KeyExchangeError):
            client.receive(bytes.fromhex(point) + bytes(48))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_client_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyExchangeError):
        sealing.deliver_session_key(b"\x09" * length, KEY)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_to_deliver_a_key_of_another_length_is_a_bug(entropy: Entropy, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.deliver_session_key(sealing.EphemeralBox.generate(entropy).public, bytes(length))


def test_every_changed_byte_of_a_delivery_is_refused() -> None:
    secret = bytes(range(1, 33))
    sealed = sealing.deliver_session_key(sealing.EphemeralBox(secret).public, KEY)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(KeyExchangeError):
            sealing.EphemeralBox(secret).receive(bytes(changed))


def test_a_sealed_key_of_another_length_is_refused(entropy: Entropy) -> None:
    for length in (0, 47, 48, 79, 81):
        client = sealing.EphemeralBox.generate(entropy)
        sealed = SealedBox(PrivateKey(bytes(32)).public_key).encrypt(bytes(32))
        with pytest.raises(KeyExchangeError):
            client.receive((sealed + b"\0")[:length])
    client = sealing.EphemeralBox.generate(entropy)
    longer = SealedBox(PrivateKey.generate().public_key.__class__(client.public)).encrypt(bytes(33))
    with pytest.raises(KeyExchangeError):
        client.receive(longer)


def test_an_ephemeral_key_receives_once(entropy: Entropy) -> None:
    client = sealing.EphemeralBox.generate(entropy)
    sealed = sealing.deliver_session_key(client.public, KEY)
    client.receive(sealed)
    assert client._secret is None
    with pytest.raises(KeyExchangeError):
        client.receive(sealed)


def test_a_failed_delivery_spends_the_key_too(entropy: Entropy) -> None:
    client = sealing.EphemeralBox.generate(entropy)
    sealed = sealing.deliver_session_key(client.public, KEY)
    for box in (bytes(80), sealed):
        with pytest.raises(KeyExchangeError):
            client.receive(box)


def test_no_secret_is_shown() -> None:
    secret = bytes(range(1, 33))
    assert secret.hex() not in repr(sealing.EphemeralBox(secret))

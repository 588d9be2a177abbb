import hashlib
import hmac

import pytest

from sft.crypto import kdf

TH1 = bytes(range(64))
KEM = b"k" * 32
SESSION = b"s" * 32
KEY = bytes(range(32))


def hkdf_sha512(secret: bytes, info: bytes, salt: bytes = bytes(64)) -> bytes:
    """RFC 5869, written again: one block is enough for 32 bytes."""
    extracted = hmac.digest(salt, secret, hashlib.sha512)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha512)[:32]


def test_traffic_keys_are_hkdf_over_the_transcript() -> None:
    keys = kdf.traffic_keys(1, TH1, KEM, SESSION)
    assert keys.client_to_server == hkdf_sha512(KEM + SESSION, b"sft/1 client to server", TH1)
    assert keys.server_to_client == hkdf_sha512(KEM + SESSION, b"sft/1 server to client", TH1)


def test_every_input_changes_both_directions() -> None:
    all_keys = [
        kdf.traffic_keys(1, TH1, KEM, SESSION),
        kdf.traffic_keys(1, TH1[:-1] + b"\0", KEM, SESSION),
        kdf.traffic_keys(1, TH1, KEM[:-1] + b"\0", SESSION),
        kdf.traffic_keys(1, TH1, KEM, SESSION[:-1] + b"\0"),
        kdf.traffic_keys(1, TH1, SESSION, KEM),
        kdf.traffic_keys(2, TH1, KEM, SESSION),
    ]
    directions = {keys.client_to_server for keys in all_keys}
    directions |= {keys.server_to_client for keys in all_keys}
    assert len(directions) == 12


def test_labels_of_the_other_keys() -> None:
    assert kdf.next_traffic_key(KEY) == hkdf_sha512(KEY, b"sft/1 next traffic key")
    assert kdf.payload_key(KEY, b"header") == hkdf_sha512(KEY, b"sft/1 vault payloadheader")
    assert kdf.wrapping_key(KEY) == hkdf_sha512(KEY, b"sft/1 master data keys")
    assert kdf.keyring_key(KEY) == hkdf_sha512(KEY, b"sft/1 master keyring")


def test_no_two_uses_of_one_secret_share_a_key() -> None:
    derived = [
        kdf.next_traffic_key(KEY),
        kdf.payload_key(KEY, b""),
        kdf.payload_key(KEY, b"h"),
        kdf.wrapping_key(KEY),
        kdf.keyring_key(KEY),
        KEY,
    ]
    assert len(set(derived)) == len(derived)


def test_the_ratchet_does_not_come_back() -> None:
    keys = [KEY]
    for _ in range(100):
        keys.append(kdf.next_traffic_key(keys[-1]))
    assert len(set(keys)) == 101


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_another_length_is_a_bug(length: int) -> None:
    wrong = bytes(length)
    with pytest.raises(ValueError, match="32 bytes"):
        kdf.traffic_keys(1, TH1, wrong, SESSION)
    with pytest.raises(ValueError, match="32 bytes"):
        kdf.traffic_keys(1, TH1, KEM, wrong)
    with pytest.raises(ValueError, match="32 bytes"):
        kdf.payload_key(wrong, b"header")
    for derive in (kdf.next_traffic_key, kdf.wrapping_key, kdf.keyring_key):
        with pytest.raises(ValueError, match="32 bytes"):
            derive(wrong)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_transcript_hash_of_another_length_is_a_bug(length: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        kdf.traffic_keys(1, bytes(length), KEM, SESSION)


def test_no_key_is_shown() -> None:
    keys = kdf.traffic_keys(1, TH1, KEM, SESSION)
    assert repr(keys) == "TrafficKeys()"

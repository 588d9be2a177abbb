import hashlib

import pytest

from sft.crypto.digests import blake2b_512, digest_text, parse_digest
from sft.errors import SignatureInvalidError


def test_a_running_digest_is_blake2b_512() -> None:
    running = blake2b_512(b"con")
    mark = running.copy()
    running.update(b"tent")
    assert running.digest() == hashlib.blake2b(b"content").digest()
    assert mark.digest() == hashlib.blake2b(b"con").digest()
    assert blake2b_512().digest() == hashlib.blake2b(b"").digest()


def test_text_names_the_algorithm_and_reads_back() -> None:
    digest = blake2b_512(b"content").digest()
    assert digest_text(digest) == "blake2b512:" + digest.hex()
    assert parse_digest(digest_text(digest)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "blake2b512:",
        "ab" * 64,
        "sha512:" + "ab" * 64,
        "blake2b512:" + "AB" * 64,
        "blake2b512:" + "ab" * 63,
        "blake2b512:" + "ab" * 65,
        "blake2b512:" + "ab" * 64 + "\n",
        " blake2b512:" + "ab" * 64,
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SignatureInvalidError):
        parse_digest(text)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_digest_of_another_length_is_a_bug(length: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        digest_text(bytes(length))

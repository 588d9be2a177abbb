import hashlib

from sft.crypto.words import drawn, wordlist, words

PUBLISHED_SHA256 = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


def test_the_list_is_the_published_one() -> None:
    text = "".join(f"{word}\n" for word in wordlist())
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == PUBLISHED_SHA256
    assert len(set(wordlist())) == 2048


def test_eight_words_of_the_first_88_bits() -> None:
    data = b"a public key"
    bits = "".join(f"{byte:08b}" for byte in hashlib.blake2b(data, digest_size=32).digest()[:11])
    expected = [wordlist()[int(bits[place : place + 11], 2)] for place in range(0, 88, 11)]
    assert words(data).replace(" ", "-").split("-") == expected


def test_two_groups_of_four() -> None:
    assert [group.count("-") for group in words(b"").split(" ")] == [3, 3]


def test_another_key_has_other_words() -> None:
    assert len({words(bytes([byte])) for byte in range(256)}) == 256


def test_words_are_drawn_one_by_one_from_the_whole_list() -> None:
    draws = iter([0, 2047, 2048, 65535, 1])
    text = drawn(5, lambda count: next(draws).to_bytes(count, "big"))
    expected = [wordlist()[place] for place in (0, 2047, 0, 2047, 1)]
    assert text == "-".join(expected)

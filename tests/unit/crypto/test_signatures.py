"""File signatures and proofs, each row alone; the rows against each other: what_keys_sign."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sft.crypto import _ed25519, key_file, signatures
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import Entropy, InvitationKey, PublicKey, ServerKey, SigningKey
from sft.crypto.signatures import FileSignature, sign_file, verify_comment, verify_file, verify_plain
from sft.errors import SignatureInvalidError

DIGEST = blake2b_512(b"content").digest()
TH = bytes(range(64))
PREFIX = b"all of M4 before this signature"
SIZES = [0, 1, 65535, 65536, 65537, (3 << 20) + 7]

# The order of Ed25519's group: S + L signs the same, were it not refused.
GROUP_ORDER = (1 << 252) + 27742317777372353535851937790883648493


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_file_signature_holds(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    assert FileSignature.parse(signature.encode()) == signature
    assert verify_file(key.public, DIGEST, signature) == comment
    assert verify_plain(key.public, DIGEST, signature) == comment.encode()


def test_the_four_lines(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    lines = signature.encode().decode("ascii").split("\n")
    assert lines[0] == "untrusted comment: signature from sft"
    assert base64.b64decode(lines[1]) == b"ED" + key.public.key_id + signature.signature
    assert lines[2] == "trusted comment: " + comment.encode()
    assert base64.b64decode(lines[3]) == signature.global_signature
    assert lines[4:] == [""]


@pytest.mark.parametrize("size", SIZES)
def test_stock_minisign_accepts_ours(
    key: SigningKey, comment: FileComment, minisign: Callable[..., Any], tmp_path: Path, size: int
) -> None:
    content = bytes(size)
    signature = sign_file(key, replace(comment, digest=blake2b_512(content).digest()))
    tmp_path.joinpath("user.pub").write_text(key.public.pub_file())
    tmp_path.joinpath("file").write_bytes(content)
    tmp_path.joinpath("file.minisig").write_bytes(signature.encode())
    for who in (("-p", "user.pub"), ("-P", key.public.text())):
        done = minisign("-V", "-H", *who, "-m", "file", "-x", "file.minisig")
        assert done.returncode == 0, done
        assert f"Trusted comment: {signature.comment}\n" in done.stdout
    tmp_path.joinpath("file").write_bytes(content + b"x")
    done = minisign("-V", "-H", "-p", "user.pub", "-m", "file", "-x", "file.minisig")
    assert done.returncode != 0


@pytest.mark.parametrize("size", SIZES)
def test_ours_accepts_stock_minisign(key: SigningKey, minisign: Callable[..., Any], tmp_path: Path, size: int) -> None:
    content = bytes(size)
    tmp_path.joinpath("user.key").write_text(key_file.encode(key, None))
    tmp_path.joinpath("file").write_bytes(content)
    done = minisign("-S", "-s", "user.key", "-m", "file", "-t", "signed by the stock tool")
    assert done.returncode == 0, done
    signature = FileSignature.parse(tmp_path.joinpath("file.minisig").read_bytes())
    digest = blake2b_512(content).digest()
    assert verify_plain(key.public, digest, signature) == "signed by the stock tool"
    with pytest.raises(SignatureInvalidError):
        verify_plain(key.public, blake2b_512(content + b"x").digest(), signature)
    with pytest.raises(SignatureInvalidError):
        verify_file(key.public, digest, signature)


def test_a_comment_of_ours_signed_by_the_stock_tool_holds(
    key: SigningKey, comment: FileComment, minisign: Callable[..., Any], tmp_path: Path
) -> None:
    tmp_path.joinpath("user.key").write_text(key_file.encode(key, None))
    tmp_path.joinpath("file").write_bytes(b"content")
    assert minisign("-S", "-s", "user.key", "-m", "file", "-t", comment.encode()).returncode == 0
    signature = FileSignature.parse(tmp_path.joinpath("file.minisig").read_bytes())
    assert verify_file(key.public, DIGEST, signature) == comment
    assert signature == sign_file(key, comment)


def test_the_legacy_form_is_refused(key: SigningKey, minisign: Callable[..., Any], tmp_path: Path) -> None:
    tmp_path.joinpath("user.key").write_text(key_file.encode(key, None))
    tmp_path.joinpath("file").write_bytes(b"content")
    assert minisign("-S", "-l", "-s", "user.key", "-m", "file").returncode == 0
    with pytest.raises(SignatureInvalidError):
        FileSignature.parse(tmp_path.joinpath("file.minisig").read_bytes())


def test_a_prehashed_signature_relabeled_legacy_is_refused(key: SigningKey, comment: FileComment) -> None:
    lines = sign_file(key, comment).encode().split(b"\n")
    for algorithm in (b"Ed", b"eD", b"ed", b"\0\0", b"EE"):
        lines[1] = base64.b64encode(algorithm + base64.b64decode(lines[1])[2:])
        with pytest.raises(SignatureInvalidError):
            FileSignature.parse(b"\n".join(lines))


def test_every_flipped_bit_is_refused(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    lines = signature.encode().split(b"\n")
    decoded = [lines[0], base64.b64decode(lines[1]), lines[2], base64.b64decode(lines[3])]
    for line in (1, 2, 3):
        for bit in range(8 * len(decoded[line])):
            spoiled = list(lines)
            changed = flip(decoded[line], bit)
            spoiled[line] = changed if line == 2 else base64.b64encode(changed)
            with pytest.raises(SignatureInvalidError):
                verify_file(key.public, DIGEST, FileSignature.parse(b"\n".join(spoiled)))


def test_every_flipped_bit_of_key_and_digest_is_refused(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    for bit in range(8 * 64):
        with pytest.raises(SignatureInvalidError):
            verify_file(key.public, flip(DIGEST, bit), signature)
    for bit in range(8 * 8):
        public = PublicKey(flip(key.public.key_id, bit), key.public.point)
        with pytest.raises(SignatureInvalidError):
            verify_file(public, DIGEST, signature)
    for bit in range(8 * 32):
        public = PublicKey(key.public.key_id, flip(key.public.point, bit))
        with pytest.raises(SignatureInvalidError):
            verify_file(public, DIGEST, signature)


def test_every_line_is_there_once_and_in_its_order(key: SigningKey, comment: FileComment) -> None:
    lines = sign_file(key, comment).encode().splitlines(keepends=True)
    for place in range(4):
        spoiled = [
            lines[:place] + lines[place + 1 :],
            lines[: place + 1] + lines[place:],
            [*lines, lines[place]],
            [*lines[:place], b"\n", *lines[place:]],
            [*lines[:place], lines[place].replace(b"\n", b"\r\n"), *lines[place + 1 :]],
            [*lines[:place], b" " + lines[place], *lines[place + 1 :]],
        ]
        if place:
            swapped = list(lines)
            swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
            spoiled.append(swapped)
        for wrong in spoiled:
            if wrong[0].endswith(b"\r\n"):
                continue  # the untrusted comment may end as it likes
            with pytest.raises(SignatureInvalidError):
                verify_file(key.public, DIGEST, FileSignature.parse(b"".join(wrong)))


def test_lines_without_their_titles_are_refused(key: SigningKey, comment: FileComment) -> None:
    lines = sign_file(key, comment).encode().split(b"\n")
    for line, title in ((0, b"untrusted comment: "), (2, b"trusted comment: ")):
        spoiled = list(lines)
        spoiled[line] = spoiled[line].removeprefix(title)
        with pytest.raises(SignatureInvalidError):
            FileSignature.parse(b"\n".join(spoiled))


def test_every_cut_is_refused(key: SigningKey, comment: FileComment) -> None:
    data = sign_file(key, comment).encode()
    for length in range(len(data)):
        with pytest.raises(SignatureInvalidError):
            FileSignature.parse(data[:length])
    for tail in (b"\n", b"x", b"\0"):
        with pytest.raises(SignatureInvalidError):
            FileSignature.parse(data + tail)


@given(st.binary(max_size=400))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureInvalidError):
        FileSignature.parse(data)


def test_base64_has_one_encoding(key: SigningKey, comment: FileComment) -> None:
    lines = sign_file(key, comment).encode().split(b"\n")
    assert lines[1].endswith(b"=")
    for line in (lines[1] + b"=", lines[1] + b"====", lines[1][:-1], lines[1][:9] + b" " + lines[1][9:]):
        with pytest.raises(SignatureInvalidError):
            FileSignature.parse(b"\n".join([lines[0], line, *lines[2:]]))
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = alphabet[alphabet.index(lines[1][-2]) | 1 : (alphabet.index(lines[1][-2]) | 1) + 1]
    same_bytes = lines[1][:-2] + stray + b"="
    assert base64.b64decode(same_bytes) == base64.b64decode(lines[1])
    with pytest.raises(SignatureInvalidError):
        FileSignature.parse(b"\n".join([lines[0], same_bytes, *lines[2:]]))


def test_the_second_form_of_a_signature_is_refused(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    scalar = int.from_bytes(signature.signature[32:], "little") + GROUP_ORDER
    malleated = signature.signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(SignatureInvalidError):
        verify_file(key.public, DIGEST, replace(signature, signature=malleated))


def test_a_small_order_key_verifies_nothing(key: SigningKey, comment: FileComment) -> None:
    weak = PublicKey(key.public.key_id, b"\x01" + bytes(31))
    forged = b"\x01" + bytes(63)
    signature = FileSignature(weak.key_id, forged, comment.encode(), forged)
    with pytest.raises(SignatureInvalidError):
        verify_file(weak, DIGEST, signature)


def test_one_signature_binds_content_and_comment_for_a_reader(key: SigningKey, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    assert verify_comment(key.public, DIGEST, signature) == comment
    other = blake2b_512(b"other").digest()
    for wrong in (
        replace(signature, comment=replace(comment, digest=other).encode()),
        replace(signature, comment=replace(comment, size=8).encode()),
        replace(signature, signature=sign_file(key, replace(comment, digest=other)).signature),
        replace(signature, global_signature=bytes(64)),
        replace(signature, key_id=bytes(8)),
    ):
        with pytest.raises(SignatureInvalidError):
            verify_comment(key.public, DIGEST, wrong)
    with pytest.raises(SignatureInvalidError):
        verify_comment(key.public, other, signature)


def test_what_is_kept_is_held_to_both_signatures(key: SigningKey, comment: FileComment) -> None:
    """An author can sign a comment beside a signature of nothing: stock minisign would refuse what a reader may take."""
    good = sign_file(key, comment)
    text = comment.encode()
    spoiled = bytes(63) + b"\x01"
    wrong = FileSignature(good.key_id, spoiled, text, key._sign(spoiled + text.encode()))
    assert verify_comment(key.public, DIGEST, wrong) == comment
    with pytest.raises(SignatureInvalidError):
        verify_file(key.public, DIGEST, wrong)


def test_a_comment_that_names_another_content_than_is_signed_is_refused(key: SigningKey, comment: FileComment) -> None:
    other = blake2b_512(b"other").digest()
    mixed = sign_file(key, replace(comment, digest=other))
    first = key._sign(DIGEST)
    mixed = FileSignature(mixed.key_id, first, mixed.comment, key._sign(first + mixed.comment.encode()))
    assert verify_plain(key.public, DIGEST, mixed) == mixed.comment
    with pytest.raises(SignatureInvalidError, match="another content"):
        verify_file(key.public, DIGEST, mixed)


def test_a_signature_does_not_travel(key: SigningKey, entropy: Entropy, comment: FileComment) -> None:
    signature = sign_file(key, comment)
    other = sign_file(key, replace(comment, name="other", digest=blake2b_512(b"other").digest()))
    stranger = SigningKey.from_seed(entropy(32), key.public.key_id)
    spliced = [
        replace(signature, comment=other.comment),
        replace(signature, comment=other.comment, global_signature=other.global_signature),
        replace(signature, signature=other.signature),
        replace(signature, key_id=bytes(8)),
        sign_file(stranger, comment),
    ]
    for wrong in spliced:
        with pytest.raises(SignatureInvalidError):
            verify_file(key.public, DIGEST, wrong)


def test_an_untrusted_comment_of_another_tool_is_read_and_not_kept(key: SigningKey, comment: FileComment) -> None:
    ours = sign_file(key, comment)
    _, rest = ours.encode().split(b"\n", 1)
    read = FileSignature.parse(b"untrusted comment: s\xc3\xa9\n" + rest)
    assert read == ours
    assert read.encode() == ours.encode()
    with pytest.raises(SignatureInvalidError):
        FileSignature.parse(b"untrusted comment: " + b"x" * 1024 + b"\n" + rest)
    with pytest.raises(SignatureInvalidError):
        FileSignature.parse(b"untrusted comment: \xff\n" + rest)


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "\0", "\x7f", "\N{RIGHT-TO-LEFT OVERRIDE}"])
def test_control_characters_in_a_comment_are_refused(text: str) -> None:
    with pytest.raises(SignatureInvalidError):
        FileSignature(bytes(8), bytes(64), text, bytes(64))


def test_a_comment_has_at_most_4096_bytes() -> None:
    FileSignature(bytes(8), bytes(64), "x" * 4096, bytes(64))
    for text in ("x" * 4097, "é" * 2049):
        with pytest.raises(SignatureInvalidError):
            FileSignature(bytes(8), bytes(64), text, bytes(64))


@pytest.mark.parametrize("lengths", [(7, 64, 64), (8, 63, 64), (8, 64, 65), (8, 0, 64)])
def test_parts_of_another_length_are_refused(lengths: tuple[int, int, int]) -> None:
    key_id, signature, closing = map(bytes, lengths)
    with pytest.raises(SignatureInvalidError):
        FileSignature(key_id, signature, "", closing)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_digest_of_another_length_is_a_bug(key: SigningKey, comment: FileComment, length: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        replace(comment, digest=bytes(length))
    signature = sign_file(key, comment)
    with pytest.raises(ValueError, match="64 bytes"):
        verify_file(key.public, bytes(length), signature)
    with pytest.raises(ValueError, match="64 bytes"):
        verify_comment(key.public, bytes(length), signature)


@given(st.binary(max_size=200), st.binary(min_size=64, max_size=64))
def test_proofs_hold(prefix: bytes, transcript: bytes) -> None:
    seed = bytes(range(32))
    user, server, invitation = (
        SigningKey.from_seed(seed, bytes(8)),
        ServerKey.from_seed(seed),
        InvitationKey.from_seed(seed),
    )
    signatures.verify_server_hello(server.public, transcript, signatures.sign_server_hello(server, transcript))
    signatures.verify_login(user.public, transcript, prefix, signatures.sign_login(user, transcript, prefix))
    signatures.verify_join(user.public, transcript, prefix, signatures.sign_join(user, transcript, prefix))
    signatures.verify_invitation(
        invitation.point, transcript, prefix, signatures.sign_invitation(invitation, transcript, prefix)
    )


def test_a_proof_is_of_one_key_handshake_and_message(key: SigningKey, server: ServerKey, entropy: Entropy) -> None:
    other = SigningKey.generate(entropy).public
    for sign, verify in (
        (signatures.sign_login, signatures.verify_login),
        (signatures.sign_join, signatures.verify_join),
    ):
        good = sign(key, TH, PREFIX)
        for wrong in (
            (other, TH, PREFIX, good),
            (key.public, bytes(64), PREFIX, good),
            (key.public, TH, PREFIX + b"\0", good),
            (key.public, TH, PREFIX[:-1], good),
            (key.public, TH, PREFIX, good[:-1]),
            (key.public, TH, PREFIX, good + b"\0"),
            (key.public, TH, PREFIX, b""),
        ):
            with pytest.raises(SignatureInvalidError):
                verify(*wrong)
    hello = signatures.sign_server_hello(server, TH)
    for public, transcript in ((ServerKey.generate(entropy).public, TH), (server.public, bytes(64))):
        with pytest.raises(SignatureInvalidError):
            signatures.verify_server_hello(public, transcript, hello)


def test_an_invitation_admits_no_other_message(entropy: Entropy) -> None:
    key = InvitationKey.generate(entropy)
    good = signatures.sign_invitation(key, TH, PREFIX)
    for point, transcript, prefix in (
        (InvitationKey.generate(entropy).point, TH, PREFIX),
        (key.point, bytes(64), PREFIX),
        (key.point, TH, b"another key"),
        (key.point[:31], TH, PREFIX),
        (b"", TH, PREFIX),
    ):
        with pytest.raises(SignatureInvalidError):
            signatures.verify_invitation(point, transcript, prefix, good)


def test_nothing_moves_between_key_signature_and_message(entropy: Entropy) -> None:
    """Lengths are checked: the library below would join the pieces and find them good."""
    key = InvitationKey.generate(entropy)
    message = b"message"
    good = key._sign(message)
    _ed25519.verify(key.point, message, good)
    for wrong in (
        (key.point + b"\0", message, good),
        (key.point, message[1:], good + message[:1]),
        (key.point, good[-1:] + message, good[:-1]),
    ):
        with pytest.raises(SignatureInvalidError):
            _ed25519.verify(*wrong)


def test_every_flipped_bit_of_a_proof_is_refused(key: SigningKey) -> None:
    good = signatures.sign_login(key, TH, PREFIX)
    for bit in range(8 * 64):
        with pytest.raises(SignatureInvalidError):
            signatures.verify_login(key.public, TH, PREFIX, flip(good, bit))
        with pytest.raises(SignatureInvalidError):
            signatures.verify_login(key.public, flip(TH, bit), PREFIX, good)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_transcript_hash_of_another_length_is_a_bug(key: SigningKey, server: ServerKey, length: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        signatures.sign_login(key, bytes(length), PREFIX)
    with pytest.raises(ValueError, match="64 bytes"):
        signatures.verify_login(key.public, bytes(length), PREFIX, bytes(64))
    with pytest.raises(ValueError, match="64 bytes"):
        signatures.sign_server_hello(server, bytes(length))

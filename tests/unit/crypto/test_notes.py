import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from sft.crypto.comment import MOST
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.keys import Entropy, ServerKey
from sft.crypto.notes import Receipt, sign_receipt, verify_receipt
from sft.errors import SignatureInvalidError

NUMBERS = st.integers(0, MOST)
RECEIPTS = st.builds(
    Receipt,
    server_id=st.binary(min_size=32, max_size=32),
    file_id=st.binary(min_size=16, max_size=16),
    version=NUMBERS,
    size=NUMBERS,
    digest=st.binary(min_size=64, max_size=64),
    user=NUMBERS,
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250),
    stored_at=NUMBERS,
)


@pytest.fixture
def receipt() -> Receipt:
    return Receipt(
        server_id=bytes(range(32)),
        file_id=bytes(range(16)),
        version=3,
        size=7,
        digest=blake2b_512(b"content").digest(),
        user=5,
        name="reports/März\n2026",
        stored_at=1_700_000_000,
    )


@given(RECEIPTS)
def test_every_receipt_reads_back(receipt: Receipt) -> None:
    key = ServerKey.from_seed(bytes(32))
    assert verify_receipt(key.public, sign_receipt(key, receipt)) == receipt


def test_the_text(receipt: Receipt) -> None:
    assert receipt.text().split("\n") == [
        "sft receipt 1",
        "server " + bytes(range(32)).hex(),
        "file " + bytes(range(16)).hex(),
        "version 3",
        "size 7",
        "digest " + digest_text(receipt.digest),
        "user 5",
        "name reports/M%C3%A4rz%0A2026",
        "stored-at 1700000000",
        "",
    ]


def test_the_note_is_c2sps(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipt(server, receipt)
    text, closing = note.split("\n\n")
    assert closing.endswith("\n")
    dash, name, encoded = closing.rstrip("\n").split(" ")
    point = server.public.point
    assert dash == "\u2014"
    assert name == f"sft/{receipt.server_id.hex()}"
    signed = base64.b64decode(encoded)
    assert signed[:4] == hashlib.sha256(name.encode() + b"\n\x01" + point).digest()[:4]
    VerifyKey(point).verify((text + "\n").encode(), signed[4:])


def test_every_changed_character_is_refused(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipt(server, receipt)
    for place in range(len(note)):
        for char in ("0", "\n", "é", "\ud800"):
            if note[place] == char:
                continue
            with pytest.raises(SignatureInvalidError):
                verify_receipt(server.public, note[:place] + char + note[place + 1 :])


def test_every_cut_is_refused(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipt(server, receipt)
    for length in range(len(note)):
        with pytest.raises(SignatureInvalidError):
            verify_receipt(server.public, note[:length])


def test_every_line_is_there_once_and_in_its_order(server: ServerKey, receipt: Receipt) -> None:
    lines = sign_receipt(server, receipt).splitlines(keepends=True)
    for place in range(len(lines)):
        for wrong in (
            lines[:place] + lines[place + 1 :],
            lines[: place + 1] + lines[place:],
            [*lines, lines[place]],
            [lines[place], *lines],
        ):
            with pytest.raises(SignatureInvalidError):
                verify_receipt(server.public, "".join(wrong))


def test_another_server_is_refused(server: ServerKey, receipt: Receipt, entropy: Entropy) -> None:
    with pytest.raises(SignatureInvalidError):
        verify_receipt(ServerKey.generate(entropy).public, sign_receipt(server, receipt))


@pytest.mark.parametrize(
    "right,wrong",
    [
        ("sft receipt 1\n", "sft receipt 2\n"),
        ("version 3\n", "version 03\n"),
        ("version 3\n", "version 9223372036854775808\n"),
        ("size 7\n", "size +7\n"),
        ("size 7\n", "size -7\n"),
        ("M%C3%A4rz", "M%c3%a4rz"),
        ("M%C3%A4rz", "%4D%C3%A4rz"),
        ("M%C3%A4rz", "%FF"),
        ("digest blake2b512:", "digest sha512:"),
        ("stored-at 1700000000\n", "stored-at 1700000000\nlog 1\n"),
        ("user 5\n", ""),
    ],
)
def test_a_signed_text_of_another_form_is_refused(server: ServerKey, receipt: Receipt, right: str, wrong: str) -> None:
    """The form is judged even where the signature holds: the server might be another version."""
    good = receipt.text()
    assert right in good
    text = good.replace(right, wrong)
    closing = sign_receipt(server, receipt).rsplit("\n\n", 1)[1]
    start, encoded = closing.rsplit(" ", 1)
    signature = base64.b64decode(encoded)[:4] + server._sign(text.encode())
    note = f"{text}\n{start} {base64.b64encode(signature).decode()}\n"
    with pytest.raises(SignatureInvalidError):
        verify_receipt(server.public, note)


@pytest.mark.parametrize(
    "wrong",
    [
        {"server_id": bytes(31)},
        {"file_id": bytes(15)},
        {"version": -1},
        {"size": 1 << 63},
        {"digest": bytes(63)},
        {"user": -1},
        {"name": ""},
        {"name": "x" * 1025},
        {"stored_at": -1},
    ],
)
def test_values_without_an_encoding_are_a_bug(receipt: Receipt, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(receipt, **wrong)

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nacl.signing import VerifyKey

from sft.crypto.comment import MOST
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.keys import Entropy, ServerKey
from sft.crypto.notes import Receipt, receipts_text, sign_receipts, verify_receipts
from sft.errors import SignatureInvalidError
from sft.limits import BATCH_FILES

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
    leaf=NUMBERS,
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
        leaf=17,
    )


@given(RECEIPTS)
def test_every_receipt_reads_back(receipt: Receipt) -> None:
    key = ServerKey.from_seed(bytes(32))
    assert verify_receipts(key.public, sign_receipts(key, [receipt])) == (receipt,)


def test_the_text(receipt: Receipt) -> None:
    assert receipts_text([receipt]).split("\n") == [
        "sft receipt 1",
        "server " + bytes(range(32)).hex(),
        "user 5",
        f"stored {bytes(range(16)).hex()} 3 7 {digest_text(receipt.digest)} 1700000000 reports/M%C3%A4rz%0A2026 17",
        "",
    ]


def test_the_note_is_c2sps(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipts(server, [receipt])
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
    note = sign_receipts(server, [receipt])
    for place in range(len(note)):
        for char in ("0", "\n", "é", "\ud800"):
            if note[place] == char:
                continue
            with pytest.raises(SignatureInvalidError):
                verify_receipts(server.public, note[:place] + char + note[place + 1 :])


def test_every_cut_is_refused(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipts(server, [receipt])
    for length in range(len(note)):
        with pytest.raises(SignatureInvalidError):
            verify_receipts(server.public, note[:length])


def test_every_line_is_there_once_and_in_its_order(server: ServerKey, receipt: Receipt) -> None:
    lines = sign_receipts(server, [receipt]).splitlines(keepends=True)
    for place in range(len(lines)):
        for wrong in (
            lines[:place] + lines[place + 1 :],
            lines[: place + 1] + lines[place:],
            [*lines, lines[place]],
            [lines[place], *lines],
        ):
            with pytest.raises(SignatureInvalidError):
                verify_receipts(server.public, "".join(wrong))


def test_another_server_is_refused(server: ServerKey, receipt: Receipt, entropy: Entropy) -> None:
    with pytest.raises(SignatureInvalidError):
        verify_receipts(ServerKey.generate(entropy).public, sign_receipts(server, [receipt]))


@pytest.mark.parametrize(
    "right,wrong",
    [
        ("sft receipt 1\n", "sft receipt 2\n"),
        (" 3 7 ", " 03 7 "),
        (" 3 7 ", " 9223372036854775808 7 "),
        (" 3 7 ", " 3 +7 "),
        (" 3 7 ", " 3 -7 "),
        (" 3 7 ", " 3  7 "),
        ("M%C3%A4rz", "M%c3%a4rz"),
        ("M%C3%A4rz", "%4D%C3%A4rz"),
        ("M%C3%A4rz", "%FF"),
        (" blake2b512:", " sha512:"),
        ("2026 17\n", "2026 17\nlog 1\n"),
        ("2026 17\n", "2026\n"),
        ("2026 17\n", "2026 017\n"),
        ("2026 17\n", "2026 17 1\n"),
        ("2026 17\n", "2026 17"),
        ("user 5\n", ""),
        ("user 5\n", "user 5\nuser 5\n"),
        ("stored ", "kept "),
    ],
)
def test_a_signed_text_of_another_form_is_refused(server: ServerKey, receipt: Receipt, right: str, wrong: str) -> None:
    """The form is judged even where the signature holds: the server might be another version."""
    good = receipts_text([receipt])
    assert right in good
    text = good.replace(right, wrong)
    closing = sign_receipts(server, [receipt]).rsplit("\n\n", 1)[1]
    start, encoded = closing.rsplit(" ", 1)
    signature = base64.b64decode(encoded)[:4] + server._sign(text.encode())
    note = f"{text}\n{start} {base64.b64encode(signature).decode()}\n"
    with pytest.raises(SignatureInvalidError):
        verify_receipts(server.public, note)


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


def test_a_receipt_has_no_signature_of_anybody_else(server: ServerKey, receipt: Receipt) -> None:
    note = sign_receipts(server, [receipt])
    with pytest.raises(SignatureInvalidError, match="other signatures"):
        verify_receipts(server.public, note + "\u2014 witness.example.org/w1 AAAAAAA=\n")


def of_many(receipt: Receipt, count: int) -> list[Receipt]:
    return [replace(receipt, file_id=number.to_bytes(16, "big"), name=f"n {number}") for number in range(count)]


def test_one_signature_is_for_all_lines_in_their_order(server: ServerKey, receipt: Receipt) -> None:
    many = of_many(receipt, BATCH_FILES)
    note = sign_receipts(server, many)
    assert verify_receipts(server.public, note) == tuple(many)
    assert note.count("\nstored ") == BATCH_FILES


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:3] + lines[4:],
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        lambda lines: lines[:3] + lines[3:5] + lines[4:],
    ],
    ids=["a line is gone", "two are swapped", "one is there twice"],
)
def test_lines_are_neither_taken_out_nor_moved(
    server: ServerKey, receipt: Receipt, change: Callable[[list[str]], list[str]]
) -> None:
    lines = sign_receipts(server, of_many(receipt, 4)).splitlines(keepends=True)
    with pytest.raises(SignatureInvalidError):
        verify_receipts(server.public, "".join(change(lines)))


@pytest.mark.parametrize("wrong", ["none", "too many", "the same twice", "two authors", "two servers"])
def test_a_note_of_what_does_not_belong_together_is_a_bug(receipt: Receipt, wrong: str) -> None:
    lists = {
        "none": [],
        "too many": of_many(receipt, BATCH_FILES + 1),
        "the same twice": [receipt, replace(receipt, name="again")],
        "two authors": [receipt, replace(receipt, version=4, user=6)],
        "two servers": [receipt, replace(receipt, version=4, server_id=bytes(32))],
    }
    with pytest.raises(ValueError, match="a receipt"):
        receipts_text(lists[wrong])


def test_a_signed_note_that_names_a_version_twice_is_refused(server: ServerKey, receipt: Receipt) -> None:
    text = receipts_text([receipt])
    line = text.splitlines(keepends=True)[-1]
    closing = sign_receipts(server, [receipt]).rsplit("\n\n", 1)[1]
    start, encoded = closing.rsplit(" ", 1)
    for wrong in (text + line, text.removesuffix(line)):
        signature = base64.b64decode(encoded)[:4] + server._sign(wrong.encode())
        with pytest.raises(SignatureInvalidError):
            verify_receipts(server.public, f"{wrong}\n{start} {base64.b64encode(signature).decode()}\n")

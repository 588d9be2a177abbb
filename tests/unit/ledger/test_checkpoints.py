"""Checkpoints: three lines, of one log, signed by its server, and who else says that they saw it."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto.comment import MOST, FileComment
from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import cosign_note, sign_note
from sft.errors import CryptoError, LedgerFormatError, SignatureInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint, sign_checkpoint, verify_cosignatures
from sft.ledger.hashing import EMPTY_ROOT

SERVER = ServerKey.from_seed(bytes(range(32)))
ORIGIN = Origin.of_server("files.example.org", bytes(range(32)), 1)
ROOT = bytes(range(32))
CHECKPOINT = Checkpoint(ORIGIN, 42, ROOT)
NOTE = sign_checkpoint(SERVER, CHECKPOINT)
WITNESSES = [
    CosignerKey("witness.example.org/ed", SignatureType.ED25519_COSIGNATURE, bytes(32)),
    CosignerKey("witness.example.org/ml", SignatureType.MLDSA44_COSIGNATURE, bytes(32)),
]


def test_the_text_and_its_head() -> None:
    encoded = base64.b64encode(ROOT).decode()
    assert CHECKPOINT.text() == f"files.example.org/sft/00010203/1\n42\n{encoded}\n"
    assert CHECKPOINT.head_text() == f"1.42:{ROOT.hex()}"


def test_a_comment_takes_the_head() -> None:
    comment = FileComment(
        server_id=bytes(32),
        file_id=bytes(16),
        version=1,
        size=0,
        digest=bytes(64),
        mtime=0,
        name="a",
        user=1,
        prev=None,
        ts=0,
        head=CHECKPOINT.head_text(),
    )
    assert FileComment.parse(comment.encode()).head == CHECKPOINT.head_text()


@given(st.integers(1, MOST), st.integers(1, MOST), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_opens(epoch: int, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(Origin("files.example.org", "0a1b2c3d", epoch), size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint
    assert open_checkpoint(sign_checkpoint(SERVER, checkpoint), checkpoint.origin, SERVER.public) == checkpoint


def test_the_empty_log_has_the_root_of_none() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert open_checkpoint(sign_checkpoint(SERVER, empty), ORIGIN, SERVER.public) == empty
    for size, root in ((0, ROOT), (1, EMPTY_ROOT)):
        with pytest.raises(ValueError, match="empty"):
            Checkpoint(ORIGIN, size, root)


@pytest.mark.parametrize("host", ["localhost", "[::1]", "xn--e1afmkfd.example", "files.example.org:7300", "~!-"])
def test_hosts(host: str) -> None:
    origin = Origin(host, "0a1b2c3d", 7)
    assert Origin.parse(origin.text()) == origin


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a+b", "ä", "a\n", "x" * 255])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        Origin(host, "0a1b2c3d", 1)


@pytest.mark.parametrize(
    ("server", "epoch"), [("0a1b2c3", 1), ("0A1B2C3D", 1), ("", 1), ("0a1b2c3d", 0), ("0a1b2c3d", -1)]
)
def test_what_is_no_origin(server: str, epoch: int) -> None:
    with pytest.raises(ValueError, match=r"origin|range"):
        Origin("h", server, epoch)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "h",
        "h/sft/0a1b2c3d",
        "h/sft/0a1b2c3d/01",
        "h/sft/0a1b2c3d/0",
        "h/sft/0a1b2c3d/1/",
        "h/sft/0a1b2c3d/1\n",
        f"h/sft/0a1b2c3d/{MOST + 1}",
        "h/other/0a1b2c3d/1",
        "g/h/sft/0a1b2c3d/1",
        "/sft/0a1b2c3d/1",
    ],
)
def test_other_texts_are_no_origins(wrong: str) -> None:
    with pytest.raises(LedgerFormatError):
        Origin.parse(wrong)


def test_a_server_id_and_a_root_have_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Origin.of_server("h", bytes(31), 1)
    with pytest.raises(ValueError, match="32 bytes"):
        Checkpoint(ORIGIN, 1, bytes(31))
    with pytest.raises(ValueError, match="size"):
        Checkpoint(ORIGIN, -1, ROOT)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("\n42\n", "\n042\n"),
        ("\n42\n", "\n-42\n"),
        ("\n42\n", "\n 42\n"),
        ("\n42\n", "\n\n"),
        ("\n42\n", f"\n{MOST + 1}\n"),
        ("\n42\n", "\n0\n"),
        ("=\n", "=\nextension\n"),
        ("8=\n", "9=\n"),
        ("=\n", "==\n"),
        ("/1\n", "/0\n"),
        ("/1\n", "/1 \n"),
    ],
)
def test_a_signed_text_of_another_form_is_refused(right: str, wrong: str) -> None:
    text = CHECKPOINT.text()
    assert text.count(right) == 1
    with pytest.raises(LedgerFormatError):
        open_checkpoint(sign_note(SERVER, ORIGIN.text(), text.replace(right, wrong)), ORIGIN, SERVER.public)


def test_another_logs_checkpoint_is_refused_whatever_name_signs_it() -> None:
    other = Checkpoint(Origin("files.example.org", "00010203", 2), 42, ROOT)
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(sign_checkpoint(SERVER, other), ORIGIN, SERVER.public)
    with pytest.raises(LedgerFormatError, match="another log"):
        open_checkpoint(sign_note(SERVER, ORIGIN.text(), other.text()), ORIGIN, SERVER.public)
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(NOTE, ORIGIN, ServerKey.from_seed(bytes(32)).public)


def test_cosignatures_of_both_types() -> None:
    note = NOTE
    for at, witness in enumerate(WITNESSES):
        note = cosign_note(note, witness, timestamp=1_700_000_000 + at)
    assert open_checkpoint(note, ORIGIN, SERVER.public) == CHECKPOINT
    keys = [each.public for each in WITNESSES]
    assert verify_cosignatures(note, keys) == {keys[0]: 1_700_000_000, keys[1]: 1_700_000_001}
    assert verify_cosignatures(note, keys[1:]) == {keys[1]: 1_700_000_001}
    assert verify_cosignatures(NOTE, keys) == {}
    assert len(note) < 4096  # the log's own, and one of each


@pytest.mark.parametrize("witness", WITNESSES)
def test_a_cosignature_does_not_move_to_another_checkpoint(witness: CosignerKey) -> None:
    line = cosign_note(NOTE, witness, timestamp=1).removeprefix(NOTE)
    for other in (Checkpoint(ORIGIN, 43, ROOT), Checkpoint(ORIGIN, 42, ROOT[::-1])):
        with pytest.raises(SignatureInvalidError):
            verify_cosignatures(sign_checkpoint(SERVER, other) + line, [witness.public])


def test_a_logs_own_key_is_no_cosigner() -> None:
    with pytest.raises(ValueError, match="cosign"):
        verify_cosignatures(NOTE, [NoteKey(ORIGIN.text(), SignatureType.ED25519, SERVER.public.point)])


def test_no_random_change_of_a_note_opens_as_another_checkpoint() -> None:
    seed = 20_261_131
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(3000):
        place = rng.randrange(len(NOTE))
        changed = (
            NOTE[:place] + rng.choice(["", chr(rng.randrange(0x20, 0x250)), "\n"]) + NOTE[place + rng.randrange(2) :]
        )
        if changed != NOTE:
            with pytest.raises(CryptoError):
                open_checkpoint(changed, ORIGIN, SERVER.public)

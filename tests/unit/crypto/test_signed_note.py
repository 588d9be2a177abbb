"""Signed notes: C2SP's own example, several signatures, and that no changed byte is read as anything else."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft import limits
from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import (
    NoteSignature,
    SignedNote,
    cosign_note,
    open_note,
    server_note_key,
    sign_note,
    text_of,
)
from sft.errors import KeyFormatError, SignatureInvalidError

KEY = NoteKey.parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
SERVER = ServerKey.from_seed(bytes(range(32)))
NAME = "files.example.org/sft/0a1b2c3d/1"
OURS = server_note_key(SERVER.public, NAME)
CHECKPOINT = f"{NAME}\n42\n{base64.b64encode(bytes(32)).decode()}\n"
NOTE = sign_note(SERVER, NAME, CHECKPOINT)
WITNESSES = [
    CosignerKey("witness.example.org/ed", SignatureType.ED25519_COSIGNATURE, bytes(32)),
    CosignerKey("witness.example.org/ml", SignatureType.MLDSA44_COSIGNATURE, bytes(32)),
]


def line_of(name: str, data: bytes) -> str:
    return f"— {name} {base64.b64encode(data).decode()}\n"


def test_the_example_of_c2sp_opens() -> None:
    opened = open_note(EXAMPLE, [KEY])
    assert (opened.text, opened.verified) == ("This is an example message.\n", {KEY: None})
    assert SignedNote.parse(EXAMPLE).encode() == EXAMPLE


def test_every_changed_character_of_the_example_is_refused() -> None:
    for place in range(len(EXAMPLE)):
        for char in "0\n =\t\u00e9\ud800":
            changed = EXAMPLE[:place] + char + EXAMPLE[place + 1 :]
            if changed != EXAMPLE:
                with pytest.raises(SignatureInvalidError):
                    open_note(changed, [KEY])


@pytest.mark.parametrize("text", ["a\n", "\n", "\n\n", "a\n\n\nb\n\n", "\N{EM DASH} a YWFhYWE=\n", "é \u2028 日\n"])
def test_every_text_reads_back(text: str) -> None:
    note = sign_note(SERVER, NAME, text)
    assert open_note(note, [OURS]).text == text == text_of(note)
    assert SignedNote.parse(note).encode() == note


@pytest.mark.parametrize("text", ["", "a", "a\n\t\n", "a\r\n", "\0\n", "\ud800\n"])
def test_what_cannot_be_a_text_is_a_bug(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        sign_note(SERVER, NAME, text)
    with pytest.raises(KeyFormatError):
        sign_note(SERVER, "a name", "a\n")


def test_several_sign_and_each_line_counts() -> None:
    note = NOTE
    for second, witness in enumerate(WITNESSES):
        note = cosign_note(note, witness, timestamp=second + 1)
    strangers = line_of("witness.example.org/ed", bytes(80)) + line_of(NAME, bytes(5))
    keys = [OURS, *(each.public for each in WITNESSES)]
    opened = open_note(note + strangers, keys)
    assert opened.verified == {keys[0]: None, keys[1]: 1, keys[2]: 2}
    assert opened.text == CHECKPOINT
    assert open_note(note, keys[1:2]).verified == {keys[1]: 1}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_line_of_a_known_key_makes_the_note_bad(place: int) -> None:
    note = NOTE
    for witness in WITNESSES:
        note = cosign_note(note, witness, timestamp=1)
    keys = [OURS, *(each.public for each in WITNESSES)]
    parsed = SignedNote.parse(note)
    lines = list(parsed.signatures)
    *rest, last = lines[place].signature
    lines[place] = NoteSignature(lines[place].name, lines[place].key_hash, bytes([*rest, last ^ 1]))
    changed = SignedNote(parsed.text, tuple(lines)).encode()
    with pytest.raises(SignatureInvalidError):
        open_note(changed, keys)
    assert len(open_note(changed, [*keys[:place], *keys[place + 1 :]]).verified) == len(keys) - 1


def test_a_signature_counts_for_its_name_hash_and_type_alone() -> None:
    point = SERVER.public.point
    for other in (
        NoteKey("files.example.org/sft/0a1b2c3d/2", SignatureType.ED25519, point),
        NoteKey(NAME, SignatureType.ED25519_COSIGNATURE, point),
        WITNESSES[0].public,
    ):
        with pytest.raises(SignatureInvalidError, match="known"):
            open_note(NOTE, [other])
    with pytest.raises(SignatureInvalidError, match="known"):
        open_note(NOTE, [])


def test_a_key_signs_once() -> None:
    line = NOTE[len(CHECKPOINT) + 1 :]
    with pytest.raises(SignatureInvalidError, match="two"):
        open_note(NOTE + line, [OURS])
    assert SignedNote.parse(NOTE + line).verify([]) == {}
    with pytest.raises(ValueError, match="two keys"):
        open_note(NOTE, [OURS, OURS])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "\n",
        "\n\n",
        CHECKPOINT,
        CHECKPOINT + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\n", "\r\n"),
        "a\tb\n" + NOTE,
        "a\0b\n" + NOTE,
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("— ", ""),
        f"{CHECKPOINT}\n{line_of(NAME, bytes(4))}",
        f"{CHECKPOINT}\n{line_of('', bytes(9))}",
        f"{CHECKPOINT}\n{line_of('a+b', bytes(9))}",
        f"{CHECKPOINT}\n— a AAAAAAA\n",
        f"{CHECKPOINT}\n— a AAAAAAB=\n",
        f"{CHECKPOINT}\n— a\n",
        "\x7f\ud800" + NOTE,
    ],
)
def test_what_is_no_note(wrong: str) -> None:
    with pytest.raises(SignatureInvalidError):
        SignedNote.parse(wrong)


def test_lines_and_bytes_are_bounded() -> None:
    line = line_of("x", bytes(5))
    full = NOTE + line * (limits.NOTE_SIGNATURES - 1)
    assert open_note(full, [OURS]).verified == {OURS: None}
    with pytest.raises(SignatureInvalidError, match="signatures"):
        open_note(full + line, [OURS])
    closing = NOTE[len(CHECKPOINT) :]
    room = limits.NOTE_BYTES - len(closing.encode())
    assert SignedNote.parse("x" * (room - 1) + "\n" + closing)
    for long in ("x" * room + "\n" + closing, "é" * (room // 2 + 1) + "\n" + closing):
        with pytest.raises(SignatureInvalidError, match="long"):
            SignedNote.parse(long)
    with pytest.raises(SignatureInvalidError, match="long"):
        sign_note(SERVER, NAME, "x" * limits.NOTE_BYTES + "\n")


def test_only_a_checkpoint_is_cosigned() -> None:
    for witness in WITNESSES:
        with pytest.raises(SignatureInvalidError, match="checkpoint"):
            cosign_note(EXAMPLE, witness, timestamp=1)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_notes_of_any_text_open(text: str) -> None:
    assert open_note(sign_note(SERVER, NAME, f"{text}\n"), [OURS]).text == f"{text}\n"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for note in (text, CHECKPOINT + "\n" + text, text + NOTE):
        try:
            parsed = SignedNote.parse(note)
        except SignatureInvalidError:
            continue
        assert parsed.encode() == note


def test_no_random_change_is_believed() -> None:
    seed = 20_261_129
    print(f"seed {seed}")
    rng = random.Random(seed)
    note = cosign_note(NOTE, WITNESSES[0], timestamp=7).encode()
    keys = [OURS, WITNESSES[0].public]
    for _ in range(3000):
        changed = bytearray(note)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(changed))
            match rng.randrange(3):
                case 0:
                    changed[place] = rng.randrange(256)
                case 1:
                    del changed[place]
                case _:
                    changed.insert(place, rng.randrange(256))
        if changed == note:
            continue
        try:
            opened = open_note(changed.decode("utf-8", "surrogateescape"), keys)
        except SignatureInvalidError:
            continue
        # What is left is a line that became another key's: the text is still what was signed.
        assert opened.text == CHECKPOINT
        assert len(opened.verified) == len(keys) - 1

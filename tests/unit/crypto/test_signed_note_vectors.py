"""Notes and cosignatures, against code that is not ours: Go's sumdb/note, and ML-DSA-44 of noble."""

import json
import random
from base64 import b64decode
from typing import Any

import pytest

from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import SignedNote, cosign_note, open_note, sign_note
from sft.errors import SignatureInvalidError
from tests.vectors.generate_ledger import has_go
from tests.vectors.generate_signed_note import FILE, ask_go, build_notes

VECTORS = json.loads(FILE.read_text("utf-8"))
NOTES, COSIGNATURES = VECTORS["notes"], VECTORS["cosignatures"]

needs_go = pytest.mark.skipif(not has_go(), reason="Debian's golang-go and golang-golang-x-mod-dev are not installed")


@pytest.mark.parametrize("made", NOTES, ids=lambda each: repr(each["Text"][:12]))
def test_notes_of_go_are_ours_byte_for_byte(made: dict[str, Any]) -> None:
    log, *witnesses = made["Signers"]
    key = ServerKey.from_seed(b64decode(log["Seed"]))
    note = sign_note(key, log["Name"], made["Text"])
    for each in witnesses:
        witness = CosignerKey(each["Name"], SignatureType.ED25519_COSIGNATURE, b64decode(each["Seed"]))
        assert witness.public.vkey() == each["Key"]
        note = cosign_note(note, witness, timestamp=each["Time"])
    assert note == made["Note"]
    keys = [NoteKey.parse_vkey(each["Key"]) for each in made["Signers"]]
    assert keys[0] == NoteKey(log["Name"], SignatureType.ED25519, key.public.point)
    assert list(open_note(note, keys).verified.values()) == [None, *(each["Time"] for each in witnesses)]


def test_there_are_notes_of_every_kind() -> None:
    assert max(len(made["Signers"]) for made in NOTES) == 3
    assert len(COSIGNATURES) == 3


@pytest.mark.parametrize("made", COSIGNATURES, ids=lambda each: each["Name"][:8])
def test_cosignatures_of_noble_hold_and_those_that_noble_took(made: dict[str, Any]) -> None:
    key = CosignerKey(made["Name"], SignatureType.MLDSA44_COSIGNATURE, b64decode(made["Seed"]))
    assert key.public.public == b64decode(made["Public"])
    text = f"{made['Origin']}\n{made['Size']}\n{made['Root']}\n"
    for signed in (made["Theirs"], made["Ours"]):
        assert key.public.verify(text, b64decode(signed)) == int(made["Time"])
        with pytest.raises(SignatureInvalidError):
            key.public.verify(text.replace(f"\n{made['Size']}\n", f"\n{made['Size'] + 1}\n"), b64decode(signed))


@needs_go
@pytest.mark.long
def test_go_makes_the_committed_notes() -> None:
    assert build_notes() == NOTES


@needs_go
@pytest.mark.long
def test_what_we_read_go_reads_alike_and_what_it_refuses_we_refuse() -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    questions = []
    for made in NOTES:
        keys = [each["Key"] for each in made["Signers"]]
        questions += [{"Note": made["Note"], "Keys": keys}, {"Note": made["Note"], "Keys": keys[:1]}]
        questions += [{"Note": changed(made["Note"], chance), "Keys": keys} for _ in range(1000)]
    read = 0
    for answer in ask_go(questions):
        keys = [NoteKey.parse_vkey(key) for key in answer["Keys"]]
        try:
            opened = open_note(answer["Note"], keys)
        except SignatureInvalidError:
            continue
        read += 1
        assert "Error" not in answer
        assert opened.text == answer["Text"]
        assert [key.name for key in opened.verified] == answer["Verified"]
        others = len(SignedNote.parse(answer["Note"]).signatures) - len(opened.verified)
        assert others == answer.get("Unverified", 0)
    assert read >= 2 * len(NOTES)


def changed(note: str, chance: random.Random) -> str:
    """Change a note in one to three places, and put lines where others stand."""
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(note))
        new = chance.choice(
            ["", "\n", " ", "\n\n", "+", "=", "A", "\N{EM DASH} ", "\u00a0", chr(chance.randrange(0x20, 0x2FF))]
        )
        note = note[:place] + new + note[place + chance.randrange(2) :]
    lines = note.splitlines(keepends=True)
    if chance.random() < 0.2:
        chance.shuffle(lines)
    return "".join(lines) or "\n"

"""Keys of signed notes: C2SP's own example, the text form, and what cosigners sign, made here a second time."""

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from nacl.signing import SigningKey as Oracle

from sft.crypto import _mldsa
from sft.crypto.comment import MOST
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType, is_key_name
from sft.errors import KeyFormatError, SignatureInvalidError

SEED = bytes(range(32))
ROOT = hashlib.sha256(b"root").digest()
TEXT = f"files.example.org/sft/0a1b2c3d/1\n42\n{base64.b64encode(ROOT).decode()}\n"
NAME = "witness.example.org/w1"
NOW = 1_700_000_000
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"  # of the C2SP document
KINDS = (SignatureType.ED25519_COSIGNATURE, SignatureType.MLDSA44_COSIGNATURE)


def subtree_message(name: str, text: str, timestamp: int) -> bytes:
    origin, size, root, _ = text.split("\n")
    parts = [b"subtree/v1\n\0", bytes([len(name)]), name.encode(), struct.pack(">Q", timestamp)]
    parts += [bytes([len(origin)]), origin.encode(), struct.pack(">QQ", 0, int(size)), base64.b64decode(root)]
    return b"".join(parts)


def test_the_text_form_is_c2sps() -> None:
    key = NoteKey.parse_vkey(VKEY)
    assert (key.name, key.kind, key.key_hash().hex()) == ("example.com/foo", SignatureType.ED25519, "530d903a")
    assert key.vkey() == VKEY
    assert repr(key) == "NoteKey(example.com/foo+530d903a)"


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_reads_back_and_has_a_hash_of_its_own(kind: SignatureType) -> None:
    public = CosignerKey(NAME, kind, SEED).public
    assert NoteKey.parse_vkey(public.vkey()) == public
    hashed = hashlib.sha256(NAME.encode() + b"\n" + bytes([kind]) + public.public).digest()
    assert public.key_hash() == hashed[:4]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "example.com/foo",
        VKEY.replace("530d", "530e"),
        VKEY.replace("530d", "530D"),
        VKEY.replace("example.com", "example.org"),
        VKEY.replace("example.com", "exa mple.com"),
        VKEY.replace("+Aeky", "+Beky"),
        VKEY + "\n",
        VKEY + "=",
        VKEY[:-4],
        "a+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
    ],
)
def test_other_texts_are_no_keys(wrong: str) -> None:
    with pytest.raises(KeyFormatError):
        NoteKey.parse_vkey(wrong)


@pytest.mark.parametrize("point", [bytes(32), b"\xff" * 32])
def test_a_key_is_a_point_of_the_curve(point: bytes) -> None:
    with pytest.raises(KeyFormatError, match="curve"):
        NoteKey.parse_vkey(NoteKey(NAME, SignatureType.ED25519, point).vkey())


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\N{NO-BREAK SPACE}b", "a\u2028b", "a\nb", "a\0b", "x" * 256, "\ud800"]
)
def test_what_is_no_name_of_a_key(name: str) -> None:
    assert not is_key_name(name)
    with pytest.raises(KeyFormatError):
        NoteKey(name, SignatureType.ED25519, bytes(32))


def test_names_of_any_script_are_names() -> None:
    assert is_key_name("приклад.укр/\N{EM DASH}")
    assert is_key_name("x" * 255)


def test_an_ed25519_cosigner_signs_header_time_and_text() -> None:
    signed = CosignerKey(NAME, SignatureType.ED25519_COSIGNATURE, SEED).cosign(TEXT, timestamp=NOW)
    message = f"cosignature/v1\ntime {NOW}\n{TEXT}".encode()
    assert signed == struct.pack(">Q", NOW) + Oracle(SEED).sign(message).signature


def test_an_ml_dsa_cosigner_signs_a_subtree() -> None:
    key = CosignerKey(NAME, SignatureType.MLDSA44_COSIGNATURE, SEED)
    signed = key.cosign(TEXT, timestamp=NOW)
    assert signed[:8] == struct.pack(">Q", NOW)
    MLDSA44PublicKey.from_public_bytes(key.public.public).verify(signed[8:], subtree_message(NAME, TEXT, NOW))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cosignature_holds_for_one_time_text_key_and_type(kind: SignatureType) -> None:
    key = CosignerKey(NAME, kind, SEED)
    signed = key.cosign(TEXT, timestamp=NOW)
    assert key.public.verify(TEXT, signed) == NOW
    other = CosignerKey(NAME, kind, bytes(32)).public
    later = struct.pack(">Q", NOW + 1) + signed[8:]
    for public, text, wrong in [
        (key.public, TEXT, later),
        (key.public, TEXT.replace("\n42\n", "\n43\n"), signed),
        (key.public, TEXT.replace("/1\n", "/2\n"), signed),
        (key.public, TEXT.replace("=\n", "=\nmore\n"), signed),
        (key.public, TEXT, signed[:-1]),
        (key.public, TEXT, signed[:7]),
        (key.public, TEXT, b""),
        (other, TEXT, signed),
    ]:
        with pytest.raises(SignatureInvalidError):
            public.verify(text, wrong)


def test_the_name_is_signed_by_ml_dsa_too() -> None:
    key = CosignerKey(NAME, SignatureType.MLDSA44_COSIGNATURE, SEED)
    renamed = NoteKey("witness.example.org/w2", key.public.kind, key.public.public)
    with pytest.raises(SignatureInvalidError):
        renamed.verify(TEXT, key.cosign(TEXT, timestamp=NOW))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "sft receipt 1\n",
        TEXT + "extension\n",
        TEXT[:-1],
        TEXT.replace("\n42\n", "\n042\n"),
        TEXT.replace("\n42\n", f"\n{MOST + 1}\n"),
        TEXT.replace("=\n", "\n"),
        "x" * 256 + TEXT[TEXT.index("\n") :],
        "\ud800" + TEXT,
    ],
)
def test_only_checkpoints_are_cosigned(kind: SignatureType, text: str) -> None:
    key = CosignerKey(NAME, kind, SEED)
    with pytest.raises(SignatureInvalidError):
        key.cosign(text, timestamp=NOW)
    with pytest.raises(SignatureInvalidError):
        key.public.verify(text, bytes(8 + 64))


def test_a_time_is_one_that_fits() -> None:
    key = CosignerKey(NAME, SignatureType.ED25519_COSIGNATURE, SEED)
    for wrong in (-1, MOST + 1):
        with pytest.raises(ValueError, match="timestamp"):
            key.cosign(TEXT, timestamp=wrong)
    late = struct.pack(">Q", MOST + 1)
    message = f"cosignature/v1\ntime {MOST + 1}\n{TEXT}".encode()
    with pytest.raises(SignatureInvalidError, match="clock"):
        key.public.verify(TEXT, late + Oracle(SEED).sign(message).signature)


def test_a_log_does_not_cosign_and_a_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="cosignature"):
        CosignerKey(NAME, SignatureType.ED25519, SEED)
    for kind in KINDS:
        with pytest.raises(ValueError, match="32 bytes"):
            CosignerKey(NAME, kind, bytes(31))


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_never_shown(kind: SignatureType) -> None:
    key = CosignerKey.generate(NAME, kind, lambda size: SEED[:size])
    assert key.public == CosignerKey(NAME, kind, SEED).public
    assert repr(key) == f"CosignerKey(public={key.public!r})"
    assert SEED.hex() not in repr(key._secret)
    with pytest.raises(TypeError, match="secret"):
        key._secret.__reduce__()


def test_lengths_of_ml_dsa_are_checked_here() -> None:
    for public, signature in ((bytes(1311), bytes(2420)), (bytes(1312), bytes(2419))):
        with pytest.raises(SignatureInvalidError, match="length"):
            _mldsa.verify(public, b"", signature)

"""Signed notes (C2SP signed-note): a text, and who signed it.

    text, whose last line ends with a line feed
    an empty line
    — name base64(4 bytes of key hash ‖ signature)        one line for each signature

Rules. One encoding per note: what is read would be written in the same bytes. A text is believed only as far as a known
key signed it: lines of unknown keys are passed over and counted, and one bad line of a known key makes the whole note bad.
A note is at most ``NOTE_BYTES`` long and has at most ``NOTE_SIGNATURES``. What kind of note it is, its first line says:
``sft.crypto.notes`` and ``sft.crypto.succession`` have a space in it, and a checkpoint's origin has none.
"""

# ruff: noqa: SLF001 - a server's key signs notes here, and nothing else but a hello

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from sft import limits
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.keys import ServerKey, ServerPublic
from sft.crypto.note_keys import KEY_HASH_BYTES, CosignerKey, NoteKey, SignatureType, is_key_name
from sft.errors import SignatureInvalidError

_DASH: Final = "\N{EM DASH} "
_CONTROL: Final = r"[\x00-\x09\x0b-\x1f]"


class NoteSignature(Struct, frozen=True):
    """One signature line: nothing of it is known to be true."""

    name: str
    key_hash: bytes
    signature: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_hash + self.signature)}\n"


class SignedNote(Struct, frozen=True):
    """A note as it was read: nothing of it is to be believed before ``verify`` or ``open_note``."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        return self.text + "\n" + "".join(each.line() for each in self.signatures)

    @classmethod
    def parse(cls, note: str) -> SignedNote:
        """Read a note; SignatureInvalidError for what is none, or over the limits."""
        # By characters first: so a hostile megabyte is not encoded to be counted.
        if len(note) > limits.NOTE_BYTES or _has_control(note):
            raise SignatureInvalidError("too long for a note, or with control characters")
        text, parted, lines = note.rpartition("\n\n")
        if not parted or not lines.endswith("\n"):
            raise SignatureInvalidError("no text above signature lines")
        if lines.count("\n") > limits.NOTE_SIGNATURES:
            raise SignatureInvalidError(f"over {limits.NOTE_SIGNATURES} signatures")
        try:
            if len(note.encode("utf-8")) > limits.NOTE_BYTES:
                raise SignatureInvalidError("too long for a note")
            signatures = tuple(_parse_line(line) for line in lines[:-1].split("\n"))
        except ValueError as fault:
            raise SignatureInvalidError("not a signature line") from fault
        return cls(text + "\n", signatures)

    def verify(self, keys: Collection[NoteKey]) -> dict[NoteKey, int | None]:
        """Check every signature of a known key.

        Args:
            keys: those whose word counts; two of one name and hash are a mistake of who chose them, ValueError.

        Returns:
            Keys that signed, each with its time as ``NoteKey.verify`` gives it; the other lines were passed over.

        Raises:
            SignatureInvalidError: a line that names a known key is not signed by it, or a key is there twice.
        """
        known = {(key.name, key.key_hash()): key for key in keys}
        if len(known) != len(keys):
            raise ValueError("two keys of one name and hash")
        held: dict[NoteKey, int | None] = {}
        for line in self.signatures:
            key = known.get((line.name, line.key_hash))
            if key is None:
                continue
            if key in held:
                raise SignatureInvalidError("two signatures of one key")
            held[key] = key.verify(self.text, line.signature)
        return held


class OpenedNote(Struct, frozen=True):
    """A text that known keys signed.

    Attributes:
        verified: who signed, and when as far as they say so.
    """

    text: str
    verified: dict[NoteKey, int | None]


def open_note(note: str, keys: Collection[NoteKey]) -> OpenedNote:
    """Check that at least one known key signed a note, and none of them badly; else SignatureInvalidError."""
    parsed = SignedNote.parse(note)
    verified = parsed.verify(keys)
    if not verified:
        raise SignatureInvalidError("not signed by a known key")
    return OpenedNote(parsed.text, verified)


def sign_note(key: ServerKey, name: str, text: str) -> str:
    """Sign the text of a kind of note with a server's key: for the modules that have a kind.

    Args:
        name: of the key, in the signature line.
        text: ends with a line feed; ValueError for what cannot be the text of a note.
    """
    return _signed_by(server_note_key(key.public, name), key._sign(_text_bytes(text)), SignedNote(text, ()))


def cosign_note(note: str, cosigner: CosignerKey, *, timestamp: int) -> str:
    """Add a cosigner's line to the note of a checkpoint; SignatureInvalidError for any other note."""
    parsed = SignedNote.parse(note)
    return _signed_by(cosigner.public, cosigner.cosign(parsed.text, timestamp=timestamp), parsed)


def server_note_key(server: ServerPublic, name: str) -> NoteKey:
    """Return a server's key as one that signs notes, under a name."""
    return NoteKey(name, SignatureType.ED25519, server.point)


def text_of(note: str) -> str:
    """Return what stands above a note's signature lines; nothing of it is to be believed before it is verified."""
    return note.rpartition("\n\n")[0] + "\n"


def _signed_by(key: NoteKey, signature: bytes, note: SignedNote) -> str:
    line = NoteSignature(key.name, key.key_hash(), signature)
    written = SignedNote(note.text, (*note.signatures, line)).encode()
    SignedNote.parse(written)  # what nobody could read is not given out
    return written


def _has_control(text: str) -> bool:
    line = text.replace("\n", "")
    # Nearly every note is ASCII, and a pattern takes ten times as long.
    return not (line.isascii() and line.isprintable()) and re.search(_CONTROL, text) is not None


def _text_bytes(text: str) -> bytes:
    if not text.endswith("\n") or _has_control(text):
        raise ValueError("a note's text ends with a line feed and has no control characters")
    return text.encode("utf-8")


def _parse_line(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = decode_base64(encoded)
    if not line.startswith(_DASH) or not is_key_name(name) or len(data) <= KEY_HASH_BYTES:
        raise ValueError("another form")
    return NoteSignature(name, data[:KEY_HASH_BYTES], data[KEY_HASH_BYTES:])

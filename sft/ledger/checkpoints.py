"""Checkpoints (C2SP tlog-checkpoint): how large a log is and what its root is, signed by its server (LEDGER.md §5).

    origin      HOST/sft/<server id, 8 characters>/<epoch>: the log's name, its key's and its policy's
    size        leaves
    root        base64 of 32 bytes

Rules. Exactly three lines, one encoding. A checkpoint holds for one origin: an epoch's head proves nothing of another epoch's
log. There are no extension lines, for an ML-DSA cosignature would not cover them: what else is to be believed stands in the
last leaf.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.comment import MOST, NUMBER, SERVER_ID_BYTES, check_numbers
from sft.crypto.keys import ServerKey, ServerPublic
from sft.crypto.note_keys import KEY_NAME_BYTES, NoteKey, SignatureType
from sft.crypto.signed_note import SignedNote, open_note, server_note_key, sign_note
from sft.errors import LedgerFormatError, SignatureInvalidError
from sft.ledger.hashing import EMPTY_ROOT, HASH_BYTES

# Compiled when the first one is read: starting is most of what a short command costs.
_HOST: Final = r"[!-*,-.0-~]+"  # printable ASCII without space, plus and slash
_ORIGIN: Final = rf"(?P<host>{_HOST})/sft/(?P<server>[0-9a-f]{{8}})/(?P<epoch>{NUMBER})"
_CHECKPOINT: Final = rf"(?P<origin>[^\n]+)\n(?P<size>{NUMBER})\n(?P<root>[A-Za-z0-9+/]{{43}}=)\n"


class Origin(Struct, frozen=True):
    """A log's name, for ever: a restored server begins another epoch.

    Args:
        host: the server's public name as it was at the log's start.
        server: the first 8 hexadecimal digits of the server's id.
        epoch: from 1.

    Raises:
        ValueError: a value that has no encoding.
    """

    host: str
    server: str
    epoch: int

    def __post_init__(self) -> None:
        check_numbers(epoch=self.epoch)
        text = self.text()
        if self.epoch < 1 or len(text) > KEY_NAME_BYTES or not re.fullmatch(_ORIGIN, text):
            raise ValueError("an origin is HOST/sft/8 digits of the server's id/epoch")

    @classmethod
    def of_server(cls, host: str, server_id: bytes, epoch: int) -> Origin:
        """Name a server's log; ``server_id`` has 32 bytes."""
        if len(server_id) != SERVER_ID_BYTES:
            raise ValueError(f"a server id has {SERVER_ID_BYTES} bytes")
        return cls(host, server_id.hex()[:8], epoch)

    def text(self) -> str:
        return f"{self.host}/sft/{self.server}/{self.epoch}"

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read what ``text`` writes and nothing else; LedgerFormatError for any other text."""
        found = re.fullmatch(_ORIGIN, text)
        if found is None:
            raise LedgerFormatError("not an origin")
        try:
            return cls(found["host"], found["server"], int(found["epoch"]))
        except ValueError as fault:
            raise LedgerFormatError(f"not an origin: {fault}") from fault


class TreeHead(Struct, frozen=True):
    """What the checkpoint of any log says, be it one of sft's or not; nothing of it is known to be true."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Read the three lines of a checkpoint; ValueError for anything else, extension lines among it."""
        found = re.fullmatch(_CHECKPOINT, text)
        if found is None or int(found["size"]) > MOST:
            raise ValueError("not a checkpoint of three lines")
        return cls(found["origin"], int(found["size"]), decode_base64(found["root"]))


class Checkpoint(Struct, frozen=True):
    """A log's size and root; ValueError for a value that has no encoding."""

    origin: Origin
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_numbers(size=self.size)
        if len(self.root) != HASH_BYTES:
            raise ValueError(f"a root has {HASH_BYTES} bytes")
        if (self.size == 0) != (self.root == EMPTY_ROOT):
            raise ValueError("the empty log, and it alone, has the root of none")

    def text(self) -> str:
        """Write the three lines, which are what is signed."""
        return f"{self.origin.text()}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read what ``text`` writes and nothing else; LedgerFormatError for any other text."""
        try:
            head = TreeHead.parse(text)
            return cls(Origin.parse(head.origin), head.size, head.root)
        except ValueError as fault:
            raise LedgerFormatError(f"not a checkpoint: {fault}") from fault

    def head_text(self) -> str:
        """Write it as comments of signatures name it: ``epoch.size:root``."""
        return f"{self.origin.epoch}.{self.size}:{self.root.hex()}"


def parse_head_text(text: str) -> tuple[int, int, bytes]:
    """Read epoch, size and root out of what ``head_text`` writes, as a comment that was parsed has it."""
    place, _, root = text.partition(":")
    epoch, _, size = place.partition(".")
    return int(epoch), int(size), bytes.fromhex(root)


def sign_checkpoint(key: ServerKey, checkpoint: Checkpoint) -> str:
    """Sign a checkpoint as a note. What a server signs once it must be able to prove for ever."""
    return sign_note(key, checkpoint.origin.text(), checkpoint.text())


def open_checkpoint(note: str, origin: Origin, server: ServerPublic) -> Checkpoint:
    """Read the note of a checkpoint.

    Args:
        note: may have cosignatures, which are not looked at.
        origin: of the log that is meant.
        server: whose signature counts.

    Raises:
        SignatureInvalidError: not signed by that server as that log, or no note.
        LedgerFormatError: what it signed is no checkpoint, or another log's.
    """
    opened = open_note(note, (server_note_key(server, origin.text()),))
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != origin:
        raise LedgerFormatError("the checkpoint of another log")
    return checkpoint


def verify_cosignatures(note: str, cosigners: Collection[NoteKey]) -> dict[NoteKey, int]:
    """Check the cosignatures of known cosigners on a checkpoint's note; whose log it is says ``open_checkpoint``.

    Args:
        note: as it was served.
        cosigners: whose word counts, of either type; ValueError for a key that does not cosign.

    Returns:
        Who cosigned, and when, in Unix seconds by their own clocks.

    Raises:
        SignatureInvalidError: a line that names one of them does not hold.
    """
    if any(key.kind is SignatureType.ED25519 for key in cosigners):
        raise ValueError("a key that does not cosign")
    held: dict[NoteKey, int] = {}
    for key, timestamp in SignedNote.parse(note).verify(cosigners).items():
        if timestamp is None:
            raise SignatureInvalidError("a cosignature without a time")
        held[key] = timestamp
    return held

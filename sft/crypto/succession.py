"""A server's key is followed by another one: the old key says so, in a note (``sft.crypto.notes``).

    sft key succession 1
    server     its id, the hash of its first key, which stays
    old-key    32 bytes in hexadecimal: the key that signs
    new-key    likewise
    made-at    Unix seconds, by the server's clock

Whoever has pinned the old key believes it, and nobody else needs to. A server hands out its newest
``SUCCESSIONS_MOST`` notes, oldest first; a client begins with the one that follows the key which it has pinned.

Rules. A key succeeds only within its own server: the note names the id that was pinned beside the key. A gap, a note that
is not signed by the key before it, and a chain that does not come to the key that was shown are one thing: not succeeded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sft.crypto import _ed25519
from sft.crypto.comment import NUMBER, SERVER_ID_BYTES, check_numbers
from sft.crypto.keys import KEY_BYTES, ServerKey, ServerPublic
from sft.crypto.notes import key_name, verify_note
from sft.crypto.signed_note import sign_note, text_of
from sft.errors import SignatureInvalidError

SUCCESSIONS_MOST: Final = 8  # all of them fit the frame of M3
SUCCESSION_BYTES: Final = 448  # of one note; it has 421 with the times of this century

# Compiled when the first one is read: starting is most of what a short command costs.
_TEXT: Final = (
    r"sft key succession 1\n"
    rf"server (?P<server>[0-9a-f]{{{2 * SERVER_ID_BYTES}}})\n"
    rf"old-key (?P<old>[0-9a-f]{{{2 * KEY_BYTES}}})\n"
    rf"new-key (?P<new>[0-9a-f]{{{2 * KEY_BYTES}}})\n"
    rf"made-at (?P<made_at>{NUMBER})\n"
)


class Succession(Struct, frozen=True, kw_only=True):
    """What one note says; ValueError for a value that has no encoding, and for a key that follows itself."""

    server_id: bytes
    old_key: bytes
    new_key: bytes
    made_at: int

    def __post_init__(self) -> None:
        if len(self.server_id) != SERVER_ID_BYTES:
            raise ValueError(f"a server id has {SERVER_ID_BYTES} bytes")
        if not _ed25519.is_point(self.old_key) or not _ed25519.is_point(self.new_key):
            raise ValueError("not a public key")
        if self.old_key == self.new_key:
            raise ValueError("a key does not follow itself")
        check_numbers(made_at=self.made_at)

    def text(self) -> str:
        """Write the note's text, without its signature."""
        return (
            "sft key succession 1\n"
            f"server {self.server_id.hex()}\n"
            f"old-key {self.old_key.hex()}\n"
            f"new-key {self.new_key.hex()}\n"
            f"made-at {self.made_at}\n"
        )

    @classmethod
    def parse(cls, text: str) -> Succession:
        """Read what ``text`` writes and nothing else; SignatureInvalidError for any other text."""
        found = re.fullmatch(_TEXT, text)
        if found is None:
            raise SignatureInvalidError("not a key succession")
        try:
            return cls(
                server_id=bytes.fromhex(found["server"]),
                old_key=bytes.fromhex(found["old"]),
                new_key=bytes.fromhex(found["new"]),
                made_at=int(found["made_at"]),
            )
        except ValueError as fault:
            raise SignatureInvalidError(f"the succession's fields do not fit: {fault}") from fault


def sign_succession(old: ServerKey, server_id: bytes, new: ServerPublic, *, made_at: int) -> str:
    """Say with a server's key that another one follows it: text, empty line, signature line."""
    made = Succession(server_id=server_id, old_key=old.public.point, new_key=new.point, made_at=made_at)
    return sign_note(old, key_name(server_id), made.text())


def verify_succession(note: str) -> Succession:
    """Check that the old key of a note signed it, else SignatureInvalidError; whose key that is the caller knows."""
    if len(note) > SUCCESSION_BYTES:
        raise SignatureInvalidError("too long for a key succession")
    succession = Succession.parse(text_of(note))
    verify_note(ServerPublic(succession.old_key), succession.server_id, note)
    return succession


def leads_to(notes: Sequence[str], server_id: bytes, pinned: ServerPublic, shown: ServerPublic) -> bool:
    """Return whether a key is the pinned one, or follows it by what the pinned one and its successors signed.

    Args:
        notes: as the server handed them out, oldest first. What does not lie on the way is passed over.
        server_id: what was pinned beside the key.
    """
    key = pinned.point
    for note in notes:
        if key == shown.point:
            break
        try:
            succession = verify_succession(note)
        except SignatureInvalidError:
            continue
        if succession.old_key == key and succession.server_id == server_id:
            key = succession.new_key
    return key == shown.point

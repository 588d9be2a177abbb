"""Notes that the server signs for people to keep: receipts, as signed notes (``sft.crypto.signed_note``).

The key's name is ``sft/`` and the server's id. The first line of the text says what kind of note it is; then one line each,
"name value":

    sft receipt 1            server, user, then 1 to 64 times "stored": file, version, size, digest, stored-at, name, leaf
    sft key succession 1     server, old-key, new-key, made-at          (``sft.crypto.succession``)

Rules. One encoding per note, and one signature: a reader parses, encodes again and compares. Numbers, digits and name
are written as in ``sft.crypto.comment``. A receipt is one signature over all that one answer acknowledges to one author,
no version twice: who keeps it for one file keeps the whole note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from msgspec import Struct

from sft import limits
from sft.crypto.comment import FILE_ID_BYTES, NAME, NUMBER, SERVER_ID_BYTES, check_numbers, decode_name, encode_name
from sft.crypto.digests import DIGEST_BYTES, digest_text, parse_digest
from sft.crypto.keys import ServerKey, ServerPublic
from sft.crypto.signed_note import SignedNote, server_note_key, sign_note, text_of
from sft.errors import SignatureInvalidError

_HEAD: Final = rf"sft receipt 1\nserver (?P<server>[0-9a-f]{{{2 * SERVER_ID_BYTES}}})\nuser (?P<user>{NUMBER})\n"
_STORED: Final = (
    rf"stored (?P<file>[0-9a-f]{{{2 * FILE_ID_BYTES}}})"
    rf" (?P<version>{NUMBER})"
    rf" (?P<size>{NUMBER})"
    r" (?P<digest>\S+)"
    rf" (?P<stored_at>{NUMBER})"
    rf" (?P<name>{NAME})"
    rf" (?P<leaf>{NUMBER})\n"
)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compiled when the first note is read: starting is most of what a short command costs."""
    return re.compile(_HEAD), re.compile(_STORED)


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """One line of a receipt: what a server says that it has stored; the client compares it with what it sent.

    Args:
        server_id: hash of the server's first key, 32 bytes.
        file_id: 16 bytes.
        version: of the file, from 1.
        size: of the content, in bytes.
        digest: BLAKE2b-512 of the content.
        user: id of the author.
        name: the whole path at commit.
        stored_at: Unix seconds, by the server's clock.
        leaf: index in the server's log.

    Raises:
        ValueError: a value that has no encoding.
    """

    server_id: bytes
    file_id: bytes
    version: int
    size: int
    digest: bytes
    user: int
    name: str
    stored_at: int
    leaf: int

    def __post_init__(self) -> None:
        if len(self.server_id) != SERVER_ID_BYTES or len(self.file_id) != FILE_ID_BYTES:
            raise ValueError("a server id has 32 bytes, a file id 16")
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes")
        check_numbers(version=self.version, size=self.size, user=self.user, stored_at=self.stored_at, leaf=self.leaf)
        if not 1 <= len(self.name.encode("utf-8")) <= limits.PATH_BYTES:
            raise ValueError(f"a name has 1 to {limits.PATH_BYTES} bytes")

    def line(self) -> str:
        """Write its line, without the head that all lines of a note share."""
        return (
            f"stored {self.file_id.hex()} {self.version} {self.size} {digest_text(self.digest)}"
            f" {self.stored_at} {encode_name(self.name)} {self.leaf}\n"
        )


def receipts_text(receipts: Sequence[Receipt]) -> str:
    """Write the text of a note, without its signature; ValueError unless all are one server's, to one author, each once."""
    if not 1 <= len(receipts) <= limits.BATCH_FILES:
        raise ValueError(f"a receipt has 1 to {limits.BATCH_FILES} lines")
    first = receipts[0]
    if any((each.server_id, each.user) != (first.server_id, first.user) for each in receipts):
        raise ValueError("a receipt is one server's, to one author")
    if len({(each.file_id, each.version) for each in receipts}) != len(receipts):
        raise ValueError("a receipt names a version once")
    lines = "".join(each.line() for each in receipts)
    return f"sft receipt 1\nserver {first.server_id.hex()}\nuser {first.user}\n{lines}"


def parse_receipts(text: str) -> tuple[Receipt, ...]:
    """Read what ``receipts_text`` writes and nothing else; SignatureInvalidError for any other text."""
    head_pattern, line_pattern = _patterns()
    head = head_pattern.match(text)
    if head is None:
        raise SignatureInvalidError("not a receipt")
    server_id, user = bytes.fromhex(head["server"]), int(head["user"])
    receipts: list[Receipt] = []
    at = head.end()
    try:
        while at < len(text) and len(receipts) < limits.BATCH_FILES:
            found = line_pattern.match(text, at)
            if found is None:
                raise SignatureInvalidError("not a line of a receipt")
            at = found.end()
            receipts.append(
                Receipt(
                    server_id=server_id,
                    file_id=bytes.fromhex(found["file"]),
                    version=int(found["version"]),
                    size=int(found["size"]),
                    digest=parse_digest(found["digest"]),
                    user=user,
                    name=decode_name(found["name"]),
                    stored_at=int(found["stored_at"]),
                    leaf=int(found["leaf"]),
                )
            )
        written = receipts_text(receipts)
    except ValueError as fault:
        raise SignatureInvalidError(f"the receipt's fields do not fit: {fault}") from fault
    if written != text:
        raise SignatureInvalidError("the receipt has another encoding")
    return tuple(receipts)


def sign_receipts(key: ServerKey, receipts: Sequence[Receipt]) -> str:
    """Sign receipts as one note: text, empty line, signature line; ValueError as ``receipts_text``."""
    return sign_note(key, key_name(receipts[0].server_id), receipts_text(receipts))


def verify_receipts(server: ServerPublic, note: str) -> tuple[Receipt, ...]:
    """Check that a server signed a receipt, else SignatureInvalidError; the caller compares its line with what was sent."""
    receipts = parse_receipts(text_of(note))
    verify_note(server, receipts[0].server_id, note)
    return receipts


def verify_note(server: ServerPublic, server_id: bytes, note: str) -> None:
    """Check a note's form and its one signature.

    Args:
        server: the key that signed.
        server_id: whose note it is, which its signature line names: a key may be a server's second one.
    """
    parsed = SignedNote.parse(note)
    key = server_note_key(server, key_name(server_id))
    if key not in parsed.verify((key,)) or len(parsed.signatures) != 1:
        raise SignatureInvalidError("the note is of another server, or has other signatures too")


def key_name(server_id: bytes) -> str:
    """Return the name that a server's key has in the notes of this module."""
    return f"sft/{server_id.hex()}"

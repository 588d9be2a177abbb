"""The trusted comment of a file's signature: what the author says beside the content.

    sft:1 server: file: version: size: digest: mtime: exec: name: user: prev: ts: head:

Thirteen fields in this order, each once, one TAB between; printable ASCII; at most 4,096 bytes. A
signature over content alone could be moved to another name, owner or version: these bind it. With the
content's digest among them, the signature over the comment binds all of it.

Rules. One encoding per comment: a reader parses, encodes again and compares. Numbers have no
leading zero and no sign but the minus of a date before 1970, and fit into 64 bits; digits of bytes
are lower case; the name is percent-encoded UTF-8, upper case. The author builds a comment from
checked fields, never from a string of the server's. Whether a name may be stored is decided
elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from sft import limits
from sft.crypto.digests import DIGEST_BYTES
from sft.errors import SignatureInvalidError

SERVER_ID_BYTES: Final = 32
FILE_ID_BYTES: Final = 16
MOST: Final = (1 << 63) - 1  # the largest number of a database row

NO_HEAD: Final = f"0.0:{hashlib.sha256(b'').hexdigest()}"
"""The head of an author who has seen no log: RFC 6962's empty tree."""

NUMBER: Final = r"(?:0|[1-9][0-9]{0,18})"
NAME: Final = r"(?:[!-$&-~]++|%[0-9A-F]{2})++"  # printable ASCII without space and %, or %XX; no two ways to read one

_LITERAL: Final = frozenset(range(0x21, 0x7F)) - {ord("%")}
_LITERAL_CHARACTERS: Final = frozenset(map(chr, _LITERAL))
_HEAD: Final = rf"({NUMBER})\.({NUMBER}):[0-9a-f]{{64}}"
_COMMENT: Final = (
    r"sft:1"
    rf"\tserver:([0-9a-f]{{{2 * SERVER_ID_BYTES}}})"
    rf"\tfile:([0-9a-f]{{{2 * FILE_ID_BYTES}}})"
    rf"\tversion:({NUMBER})"
    rf"\tsize:({NUMBER})"
    rf"\tdigest:([0-9a-f]{{{2 * DIGEST_BYTES}}})"
    rf"\tmtime:(-?{NUMBER})"
    r"\texec:([01])"
    rf"\tname:({NAME})"
    rf"\tuser:({NUMBER})"
    rf"\tprev:(0|[0-9a-f]{{{2 * DIGEST_BYTES}}})"
    rf"\tts:({NUMBER})"
    r"\thead:([0-9.:a-f]+)"
)


@cache
def _pattern() -> re.Pattern[str]:
    """Compiled when the first one is read: starting is most of what a short command costs."""
    return re.compile(_COMMENT)


class FileComment(Struct, frozen=True, kw_only=True, gc=False):
    """What an author signs of one version of one file.

    Args:
        server_id: hash of the server's first key, 32 bytes.
        file_id: 16 bytes that the client drew for version 1.
        version: the version that the author saw, plus one.
        size: of the content, in bytes.
        digest: BLAKE2b-512 of the content, 64 bytes.
        mtime: the file's own date, Unix seconds; before 1970 it is negative.
        name: the whole path at commit; at most 1,024 bytes of UTF-8.
        user: id of the author.
        prev: digest of the version before, 64 bytes; None exactly for version 1.
        ts: when the author signed, Unix seconds; no verdict rests on it.
        executable: the file's owner may run it; nothing else of its mode is signed.
        head: newest log head that the author had seen, ``epoch.size:root``.

    Raises:
        ValueError: a value that has no encoding.
    """

    server_id: bytes
    file_id: bytes
    version: int
    size: int
    digest: bytes
    mtime: int
    name: str
    user: int
    prev: bytes | None
    ts: int
    executable: bool = False
    head: str = NO_HEAD

    def __post_init__(self) -> None:
        if len(self.server_id) != SERVER_ID_BYTES or len(self.file_id) != FILE_ID_BYTES:
            raise ValueError("a server id has 32 bytes, a file id 16")
        check_numbers(version=self.version, size=self.size, user=self.user, ts=self.ts)
        if not -MOST <= self.mtime <= MOST:
            raise ValueError(f"mtime {self.mtime} is out of range")
        if self.version < 1 or self.user < 1:
            raise ValueError("versions and users count from 1")
        if (self.prev is None) != (self.version == 1):
            raise ValueError("version 1 alone has no version before it")
        if any(len(digest) != DIGEST_BYTES for digest in (self.digest, self.prev) if digest is not None):
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes")
        if not 1 <= len(self.name.encode("utf-8")) <= limits.PATH_BYTES:
            raise ValueError(f"a name has 1 to {limits.PATH_BYTES} bytes")
        check_head(self.head)

    def encode(self) -> str:
        """Write the one encoding: at most 4,096 characters of ASCII."""
        prev = "0" if self.prev is None else self.prev.hex()
        return (
            f"sft:1\tserver:{self.server_id.hex()}\tfile:{self.file_id.hex()}\tversion:{self.version}\tsize:{self.size}"
            f"\tdigest:{self.digest.hex()}\tmtime:{self.mtime}\texec:{self.executable:d}\tname:{encode_name(self.name)}\tuser:{self.user}"
            f"\tprev:{prev}\tts:{self.ts}\thead:{self.head}"
        )

    @classmethod
    def parse(cls, text: str) -> FileComment:
        """Read what ``encode`` writes and nothing else; SignatureInvalidError for any other text."""
        found = _pattern().fullmatch(text) if len(text) <= limits.COMMENT_BYTES else None
        if found is None:
            raise SignatureInvalidError("the comment is not of the form sft:1")
        server, file, version, size, digest, mtime, executable, name, user, prev, ts, head = found.groups()
        try:
            comment = cls(
                server_id=bytes.fromhex(server),
                file_id=bytes.fromhex(file),
                version=int(version),
                size=int(size),
                digest=bytes.fromhex(digest),
                mtime=int(mtime),
                executable=executable == "1",
                name=decode_name(name),
                user=int(user),
                prev=None if prev == "0" else bytes.fromhex(prev),
                ts=int(ts),
                head=head,
            )
        except ValueError as fault:
            raise SignatureInvalidError(f"the comment's fields do not fit: {fault}") from fault
        if comment.encode() != text:
            raise SignatureInvalidError("the comment has a shorter or other encoding")
        return comment


def check_numbers(**numbers: int) -> None:
    """Hold numbers that are signed within 0 to 2^63 - 1; ValueError names the first that is not."""
    for name, number in numbers.items():
        if not 0 <= number <= MOST:
            raise ValueError(f"{name} {number} is out of range")


def check_head(head: str) -> None:
    """Hold a head to ``epoch.size:root``; ValueError for another text."""
    if head == NO_HEAD:
        return
    found = re.fullmatch(_HEAD, head)
    if found is None:
        raise ValueError("a head is epoch.size:root")
    check_numbers(epoch=int(found[1]), size=int(found[2]))


def encode_name(name: str) -> str:
    """Write a name in printable ASCII: all else, space and ``%`` become ``%XX`` over UTF-8."""
    if _LITERAL_CHARACTERS.issuperset(name):
        return name
    return "".join(chr(byte) if byte in _LITERAL else f"%{byte:02X}" for byte in name.encode("utf-8"))


def decode_name(text: str) -> str:
    """Read a percent-encoded name, ValueError if it is no UTF-8; for the one encoding, encode again and compare."""
    return text if text.isascii() and "%" not in text else unquote_to_bytes(text).decode("utf-8")

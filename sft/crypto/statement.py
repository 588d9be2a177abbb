"""The statement of an act: what a person signs of what they ask a server to do.

    sft statement 1
    act:move
    server: user: ts: nonce: head:            one line each
    file: version: old: new:                  the fields of the act, by ``ACTS``

The signature over this text is minisign's, prehashed; its trusted comment repeats the head of the text, with TABs:

    sft:1 act: server: user: ts: nonce: head:

Whoever knows what was asked for writes the text again from it: a request carries the signature alone.

Rules. One encoding per text: a reader parses, encodes again and compares. Numbers, digits of bytes, names and heads are written
as in ``sft.crypto.comment``; what is left open is empty. A comment of a statement never reads as one of a file, for their
second fields differ. No two statements are equal: each has a nonce, so one that stands for a second act was used again by
whoever keeps it. Who joins has no id yet and signs as user 0; nobody else does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from sft import limits
from sft.crypto.comment import (
    FILE_ID_BYTES,
    NAME,
    NO_HEAD,
    NUMBER,
    SERVER_ID_BYTES,
    check_head,
    check_numbers,
    decode_name,
    encode_name,
)
from sft.crypto.digests import DIGEST_BYTES
from sft.errors import SignatureInvalidError

NONCE_BYTES: Final = 8
JOIN: Final = "join"
TEXT_CHARACTERS: Final = 128 * limits.KIB  # the longest is of 256 files received: 48 KiB

_POINT_BYTES: Final = 32
_KEY_BYTES: Final = 42
_TITLE: Final = "sft statement 1"
_HEAD_LINES: Final = 7
_COMMENT: Final = (
    r"sft:1"
    r"\tact:([a-z-]{1,20})"
    rf"\tserver:([0-9a-f]{{{2 * SERVER_ID_BYTES}}})"
    rf"\tuser:({NUMBER})"
    rf"\tts:({NUMBER})"
    rf"\tnonce:([0-9a-f]{{{2 * NONCE_BYTES}}})"
    r"\thead:([0-9.:a-f]+)"
)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Compiled when the first one is read: starting is most of what a short command costs."""
    return re.compile(_COMMENT), re.compile(NUMBER), re.compile(NAME)


class ReceivedVersion(Struct, frozen=True, gc=False):
    """A version of a file that a reader has verified: file id, number, digest of the content."""

    file_id: bytes
    version: int
    digest: bytes


class FieldKind(Struct, frozen=True, gc=False):
    """How the values of a field are written; both raise ValueError."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _write_number(value: int) -> str:
    check_numbers(number=value)
    return str(value)


def _read_number(text: str) -> int:
    if _patterns()[1].fullmatch(text) is None:
        raise ValueError("not a number")
    return int(text)


def _write_name(value: str) -> str:
    if len(value.encode("utf-8")) > limits.PATH_BYTES:
        raise ValueError(f"a name has at most {limits.PATH_BYTES} bytes")
    return encode_name(value)


def _read_name(text: str) -> str:
    if text and _patterns()[2].fullmatch(text) is None:
        raise ValueError("not a name")
    return decode_name(text)


def _write_flag(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "1" if value else "0"


def _read_flag(text: str) -> bool:
    return {"0": False, "1": True}[text]


def _bytes_of(length: int, *, optional: bool = False) -> FieldKind:
    lengths = {length, 0} if optional else {length}

    def write(value: bytes) -> str:
        if len(value) not in lengths:
            raise ValueError(f"{len(value)} bytes instead of {length}")
        return value.hex()

    return FieldKind(write, bytes.fromhex)


def _write_versions(value: tuple[ReceivedVersion, ...]) -> str:
    if not 1 <= len(value) <= limits.RECEIVED_AT_ONCE:
        raise ValueError(f"1 to {limits.RECEIVED_AT_ONCE} versions are received at once")
    for each in value:
        check_numbers(version=each.version)
        if (len(each.file_id), len(each.digest)) != (FILE_ID_BYTES, DIGEST_BYTES):
            raise ValueError("a file id has 16 bytes, a digest 64")
    return ",".join(f"{each.file_id.hex()}.{each.version}.{each.digest.hex()}" for each in value)


def _read_versions(text: str) -> tuple[ReceivedVersion, ...]:
    parts = [each.split(".") for each in text.split(",")]
    return tuple(
        ReceivedVersion(bytes.fromhex(file_id), int(version), bytes.fromhex(digest))
        for file_id, version, digest in parts
    )


NUMBER_FIELD: Final = FieldKind(_write_number, _read_number)
NAME_FIELD: Final = FieldKind(_write_name, _read_name)
FLAG_FIELD: Final = FieldKind(_write_flag, _read_flag)
FILE_FIELD: Final = _bytes_of(FILE_ID_BYTES, optional=True)  # empty: a folder, or whatever is there
POINT_FIELD: Final = _bytes_of(_POINT_BYTES)
KEY_FIELD: Final = _bytes_of(_KEY_BYTES)
VERSIONS_FIELD: Final = FieldKind(_write_versions, _read_versions)

_TRASHED_FIELDS: Final[Mapping[str, FieldKind]] = {
    "file": FILE_FIELD,
    "version": NUMBER_FIELD,
    "folder": NUMBER_FIELD,
    "files": NUMBER_FIELD,
    "folders": NUMBER_FIELD,
    "trashed_at": NUMBER_FIELD,
    "path": NAME_FIELD,
}

ACTS: Final[Mapping[str, Mapping[str, FieldKind]]] = MappingProxyType(
    {
        JOIN: {
            "name": NAME_FIELD,
            "key": KEY_FIELD,
            "device": NAME_FIELD,
            "invitation": _bytes_of(_POINT_BYTES, optional=True),
        },
        "invite": {"invitation": POINT_FIELD, "role": NAME_FIELD, "name": NAME_FIELD, "seconds": NUMBER_FIELD},
        "withdraw": {"invitation": NUMBER_FIELD},
        "add": {"name": NAME_FIELD, "role": NAME_FIELD, "key": KEY_FIELD, "device": NAME_FIELD},
        "role": {"name": NAME_FIELD, "role": NAME_FIELD},
        "disable": {"name": NAME_FIELD},
        "enable": {"name": NAME_FIELD},
        "remove": {"name": NAME_FIELD, "files_to": NAME_FIELD},
        "quota": {"name": NAME_FIELD, "bytes": NAME_FIELD, "files": NAME_FIELD},  # a number, "none" or "default"
        "move": {"file": FILE_FIELD, "version": NUMBER_FIELD, "old": NAME_FIELD, "new": NAME_FIELD},
        "owner": {"file": FILE_FIELD, "version": NUMBER_FIELD, "path": NAME_FIELD, "owner": NAME_FIELD},
        "make-folder": {"path": NAME_FIELD},
        "delete": {"path": NAME_FIELD, "recursive": FLAG_FIELD, "file": FILE_FIELD, "version": NUMBER_FIELD},
        "restore": _TRASHED_FIELDS,
        "expire": {"file": FILE_FIELD, "path": NAME_FIELD, "expires_at": NUMBER_FIELD},
        "destroy": _TRASHED_FIELDS,
        "destroy-version": {"file": FILE_FIELD, "version": NUMBER_FIELD, "path": NAME_FIELD},
        "received": {"versions": VERSIONS_FIELD},
        "key-add": {"key": KEY_FIELD, "device": NAME_FIELD},
        "key-rotate": {"key": KEY_FIELD, "device": NAME_FIELD},
        "key-revoke": {"key": KEY_FIELD, "cut_off": NUMBER_FIELD, "reason": NAME_FIELD},
        "key-reset": {
            "name": NAME_FIELD,
            "key": KEY_FIELD,
            "device": NAME_FIELD,
            "cut_off": NUMBER_FIELD,
            "reason": NAME_FIELD,
        },
        "key-reset-link": {
            "name": NAME_FIELD,
            "invitation": POINT_FIELD,
            "cut_off": NUMBER_FIELD,
            "reason": NAME_FIELD,
        },
    }
)
"""What a statement of each act says, in order. Names are as they were asked for; a version is 0 where
no file is named, a folder and what is in it where none is, and a moment where there is none."""


class StatementComment(Struct, frozen=True, kw_only=True, gc=False):
    """Who says it, where and when: the trusted comment of a statement's signature.

    Args:
        act: of ``ACTS``.
        server_id: hash of the server's first key, 32 bytes.
        user: id of whoever asks; 0 exactly to join.
        ts: when it was signed, Unix seconds; no verdict rests on it.
        nonce: 8 random bytes.
        head: newest log head that the person had seen, ``epoch.size:root``.

    Raises:
        ValueError: a value that has no encoding.
    """

    act: str
    server_id: bytes
    user: int
    ts: int
    nonce: bytes
    head: str = NO_HEAD

    def __post_init__(self) -> None:
        if self.act not in ACTS:
            raise ValueError("not an act")
        if len(self.server_id) != SERVER_ID_BYTES or len(self.nonce) != NONCE_BYTES:
            raise ValueError("a server id has 32 bytes, a nonce 8")
        check_numbers(user=self.user, ts=self.ts)
        if (self.user == 0) != (self.act == JOIN):
            raise ValueError("who joins has no id yet, and nobody else")
        check_head(self.head)

    def encode(self) -> str:
        """Write the one encoding: at most 4,096 characters of ASCII."""
        return "\t".join(("sft:1", *self.fields()))

    def fields(self) -> tuple[str, ...]:
        """Write the fields, in order."""
        return (
            f"act:{self.act}",
            f"server:{self.server_id.hex()}",
            f"user:{self.user}",
            f"ts:{self.ts}",
            f"nonce:{self.nonce.hex()}",
            f"head:{self.head}",
        )

    @classmethod
    def parse(cls, text: str) -> StatementComment:
        """Read what ``encode`` writes and nothing else; SignatureInvalidError for any other text, as that of a file."""
        found = _patterns()[0].fullmatch(text) if len(text) <= limits.COMMENT_BYTES else None
        if found is None:
            raise SignatureInvalidError("the comment is not that of a statement")
        act, server, user, ts, nonce, head = found.groups()
        try:
            comment = cls(
                act=act,
                server_id=bytes.fromhex(server),
                user=int(user),
                ts=int(ts),
                nonce=bytes.fromhex(nonce),
                head=head,
            )
        except ValueError as fault:
            raise SignatureInvalidError(f"the comment's fields do not fit: {fault}") from fault
        if comment.encode() != text:
            raise SignatureInvalidError("the comment has a shorter or other encoding")
        return comment


class ActStatement(Struct, frozen=True):
    """What a person says that they ask for.

    Args:
        fields: a value for each field of the act.

    Raises:
        ValueError: fields of another act.
    """

    comment: StatementComment
    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.fields.keys() != ACTS[self.comment.act].keys():
            raise ValueError(f"not the fields of {self.comment.act}")

    def text(self) -> str:
        """Write the one encoding, lines of printable ASCII; ValueError for a value that has none."""
        kinds = ACTS[self.comment.act]
        said = (f"{name}:{kind.write(self.fields[name])}" for name, kind in kinds.items())
        return "\n".join((_TITLE, *self.comment.fields(), *said, ""))

    @classmethod
    def parse(cls, text: str) -> ActStatement:
        """Read what ``text`` writes and nothing else; SignatureInvalidError for any other."""
        lines = text.split("\n") if len(text) <= TEXT_CHARACTERS else []
        comment = StatementComment.parse("\t".join(("sft:1", *lines[1:_HEAD_LINES])))
        kinds = ACTS[comment.act]
        values = [line.partition(":")[2] for line in lines[_HEAD_LINES:-1]]
        try:
            fields = {name: kind.read(value) for (name, kind), value in zip(kinds.items(), values, strict=True)}
            statement = cls(comment, fields)
            same = statement.text() == text
        except (ValueError, KeyError) as fault:
            raise SignatureInvalidError("not a statement") from fault
        if not same:
            raise SignatureInvalidError("the statement has a shorter or other encoding")
        return statement

"""Links that people paste: an invitation (``sft://HOST:PORT/i#…``) and a server link (``sft://HOST:PORT/s#…``).

What follows ``#`` is base64url without padding, then four check characters over it and the kind. They do not cover the
address, which a person may mend. The server's id (hash of its first key) stays when its key is followed by another one, and the
key says who it is now: they are pinned apart. Bytes, integers big-endian:

    invitation   version u8 = 1, server id 32, server key 32, seed 32, role u8, expires_at u64, head, server name,
                 user name or nothing
    server link  version u8 = 1, server id 32, server key 32, server name

A name is its length u8 and its UTF-8. A head is 1 as u8, epoch u32, size u64, root 32, or a 0 alone: the newest one of the
server's log that the maker of the invitation had seen, so that who joins is shown no shorter log and no other. A link that was
cut or mistyped is told from one that is no longer good: only the first is refused here. The seed is a secret: it is in no repr.
"""

from __future__ import annotations

import binascii
import hashlib
import ipaddress
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from sft.errors import LinkIncompleteError, UsageError, UserNameNotAllowedError
from sft.model.access import Role
from sft.model.names import parse_server_name, parse_user_name
from sft.model.records import Invitation

KEY_BYTES: Final = 32
_VERSION: Final = 1
_CHECK_CHARACTERS: Final = 4
_LONGEST: Final = 2048  # nothing that a person pastes by mistake is worked on at length
_ROLES: Final = (Role.GUEST, Role.MAINTAINER, Role.ADMIN)
_LAST_PORT: Final = 65_535
_LAST_SECOND: Final = (1 << 63) - 1
_EPOCH_BYTES: Final = 4
_SIZE_BYTES: Final = 8
_LAST_EPOCH: Final = (1 << 32) - 1
_LAST_SIZE: Final = (1 << 62) - 1
# What mail programs, terminals and box borders put between the characters of a link.
_DROPPED: Final = r"[\s|<>\"'`\u00a0\u200b-\u200f\u2060\ufeff\u2500-\u257f]+"
_LINK: Final = r"(?i)sft://(?P<address>[^/#]+)/(?P<kind>[is])#(?P<rest>[A-Za-z0-9_-]+)"
# Labels as DNS holds them: 63 characters at most, and no hyphen at either end.
_LABEL: Final = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*"
_IPV6: Final = r"[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,16})?"


class LinkHead(Struct, frozen=True):
    """A head of the server's log: epoch and size from 1, root 32 bytes; ValueError for others."""

    epoch: int
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not (1 <= self.epoch <= _LAST_EPOCH and 1 <= self.size <= _LAST_SIZE and len(self.root) == KEY_BYTES):
            raise ValueError("a head has an epoch, a size and a root")

    @property
    def text(self) -> str:
        """As signatures of people name it: ``epoch.size:root``."""
        return f"{self.epoch}.{self.size}:{self.root.hex()}"


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """An invitation: whoever has it can join once, until it ends."""

    host: str
    port: int
    server_key: bytes
    server_name: str
    seed: bytes = field(repr=False)
    role: Role
    expires_at: int
    user_name: str | None = None
    server_id: bytes = field(kw_only=True)
    head: LinkHead | None = field(default=None, kw_only=True)

    @property
    def address(self) -> str:
        return format_address(self.host, self.port)

    def text(self) -> str:
        _require_key(self.seed)
        body = _head(self.server_id, self.server_key) + self.seed
        body += bytes([_ROLES.index(self.role)]) + self.expires_at.to_bytes(8, "big") + _head_field(self.head)
        body += _name_field(self.server_name)
        body += _name_field(self.user_name) if self.user_name is not None else b""
        return _written(self.address, "i", body)


@dataclass(frozen=True, slots=True)
class ServerLink:
    """A server's address and key: no secret."""

    host: str
    port: int
    server_key: bytes
    server_name: str
    server_id: bytes = field(kw_only=True)

    @property
    def address(self) -> str:
        return format_address(self.host, self.port)

    def text(self) -> str:
        body = _head(self.server_id, self.server_key) + _name_field(self.server_name)
        return _written(self.address, "s", body)


Link = InvitationLink | ServerLink
"""What a person pastes to join a server."""


def invitation_link(
    made: Invitation,
    seed: bytes,
    *,
    address: str,
    server_id: bytes,
    server_key: bytes,
    server_name: str,
    head: LinkHead | None = None,
) -> InvitationLink:
    """Return the link of an invitation that was made.

    Args:
        seed: the secret, which its maker drew.
        address: where the server says that it is reached.
        head: the newest one of its log that the maker has seen.

    Raises:
        UsageError: the address is none.
    """
    host, port = parse_address(address)
    return InvitationLink(
        host, port, server_key, server_name, seed, made.role, made.expires_at, made.name, server_id=server_id, head=head
    )


def is_loopback(host: str) -> bool:
    """Return whether a host of a link is the reader's own machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def parse_link(text: str) -> InvitationLink | ServerLink:
    """Read either kind of link; blanks, line breaks and box borders in it are dropped.

    Raises:
        LinkIncompleteError: it was cut or mistyped.
        UsageError: it is of a newer version of sft, or its address is none.
    """
    match = re.fullmatch(_LINK, re.sub(_DROPPED, "", text)) if len(text) <= _LONGEST else None
    if match is None:
        raise LinkIncompleteError("not of the form sft://HOST:PORT/i#...")
    kind = match["kind"].lower()
    payload, check = match["rest"][:-_CHECK_CHARACTERS], match["rest"][-_CHECK_CHARACTERS:]
    if not payload or check != _check(kind, payload):
        raise LinkIncompleteError("the check characters do not fit")
    host, port = parse_address(match["address"])
    reader = _Reader(_decoded(payload))
    version = reader.number(1)
    if version != _VERSION:
        raise UsageError(problem=f"This link is of a newer sft (version {version})", remedy="pipx upgrade sft")
    server_id, server_key = reader.take(KEY_BYTES), reader.take(KEY_BYTES)
    link = _invitation if kind == "i" else _server_link
    return link(host, port, server_id, server_key, reader)


def checked_beginnings(text: str) -> list[str]:
    """Return each beginning of a text that may be a whole link, for its check characters fit, the longest first.

    One pass, as a link is looked for with every letter that somebody types.
    """
    cleaned = re.sub(_DROPPED, "", text[:_LONGEST])
    match = re.match(_LINK, cleaned)
    if match is None:
        return []
    rest, begins = match["rest"], match.start("rest")
    state = hashlib.sha256(_checked(match["kind"].lower(), ""))
    ends: list[str] = []
    for number in range(1, len(rest) - _CHECK_CHARACTERS + 1):
        state.update(rest[number - 1].encode())
        end = number + _CHECK_CHARACTERS
        if rest[number:end] == _check_of(state.copy().digest()):
            ends.insert(0, cleaned[: begins + end])
    return ends


def parse_invitation(text: str) -> InvitationLink:
    """Read an invitation as ``parse_link`` does; a server link is refused with a UsageError."""
    link = parse_link(text)
    if isinstance(link, ServerLink):
        raise UsageError(problem="This is a server link, which lets nobody in", remedy="Ask an admin for an invitation")
    return link


def parse_server_link(text: str) -> ServerLink:
    """Read a server link as ``parse_link`` does; an invitation is refused with a UsageError."""
    link = parse_link(text)
    if isinstance(link, InvitationLink):
        raise UsageError(problem="This is an invitation, not a server link", remedy="Join with it")
    return link


def parse_address(text: str) -> tuple[str, int]:
    """Split ``HOST:PORT`` or ``[IPV6]:PORT``; UsageError if the text is no address."""
    host, colon, port_text = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    form = _IPV6 if bracketed else _HOST
    is_port = re.fullmatch(r"[0-9]{1,5}", port_text) and 0 < int(port_text) <= _LAST_PORT
    if not (colon and re.fullmatch(form, bare) and is_port):
        raise UsageError(
            problem=f'"{text[:80]}" is no address', remedy="Write it as HOST:PORT, such as files.example.org:7361"
        )
    return bare, int(port_text)


def format_address(host: str, port: int) -> str:
    """Return ``HOST:PORT``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(slots=True)
class _Reader:
    """The bytes of a link, taken from the left; too few is a link that was cut."""

    rest: bytes

    def take(self, size_bytes: int) -> bytes:
        taken, self.rest = self.rest[:size_bytes], self.rest[size_bytes:]
        if len(taken) != size_bytes:
            raise LinkIncompleteError("too short")
        return taken

    def number(self, size_bytes: int) -> int:
        return int.from_bytes(self.take(size_bytes), "big")

    def name(self) -> str:
        try:
            return self.take(self.number(1)).decode()
        except UnicodeDecodeError:
            raise LinkIncompleteError("a name is not UTF-8") from None

    def head(self) -> LinkHead | None:
        there = self.number(1)
        if not there:
            return None
        try:
            known = LinkHead(self.number(_EPOCH_BYTES), self.number(_SIZE_BYTES), self.take(KEY_BYTES))
        except ValueError:
            raise LinkIncompleteError("its head is out of range") from None
        if there != 1:
            raise LinkIncompleteError("not the one way to write a head")
        return known

    def finish(self) -> None:
        if self.rest:
            raise LinkIncompleteError("too long")


def _invitation(host: str, port: int, server_id: bytes, server_key: bytes, reader: _Reader) -> InvitationLink:
    seed = reader.take(KEY_BYTES)
    role_code, expires_at, known = reader.number(1), reader.number(8), reader.head()
    server_name = reader.name()
    user_name = reader.name() if reader.rest else None
    reader.finish()
    if role_code >= len(_ROLES) or expires_at > _LAST_SECOND:
        raise LinkIncompleteError("role or end are out of range")
    try:
        server_name = parse_server_name(server_name)
        user_name = None if user_name is None else parse_user_name(user_name)
    except UserNameNotAllowedError:
        raise LinkIncompleteError("a name is not allowed") from None
    role = _ROLES[role_code]
    return InvitationLink(
        host, port, server_key, server_name, seed, role, expires_at, user_name, server_id=server_id, head=known
    )


def _server_link(host: str, port: int, server_id: bytes, server_key: bytes, reader: _Reader) -> ServerLink:
    name = reader.name()
    reader.finish()
    try:
        return ServerLink(host, port, server_key, parse_server_name(name), server_id=server_id)
    except UserNameNotAllowedError:
        raise LinkIncompleteError("a name is not allowed") from None


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")


def _head(server_id: bytes, server_key: bytes) -> bytes:
    _require_key(server_id)
    _require_key(server_key)
    return bytes([_VERSION]) + server_id + server_key


def _name_field(name: str) -> bytes:
    raw = name.encode()
    return len(raw).to_bytes(1, "big") + raw


def _head_field(head: LinkHead | None) -> bytes:
    if head is None:
        return b"\x00"
    return b"\x01" + head.epoch.to_bytes(_EPOCH_BYTES, "big") + head.size.to_bytes(_SIZE_BYTES, "big") + head.root


def _written(address: str, kind: str, body: bytes) -> str:
    payload = urlsafe_b64encode(body).rstrip(b"=").decode()
    return f"sft://{address}/{kind}#{payload}{_check(kind, payload)}"


def _check(kind: str, payload: str) -> str:
    return _check_of(hashlib.sha256(_checked(kind, payload)).digest())


def _checked(kind: str, payload: str) -> bytes:
    return f"sft link {kind} {payload}".encode()


def _check_of(digest: bytes) -> str:
    return urlsafe_b64encode(digest[:3]).decode()


def _decoded(payload: str) -> bytes:
    try:
        body = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    except binascii.Error:
        raise LinkIncompleteError("not base64url") from None
    # One text per link: the unused bits of the last character are zero.
    if urlsafe_b64encode(body).rstrip(b"=").decode() != payload:
        raise LinkIncompleteError("not the one way to write it")
    return body

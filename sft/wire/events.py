"""What a connection tells its owner, in the order in which it happened on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from sft.crypto.keys import ServerPublic
from sft.errors import Value
from sft.wire.login import Claim, Welcome
from sft.wire.messages import ClientMessage, ServerMessage


@dataclass(frozen=True, slots=True)
class ServerProved:
    """Client: the server holds the pinned key. The login is on its way."""

    server: ServerPublic


@dataclass(frozen=True, slots=True)
class LoginRequested:
    """Server: the claim's keys signed it. Whether they are let in is the owner's to say: welcome or refuse."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Welcomed:
    """Client: the login was accepted; requests may go out."""

    welcome: Welcome


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Client: the login was refused; the connection is over."""

    code: str
    values: dict[str, Value]
    ref: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message arrived, in a frame of so many bytes."""

    message: ClientMessage | ServerMessage
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A chunk of a transfer arrived; the last one ends it."""

    request_id: int
    chunk: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The peer has said everything that it will say."""


Event = ServerProved | LoginRequested | Welcomed | LoginRefused | MessageReceived | DataReceived | PeerClosed

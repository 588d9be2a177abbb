"""What a connection tells its owner, in the order in which it happened on the wire."""

from __future__ import annotations

from msgspec import Struct

from sft.crypto.keys import ServerPublic
from sft.errors import Value
from sft.wire.login import Claim, Welcome
from sft.wire.messages import ClientMessage, ServerMessage


class ServerProved(Struct, frozen=True):
    """Client: the server holds the pinned key. The login is on its way."""

    server: ServerPublic


class LoginRequested(Struct, frozen=True):
    """Server: the claim's keys signed it. Whether they are let in is the owner's to say: welcome or refuse."""

    claim: Claim


class Welcomed(Struct, frozen=True):
    """Client: the login was accepted; requests may go out."""

    welcome: Welcome


class LoginRefused(Struct, frozen=True):
    """Client: the login was refused; the connection is over."""

    code: str
    values: dict[str, Value]
    ref: str


class MessageReceived(Struct, frozen=True):
    """A message arrived, in a frame of so many bytes."""

    message: ClientMessage | ServerMessage
    size_bytes: int


class DataReceived(Struct, frozen=True):
    """A chunk of a transfer arrived; the last one ends it."""

    request_id: int
    chunk: bytes
    last: bool


class PeerClosed(Struct, frozen=True):
    """The peer has said everything that it will say."""


Event = ServerProved | LoginRequested | Welcomed | LoginRefused | MessageReceived | DataReceived | PeerClosed

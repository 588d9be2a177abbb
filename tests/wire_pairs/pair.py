"""Two connections joined without a network, and a peer that keeps no rules."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass

from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.errors import RequestError
from sft.model.records import ServerInfo
from sft.wire.channel import Opener, Sealer
from sft.wire.connection import Connection
from sft.wire.events import Event, LoginRequested
from sft.wire.framing import HEADER_BYTES, frame
from sft.wire.handshake import Claim, ClientHandshake, ServerHandshake, Welcome
from sft.wire.login import encode_refusal, encode_welcome
from sft.wire.states import Side, State

SERVER_KEY = ServerKey.from_seed(bytes(range(32)))
USER_KEY = SigningKey.from_seed(bytes(range(32, 64)), b"key id 8")
INVITATION = InvitationKey.from_seed(bytes(range(64, 96)))
SERVER = ServerInfo(
    "acme-files", "files.acme.example:7361", SERVER_KEY.public.point, SERVER_KEY.public.server_id(), "invitation"
)
LOGIN = Claim.login("ada", USER_KEY.public, "laptop")
JOIN = Claim.join("ada", USER_KEY.public, "laptop", INVITATION)
WELCOME = Welcome(7, "ada", "admin", SERVER)
OPERATOR_WELCOME = Welcome(0, "operator", "operator", SERVER)


def entropy(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def new_client(claim: Claim = LOGIN, seed: int = 1) -> Connection:
    return Connection.client(
        SERVER_KEY.public,
        claim,
        None if claim.public_key is None else USER_KEY,
        None if claim.invitation is None else INVITATION,
        entropy=entropy(seed),
    )


def new_server(*, operator_allowed: bool = False, seed: int = 2) -> Connection:
    return Connection.server(SERVER_KEY, operator_allowed=operator_allowed, entropy=entropy(seed))


def deliver(receiver: Connection, data: bytes, segment: int = 0) -> list[Event]:
    """Feed bytes, whole or in segments of so many."""
    step = segment or max(1, len(data))
    return [event for at in range(0, len(data), step) for event in receiver.receive(data[at : at + step])]


@dataclass
class Joined:
    """Both ends after login, and all bytes that went each way until then."""

    client: Connection
    server: Connection
    client_bytes: bytes
    server_bytes: bytes
    client_events: list[Event]
    server_events: list[Event]


def join(
    claim: Claim = LOGIN, welcome: Welcome = WELCOME, *, segment: int = 0, refusal: RequestError | None = None
) -> Joined:
    """Run a whole handshake."""
    client = new_client(claim)
    server = new_server(operator_allowed=claim.kind == "operator")
    m1 = client.data_to_send()
    server_events = deliver(server, m1, segment)
    m2_m3 = server.data_to_send()
    client_events = deliver(client, m2_m3, segment)
    m4 = client.data_to_send()
    server_events += deliver(server, m4, segment)
    assert any(isinstance(event, LoginRequested) for event in server_events)
    m5 = server.welcome(welcome) if refusal is None else server.refuse(refusal)
    client_events += deliver(client, m5, segment)
    return Joined(client, server, m1 + m4, m2_m3 + m5, client_events, server_events)


class Raw:
    """A peer that holds the right keys and seals whatever it is told to, whenever."""

    def __init__(self, sealer: Sealer, opener: Opener) -> None:
        self.sealer = sealer
        self.opener = opener

    def seal(self, plaintext: bytes) -> bytes:
        return self.sealer.seal(plaintext)

    def open(self, data: bytes) -> list[bytes]:
        return [self.opener.open(box) for box in cut(data)]


def cut(stream: bytes) -> list[bytes]:
    """Cut whole frames into what is in them."""
    frames = []
    while stream:
        end = HEADER_BYTES + int.from_bytes(stream[:HEADER_BYTES], "big")
        frames.append(stream[HEADER_BYTES:end])
        stream = stream[end:]
    return frames


def raw_client_of(server: Connection, until: State, claim: Claim = LOGIN) -> Raw:
    """Bring a server to a state, from a client without rules (or none, where it has no keys yet)."""
    handshake = ClientHandshake(
        SERVER_KEY.public,
        claim,
        USER_KEY if claim.public_key else None,
        INVITATION if claim.invitation else None,
        entropy(1),
    )
    server.receive(handshake.hello)
    m2, m3 = cut(server.data_to_send())
    keys = handshake.take_answer(m2)
    raw = Raw(Sealer(keys.client_to_server), Opener(keys.server_to_client))
    m4 = handshake.take_proof(raw.opener.open(m3))
    if until is State.PROVED:
        return raw
    server.receive(raw.seal(m4))
    if until is State.JUDGING:
        return raw
    if until is State.CLOSED:
        server.refuse(RequestError())
        return raw
    raw.open(server.welcome(WELCOME))
    if until is State.CLOSING:
        raw.open(server.close())
    elif until is State.PEER_CLOSED:
        server.receive(raw.seal(b"\x21"))
    return raw


def raw_server_of(client: Connection, until: State) -> Raw | None:
    """Bring a client to a state, from a server without rules."""
    (m1,) = cut(client.data_to_send())
    if until is State.HELLO_SENT:
        return None
    handshake = ServerHandshake(SERVER_KEY, entropy(2), operator_allowed=False)
    m2, keys = handshake.answer(m1)
    client.receive(m2)
    raw = Raw(Sealer(keys.server_to_client), Opener(keys.client_to_server))
    m3 = handshake.proof()
    if until is State.KEYED:
        return raw
    client.receive(raw.seal(m3))
    (m4,) = raw.open(client.data_to_send())
    handshake.take_login(m4)
    if until is State.LOGIN_SENT:
        return raw
    if until is State.CLOSED:
        client.receive(raw.seal(encode_refusal(RequestError())))
        return raw
    client.receive(raw.seal(encode_welcome(WELCOME)))
    if until is State.CLOSING:
        raw.open(client.close())
    elif until is State.PEER_CLOSED:
        client.receive(raw.seal(b"\x21"))
    return raw


def bring(side: Side, state: State) -> tuple[Connection, Raw | None]:
    """Make a connection that is in a state, and its peer without rules."""
    if side is Side.CLIENT:
        client = new_client()
        raw = raw_server_of(client, state)
        assert client.state is state
        return client, raw
    server = new_server()
    peer = None if state is State.START else raw_client_of(server, state)
    assert server.state is state
    return server, peer


def copied(end: Connection) -> Connection:
    """Make a second end in the same place; only what nobody changes, and a key that refuses it, is shared."""
    line = end._records
    shared = (SERVER_KEY, USER_KEY, INVITATION, line._sends, line._receives, end._speaks, end._requests._answers)
    return copy.deepcopy(end, {id(each): each for each in shared})


def framed(payload: bytes) -> bytes:
    return frame(payload)

"""The states of a connection: everything about who may send which frame when stands in this one table.

A row reads: this side, in this state, sends or receives one of these frames and is then in that state. What has no row
is not allowed: sending it is our bug (LocalProtocolError), receiving it ends the connection (RemoteProtocolError). Which
messages a MESSAGE frame may hold follows from its sender and the version (``sft.wire.versions``). The diagram
of PROTOCOL.md §5 is made from the table (``python -m tests.unit.wire.protocol_tables``).

Rules. Nothing outside this module tests for a state to allow or refuse a frame. DEAD has no row: an error ends there.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from sft.limits import EARLY_FRAME_BYTES, FRAME_BYTES


class Side(StrEnum):
    """Which end of the connection this is."""

    CLIENT = "client"
    SERVER = "server"


class Way(StrEnum):
    """Whether a frame leaves or arrives."""

    SENDS = "sends"
    RECEIVES = "receives"


class State(StrEnum):
    """How far a connection has come."""

    START = "start"
    HELLO_SENT = "hello sent"
    HELLO_RECEIVED = "hello received"
    KEYED = "keyed"  # traffic keys are known, nobody has proved anything
    PROVED = "proved"  # the server has proved its key
    LOGIN_SENT = "login sent"
    JUDGING = "judging"  # the server decides about a login; a single byte of the client is an error
    OPEN = "open"
    CLOSING = "closing"  # this side has closed, the peer has not
    PEER_CLOSED = "peer closed"  # the peer has closed, this side has not
    CLOSED = "closed"
    DEAD = "dead"  # a rule was broken; nothing more is said or heard


class FrameType(IntEnum):
    """The first byte of a sealed frame's plaintext; the two hellos are not sealed and carry none."""

    CLIENT_HELLO = 0x01
    SERVER_HELLO = 0x02
    SERVER_PROOF = 0x03
    LOGIN = 0x04
    WELCOME = 0x05
    LOGIN_REFUSED = 0x06
    MESSAGE = 0x10
    DATA = 0x11
    LAST_DATA = 0x12
    REKEY = 0x20
    CLOSE = 0x21


class TransitionRow(NamedTuple):
    """A step that is allowed."""

    side: Side
    state: State
    way: Way
    frames: tuple[FrameType, ...]
    then: State


_CLIENT, _SERVER = Side.CLIENT, Side.SERVER
_SENDS, _RECEIVES = Way.SENDS, Way.RECEIVES
_F, _S = FrameType, State
_TRAFFIC = (_F.MESSAGE, _F.DATA, _F.LAST_DATA, _F.REKEY)

TABLE: Final[tuple[TransitionRow, ...]] = (
    TransitionRow(_CLIENT, _S.START, _SENDS, (_F.CLIENT_HELLO,), _S.HELLO_SENT),
    TransitionRow(_CLIENT, _S.HELLO_SENT, _RECEIVES, (_F.SERVER_HELLO,), _S.KEYED),
    TransitionRow(_CLIENT, _S.KEYED, _RECEIVES, (_F.SERVER_PROOF,), _S.PROVED),
    TransitionRow(_CLIENT, _S.PROVED, _SENDS, (_F.LOGIN,), _S.LOGIN_SENT),
    TransitionRow(_CLIENT, _S.LOGIN_SENT, _RECEIVES, (_F.WELCOME,), _S.OPEN),
    TransitionRow(_CLIENT, _S.LOGIN_SENT, _RECEIVES, (_F.LOGIN_REFUSED,), _S.CLOSED),
    TransitionRow(_CLIENT, _S.OPEN, _SENDS, _TRAFFIC, _S.OPEN),
    TransitionRow(_CLIENT, _S.OPEN, _RECEIVES, _TRAFFIC, _S.OPEN),
    TransitionRow(_CLIENT, _S.OPEN, _SENDS, (_F.CLOSE,), _S.CLOSING),
    TransitionRow(_CLIENT, _S.OPEN, _RECEIVES, (_F.CLOSE,), _S.PEER_CLOSED),
    TransitionRow(_CLIENT, _S.CLOSING, _RECEIVES, _TRAFFIC, _S.CLOSING),
    TransitionRow(_CLIENT, _S.CLOSING, _RECEIVES, (_F.CLOSE,), _S.CLOSED),
    # A server that has closed answers nothing more, so a client has nothing more to ask.
    TransitionRow(_CLIENT, _S.PEER_CLOSED, _SENDS, (_F.CLOSE,), _S.CLOSED),
    TransitionRow(_SERVER, _S.START, _RECEIVES, (_F.CLIENT_HELLO,), _S.HELLO_RECEIVED),
    TransitionRow(_SERVER, _S.HELLO_RECEIVED, _SENDS, (_F.SERVER_HELLO,), _S.KEYED),
    TransitionRow(_SERVER, _S.KEYED, _SENDS, (_F.SERVER_PROOF,), _S.PROVED),
    TransitionRow(_SERVER, _S.PROVED, _RECEIVES, (_F.LOGIN,), _S.JUDGING),
    TransitionRow(_SERVER, _S.JUDGING, _SENDS, (_F.WELCOME,), _S.OPEN),
    TransitionRow(_SERVER, _S.JUDGING, _SENDS, (_F.LOGIN_REFUSED,), _S.CLOSED),
    TransitionRow(_SERVER, _S.OPEN, _SENDS, _TRAFFIC, _S.OPEN),
    TransitionRow(_SERVER, _S.OPEN, _RECEIVES, _TRAFFIC, _S.OPEN),
    TransitionRow(_SERVER, _S.OPEN, _SENDS, (_F.CLOSE,), _S.CLOSING),
    TransitionRow(_SERVER, _S.OPEN, _RECEIVES, (_F.CLOSE,), _S.PEER_CLOSED),
    # What a client had on its way when the server closed is checked and dropped.
    TransitionRow(_SERVER, _S.CLOSING, _RECEIVES, _TRAFFIC, _S.CLOSING),
    TransitionRow(_SERVER, _S.CLOSING, _RECEIVES, (_F.CLOSE,), _S.CLOSED),
    # A client that has closed may still get the answers to what it asked before.
    TransitionRow(_SERVER, _S.PEER_CLOSED, _SENDS, _TRAFFIC, _S.PEER_CLOSED),
    TransitionRow(_SERVER, _S.PEER_CLOSED, _SENDS, (_F.CLOSE,), _S.CLOSED),
)

# States in which the peer has proved who it is: a client that awaits the welcome speaks to the pinned server, which sends
# the proofs of its log along.
_PEER_PROVED: Final = frozenset({State.LOGIN_SENT, State.OPEN, State.CLOSING, State.PEER_CLOSED, State.CLOSED})


def _steps() -> dict[tuple[Side, State, Way], Mapping[int, State]]:
    steps: dict[tuple[Side, State, Way], dict[int, State]] = {}
    for side, state, way, frames, then in TABLE:
        steps.setdefault((side, state, way), {}).update({int(frame): then for frame in frames})
    return {key: MappingProxyType(value) for key, value in steps.items()}


_STEPS: Final = _steps()
_NOTHING: Final[Mapping[int, State]] = MappingProxyType({})


def steps(side: Side, state: State, way: Way) -> Mapping[int, State]:
    """Return which frame types are allowed, and the state that each leads to."""
    return _STEPS.get((side, state, way), _NOTHING)


def frame_limit(state: State) -> int:
    """Return the largest frame that may arrive: small as long as its sender has proved nothing."""
    return FRAME_BYTES if state in _PEER_PROVED else EARLY_FRAME_BYTES

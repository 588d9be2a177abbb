"""Every frame and every message in every state, from a peer that holds the right keys: the table, enumerated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sft.errors import LocalProtocolError, RemoteProtocolError, RequestError
from sft.wire.connection import Connection
from sft.wire.messages import (
    ANSWERS,
    BeginUpload,
    Cancel,
    CommitUpload,
    Credit,
    Done,
    FileBegins,
    FileStored,
    GetFile,
    Message,
    Refusal,
    Reply,
    Request,
    encode,
)
from sft.wire.states import FrameType, Side, State, Way, steps
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, SERVER_MESSAGES, tag_of
from tests.wire_pairs.pair import WELCOME, Raw, bring, framed
from tests.wire_pairs.values import sample

STATES = {
    Side.CLIENT: [
        State.HELLO_SENT,
        State.KEYED,
        State.LOGIN_SENT,
        State.OPEN,
        State.CLOSING,
        State.PEER_CLOSED,
        State.CLOSED,
    ],
    Side.SERVER: [State.START, State.PROVED, State.JUDGING, State.OPEN, State.CLOSING, State.PEER_CLOSED, State.CLOSED],
}
PLACES = [(side, state) for side, states in STATES.items() for state in states]
MESSAGES = {Side.CLIENT: CLIENT_MESSAGES, Side.SERVER: SERVER_MESSAGES}
KINDS = sorted(CLIENT_MESSAGES | SERVER_MESSAGES, key=tag_of)
AFTER_LOGIN = {State.OPEN, State.CLOSING, State.PEER_CLOSED}
BODIES = {FrameType.MESSAGE: encode(sample(GetFile)), FrameType.DATA: bytes(4 + 65_536), FrameType.LAST_DATA: bytes(5)}


def request_for(kind: type[Message]) -> type[Request]:
    """Choose a request that a message of the server answers, or is about."""
    if kind is Credit:
        return BeginUpload
    return next((r for r, replies in ANSWERS.items() if kind in replies), GetFile)


def prepare(end: Connection, raw: Raw | None, kind: type[Message]) -> Message:
    """Send what must have been sent before, in OPEN, so that a message is in its place; and make the message."""
    client_asks = end.side is Side.CLIENT

    def asks(message: Message) -> None:
        if client_asks:
            end.send(message)
        else:
            assert raw is not None
            end.receive(raw.seal(b"\x10" + encode(message)))

    def last_data() -> None:
        if client_asks:
            end.send_data(1, b"", last=True)
        else:
            assert raw is not None
            end.receive(raw.seal(b"\x12\x00\x00\x00\x01"))

    if issubclass(kind, Reply) or (kind is Credit and client_asks):
        asks(sample(request_for(kind)))
    if kind is FileStored and request_for(kind) is BeginUpload:
        last_data()
        asks(sample(CommitUpload))
    if kind is CommitUpload:
        asks(sample(BeginUpload))
        last_data()
    if kind in {Cancel, Credit} and not client_asks:
        asks(sample(BeginUpload))
    if kind is Done and request_for(kind) in {BeginUpload, GetFile}:
        asks(sample(Cancel))
    return sample(kind)


@pytest.mark.parametrize(("side", "state"), PLACES, ids=str)
def test_frames_that_may_not_arrive_end_the_connection(side, state):
    allowed = steps(side, state, Way.RECEIVES)
    for kind in FrameType:
        if kind in allowed:
            continue
        end, raw = bring(side, state)
        plaintext = bytes([kind]) + BODIES.get(kind, b"")
        data = framed(plaintext) if raw is None else raw.seal(plaintext)
        with pytest.raises(RemoteProtocolError):
            end.receive(data)
        assert end.dead


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("side", Side)
@pytest.mark.sampled(7)
def test_messages_may_arrive_from_their_own_side_after_login_alone(side, kind):
    sender = Side.SERVER if side is Side.CLIENT else Side.CLIENT
    for state in STATES[side]:
        end, raw = bring(side, State.OPEN if state in AFTER_LOGIN else state)
        message = sample(kind)
        if state in AFTER_LOGIN and kind in MESSAGES[sender]:
            message = prepare(end, raw, kind)
        if state is State.CLOSING:
            end.close()
        elif state is State.PEER_CLOSED:
            assert raw is not None
            end.receive(raw.seal(b"\x21"))
        plaintext = b"\x10" + encode(message)
        data = framed(plaintext) if raw is None else raw.seal(plaintext)
        may_arrive = FrameType.MESSAGE in steps(side, state, Way.RECEIVES) and kind in MESSAGES[sender]
        if may_arrive:
            events = end.receive(data)
            dropped = side is Side.SERVER and state is State.CLOSING
            assert [event.message for event in events] == ([] if dropped else [message])
        else:
            with pytest.raises(RemoteProtocolError):
                end.receive(data)
            assert end.dead


CALLS: dict[str, tuple[FrameType, Callable[[Connection], bytes]]] = {
    "rekey": (FrameType.REKEY, lambda end: end.rekey()),
    "close": (FrameType.CLOSE, lambda end: end.close()),
    "welcome": (FrameType.WELCOME, lambda end: end.welcome(WELCOME)),
    "refuse": (FrameType.LOGIN_REFUSED, lambda end: end.refuse(RequestError())),
}


@pytest.mark.parametrize(("side", "state"), PLACES, ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_calls_are_allowed_where_the_table_says_so(side, state, call):
    kind, act = CALLS[call]
    end, _ = bring(side, state)
    allowed = steps(side, state, Way.SENDS)
    if kind in allowed:
        assert act(end)
        assert end.state is allowed[kind]
    else:
        with pytest.raises(LocalProtocolError):
            act(end)
        assert end.state is state


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("side", Side)
@pytest.mark.sampled(7)
def test_messages_may_be_sent_by_their_own_side_after_login_alone(side, kind):
    for state in STATES[side]:
        end, raw = bring(side, State.OPEN if state in AFTER_LOGIN else state)
        message = sample(kind)
        if state in AFTER_LOGIN and kind in MESSAGES[side]:
            # Side's own messages: the account of requests is the same whoever looks.
            message = _prepare_own(end, raw, kind)
        if state is State.CLOSING:
            end.close()
        elif state is State.PEER_CLOSED:
            assert raw is not None
            end.receive(raw.seal(b"\x21"))
        if FrameType.MESSAGE in steps(side, state, Way.SENDS) and kind in MESSAGES[side]:
            assert end.send(message)
        else:
            with pytest.raises(LocalProtocolError):
                end.send(message)
        assert end.state is state


def _prepare_own(end: Connection, raw: Raw | None, kind: type[Message]) -> Message:
    if end.side is Side.SERVER:
        if kind is Credit:
            assert raw is not None
            end.receive(raw.seal(b"\x10" + encode(sample(BeginUpload))))
            return sample(kind)
        return prepare(end, raw, kind)
    if kind in {CommitUpload, Cancel, Credit}:
        end.send(sample(BeginUpload))
        if kind is CommitUpload:
            end.send_data(1, b"", last=True)
    return sample(kind)


@pytest.mark.parametrize(("side", "state"), PLACES, ids=str)
@pytest.mark.parametrize("last", [False, True])
def test_data_may_be_sent_after_login_alone(side, state, last):
    chunk = b"x" if last else bytes(65_536)
    end, raw = bring(side, State.OPEN if state in AFTER_LOGIN else state)
    if state in AFTER_LOGIN:
        if side is Side.CLIENT:
            end.send(sample(BeginUpload))
        else:
            assert raw is not None
            end.receive(raw.seal(b"\x10" + encode(sample(GetFile))))
            end.send(sample(FileBegins))
    if state is State.CLOSING:
        end.close()
    elif state is State.PEER_CLOSED:
        assert raw is not None
        end.receive(raw.seal(b"\x21"))
    kind = FrameType.LAST_DATA if last else FrameType.DATA
    if kind in steps(side, state, Way.SENDS):
        assert end.send_data(1, chunk, last=last)
    else:
        with pytest.raises(LocalProtocolError):
            end.send_data(1, chunk, last=last)


def test_refusal_is_a_reply_to_every_request():
    for kind in ANSWERS:
        end, raw = bring(Side.SERVER, State.OPEN)
        assert raw is not None
        end.receive(raw.seal(b"\x10" + encode(sample(kind))))
        assert end.send(sample(Refusal))

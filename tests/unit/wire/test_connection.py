from __future__ import annotations

import msgspec
import pytest

from sft.errors import (
    InviteUsedError,
    LocalProtocolError,
    LoginRefusedError,
    NotFoundError,
    RemoteProtocolError,
    RequestError,
    StreamTruncatedError,
)
from sft.limits import (
    CHUNK_BYTES,
    COSIGNED_BYTES,
    EARLY_FRAME_BYTES,
    FRAME_BYTES,
    HEAD_BYTES,
    JOIN_STATEMENT_BYTES,
    LEAF_BYTES,
    LOG_HEADS_KEPT,
    REQUESTS_IN_FLIGHT,
    SLOT_BYTES,
)
from sft.model.evidence import Evidence, ProvedSlot
from sft.wire.connection import Connection
from sft.wire.events import (
    DataReceived,
    LoginRefused,
    LoginRequested,
    MessageReceived,
    PeerClosed,
    ServerProved,
    Welcomed,
)
from sft.wire.framing import HEADER_BYTES
from sft.wire.handshake import Claim
from sft.wire.login import decode_refusal, encode_refusal
from sft.wire.messages import (
    CODEC,
    BeginUpload,
    Done,
    FileBegins,
    FolderPage,
    GetFile,
    ListFolder,
    Notice,
    PutFiles,
    Refusal,
    ShowSelf,
    SmallPut,
    encode,
)
from sft.wire.states import FrameType, Side, State
from tests.wire_pairs.pair import (
    INVITATION,
    JOIN,
    LOGIN,
    OPERATOR_WELCOME,
    SERVER_KEY,
    USER_KEY,
    WELCOME,
    bring,
    cut,
    join,
    new_client,
    new_server,
)
from tests.wire_pairs.values import sample

BEGIN = BeginUpload(1, "a", bytes(16), 1, None, 8, bytes(16))


def test_a_client_speaks_first():
    client, server = new_client(), new_server()
    assert (client.side, client.state) == (Side.CLIENT, State.HELLO_SENT)
    assert (server.side, server.state) == (Side.SERVER, State.START)
    assert cut(client.data_to_send())[0].startswith(b"SFT1")
    assert client.data_to_send() == b""
    assert server.data_to_send() == b""


@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_a_login(claim):
    joined = join(claim)
    assert joined.server_events == [LoginRequested(claim)]
    assert joined.client_events == [ServerProved(SERVER_KEY.public), Welcomed(WELCOME)]
    for end in (joined.client, joined.server):
        assert end.state is State.OPEN
        assert end.established
        assert not end.in_frame
    assert joined.client.may_request


def test_an_operator():
    joined = join(Claim.operator(), OPERATOR_WELCOME)
    assert joined.server_events == [LoginRequested(Claim.operator())]
    assert joined.client_events[-1] == Welcomed(OPERATOR_WELCOME)


def test_a_refused_login_says_why_and_is_over():
    error = InviteUsedError("secret detail", ref="r-9", used_at=123)
    joined = join(JOIN, refusal=error)
    assert joined.client_events[-1] == LoginRefused("INVITE_USED", {"used_at": 123}, "r-9")
    told = joined.client_events[-1]
    assert isinstance(RequestError.from_wire(told.code, told.values, told.ref), InviteUsedError)
    for end in (joined.client, joined.server):
        assert end.state is State.CLOSED
        assert not end.established
        end.receive_eof()


def test_the_client_is_nobody_until_the_server_is_proved():
    client, server = new_client(), new_server()
    server.receive(client.data_to_send())
    answer = server.data_to_send()
    client.receive(answer[:-1])
    assert client.data_to_send() == b""
    assert client.state is State.KEYED
    client.receive(answer[-1:])
    assert client.data_to_send() != b""


def test_texts_of_a_refused_login_are_cut_so_that_it_is_always_answered():
    server, _ = bring(Side.SERVER, State.JUDGING)
    server.refuse(LoginRefusedError(server="x" * EARLY_FRAME_BYTES))
    assert server.state is State.CLOSED
    plaintext = encode_refusal(LoginRefusedError(server="x" * EARLY_FRAME_BYTES))
    assert decode_refusal(plaintext) == ("LOGIN_REFUSED", {"server": "x" * 255}, "")


def test_a_welcome_has_room_for_the_proofs_of_the_log():
    proof = (bytes(32),) * 40  # of 2^40 leaves
    evidence = Evidence(bytes(LEAF_BYTES), proof, (ProvedSlot(1, 6, bytes(SLOT_BYTES)),), ())
    welcome = msgspec.structs.replace(
        WELCOME, head="h" * HEAD_BYTES, consistency=(proof,) * LOG_HEADS_KEPT, evidence=evidence
    )
    assert join(welcome=welcome).client_events[-1] == Welcomed(welcome)


def test_cosignatures_are_left_out_where_they_do_not_fit_and_only_then():
    proof = (bytes(32),) * 40
    for leaf_bytes, fits in ((1024, True), (LEAF_BYTES, False)):
        evidence = Evidence(bytes(leaf_bytes), proof, (ProvedSlot(1, 6, bytes(SLOT_BYTES)),), ())
        welcome = msgspec.structs.replace(WELCOME, head="h" * 400, consistency=(proof,), evidence=evidence)
        cosigned = msgspec.structs.replace(welcome, cosigned="c" * COSIGNED_BYTES, cosigned_consistency=proof)
        assert join(welcome=cosigned).client_events[-1] == Welcomed(cosigned if fits else welcome)


def test_a_welcome_that_fits_no_frame_is_our_own_fault():
    server, _ = bring(Side.SERVER, State.JUDGING)
    with pytest.raises(LocalProtocolError, match="fits no frame"):
        server.welcome(msgspec.structs.replace(WELCOME, head="h" * FRAME_BYTES))


def test_the_longest_claim_is_an_early_frame():
    name, device = "\U0001f5dd" * 16, "\U0001f5dd" * 255
    claim = Claim.join(
        name,
        USER_KEY.public,
        device,
        INVITATION,
        log_sizes=(2**62,) * LOG_HEADS_KEPT,
        statement=bytes(JOIN_STATEMENT_BYTES),
    )
    welcome = msgspec.structs.replace(WELCOME, name=name)
    assert join(claim, welcome).client.established


def test_texts_of_a_refusal_are_cut_and_lone_surrogates_replaced():
    refusal = Refusal.of(7, NotFoundError(what="\udcff", name="n" * 5000))
    assert refusal.values == {"what": "?", "name": "n" * 2048}
    assert CODEC.from_server(encode(refusal)) == refusal


def test_messages_travel_both_ways():
    joined = join()
    frame = joined.client.send(ListFolder(1, "docs"))
    size = len(frame) - HEADER_BYTES
    assert joined.server.receive(frame) == [MessageReceived(ListFolder(1, "docs"), size)]
    reply = sample(FolderPage, id=1)
    assert joined.client.receive(joined.server.send(reply))[0].message == reply
    notice = Notice("role", {"role": "guest"})
    assert joined.client.receive(joined.server.send(notice))[0].message == notice


def test_many_frames_in_one_segment_come_in_order():
    joined = join()
    sent = [ShowSelf(number) for number in range(1, 50)]
    events = joined.server.receive(b"".join(map(joined.client.send, sent)))
    assert [event.message for event in events] == sent


def test_data_travels_both_ways():
    joined = join()
    client, server = joined.client, joined.server
    chunk = bytes(range(256)) * 256
    server.receive(client.send(BEGIN) + client.send(GetFile(2, "b", 0, 8)))
    sent = client.send_data(1, chunk, last=False) + client.send_data(1, b"end", last=True)
    assert server.receive(sent) == [DataReceived(1, chunk, last=False), DataReceived(1, b"end", last=True)]
    client.receive(server.send(sample(FileBegins, id=2)))
    assert client.receive(server.send_data(2, b"", last=True)) == [DataReceived(2, b"", last=True)]


def test_a_full_chunk_is_the_largest_frame_and_fits():
    joined = join()
    joined.server.receive(joined.client.send(BEGIN))
    frame = joined.client.send_data(1, bytes(CHUNK_BYTES), last=False)
    assert len(frame) - HEADER_BYTES == CHUNK_BYTES + 21 <= FRAME_BYTES


def test_close_is_answered_by_close():
    joined = join()
    client, server = joined.client, joined.server
    assert server.receive(client.close()) == [PeerClosed()]
    assert (client.state, server.state) == (State.CLOSING, State.PEER_CLOSED)
    assert client.receive(server.close()) == [PeerClosed()]
    assert (client.state, server.state) == (State.CLOSED, State.CLOSED)
    client.receive_eof()
    server.receive_eof()
    assert client.established


def test_a_client_that_closed_still_gets_its_answers():
    joined = join()
    client, server = joined.client, joined.server
    server.receive(client.send(ListFolder(1, "")) + client.close())
    reply = sample(FolderPage, id=1)
    assert client.receive(server.send(reply))[0].message == reply
    assert client.receive(server.close()) == [PeerClosed()]


def test_a_server_that_closed_drops_what_was_on_its_way():
    joined = join()
    client, server = joined.client, joined.server
    closing = server.close()
    late = client.send(BEGIN) + client.send_data(1, b"x", last=True) + client.rekey()
    assert server.receive(late) == []
    assert client.receive(closing) == [PeerClosed()]
    assert not client.may_request
    with pytest.raises(LocalProtocolError):
        client.send(ShowSelf(2))
    assert server.receive(client.close()) == [PeerClosed()]


def test_what_a_closed_server_drops_is_still_checked():
    joined = join()
    joined.server.close()
    first = joined.client.send(ShowSelf(1))
    with pytest.raises(RemoteProtocolError):
        joined.server.receive(first + first)


@pytest.mark.parametrize("side", Side)
def test_an_end_without_close_is_a_cut(side):
    fine = {State.PEER_CLOSED, State.CLOSED}
    states = {
        Side.CLIENT: [State.HELLO_SENT, State.KEYED, State.LOGIN_SENT],
        Side.SERVER: [State.START, State.PROVED, State.JUDGING],
    }[side]
    for state in [*states, State.OPEN, State.CLOSING, *fine]:
        end, _ = bring(side, state)
        if state in fine:
            end.receive_eof()
            assert end.state is state
        else:
            with pytest.raises(StreamTruncatedError):
                end.receive_eof()
            assert end.dead


def test_rekey_goes_unnoticed():
    joined = join()
    client, server = joined.client, joined.server
    assert server.receive(client.rekey() + client.send(ShowSelf(1)))[0].message == ShowSelf(1)
    assert client.receive(server.rekey()) == []
    assert client.receive(server.rekey() + server.send(Refusal(1, "X", {})))
    assert server.receive(client.send(ShowSelf(2)) + client.rekey() + client.send(ShowSelf(3)))


def test_a_fault_of_the_owner_changes_nothing():
    joined = join()
    client, server = joined.client, joined.server
    for wrong in (
        lambda: client.send(ShowSelf(5)),
        lambda: client.send(Done(1)),
        lambda: client.send(PutFiles(1, (SmallPut("a", b"", bytes(70_000)),))),
        lambda: client.send(ListFolder(1, "\ud800")),
        lambda: client.send_data(1, b"", last=True),
        lambda: client.welcome(WELCOME),
        lambda: client.refuse(RequestError()),
        lambda: server.send(Done(1)),
        lambda: server.send(ShowSelf(1)),
        lambda: server.welcome(WELCOME),
    ):
        with pytest.raises(LocalProtocolError):
            wrong()
    assert client.next_request_id == 1
    assert server.receive(client.send(ShowSelf(1)))[0].message == ShowSelf(1)
    assert client.receive(server.send(Refusal(1, "X", {})))


def test_after_a_fault_of_the_peer_everything_is_refused():
    joined = join()
    client = joined.client
    good = joined.server.send(Notice("a", {}))
    with pytest.raises(RemoteProtocolError):
        client.receive(good + bytes([0, 0, 0, 17]) + bytes(17))
    assert client.dead
    assert client._records._sealer is None
    assert client._records._opener is None
    assert client.state is State.DEAD
    assert not client.established
    assert not client.may_request
    for call in (
        lambda: client.receive(b""),
        client.receive_eof,
        client.data_to_send,
        client.close,
        client.rekey,
        lambda: client.send(ShowSelf(1)),
        lambda: client.send_data(1, b"", last=True),
    ):
        with pytest.raises(LocalProtocolError):
            call()


def test_requests_are_counted():
    joined = join()
    client = joined.client
    for number in range(1, REQUESTS_IN_FLIGHT + 1):
        assert client.next_request_id == number
        joined.server.receive(client.send(ShowSelf(number)))
    assert not client.may_request
    client.receive(joined.server.send(Refusal(7, "X", {})))
    assert client.may_request


def test_the_129th_request_in_flight_ends_the_connection():
    server, raw = bring(Side.SERVER, State.OPEN)
    for number in range(1, REQUESTS_IN_FLIGHT + 1):
        server.receive(raw.seal(b"\x10" + msgspec.msgpack.encode([20, number])))
    with pytest.raises(RemoteProtocolError):
        server.receive(raw.seal(b"\x10" + msgspec.msgpack.encode([20, REQUESTS_IN_FLIGHT + 1])))


def test_progress_within_a_frame_can_be_seen():
    joined = join()
    server = joined.server
    before, frames = server.bytes_received, server.frames_received
    frame = joined.client.send(ListFolder(1, "docs"))
    for count in range(1, len(frame)):
        server.receive(frame[count - 1 : count])
        assert server.in_frame
        assert server.bytes_received == before + count
        assert server.frames_received == frames
    server.receive(frame[-1:])
    assert not server.in_frame
    assert server.frames_received == frames + 1


def test_a_sealed_frame_needs_a_known_type_and_its_layout():
    for plaintext in (
        b"",
        b"\x00",
        b"\x01",
        b"\x02",
        b"\x0f",
        b"\xff",
        b"\x10",
        b"\x11",
        b"\x11\x00\x00\x00",
        b"\x20x",
        b"\x21x",
    ):
        server, raw = bring(Side.SERVER, State.OPEN)
        with pytest.raises(RemoteProtocolError):
            server.receive(raw.seal(plaintext))
        assert server.dead


def test_a_fault_of_our_own_inside_receive_also_ends_the_connection():
    def empty(count: int) -> bytes:
        raise OSError("no entropy")

    server = Connection.server(SERVER_KEY, entropy=empty)
    with pytest.raises(OSError, match="no entropy"):
        server.receive(new_client().data_to_send())
    assert server.dead


def test_a_frame_over_the_limit_of_its_state_is_refused_with_its_length():
    for side, states in (
        (Side.CLIENT, [State.HELLO_SENT, State.KEYED, State.LOGIN_SENT, State.OPEN]),
        (Side.SERVER, [State.START, State.PROVED, State.OPEN]),
    ):
        for state in states:
            limit = FRAME_BYTES if state in {State.LOGIN_SENT, State.OPEN} else EARLY_FRAME_BYTES
            end, _ = bring(side, state)
            end.receive(limit.to_bytes(4, "big"))
            assert end.in_frame
            end, _ = bring(side, state)
            with pytest.raises(RemoteProtocolError):
                end.receive((limit + 1).to_bytes(4, "big"))


def test_frame_types_are_those_of_the_specification():
    assert {kind.name: int(kind) for kind in FrameType} == {
        "CLIENT_HELLO": 1,
        "SERVER_HELLO": 2,
        "SERVER_PROOF": 3,
        "LOGIN": 4,
        "WELCOME": 5,
        "LOGIN_REFUSED": 6,
        "MESSAGE": 16,
        "DATA": 17,
        "LAST_DATA": 18,
        "REKEY": 32,
        "CLOSE": 33,
    }

"""What ends a connection, and when: on a clock that the test moves."""

from __future__ import annotations

import random

import pytest

from sft.errors import FrameTooLargeError, HandshakeFailedError, RemoteProtocolError, StreamTruncatedError
from sft.limits import (
    CHUNK_BYTES,
    EARLY_FRAME_BYTES,
    EARLY_REKEYS,
    FRAME_BYTES,
    IDLE_SECONDS,
    LOGIN_SECONDS,
    REKEY_SECONDS,
    SESSION_BUFFER_BYTES,
    SESSION_SECONDS,
    SLOW_FRAME_BYTES,
    SLOW_FRAME_SECONDS,
)
from sft.transport.protocol import CLOSE_SECONDS
from sft.wire.connection import DATA_FRAME_BYTES
from sft.wire.events import MessageReceived, PeerClosed
from sft.wire.messages import BeginUpload, Credit, GetFile, Notice, ShowSelf
from tests.adapters.ends import End

# -- before the login ----------------------------------------------------------------------------------


def test_a_connection_that_says_nothing_ends_at_the_deadline_and_not_before():
    end = End()
    end.clock.advance(LOGIN_SECONDS - 0.001)
    assert not end.transport.aborted
    end.clock.advance(0.001)
    assert end.transport.aborted
    assert isinstance(end.owner.ends[0], RemoteProtocolError)


def test_the_deadline_is_absolute_whatever_trickles_in():
    end = End()
    hello = end.client.data_to_send()
    for byte in range(LOGIN_SECONDS * 10 - 1):
        end.clock.advance(0.1)
        end.to_server(hello[byte : byte + 1])
    assert not end.transport.aborted
    end.clock.advance(0.1)
    assert end.transport.aborted


def test_a_half_done_handshake_ends_at_the_same_deadline():
    end = End()
    end.clock.advance(LOGIN_SECONDS - 1)
    end.to_server(end.client.data_to_send())
    end.to_client()
    end.clock.advance(1)
    assert end.transport.aborted
    assert end.link.late


def test_after_the_login_the_deadline_is_gone():
    end = End().log_in()
    end.clock.advance(LOGIN_SECONDS * 2)
    assert not end.transport.aborted


@pytest.mark.parametrize("seed", range(20))
def test_garbage_ends_at_once_and_nothing_of_it_is_kept(seed: int):
    end = End()
    end.to_server(random.Random(seed).randbytes(3000))
    if not end.transport.aborted:  # a length that is allowed: the frame is no hello when it is whole
        end.to_server(random.Random(seed).randbytes(EARLY_FRAME_BYTES))
    assert end.transport.aborted
    assert end.transport.value() == b""
    assert len(end.owner.ends) == 1


def test_an_over_long_frame_is_refused_by_its_length_alone():
    end = End()
    end.to_server((EARLY_FRAME_BYTES + 1).to_bytes(4, "big"))
    assert end.transport.aborted
    assert isinstance(end.owner.ends[0], FrameTooLargeError)
    later = End().log_in()
    later.to_server((FRAME_BYTES + 1).to_bytes(4, "big"))
    assert isinstance(later.owner.ends[0], FrameTooLargeError)


def test_after_a_fault_nothing_is_delivered_or_written():
    end = End().log_in()
    good = end.client.send(ShowSelf(end.client.next_request_id))
    before = len(end.owner.events)
    end.to_server(b"\0\0\0\x20" + bytes(32))
    end.to_server(good)
    end.link.send(Notice("role", {}))
    assert len(end.owner.events) == before
    assert end.transport.value() == b""
    assert len(end.owner.ends) == 1
    end.lose()
    assert len(end.owner.ends) == 1


def test_a_byte_while_the_server_judges_a_login_ends_the_connection():
    end = End()
    end.owner.received = end.owner.events.append  # never answers the login
    end.to_server(end.client.data_to_send())
    end.to_client()
    end.to_server(end.client.data_to_send())
    assert len(end.owner.events) == 1
    end.to_server(b"\0")
    assert end.transport.aborted


@pytest.mark.parametrize("stage", ["start", "keyed", "open", "closing"])
def test_no_timer_outlives_a_connection(stage: str):
    end = End()
    if stage == "keyed":
        end.to_server(end.client.data_to_send())
    elif stage != "start":
        end.log_in()
    if stage == "closing":
        end.link.close()
    end.to_server(b"\0\0")
    end.lose()
    assert end.clock.getDelayedCalls() == []
    assert len(end.owner.ends) == 1


def test_a_stream_that_ends_without_the_authenticated_close_is_an_error():
    end = End().log_in()
    end.lose()
    assert isinstance(end.owner.ends[0], StreamTruncatedError)
    closed = End().log_in()
    closed.to_server(closed.client.close())
    closed.lose()
    assert closed.owner.ends == [None]


def test_a_changed_byte_in_the_login_is_an_error_of_the_handshake():
    end = End()
    end.to_server(end.client.data_to_send())
    end.to_client()
    login = bytearray(end.client.data_to_send())
    login[-1] ^= 1
    end.to_server(bytes(login))
    assert isinstance(end.owner.ends[0], HandshakeFailedError)


# -- a session -------------------------------------------------------------------------------------------


def test_an_idle_session_is_closed_and_the_close_is_authenticated():
    end = End().log_in()
    end.clock.advance(IDLE_SECONDS - 1)
    assert not end.transport.disconnecting
    end.clock.advance(1)
    assert end.transport.disconnecting
    assert isinstance(end.to_client()[-1], PeerClosed)


def test_what_is_asked_and_answered_begins_the_idle_time_anew():
    end = End().log_in()
    for _ in range(3):
        end.clock.advance(IDLE_SECONDS - 1)
        end.owner.in_flight = True
        end.to_server(end.client.send(ShowSelf(end.client.next_request_id)))
        end.owner.in_flight = False
    assert not end.transport.disconnecting
    end.clock.advance(IDLE_SECONDS)
    assert end.transport.disconnecting


def test_a_rekey_or_a_credit_of_what_is_over_holds_no_session_open():
    end = End().log_in()
    end.owner.in_flight = True
    end.to_server(end.client.send(GetFile(end.client.next_request_id, "a", 0, 8)))
    end.owner.in_flight = False
    for _ in range(4):
        end.clock.advance(IDLE_SECONDS / 4)
        if not end.transport.disconnecting:
            end.to_server(end.client.rekey())
            end.to_server(end.client.send(Credit(1, 1)))
    assert end.transport.disconnecting


def test_an_open_transfer_holds_a_session_open_while_its_data_come():
    end = End().log_in()
    end.to_server(end.client.send(BeginUpload(end.client.next_request_id, "a", bytes(16), 1, None, 8, bytes(16))))
    for _ in range(4):
        end.clock.advance(IDLE_SECONDS / 2)
        end.to_server(end.client.send_data(1, bytes(CHUNK_BYTES), False))
    assert not end.transport.disconnecting
    end.clock.advance(IDLE_SECONDS)
    end.clock.advance(IDLE_SECONDS)
    assert end.transport.disconnecting


def test_rekey_frames_that_come_too_soon_are_taken_once_a_second():
    end = End().log_in()
    for _ in range(EARLY_REKEYS * 2):
        end.clock.advance(1)
        end.to_server(end.client.rekey())
    assert not end.transport.aborted
    for _ in range(EARLY_REKEYS + 1):
        end.to_server(end.client.rekey())
    assert end.transport.aborted


def test_many_rekey_frames_in_one_segment_end_at_the_second():
    end = End().log_in()
    end.clock.advance(5)
    end.to_server(b"".join(end.client.rekey() for _ in range(20_000)))
    assert end.transport.aborted
    assert end.link.connection.frames_received < EARLY_REKEYS + 10


def test_a_session_with_something_in_flight_is_not_idle():
    end = End().log_in()
    end.owner.in_flight = True
    for _ in range(4):
        end.clock.advance(IDLE_SECONDS)
    assert not end.transport.disconnecting
    end.owner.in_flight = False
    end.clock.advance(IDLE_SECONDS)
    assert end.transport.disconnecting


def test_a_session_ends_after_a_day_whatever_it_does():
    end = End().log_in()
    end.owner.in_flight = True
    end.clock.pump([600] * (SESSION_SECONDS // 600 - 1))
    assert not end.transport.disconnecting
    end.clock.advance(600)
    assert end.transport.disconnecting
    assert isinstance(end.to_client()[-1], PeerClosed)


def test_the_key_turns_every_hour_and_the_client_follows():
    end = End().log_in()
    end.owner.in_flight = True
    key = end.link.connection._records._sealer._key._key
    for hour in range(1, 4):
        end.clock.advance(REKEY_SECONDS)
        end.link.send(Notice("role", {"hour": hour}))
        turned = end.link.connection._records._sealer._key._key
        assert turned != key
        key = turned
        assert [event.message.values for event in end.to_client()] == [{"hour": hour}]


def test_a_key_that_should_turn_while_the_link_closes_does_not():
    end = End().log_in()
    end.owner.in_flight = True
    end.clock.advance(REKEY_SECONDS - 1)
    end.link.close()
    end.clock.advance(1)  # the hour is over: nothing is raised in the timer
    end.clock.advance(CLOSE_SECONDS)
    assert end.transport.aborted


def test_a_peer_that_never_answers_the_close_is_cut_off():
    end = End().log_in()
    end.link.close()
    assert end.transport.disconnecting
    end.clock.advance(CLOSE_SECONDS - 0.1)
    assert not end.transport.aborted
    end.clock.advance(0.1)
    assert end.transport.aborted


def _begun_frame(end: End) -> bytes:
    end.to_server(end.client.send(BeginUpload(end.client.next_request_id, "a", bytes(16), 1, None, 8, bytes(16))))
    return end.client.send_data(1, bytes(CHUNK_BYTES), False)


def test_a_frame_that_comes_too_slowly_ends_the_session():
    end = End().log_in()
    frame = _begun_frame(end)
    end.to_server(frame[:10])
    for byte in range(10, 10 + SLOW_FRAME_SECONDS - 1):
        end.clock.advance(1)
        end.to_server(frame[byte : byte + 1])
    assert not end.transport.aborted
    end.clock.advance(1)
    assert end.transport.aborted
    assert isinstance(end.owner.ends[0], StreamTruncatedError)


def test_a_frame_that_comes_at_the_slowest_rate_goes_on():
    end = End().log_in()
    frame = _begun_frame(end)
    end.to_server(frame[:1])
    position = 1
    while position < len(frame):
        end.clock.advance(SLOW_FRAME_SECONDS - 0.1)
        end.to_server(frame[position : position + SLOW_FRAME_BYTES])
        position += SLOW_FRAME_BYTES
        end.clock.advance(0.1)
    assert not end.transport.aborted
    end.clock.advance(SLOW_FRAME_SECONDS * 3)
    assert not end.transport.aborted, "between frames nobody is slow"


def test_whoever_is_not_read_is_not_slow():
    end = End().log_in()
    end.owner.in_flight = True
    frame = _begun_frame(end)
    end.to_server(frame[:10])
    end.link.pause_reading("a test")
    end.clock.advance(SLOW_FRAME_SECONDS * 3)
    assert not end.transport.aborted
    end.link.resume_reading("a test")
    end.clock.advance(SLOW_FRAME_SECONDS - 1)
    assert not end.transport.aborted, "the time begins anew when we read again"
    end.clock.advance(SLOW_FRAME_SECONDS)
    assert end.transport.aborted


# -- congestion ------------------------------------------------------------------------------------------


def test_a_peer_that_does_not_read_is_not_read_either_and_memory_stays_bounded():
    end = End().log_in()
    notice = Notice("role", {f"key {n}": "x" * 255 for n in range(8)})
    end.transport.producer.pauseProducing()
    written = 0
    while end.transport.producerState == "producing":
        end.link.send(notice)
        written = len(end.transport.value())
        assert written < SESSION_BUFFER_BYTES + 10_000
    assert end.transport.producerState == "paused"
    assert written > SESSION_BUFFER_BYTES - DATA_FRAME_BYTES, "so much at least was there when it was full"
    end.transport.producer.resumeProducing()
    assert end.transport.producerState == "producing"
    assert all(isinstance(event, MessageReceived) for event in end.to_client())


def test_nothing_that_arrives_after_the_end_is_heard():
    end = End().log_in()
    late = end.client.send(ShowSelf(end.client.next_request_id))
    end.link.fail(RemoteProtocolError("over"))
    heard = list(end.owner.events)
    end.to_server(late)  # it was read already when the connection was aborted
    assert end.owner.events == heard
    assert len(end.owner.ends) == 1

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft.errors import ConnectionLostError, NotFoundError, RemoteProtocolError, RoleForbidsError, TamperedError
from sft.limits import REQUESTS_IN_FLIGHT
from sft.wire.messages import Done, FileShown, MakeFolder, Notice, SelfShown, ShowFile, ShowSelf
from tests.unit.client.memory_server import MemoryServer


def started(coroutine):
    ended = []
    deferred = Deferred.fromCoroutine(coroutine)
    deferred.addBoth(ended.append)
    return deferred, ended


def test_an_answer_goes_to_whoever_asked_whatever_the_order(server):
    server.hold = True
    asked = [started(server.connection.request(MakeFolder, Done, path=f"f{n}")) for n in range(3)]
    server.pump()
    first, second, third = server.received
    assert [m.id for m in server.received] == [1, 2, 3]
    for message, changed in ((third, False), (first, True), (second, False)):
        server.send(Done(id=message.id, changed=changed))
    assert [ended[0].changed for _, ended in asked] == [True, False, False]


def test_a_refusal_is_raised_with_its_code_values_and_reference(server):
    with pytest.raises(NotFoundError) as caught:
        server.run(server.connection.request(ShowFile, FileShown, path="nope"))
    assert caught.value.values["name"] == "nope"
    assert caught.value.ref == "7F3K"


def test_no_more_requests_than_the_protocol_allows_leave_and_the_rest_wait_their_turn(server):
    server.hold = True
    asked = [started(server.connection.request(MakeFolder, Done, path=f"f{n}")) for n in range(REQUESTS_IN_FLIGHT + 2)]
    server.pump()
    assert len(server.received) == REQUESTS_IN_FLIGHT
    server.send(Done(id=1))
    server.pump()
    assert len(server.received) == REQUESTS_IN_FLIGHT + 1
    assert server.received[-1].path == f"f{REQUESTS_IN_FLIGHT}"
    assert asked[0][1]
    assert not asked[-1][1]


def test_whoever_gives_up_waiting_for_a_turn_takes_none(server):
    server.hold = True
    asked = [started(server.connection.request(MakeFolder, Done, path=f"f{n}")) for n in range(REQUESTS_IN_FLIGHT + 2)]
    server.pump()
    asked[REQUESTS_IN_FLIGHT][0].cancel()
    assert asked[REQUESTS_IN_FLIGHT][1][0].check(CancelledError)
    server.send(Done(id=1))
    server.pump()
    assert server.received[-1].path == f"f{REQUESTS_IN_FLIGHT + 1}"


def test_an_answer_that_comes_after_its_asker_gave_up_disturbs_nobody(server):
    server.hold = True
    deferred, ended = started(server.connection.request(MakeFolder, Done, path="a"))
    server.pump()
    deferred.cancel()
    assert ended[0].check(CancelledError)
    server.send(Done(id=1))
    server.hold = False
    assert server.run(server.connection.request(MakeFolder, Done, path="b")).changed


def test_a_lost_line_is_told_to_everybody_who_waits_and_to_whoever_asks_later(server):
    server.hold = True
    asked = [started(server.connection.request(MakeFolder, Done, path=f"f{n}")) for n in range(REQUESTS_IN_FLIGHT + 1)]
    server.pump()
    server.lose()
    assert all(ended[0].check(ConnectionLostError) for _, ended in asked)
    assert not server.connection.alive
    _, ended = started(server.connection.request(MakeFolder, Done, path="late"))
    assert ended[0].check(ConnectionLostError)


def test_another_answer_than_the_request_allows_ends_the_line(server):
    server.hold = True
    _, ended = started(server.connection.request(ShowSelf, SelfShown))
    server.pump()
    # The wire's own table lets a server say only what answers the request: so lie about what was expected.
    _, other = started(server.connection.request(MakeFolder, SelfShown, path="a"))
    server.pump()
    server.send(Done(id=2))
    assert other[0].check(RemoteProtocolError)
    assert not ended


def test_notices_are_handed_on(server):
    server.send(Notice(kind="role", values={"role": "guest"}))
    assert [notice.kind for notice in server.notices] == ["role"]


def test_closing_says_so_and_waits_for_the_end(server):
    _, ended = started(server.connection.close())
    assert not ended
    server.pump()
    assert ended == [None]
    assert server.wire.state.value in {"peer closed", "closed"}


def test_a_refused_login_says_why():
    class Strict(MemoryServer):
        def _take(self, event):
            error = RoleForbidsError(role="guest", act="x", name="ada", needed="admin", admins="eva")
            if type(event).__name__ == "LoginRequested":
                self._give(self.wire.data_to_send())
                self._give(self.wire.refuse(error))

    server = Strict()
    told = []
    server.connection.welcomed.addErrback(told.append)
    assert told[0].check(RoleForbidsError)


def test_a_frame_that_was_changed_is_told_from_a_line_that_broke(server):
    server.hold = True
    _, ended = started(server.connection.request(MakeFolder, Done, path="a"))
    server.pump()
    frame = bytearray(server.wire.send(Done(id=1)))
    frame[-1] ^= 1
    server._give(bytes(frame))
    assert ended[0].check(TamperedError)
    assert ended[0].check(ConnectionLostError)  # it is tried again all the same
    server.pump()
    assert server.faults == ["x:1: a frame does not open, after the login"]

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft.client.peer_watch import LOOK_SECONDS
from sft.errors import ConnectionLostError, NotFoundError, RemoteProtocolError, RoleForbidsError, TamperedError
from sft.limits import CHUNK_BYTES, QUIET_SECONDS, REQUESTS_IN_FLIGHT, SILENCE_SECONDS, SLOW_FRAME_SECONDS
from sft.wire.messages import (
    CheckVault,
    Done,
    FileShown,
    MakeFolder,
    Notice,
    SelfShown,
    ShowFile,
    ShowSelf,
    VaultChecked,
)
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


@pytest.mark.parametrize("end", ["lost", "given up"])
def test_what_waits_for_the_rate_gives_nothing_to_a_line_that_is_gone_and_hears_why(server, end):
    asked = []

    class Source:
        def next_chunk(self):
            asked.append(end)

    connection = server.connection
    connection.limit(CHUNK_BYTES)
    outbox = connection.protocol.outbox
    outbox.rate.spend(2 * CHUNK_BYTES)
    outbox.attach(Source())
    outbox.wake()
    _, waits = started(connection.acquire_slot(content=True))
    if end == "lost":
        server.lose()
    else:
        connection.abort()
    assert asked == []
    assert waits[0].value is connection.lost


# -- a server that says nothing, or too little -----------------------------------------------------------


def pass_time(server, seconds):
    server.clock.pump([LOOK_SECONDS] * round(seconds / LOOK_SECONDS))


def test_a_server_that_answers_nothing_is_given_up_after_a_minute_and_shown_before(server):
    server.hold = True
    _, ended = started(server.connection.request(ShowSelf, SelfShown))
    server.pump()
    pass_time(server, QUIET_SECONDS)
    assert server.connection.quiet_seconds >= QUIET_SECONDS
    pass_time(server, SILENCE_SECONDS - QUIET_SECONDS - LOOK_SECONDS)
    assert not ended
    pass_time(server, LOOK_SECONDS)
    assert ended[0].check(ConnectionLostError)
    assert not server.connection.alive
    assert server.connection.quiet_seconds == 0


def test_whatever_a_server_says_begins_its_minute_anew(server):
    server.hold = True
    _, ended = started(server.connection.request(ShowSelf, SelfShown))
    for _ in range(4):
        pass_time(server, SILENCE_SECONDS - LOOK_SECONDS)
        server.send(Notice("role", {"role": "guest", "by": "ada"}))
        pass_time(server, LOOK_SECONDS)
        assert server.connection.quiet_seconds < QUIET_SECONDS
    assert not ended
    assert server.connection.alive


def test_a_server_that_is_asked_nothing_may_say_nothing(server):
    server.run(server.connection.request(ShowSelf, SelfShown))
    pass_time(server, SILENCE_SECONDS * 3)
    assert server.connection.quiet_seconds == 0
    assert server.connection.alive


def test_a_long_job_of_the_operator_is_waited_for(server):
    server.hold = True
    _, ended = started(server.connection.request(CheckVault, VaultChecked))
    pass_time(server, SILENCE_SECONDS * 5)
    assert not ended
    assert server.connection.alive


class Download:
    """Something large that is under way."""

    patience_seconds = SILENCE_SECONDS
    owed = True

    def __init__(self):
        self.error = None

    def broken(self, error):
        self.error = error


@pytest.mark.parametrize("owed", [True, False])
def test_what_is_under_way_comes_at_a_rate_of_some_use(server, owed):
    download = Download()
    download.owed = owed
    server.connection.begin(ShowSelf, download)
    for _ in range(SLOW_FRAME_SECONDS * 2):
        server.send(Notice("role", {"role": "guest", "by": "ada"}))  # some bytes, and far from enough
        pass_time(server, LOOK_SECONDS)
    assert (type(download.error) is ConnectionLostError) == owed


def test_what_comes_at_a_kibibyte_a_second_goes_on(server):
    download = Download()
    server.connection.begin(ShowSelf, download)
    for _ in range(SLOW_FRAME_SECONDS * 2):
        for _ in range(2):
            server.send(Notice("role", {f"key {n}": "x" * 255 for n in range(5)}))
        pass_time(server, LOOK_SECONDS)
    assert download.error is None

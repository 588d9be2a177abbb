"""What a client does over a line, the same over both loops: Twisted's reactor, and the small one of a plain command."""

from __future__ import annotations

import io
import socket
import threading

import msgspec
import pytest

from sft.cli.console import Console
from sft.cli.waiting import wait_told
from sft.client.concurrency import Lock, gather_limited, pause
from sft.client.connecting import connect, log_in_again
from sft.client.identity import passphrase_from
from sft.client.loop import loop_of
from sft.client.profiles import Profiles
from sft.client.transfers.batch import put_all
from sft.crypto import key_file
from sft.crypto.keys import ServerKey
from sft.crypto.succession import sign_succession
from sft.errors import (
    ConnectionLostError,
    LoginRefusedError,
    NotAServerError,
    NotFoundError,
    ServerKeyChangedError,
    TamperedError,
    UnreachableError,
)
from sft.limits import (
    CHUNK_BYTES,
    LOGIN_SECONDS,
    QUIET_SECONDS,
    REQUESTS_IN_FLIGHT,
    SILENCE_SECONDS,
    SLOW_FRAME_SECONDS,
)
from sft.wire.connection import Connection
from sft.wire.events import DataReceived, LoginRequested
from sft.wire.messages import BeginUpload, Done, FileShown, MakeFolder, Notice, Refusal, SelfShown, ShowFile, ShowSelf
from tests.unit.client.both_loops import LOOPS, PassingClock, Peer
from tests.unit.client.memory_server import ADA_KEY, SERVER, SERVER_KEY, user
from tests.unit.client.test_transfers_in_memory import item, local

NEW_KEY = ServerKey.from_seed(bytes([1]) * 32)


@pytest.fixture(params=sorted(LOOPS))
def run(request):
    return LOOPS[request.param]


@pytest.fixture
def meet():
    peers = []

    def begin(*scripts):
        peers.append(Peer(*scripts))
        return peers[-1]

    yield begin
    for peer in peers:
        peer.end()


class Line:
    """A computer that has joined the server, and what its client does there."""

    def __init__(self, run, state, profile):
        state.write("keys/ada.key", key_file.encode(ADA_KEY, None).encode())
        self.run, self.state = run, state
        self.profile = Profiles(state).add(profile)
        self.notices = []

    def talk(self, peer, act, **changed):
        """Log in, run an act over the session, and close it; return what the act gave."""
        self.profile = msgspec.structs.replace(self.profile, **{"host": "127.0.0.1", "port": peer.port, **changed})

        async def talking(reactor):
            session = await connect(
                reactor, self.state, self.profile,
                ask=passphrase_from({}, None), random=lambda: 0.5, on_notice=self.notices.append,
            )  # fmt: skip
            async with session:
                return await act(session)

        return self.run(talking, peer.clock)


@pytest.fixture
def line(run, state, profile):
    return Line(run, state, profile)


async def whoami(session):
    return await session.request(ShowSelf, SelfShown)


def answers_whoami(far):
    far.log_in()
    far.send(SelfShown(id=far.asked().id, user=user(7, "ada", ADA_KEY), server=SERVER))
    return far.farewell()


def hangs_up(_far):
    return "hung up"


def test_a_login_a_request_and_the_authenticated_close(line, meet):
    peer = meet(answers_whoami)
    assert line.talk(peer, whoami).user.name == "ada"
    peer.end()
    assert peer.results == [True]


def test_a_refusal_is_its_code_and_values(line, meet):
    def refuses(far):
        far.log_in()
        far.send(Refusal(id=far.asked().id, code="NOT_FOUND", values={"what": "file", "name": "x"}, ref="7F3K"))
        return far.farewell()

    peer = meet(refuses)
    with pytest.raises(NotFoundError) as caught:
        line.talk(peer, lambda session: session.request(ShowFile, FileShown, path="x"))
    assert (caught.value.values["name"], caught.value.ref) == ("x", "7F3K")
    peer.end()
    assert peer.results == [True]


def closes_then(seconds):
    def script(far):
        far.handle.recv(65_536)
        far.handle.close()
        far.let_pass(seconds)

    return script


def test_a_line_that_closes_before_the_first_answer_is_tried_three_times_more(line, meet):
    peer = meet(closes_then(0.25), closes_then(0.5), closes_then(1.0), answers_whoami)
    assert line.talk(peer, whoami).user.name == "ada"
    assert peer.clock.now == 1001.75


def test_a_line_that_closes_every_time_is_given_up(line, meet):
    peer = meet(closes_then(0.25), closes_then(0.5), closes_then(1.0), closes_then(0), answers_whoami)
    with pytest.raises(UnreachableError) as caught:
        line.talk(peer, whoami)
    assert caught.value.values["reason"].startswith("it closes the connection at once")
    peer.end()
    assert peer.met == 4


def test_a_line_that_is_reset_before_the_first_answer_is_tried_again(line, meet):
    def resets(far):
        far.handle.recv(1)
        far.reset()
        far.let_pass(0.25)

    assert line.talk(meet(resets, answers_whoami), whoami).user.name == "ada"


def test_another_key_is_a_stop_with_evidence_and_nothing_was_said(line, meet):
    def shows_another(far):
        far.wire = Connection.server(NEW_KEY)
        with pytest.raises(AssertionError):
            far.next(LoginRequested)

    peer = meet(shows_another, answers_whoami)
    with pytest.raises(ServerKeyChangedError) as caught:
        line.talk(peer, whoami)
    assert caught.value.values["shown"] == NEW_KEY.public.words()
    assert set(caught.value.values) == {"server", "shown", "pinned", "evidence"}
    peer.end()
    assert peer.met == 1


def test_a_key_that_the_pinned_one_says_follows_it_is_pinned(line, meet):
    note = sign_succession(SERVER_KEY, SERVER.server_id, NEW_KEY.public, made_at=4000)

    def renewed(far):
        far.wire, far.key = Connection.server(NEW_KEY, successions=[note]), NEW_KEY
        far.info = msgspec.structs.replace(SERVER, public_key=NEW_KEY.public.point)
        return answers_whoami(far)

    async def followed(session):
        await whoami(session)
        return session.followed

    assert line.talk(meet(renewed), followed) == SERVER_KEY.public
    assert Profiles(line.state).choose().server_key == NEW_KEY.public.point


def test_a_refused_login_is_what_the_server_says(line, meet):
    def refuses(far):
        far.next(LoginRequested)
        far.handle.sendall(far.wire.data_to_send())
        far.handle.sendall(far.wire.refuse(LoginRefusedError(server="acme-files")))

    peer = meet(refuses)
    with pytest.raises(LoginRefusedError):
        line.talk(peer, whoami)


def test_what_is_no_server_of_ours_is_said(line, meet):
    def speaks_http(far):
        far.handle.recv(65_536)
        far.handle.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        far.handle.recv(65_536)

    with pytest.raises(NotAServerError):
        line.talk(meet(speaks_http), whoami)


def test_a_line_that_breaks_within_the_login_is_lost_and_not_tried_again(line, meet):
    def breaks(far):
        far.next(LoginRequested)
        far.reset()

    peer = meet(breaks, answers_whoami)
    with pytest.raises(ConnectionLostError):
        line.talk(peer, whoami)
    peer.end()
    assert peer.met == 1


def test_a_server_that_accepts_and_says_nothing_is_unreachable_in_the_end(line, meet):
    def says_nothing(far):
        far.let_pass(LOGIN_SECONDS)
        return far.farewell()

    peer = meet(says_nothing)
    with pytest.raises(UnreachableError) as caught:
        line.talk(peer, whoami)
    assert caught.value.values["reason"] == "it accepts the connection and says nothing"
    peer.end()
    assert peer.results == [False]


def test_nobody_there_is_said_plainly(line, run):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    class Nobody:
        clock = PassingClock()

    Nobody.port = port
    Nobody.clock.grant(1)  # until every address was tried
    with pytest.raises(UnreachableError) as caught:
        line.talk(Nobody, whoami)
    assert caught.value.values["reason"] == "connection refused"
    assert caught.value.values["address"] == f"127.0.0.1:{port}"
    with pytest.raises(UnreachableError) as caught:
        line.talk(Nobody, whoami, host=f"{'x' * 64}.example")
    assert caught.value.values["reason"] == "no such host"


def test_a_server_that_says_nothing_to_a_request_is_given_up(line, meet):
    quiet = []

    def says_nothing(far):
        far.log_in()
        far.asked()
        far.let_pass(SILENCE_SECONDS + 4)
        return far.farewell()

    async def ask(session):
        reactor = session.connection.reactor
        reactor.callLater(QUIET_SECONDS, lambda: quiet.append(session.quiet_seconds))
        await whoami(session)

    peer = meet(says_nothing)
    with pytest.raises(ConnectionLostError, match="nothing was heard"):
        line.talk(peer, ask)
    assert quiet == [QUIET_SECONDS]
    peer.end()
    assert peer.results == [False]


def test_whoever_waits_for_an_answer_is_told_after_ten_seconds(line, meet):
    err = io.StringIO()
    console = Console(io.StringIO(), err, {})

    def answers_late(far):
        far.log_in()
        asked = far.asked()
        far.let_pass(QUIET_SECONDS + 2)
        late.wait(60)
        far.send(SelfShown(id=asked.id, user=user(7, "ada", ADA_KEY), server=SERVER))
        return far.farewell()

    late = threading.Event()

    async def ask(session):
        reactor = session.connection.reactor
        reactor.callLater(QUIET_SECONDS + 1, late.set)
        with wait_told(console, reactor, session.server_name, lambda: session.quiet_seconds):
            await whoami(session)

    line.talk(meet(answers_late), ask)
    assert err.getvalue() == "No answer from acme-files for 10 s; still waiting.\n"


def test_a_frame_that_does_not_go_on_is_given_up(line, meet):
    def trickles(far):
        far.log_in()
        sealed = far.wire.send(SelfShown(id=far.asked().id, user=user(7, "ada", ADA_KEY), server=SERVER))
        far.handle.sendall(sealed[:20])
        far.let_pass(SLOW_FRAME_SECONDS + 2)
        return far.farewell()

    with pytest.raises(ConnectionLostError, match="slower than the slowest rate"):
        line.talk(meet(trickles), whoami)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_line_that_breaks_while_something_is_asked_is_lost(line, meet, end):
    def breaks(far):
        far.log_in()
        far.asked()
        getattr(far if end == "reset" else far.handle, end)()

    with pytest.raises(ConnectionLostError):
        line.talk(meet(breaks), whoami)


@pytest.mark.parametrize(
    ("end", "lost"), [("changed", TamperedError), ("close", ConnectionLostError), ("reset", ConnectionLostError)]
)
def test_a_line_that_breaks_while_an_upload_waits_for_its_rate_is_lost(line, meet, tmp_path, end, lost):
    def breaks(far):
        far.log_in()
        assert isinstance(far.asked(), BeginUpload)
        far.next(DataReceived)
        if end == "changed":
            far.handle.sendall(bytes(100))
            return far.farewell()
        return getattr(far if end == "reset" else far.handle, end)()

    async def put(session):
        session.limit(CHUNK_BYTES)
        results = await put_all(session, [item(local(tmp_path, bytes(20 * CHUNK_BYTES)))])
        return [type(result.error) for result in results]

    assert line.talk(meet(breaks), put) == [lost]


def test_a_frame_that_was_changed_on_the_way_is_tampering_and_kept(line, meet):
    def changes(far):
        far.log_in()
        sealed = bytearray(far.wire.send(SelfShown(id=far.asked().id, user=user(7, "ada", ADA_KEY), server=SERVER)))
        sealed[-1] ^= 1
        far.handle.sendall(sealed)
        return far.farewell()

    with pytest.raises(TamperedError):
        line.talk(meet(changes), whoami)
    assert "after the login" in (line.state.data / "sft.log").read_text()


def test_a_server_that_leaves_is_asked_nothing_more(line, meet):
    def leaves(far):
        far.log_in()
        far.handle.sendall(far.wire.close())

    async def ask(session):
        while session.alive:
            await pause(session.connection.reactor, 0)
        await whoami(session)

    with pytest.raises(ConnectionLostError):
        line.talk(meet(leaves), ask)


def test_what_the_server_says_unasked_is_passed_on(line, meet):
    def says(far):
        far.log_in()
        asked = far.asked()
        far.send(Notice(kind="role", values={"role": "guest"}))
        far.send(Done(id=asked.id, changed=True))
        return far.farewell()

    assert line.talk(meet(says), lambda session: session.request(MakeFolder, Done, path="a")).changed
    assert [notice.kind for notice in line.notices] == ["role"]


def test_more_requests_than_may_be_in_flight_wait_and_come_back_in_order(line, meet):
    many = REQUESTS_IN_FLIGHT + 20
    most = []

    def answers(far):
        far.log_in()
        asked = [far.asked() for _ in range(REQUESTS_IN_FLIGHT)]
        most.append(far.wire._requests.count)
        for message in reversed(asked):
            far.send(Done(id=message.id, changed=message.path.endswith("7")))
        for _ in range(many - REQUESTS_IN_FLIGHT):
            message = far.asked()
            far.send(Done(id=message.id, changed=message.path.endswith("7")))
        return far.farewell()

    async def ask_all(session):
        return await gather_limited(
            many, range(many), lambda number: session.request(MakeFolder, Done, path=f"f{number}")
        )

    given = line.talk(meet(answers), ask_all)
    assert [done.changed for done in given] == [number % 10 == 7 for number in range(many)]
    assert most == [REQUESTS_IN_FLIGHT]


def test_what_the_server_does_not_read_yet_leaves_when_it_does(line, meet):
    # More than the buffers of both systems take.
    names = [f"{number:04}" + "x" * 900 for number in range(100)]
    go = threading.Event()

    def reads_late(far):
        far.handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        far.log_in()
        go.wait(60)
        seen = []
        for _ in names:
            message = far.asked()
            seen.append(message.path)
            far.send(Done(id=message.id))
        far.farewell()
        return seen

    async def ask_all(session):
        async def ask():
            await gather_limited(len(names), names, lambda name: session.request(MakeFolder, Done, path=name))

        session.connection.protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await gather_limited(2, [ask, lambda: session.pool.run(go.set)], lambda act: act())

    peer = meet(reads_late)
    line.talk(peer, ask_all)
    peer.end()
    assert peer.results == [names]


def test_who_logs_in_again_goes_by_what_was_seen_before(line, meet):
    def is_left(far):
        far.log_in()
        return far.farewell()

    def aborted(far):
        far.log_in()

    async def twice(session):
        async with await log_in_again(session.connection.reactor, session) as again:
            return again.versions_seen is session.versions_seen, again.carried_over is session.carried_over

    assert line.talk(meet(aborted, is_left), twice) == (True, True)


# -- coroutines -----------------------------------------------------------------------------------------


def test_a_cancelled_act_leaves_by_the_authenticated_close(line, meet):
    def is_left(far):
        far.log_in()
        far.asked()
        far.let_pass(1)
        return far.farewell()

    async def cancelled(session):
        reactor = session.connection.reactor
        loop = loop_of(reactor)
        ended = []
        cancel = loop.spawn(whoami(session), ended.append)
        reactor.callLater(1, cancel)
        while not ended:
            await pause(reactor, 0.5)
        return isinstance(ended[0], loop.cancelled)

    peer = meet(is_left)
    assert line.talk(peer, cancelled) is True
    peer.end()
    assert peer.results == [True]


def freely():
    clock = PassingClock()
    clock.grant(1000)
    return clock


def test_the_first_fault_is_raised_when_all_others_have_cleaned_up(run):
    cleaned = []

    async def act(reactor):
        async def one(number):
            try:
                await pause(reactor, number)
                raise ValueError(str(number))
            except loop_of(reactor).cancelled:
                await pause(reactor, 5)
                cleaned.append(number)
                raise

        await gather_limited(3, [1, 2, 3, 4], one)

    with pytest.raises(ValueError, match="1"):
        run(act, freely())
    assert sorted(cleaned) == [2, 3]


def test_acts_that_fail_at_once_and_those_that_end_at_once(run):
    async def act(reactor):
        async def at_once(number):
            return number

        async def fails(number):
            raise ValueError(str(number))

        assert await gather_limited(3, range(100), at_once) == list(range(100))
        assert await gather_limited(3, [], at_once) == []
        await gather_limited(3, [5, 6, 7, 8], fails)

    with pytest.raises(ValueError, match="5"):
        run(act, freely())


def test_a_lock_lets_one_in_at_a_time_in_order_and_forgets_who_is_cancelled(run):
    seen = []

    async def act(reactor):
        lock, loop, ended = Lock(), loop_of(reactor), []

        async def inside(name):
            async with lock:
                seen.append(f"{name} in")
                await pause(reactor, 1)
                seen.append(f"{name} out")

        cancels = [loop.spawn(inside(name), ended.append) for name in "abc"]
        cancels[1]()
        while len(ended) < 3:
            await pause(reactor, 1)
        assert sum(isinstance(fault, loop.cancelled) for fault in ended) == 1
        await inside("d")

    run(act, freely())
    assert seen == ["a in", "a out", "c in", "c out", "d in", "d out"]


def test_work_in_a_thread_gives_its_result_and_its_fault(run):
    async def act(reactor):
        pool = loop_of(reactor).new_pool()
        pool.start()
        try:
            assert await pool.run(pow, 2, 5) == 32
            assert await pool.run(threading.get_ident) != threading.get_ident()
            assert await pool.compute(pow, 2, 6) == 64
            assert await pool.compute(threading.get_ident) != threading.get_ident()
            await pool.run(int, "no number")
        finally:
            pool.stop()

    with pytest.raises(ValueError, match="no number"):
        run(act, freely())

from __future__ import annotations

from types import SimpleNamespace

import pytest
from twisted.internet.defer import CancelledError, Deferred, execute
from twisted.internet.task import Clock

from sft.client.api.files import make_folder
from sft.client.connection_info import ConnectionInfo, ServerNotice, Status
from sft.client.heads import Heads
from sft.client.pins import Pins
from sft.client.profiles import Profiles
from sft.client.reconnect import Reconnector
from sft.client.session import Session
from sft.errors import (
    ConnectionLostError,
    KeyEndedError,
    KeyLockedError,
    LockedOutError,
    LoginRefusedError,
    PassphraseWrongError,
    RemovedError,
    ServerKeyChangedError,
    SessionEndedError,
    UnreachableError,
    VersionUnknownError,
)
from sft.model.access import Role
from sft.wire.messages import MakeFolder, Notice, ShowSelf
from tests.unit.client.log_in_memory import LogInMemory
from tests.unit.client.memory_server import ADA_KEY, SERVER_KEY, MemoryServer

NOW = 1_000.0
AWAY = UnreachableError(address="x:1", reason="connection refused", profile="acme")
REFUSALS = [
    (LoginRefusedError(server="acme"), Status.REFUSED),
    (VersionUnknownError(theirs=65, ours=1), Status.REFUSED),
    (ServerKeyChangedError(server="acme"), Status.STOPPED),
]
LOCKED = [KeyLockedError(), PassphraseWrongError()]


class AtOnce:
    """A pool that needs no threads."""

    crypto_in_pool = False

    def run(self, function, *args, **kwargs):
        return execute(function, *args, **kwargs)

    compute = run


class Account:
    """A reconnector, and what each of its tries meets: an error, a server, or a Deferred that becomes one."""

    def __init__(self, state, profile):
        self.clock = Clock()
        self.events, self.faults, self.addresses = [], [], []
        self.outcomes, self.servers = [], []
        self.on_notice = None
        profile = Profiles(state).add(profile)
        self.reconnector = Reconnector(
            self.clock, state, profile, ask=None, pool=AtOnce(), emit=self.events.append,
            keep_fault=self.faults.append, connect=self._connect, now=lambda: NOW + self.clock.seconds(),
        )  # fmt: skip
        self.state = state

    async def _connect(self, reactor, state, profile, *, ask, pool, on_notice):
        self.addresses.append(profile.address)
        self.on_notice = on_notice
        outcome = self.outcomes.pop(0) if self.outcomes else MemoryServer(self.clock)
        if isinstance(outcome, Deferred):
            outcome = await outcome
        if isinstance(outcome, Exception):
            raise outcome
        self.servers.append(outcome)
        return Session(
            outcome.connection, state, profile, ADA_KEY, Pins(state, profile.server_id), pool,
            owns_pool=False,
        )  # fmt: skip

    def start(self, coroutine):
        ended = []
        Deferred.fromCoroutine(coroutine).addBoth(ended.append)
        self.pump()
        return ended

    def begin(self, *outcomes):
        self.outcomes[:] = outcomes
        return self.start(self.reconnector.begin())

    def pump(self, seconds=0):
        """Let time pass and bytes flow."""
        self.clock.advance(seconds)
        for server in self.servers:
            if not server.lost:
                server.pump()
        self.clock.advance(0)

    def lose(self):
        self.servers[-1].lose()
        self.pump(0.5)

    @property
    def status(self):
        return self.reconnector.connection.status

    @property
    def tries(self):
        return len(self.addresses)


@pytest.fixture
def account(state, profile):
    return Account(state, profile)


def test_a_server_that_is_away_is_tried_again_after_growing_pauses(account):
    (failure,) = account.begin(*[AWAY] * 9)
    assert failure.value is AWAY
    for tries, pause in enumerate([1, 2, 4, 8, 15, 30, 30, 30], start=1):
        assert (account.status, account.tries) == (Status.AWAY, tries)
        assert account.reconnector.connection.error is AWAY
        assert account.reconnector.connection.again_at == NOW + account.clock.seconds() + pause
        account.pump(pause - 0.1)
        assert account.tries == tries
        account.pump(0.1)
    account.pump(30)
    assert account.status is Status.ONLINE


def test_every_try_looks_for_the_server_where_it_is_now(account):
    account.begin(AWAY)
    Profiles(account.state).set_address("acme", "192.0.2.9:7000")
    account.pump(1)
    assert account.addresses == ["files.acme.example:7361", "192.0.2.9:7000"]


def test_a_person_need_not_wait_for_the_next_try(account):
    account.begin(AWAY)
    account.reconnector.again()
    account.pump()
    assert account.status is Status.ONLINE


def test_a_lost_connection_comes_back_and_its_pauses_begin_anew(account):
    assert account.begin() == [None]
    for _ in range(2):
        assert account.status is Status.ONLINE
        account.lose()
        assert (account.status, account.reconnector.session) == (Status.AWAY, None)
        account.pump(1)
    assert account.tries == 3
    seen = [event.status for event in account.events if isinstance(event, ConnectionInfo)]
    assert seen[:2] == [Status.CONNECTING, Status.ONLINE]
    assert seen[-1] is Status.ONLINE


def test_what_was_listed_before_a_lost_connection_is_held_to_the_log_of_that_time(account):
    log = LogInMemory(SERVER_KEY)
    account.begin(MemoryServer(account.clock, log=log))
    began = account.reconnector.session.log.begun_at
    account.outcomes.append(MemoryServer(account.clock, log=log))
    account.lose()
    account.pump(1.0)
    assert account.reconnector.session.log.told.checkpoint.size > began
    assert account.reconnector.session.log.begun_at == began


def test_what_a_lost_connection_cut_off_waits_for_the_next_session(account):
    left = []
    account.begin()
    first = account.reconnector.session.carried_over
    first.add(SimpleNamespace(leave=lambda: left.append("left")))
    account.lose()
    account.pump(1.0)
    assert len(account.servers) == 2
    assert account.reconnector.session.carried_over is first
    assert not left
    account.start(account.reconnector.end())
    account.pump(1.0)
    assert left == ["left"]


def test_what_a_request_finds_gone_is_looked_at_at_once(account):
    account.begin()
    account.servers[-1].lose()
    (failure,) = account.start(account.reconnector.ask(lambda session: make_folder(session, "a")))
    assert failure.check(ConnectionLostError)
    assert account.status is Status.AWAY


@pytest.mark.parametrize(("error", "status"), REFUSALS)
def test_a_server_that_refuses_is_tried_again_only_when_a_person_says_so(account, error, status):
    account.begin(error)
    account.pump(1000)
    assert (account.status, account.tries) == (status, 1)
    account.reconnector.again()
    account.pump()
    assert account.status is Status.ONLINE


@pytest.mark.parametrize("error", LOCKED)
def test_a_key_that_does_not_open_is_not_tried_again(account, error):
    assert account.begin(error)[0].value is error
    account.reconnector.again()
    account.pump(1000)
    assert (account.status, account.tries) == (Status.LOCKED, 1)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"by": "eva", "why": "removed"}, RemovedError(by="eva", server="acme-files")),
        ({"by": "eva", "why": "disabled"}, LockedOutError(by="eva", server="acme-files")),
        ({"by": "eva", "why": "key"}, KeyEndedError(by="eva", server="acme-files")),
        ({"by": "eva"}, SessionEndedError(by="eva")),
        ({}, SessionEndedError(by="The operator")),
    ],
)
def test_whom_an_admin_sends_away_does_not_come_back_by_themselves(account, values, error):
    account.begin()
    account.on_notice(Notice("ended", values))
    account.lose()
    account.pump(1000)
    told = account.reconnector.connection
    assert (told.status, type(told.error)) == (Status.REFUSED, type(error))
    assert told.error.values == error.values
    assert ServerNotice("ended", values) in account.events
    assert account.tries == 1


def test_a_new_role_is_told_and_one_of_another_version_is_not(account):
    account.begin()
    account.on_notice(Notice("role", {"role": "guest"}))
    assert account.reconnector.connection.role is Role.GUEST
    events = list(account.events)
    account.on_notice(Notice("role", {"role": "emperor"}))
    assert account.events == events


def test_a_quiet_session_is_asked_for_before_the_server_ends_it(account):
    account.begin()
    account.on_notice(Notice("role", {"role": "guest"}))
    for _ in range(250):
        account.pump(0.5)
    assert [type(message) for message in account.servers[-1].received] == [ShowSelf]
    assert account.reconnector.connection.role is Role.MAINTAINER


def test_up_to_where_the_log_was_shown_is_kept_while_the_session_goes_on(account):
    """Whoever loses power then holds the server to it all the same."""
    account.begin()
    log, session = account.servers[-1].log, account.reconnector.session
    log.append()
    for _ in range(250):
        account.pump(0.5)
    kept = Heads(account.state, session.profile.server_id).read()
    assert [each.checkpoint for each in kept] == [log.checkpoint()]


def silenced(account):
    """Have a request wait until the server is known to be silent."""
    account.begin()
    server = account.servers[-1]
    server.hold = True
    asked = account.start(account.reconnector.ask(lambda session: make_folder(session, "a")))
    for _ in range(32):
        account.pump(0.5)
    assert [type(message) for message in server.received] == [MakeFolder, ShowSelf]
    assert account.status is Status.ONLINE
    assert account.reconnector.connection.silent_since == NOW + 5
    return server, asked


def test_a_server_that_does_not_answer_is_silent_until_it_does(account):
    server, asked = silenced(account)
    for message in server.received:
        server.answer(message)
    account.pump(0.5)
    assert asked == [True]
    assert account.reconnector.connection.silent_since is None
    assert account.tries == 1


def test_a_silent_server_is_left_for_a_new_connection_when_a_person_says_so(account):
    _, asked = silenced(account)
    account.reconnector.again()
    account.pump(0.5)
    assert asked[0].check(ConnectionLostError)
    account.pump(1)
    assert (account.status, account.tries) == (Status.ONLINE, 2)
    assert account.reconnector.connection.silent_since is None


def test_nothing_can_be_asked_without_a_session(account):
    account.begin(AWAY)
    (failure,) = account.start(account.reconnector.ask(lambda session: make_folder(session, "a")))
    assert failure.check(ConnectionLostError)
    assert account.tries == 1


def test_the_end_says_good_bye_and_nothing_is_told_or_tried_any_more(account):
    account.begin()
    ended = account.start(account.reconnector.end())
    account.pump()
    assert ended == [None]
    assert account.servers[-1].wire.state.value in {"peer closed", "closed"}
    events = list(account.events)
    account.on_notice(Notice("role", {"role": "guest"}))
    account.pump(1000)
    assert (account.events, account.tries) == (events, 1)
    assert account.clock.getDelayedCalls() == []


def test_a_server_that_does_not_say_good_bye_is_left_after_a_second(account):
    account.begin()
    server = account.servers.pop()
    ended = account.start(account.reconnector.end())
    assert ended == []
    account.pump(1)
    assert ended == [None]
    assert server.transport.disconnected or server.transport.disconnecting


def test_whoever_leaves_while_the_server_is_called_hears_no_error(account):
    called = account.begin(Deferred())
    assert (called, account.status) == ([], Status.CONNECTING)
    account.start(account.reconnector.end())
    assert called == [None]
    account.pump(1000)
    assert account.tries == 1


def test_a_session_that_comes_when_nobody_wants_it_any_more_is_ended(account):
    server = MemoryServer(account.clock)
    called = account.begin(Deferred(lambda late: late.callback(server)))
    account.start(account.reconnector.end())
    assert called == [None]
    assert not server.connection.alive
    assert account.status is Status.CONNECTING


def test_a_cancelled_call_is_no_try(account):
    ended = []
    account.outcomes[:] = [Deferred()]
    calling = Deferred.fromCoroutine(account.reconnector.begin())
    calling.addErrback(lambda failure: ended.append(failure.check(CancelledError)))
    calling.cancel()
    account.pump(1000)
    assert (ended, account.tries) == ([CancelledError], 1)


def test_a_fault_of_ours_is_written_down_and_no_reason_to_give_up(account):
    account.begin(AWAY, ZeroDivisionError("ours"))
    account.pump(1)
    assert "ZeroDivisionError: ours" in account.faults[0]
    assert account.status is Status.AWAY
    account.pump(2)
    assert account.status is Status.ONLINE


def test_the_account_is_known_before_it_is_connected(account):
    told = account.reconnector.connection
    assert (told.account, told.server, told.user, told.user_id) == ("acme", "acme-files", "ada", 7)
    assert told.role is Role.MAINTAINER

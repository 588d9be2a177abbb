from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from sft.client.pins import Pins, own_pin
from sft.client.profiles import Profile
from sft.client.session import Session
from sft.client.state import StateFolder
from tests.unit.client import memory_server as memory
from tests.unit.client.log_in_memory import LogInMemory


class Dialing:
    """A reactor in memory whose every outgoing connection meets the next of these servers."""

    def __init__(self):
        self.reactor = MemoryReactorClock()
        self.pool = memory.TurnPool()
        self.servers = []
        self.met = 0
        self.waits = []
        self.log = LogInMemory(memory.SERVER_KEY)

    def server(self, **fields):
        """Let the next connection meet a server."""
        server = memory.MemoryServer(self.reactor, self.pool, dialed=True)
        server.log = self.log
        for name, value in fields.items():
            setattr(server, name, value)
        self.servers.append(server)
        return server

    def run(self, coroutine):
        ended = []
        Deferred.fromCoroutine(coroutine).addBoth(ended.append)
        for _ in range(40):
            while self.met < len(self.reactor.tcpClients):
                self._meet(self.reactor.tcpClients[self.met][2])
            here = [s for s in self.servers[: self.met] if hasattr(s, "transport")]
            for server in here:
                server.pump()
            self.pool.step()
            if ended:
                break
            due = [call.getTime() for call in self.reactor.getDelayedCalls()]
            busy = self.pool.waiting or self.met < len(self.reactor.tcpClients)
            if due and not busy:
                wait = min(due) - self.reactor.seconds()
                self.waits.append(wait)
                self.reactor.advance(wait)
        assert ended, "it waits for ever"
        if hasattr(ended[0], "raiseException"):
            ended[0].raiseException()
        return ended[0]

    def _meet(self, factory):
        self.met += 1
        server = self.servers[self.met - 1]
        if isinstance(server, Exception):
            factory.clientConnectionFailed(None, Failure(server))
            return
        link = factory.buildProtocol(None)
        if getattr(server, "hangs_up", False):
            link.makeConnection(StringTransport())
            link.connectionLost(Failure(ConnectionLost()))
            return
        server.accept(link)
        server.pump()


@pytest.fixture
def dialing():
    return Dialing()


@pytest.fixture
def state(tmp_path):
    return StateFolder(tmp_path / "state", tmp_path / "state")


@pytest.fixture
def server():
    return memory.MemoryServer()


@pytest.fixture
def profile():
    return Profile(
        name="acme",
        server_name="acme-files",
        host="files.acme.example",
        port=7361,
        server_key=memory.SERVER_KEY.public.point,
        server_id=memory.SERVER_KEY.public.server_id(),
        public_key=memory.ADA_KEY.public.encode(),
        key_file="keys/ada.key",
        device="laptop",
        user_name="ada",
        user_id=7,
        role="maintainer",
    )


@pytest.fixture
def session(server, state, profile):
    pins = Pins(state, profile.server_id, own_pin(profile))
    return Session(
        server.connection, state, profile, memory.ADA_KEY, pins, server.pool, owns_pool=True, clock=lambda: 4000
    )

"""Links over transports in memory, on a clock that stands until it is moved."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import Logger

from sft.server.admission import Admission
from sft.server.context import ServerContext
from sft.server.event_log import EventLog
from sft.server.factory import NetworkFactory
from sft.transport.protocol import WireProtocol
from sft.wire.connection import Connection
from sft.wire.events import LoginRequested
from tests.wire_pairs import pair


class Transport(StringTransport):
    """Remembers what became of it."""

    def __init__(self, address=None):
        super().__init__(peerAddress=address)
        self.aborted = False

    def abortConnection(self):
        self.aborted = True
        self.disconnecting = True

    def take(self) -> bytes:
        data = self.value()
        self.clear()
        return data


class Owner:
    def __init__(self):
        self.events = []
        self.ends = []
        self.in_flight = False
        self.link = None

    def connected(self):
        pass

    def received(self, event):
        self.events.append(event)
        if isinstance(event, LoginRequested):
            self.link.outbox.write(self.link.connection.welcome(pair.WELCOME))
            self.link.logged_in()

    def ended(self, reason):
        self.ends.append(reason)

    def busy(self):
        return self.in_flight


class End:
    """A server's link, and a client without a link at its other end."""

    def __init__(self, clock: Clock | None = None):
        self.clock = clock or Clock()
        self.owner = Owner()
        self.link = self.owner.link = WireProtocol(self.clock, pair.new_server(), self.owner)
        self.transport = Transport()
        self.client: Connection = pair.new_client()
        self.events = []
        self.link.makeConnection(self.transport)

    def log_in(self):
        self.to_server(self.client.data_to_send())
        self.to_client()
        self.to_server(self.client.data_to_send())
        self.to_client()
        assert self.client.established
        return self

    def to_server(self, data: bytes):
        self.link.dataReceived(data)

    def to_client(self):
        events = self.client.receive(self.transport.take())
        self.events += events
        return events

    def lose(self):
        self.link.connectionLost()


class Gate:
    """A network listener without a network: connections come from whatever address a test says."""

    def __init__(self, **limits):
        self.clock = Clock()
        self.lines = []
        self.admission = Admission(**limits)
        event_log = EventLog(Logger(namespace="sft", observer=lambda event: self.lines.append(event["line"])))
        # Before a login nothing but these is asked for.
        self.context = ServerContext(
            reactor=self.clock,
            info=pair.SERVER,
            storage=SimpleNamespace(server_key=pair.SERVER_KEY),
            readers=None,
            writer=None,
            ledger=None,
            head_signer=None,
            pool=SimpleNamespace(threads=1),
            reading_pool=None,
            entry_pool=None,
            maintenance_pool=None,
            master_keys=None,
            row_keys=None,
            event_log=event_log,
            clock=lambda: 0,
            admission=self.admission,
        )
        self.factory = NetworkFactory(self.context)

    def connect(self, host="192.0.2.7"):
        address = IPv4Address("TCP", host, 40_000)
        protocol = self.factory.buildProtocol(address)
        transport = Transport(address)
        protocol.makeConnection(transport)
        transport.protocol = protocol
        return transport

    def lose(self, transport):
        transport.protocol.connectionLost()

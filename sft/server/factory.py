"""The factories of the two listeners: the network's, behind admission, and the control socket's, for the operator alone.

The control socket lies 0600 in a 0700 folder, and the kernel must say that its peer is the server's own user or root.
"""

from __future__ import annotations

import os
from typing import Any, cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

from sft.server.admission import LOCAL, Offense, source_of
from sft.server.context import ServerContext
from sft.server.session import ServerSession
from sft.transport.local_peer import peer_uid
from sft.transport.protocol import WireProtocol
from sft.wire.connection import Connection


class _Refused(Protocol):
    """A connection that is closed before a byte is read."""

    def connectionMade(self) -> None:
        cast("Any", self.transport).abortConnection()


class _Guarded(WireProtocol):
    """A network connection, counted until it has logged in."""

    def __init__(self, context: ServerContext, session: ServerSession, source: str) -> None:
        super().__init__(
            context.reactor, Connection.server(context.server_key, successions=context.successions), session
        )
        self._context = context
        self._session = session
        self._source = source
        self._settled = False

    def connectionMade(self) -> None:
        victim = self._context.admission.admit(self, self._source)
        if isinstance(victim, _Guarded):
            victim.crowd_out()
        super().connectionMade()

    def crowd_out(self) -> None:
        """Go, because a newer connection needs the place."""
        self._settled = True
        self._context.strangers.note("crowded-out", self._source)
        self.transport.abortConnection()

    def logged_in(self) -> None:
        self._settled = True
        self._context.admission.release(self)
        super().logged_in()

    def connectionLost(self, reason: object = None) -> None:
        context = self._context
        context.admission.release(self)
        super().connectionLost(reason)
        if not self._settled:
            self._settled = True
            offense = self._offense()
            why = self.failure.detail if self.failure is not None else offense.name.lower()
            context.strangers.note("no-login", self._source, why=why)
            context.admission.penalize(self._source, offense, context.reactor.seconds())

    def _offense(self) -> Offense:
        if self._session.login_refused:
            return Offense.BAD_LOGIN
        # Whatever failed before a well-formed hello cost nothing: a browser or a probe behind the address of an office.
        harmless = self.late or self.failure is None or not self.connection.greeted
        return Offense.NO_LOGIN if harmless else Offense.BROKE_PROTOCOL


class NetworkFactory(Factory):
    """Makes sessions for the network listener."""

    noisy = False

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make a session for an address, or refuse it while its source serves a penalty."""
        context = self._context
        host = getattr(addr, "host", "")
        source = source_of(host)
        seconds = context.admission.refused_for(source, context.reactor.seconds())
        if seconds > 0:
            context.strangers.note("refused", source, seconds=round(seconds))
            return _Refused()
        session = ServerSession(context, f"{host}:{getattr(addr, 'port', '')}", source)
        session.link = _Guarded(context, session, source)
        return session.link


class _Control(WireProtocol):
    """A connection on the control socket."""

    def __init__(self, context: ServerContext, session: ServerSession) -> None:
        connection = Connection.server(context.server_key, operator_allowed=True)
        super().__init__(context.reactor, connection, session)
        self.session_ends = False
        self._context = context
        self._session = session

    def connectionMade(self) -> None:
        uid = peer_uid(self.transport.getHandle())
        if uid not in (0, os.geteuid()):
            self._context.event_log.warn("control-refused", uid=uid)
            self.transport.abortConnection()
            return
        self._session.operator_uid = uid
        super().connectionMade()


class ControlFactory(Factory):
    """Makes sessions for the control socket."""

    noisy = False

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002 - Twisted's form
        """Make a session for whoever is at the socket; its user is checked when the transport is there."""
        session = ServerSession(self._context, "control socket", LOCAL)
        session.link = _Control(self._context, session)
        return session.link

"""The operator's socket of a server: listened at, and made again where somebody removed it as a leftover.

Rules. A home that was moved, or another's folder in its place, gets no socket: what lies there is not this server's any more.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall

from sft.operator.home import Home, HomeLock
from sft.server.event_log import EventLog

LOOK_SECONDS: Final = 60


class ControlSocket:
    """The socket of one home.

    Args:
        lock: of the home, taken.
        clock: times the looks; the reactor's own unless given.
    """

    def __init__(
        self, reactor: Any, home: Home, lock: HomeLock, factory: Factory, event_log: EventLog, *, clock: Any = None
    ) -> None:
        self._reactor = reactor
        self._home = home
        self._lock = lock
        self._factory = factory
        self._event_log = event_log
        self._port: IListeningPort | None = None
        self._turn = DeferredLock()
        self._looking = LoopingCall(lambda: Deferred.fromCoroutine(self.look()))
        self._looking.clock = clock or reactor

    async def listen(self) -> None:
        """Listen, in place of a socket that was left behind."""
        # Whoever holds the lock knows that nobody listens there.
        self._home.control.unlink(missing_ok=True)
        # Twisted's own lock file holds a process id, and after a crash any process may have that: ours is the kernel's.
        where = f"unix:{_escaped(str(self._home.control))}:mode=600:lockfile=0"
        self._port = await serverFromString(self._reactor, where).listen(self._factory)

    def start_looking(self) -> None:
        """Look each minute whether it is there."""
        self._looking.start(LOOK_SECONDS, now=False).addErrback(self._event_log.failed, "control-fault")

    async def look(self) -> None:
        """Make it again where it is gone and the home is where it was."""
        async with self._turn:
            if self._port is None or not self._is_gone():
                return
            try:
                # Twisted removes the file of a socket, and closes nothing where it finds none.
                self._home.control.touch(0o600)
                await self._close()
                await self.listen()
            except (OSError, CannotListenError) as error:  # of a disk that is full: the next look tries again
                self._event_log.warn("control-lost", why=str(error))
            else:
                self._event_log.warn("control-made-again", where=str(self._home.control))

    def _is_gone(self) -> bool:
        return not os.path.lexists(self._home.control) and self._lock.is_at_home()

    async def stop(self) -> None:
        """Listen and look no more; idempotent."""
        if self._looking.running:
            self._looking.stop()
        async with self._turn:
            await self._close()
            self._port = None

    async def _close(self) -> None:
        if self._port is None:
            return
        stopping = self._port.stopListening()
        if isinstance(stopping, Deferred):
            # The file may be gone: a home that was moved, or somebody who cleaned up.
            with contextlib.suppress(FileNotFoundError):
                await stopping


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")

"""The connections that an agent has at once: one question each, within a second, and so many of them.

    accepted → what came of a frame so far → the answer, and closed        nothing waits for anybody

Rules. A connection has its moment for all of it, however its bytes come: who sends one at a time, or none, keeps neither the
others waiting nor the agent beyond its end. Where there is one too many, the oldest goes; a system that takes none is asked
again in a moment. What is not the same person's is closed unread; what is no frame, unanswered.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sft.client.agent.messages import LONGEST, frame_in
from sft.client.agent.place import is_same_person

PEER_SECONDS: Final = 1.0  # for a question to come whole
PAUSE_SECONDS: Final = 0.1  # until a system that has no descriptor is asked again
MOST_PEERS: Final = 32  # a program asks once and goes; descriptors are few where a limit is low

Answerer = Callable[[int, bytes], bytes]
"""Makes the frame that answers a question."""


class Peers:
    """Takes questions at one listening socket.

    Args:
        clock: seconds; those that a connection has are told by it.
    """

    def __init__(
        self, listening: socket.socket, answer: Answerer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._listening = listening
        self._answer = answer
        self._clock = clock
        self._came: dict[socket.socket, bytes] = {}  # the oldest first
        self._ends: dict[socket.socket, float] = {}
        self._selector = selectors.DefaultSelector()
        self._asks_again: float | None = None  # when, where the system has no descriptor
        listening.setblocking(False)
        self._selector.register(listening, selectors.EVENT_READ)

    def serve(self, seconds: float) -> None:
        """Wait for something to come, so long at most, and take it; drop whoever is late."""
        now = self._clock()
        if self._asks_again is not None and now >= self._asks_again:
            self._asks_again = None
            self._selector.register(self._listening, selectors.EVENT_READ)
        moments = [*self._ends.values(), *([] if self._asks_again is None else [self._asks_again])]
        seconds = min([seconds, *(moment - now for moment in moments)])
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._listening:
                self._accept()
            elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._came:
                self._read(key.fileobj)
        now = self._clock()
        for late in [connection for connection, end in self._ends.items() if end <= now]:
            self._drop(late)

    def close(self) -> None:
        """Close all of them, and the listening socket."""
        for connection in [*self._came]:
            self._drop(connection)
        self._selector.close()
        self._listening.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except BlockingIOError:
            return
        except OSError:  # no descriptor is left: of the process, or of the system, where dropping helps nobody
            if self._came:
                self._drop_oldest()
            else:
                # Whoever waits there would have every wait end at once.
                self._selector.unregister(self._listening)
                self._asks_again = self._clock() + PAUSE_SECONDS
            return
        if not is_same_person(connection):
            connection.close()
            return
        if len(self._came) >= MOST_PEERS:
            self._drop_oldest()
        connection.setblocking(False)
        self._came[connection] = b""
        self._ends[connection] = self._clock() + PEER_SECONDS
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        came = self._came[connection]
        try:
            more = connection.recv(LONGEST - len(came))
            frame = frame_in(came + more)
        except BlockingIOError:
            return
        except (OSError, EOFError):
            more, frame = b"", None
        if not more:  # it is cut short, or none
            self._drop(connection)
            return
        if frame is None:
            self._came[connection] = came + more
            return
        with suppress(OSError):  # a buffer that nothing was written to takes all of it
            connection.send(self._answer(*frame))
        self._drop(connection)

    def _drop_oldest(self) -> None:
        for connection in [*self._came][:1]:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._came[connection], self._ends[connection]
        connection.close()

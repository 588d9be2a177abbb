"""How a client holds a connection to a rate: what waits, and what is spent for what.

Rules. What leaves is held by the outbox, chunk by chunk, and by whoever asks for a request with content. What comes is held by
its credit: a chunk is paid for when it is allowed; of what a request allows by itself one chunk is, and the rest when it comes,
as is content within an answer. What was paid for and never came is given back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sft.client.loop import Waiting
from sft.limits import CHUNK_BYTES
from sft.transport.rate import RateLimit
from sft.wire.messages import Cancel, Credit, GetFile, GetFiles, Message, Reply, Request

_ANSWERED_BY_CONTENT: Final = frozenset({GetFile, GetFiles})


class Pace:
    """One connection's content.

    Args:
        send: sends a message now.
        waiting: makes what is awaited, on the loop of the connection.
    """

    def __init__(self, rate: RateLimit, send: Callable[[Message], None], waiting: Callable[[], Waiting[None]]) -> None:
        self._rate = rate
        self._send = send
        self._waiting = waiting
        self._held: dict[int, int] = {}
        self._paid: dict[int, int] = {}

    def begun(self, request_id: int, kind: type[Request], fields: Mapping[str, Any]) -> None:
        """Note a request that left."""
        self._rate.spend(_content_bytes(fields.get))
        if kind in _ANSWERED_BY_CONTENT:
            self._paid[request_id] = CHUNK_BYTES
            self._rate.spend(CHUNK_BYTES)

    def answered(self, reply: Reply) -> None:
        """Note the content of an answer."""
        self._rate.spend(_content_bytes(lambda name, default: getattr(reply, name, default)))

    async def turn(self) -> None:
        """Wait until content may move."""
        if self._rate.ready:
            return
        waiting = self._waiting()
        self._rate.when_ready(lambda: None if waiting.called else waiting.callback(None))
        await waiting

    def holds(self, message: Message) -> bool:
        """Return whether a message was taken here: credit, which is given as the rate allows."""
        if isinstance(message, Cancel):
            self._held.pop(message.id, None)
        if not isinstance(message, Credit):
            return False
        waits = message.id in self._held
        self._held[message.id] = self._held.get(message.id, 0) + message.chunks
        if not waits:
            self._rate.when_ready(lambda: self._allow(message.id))
        return True

    def received(self, request_id: int, size_bytes: int) -> None:
        """Note a chunk that came."""
        paid = self._paid.get(request_id, 0)
        if not paid:
            self._rate.spend(size_bytes)
            return
        self._paid[request_id] = paid - CHUNK_BYTES
        self._rate.give_back(CHUNK_BYTES - size_bytes)

    def over(self, request_id: int) -> None:
        """Note that nothing more comes of a request."""
        self._held.pop(request_id, None)
        paid = self._paid.pop(request_id, 0)
        if paid:
            self._rate.give_back(paid)

    def end(self) -> None:
        """Hold nothing more: the connection is gone."""
        self._held.clear()
        self._rate.end()

    def _allow(self, request_id: int) -> None:
        chunks = self._held.pop(request_id, 0)
        if not chunks:
            return
        now = min(chunks, self._rate.affordable_chunks())
        self._paid[request_id] = self._paid.get(request_id, 0) + now * CHUNK_BYTES
        self._rate.spend(now * CHUNK_BYTES)
        if chunks > now:
            self._held[request_id] = chunks - now
            self._rate.when_ready(lambda: self._allow(request_id))
        self._send(Credit(id=request_id, chunks=now))


def moves_content(kind: type[Request], fields: Mapping[str, Any]) -> bool:
    """Return whether a request moves content, by itself or by its answer."""
    return kind in _ANSWERED_BY_CONTENT or _content_bytes(fields.get) > 0


def _content_bytes(field: Callable[[str, Any], Any]) -> int:
    """Count the content of a message: its own, and that of each file in it."""
    size = len(field("content", b""))
    for name in ("files", "results"):
        parts = field(name, ())
        if isinstance(parts, tuple):
            size += sum(len(getattr(part, "content", b"")) for part in parts)
    return size

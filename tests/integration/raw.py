"""The harness's own tools: waiting on the reactor, and a client that sends whatever it is told to."""

from __future__ import annotations

import functools
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults

from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import SigningKey
from sft.crypto.notes import parse_receipts
from sft.crypto.signatures import sign_file
from sft.crypto.signed_note import text_of
from sft.errors import SftError
from sft.limits import CHUNK_BYTES
from sft.model.records import Stored
from sft.transport.protocol import WireProtocol
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import DataReceived, Event, MessageReceived, Welcomed
from sft.wire.login import Welcome
from tests.fakes.signed_acts import signed_request
from tests.loop import PATIENCE_SECONDS, bridged


@functools.lru_cache(8)
def content(size: int, seed: int = 1) -> bytes:
    """Make bytes that compress to nothing and are the same in every run."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def chunks_of(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK_BYTES] for at in range(0, max(1, len(data)), CHUNK_BYTES)]


def on_reactor(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """Run a test as Twisted's coroutine, which awaits Deferreds, on the loop that pytest runs."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        await bridged(test(*args, **kwargs))

    return run


def pause(seconds: float = 0.0) -> Deferred[None]:
    from twisted.internet import reactor

    waited: Deferred[None] = Deferred()
    reactor.callLater(seconds, waited.callback, None)
    return waited


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition: it is looked at again whenever the reactor has had its turn."""
    from twisted.internet import reactor

    end = reactor.seconds() + PATIENCE_SECONDS / 2
    while not condition():
        if reactor.seconds() > end:
            raise AssertionError(f"never came true: {what}")
        await pause(0.002)


async def nobody_to_ask() -> str:
    raise AssertionError("asked for a passphrase")


def in_parallel(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> Awaitable[list[Any]]:
    return gatherResults([Deferred.fromCoroutine(each) for each in coroutines], consumeErrors=True)


@dataclass(frozen=True)
class Person:
    name: str
    user_id: int
    key: SigningKey
    server_id: bytes

    def sign(self, path: str, data: bytes, **changes: Any) -> bytes:
        """Sign content as a file; ``changes`` replace fields of what is signed."""
        fields: dict[str, Any] = {
            "server_id": self.server_id,
            "file_id": os.urandom(16),
            "version": 1,
            "size": len(data),
            "digest": changes["digest"] if "digest" in changes else blake2b_512(data).digest(),
            "mtime": 1_700_000_000,
            "name": path,
            "user": self.user_id,
            "prev": None,
            "ts": 1_700_000_001,
        }
        return sign_file(self.key, FileComment(**(fields | changes))).encode()


def alone(answer: m.Reply) -> Any:
    """Give the answer about one small file as if it had been asked about by itself."""
    if not isinstance(answer, m.FilesStored):
        return answer
    (result,) = answer.results
    if isinstance(result, m.RefusedFile):
        return m.Refusal(answer.id, result.code, result.values, result.ref)
    (line,) = parse_receipts(text_of(answer.receipt))
    stored = Stored(line.name, line.version, line.size, line.digest, answer.receipt, result.unchanged)
    return m.FileStored(answer.id, stored)


class Raw:
    """A connection that sends whatever it is told to: the owner of a link, with an inbox."""

    def __init__(self, connection: Connection, key: SigningKey | None = None) -> None:
        from twisted.internet import reactor

        self.connection = connection
        self.key = key
        self.welcome: Welcome | None = None
        self.link = WireProtocol(reactor, connection, self)
        self.inbox: list[Event] = []
        self.data: dict[int, list[bytes]] = {}
        self.credit: Counter[int] = Counter()
        self.notices: list[m.Notice] = []
        self.gone = False
        self.reason: SftError | None = None
        self._waiting: list[Deferred[None]] = []

    # -- the link calls these

    def connected(self) -> None:
        """Nothing to note."""

    def received(self, event: Event) -> None:
        if isinstance(event, Welcomed):
            self.link.logged_in()
            self.welcome = event.welcome
        if isinstance(event, DataReceived):
            self.data.setdefault(event.request_id, []).append(event.chunk)
        elif isinstance(event, MessageReceived) and isinstance(event.message, m.Credit):
            self.credit[event.message.id] += event.message.chunks
        elif isinstance(event, MessageReceived) and isinstance(event.message, m.Notice):
            self.notices.append(event.message)
        self.inbox.append(event)
        self._wake()

    def ended(self, reason: SftError | None) -> None:
        self.gone = True
        self.reason = reason
        self._wake()

    def busy(self) -> bool:
        return True

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    # -- tests call these

    async def when(self, condition: Callable[[], object]) -> None:
        """Wait until something that arrived has made this true."""
        while not condition():
            if self.gone:
                raise ConnectionError(f"the connection is gone: {self.reason!r}")
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting

    async def until_gone(self) -> SftError | None:
        while not self.gone:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting
        return self.reason

    def begin(self, kind: type[m.Request], /, **fields: Any) -> int:
        """Ask for something; what people sign is signed, unless ``statement`` is given."""
        request_id = self.connection.next_request_id
        self.link.outbox.send(signed_request(kind(id=request_id, **fields), self.key, self.welcome))
        return request_id

    def tell(self, message: m.Message) -> None:
        self.link.outbox.send(message)

    def send_data(self, request_id: int, chunk: bytes, *, last: bool = False) -> None:
        self.link.outbox.write(self.connection.send_data(request_id, chunk, last))

    def answers(self, request_id: int) -> list[m.Reply]:
        messages = [each.message for each in self.inbox if isinstance(each, MessageReceived)]
        return [each for each in messages if isinstance(each, m.Reply) and each.id == request_id]

    def inbox_has(self, *kinds: type) -> bool:
        return any(isinstance(each, kinds) for each in self.inbox)

    async def answer(self, request_id: int) -> Any:
        """Wait for the answer that ends a request (or begins a download); of several frames all results are in one."""
        await self.when(lambda: any(not getattr(each, "more", False) for each in self.answers(request_id)))
        *before, last = self.answers(request_id)
        if not before or not isinstance(last, m.FilesContent):
            return last
        results = tuple(each for frame in (*before, last) for each in cast("m.FilesContent", frame).results)
        return m.FilesContent(request_id, results, cast("m.FilesContent", before[0]).evidence)

    async def ask(self, kind: type[m.Request], /, **fields: Any) -> Any:
        return await self.answer(self.begin(kind, **fields))

    def begin_put(self, path: str, signature: bytes, data: bytes) -> int:
        return self.begin(m.PutFiles, files=(m.SmallPut(path, signature, data),))

    async def put(self, path: str, signature: bytes, data: bytes) -> Any:
        """Store one small file."""
        return alone(await self.answer(self.begin_put(path, signature, data)))

    async def barrier(self) -> None:
        """Come back when the server has taken in everything that was sent before."""
        await self.ask(m.ShowSelf)

    def abort(self) -> None:
        if not self.gone:
            self.link.fail(SftError("the test ends"))


@dataclass
class RawUpload:
    """An upload by hand, step by step."""

    raw: Raw
    person: Person
    path: str
    data: bytes
    version: int = 1
    prev: bytes | None = None
    file_id: bytes = field(default_factory=lambda: os.urandom(16))
    window: int = 8
    upload_id: bytes = field(default_factory=lambda: os.urandom(16))
    id: int = 0
    sent: int = 0

    def begin(self, *, size: int | None = -1, resume: m.ResumePoint | None = None) -> RawUpload:
        self.id = self.raw.begin(
            m.BeginUpload,
            path=self.path,
            file_id=self.file_id,
            version=self.version,
            size=len(self.data) if size == -1 else size,
            window=self.window,
            upload_id=self.upload_id,
            resume=resume,
        )
        self.raw.credit[self.id] += min(self.window, 8)
        self.sent = 0 if resume is None else resume.chunks
        return self

    @property
    def chunks(self) -> list[bytes]:
        return chunks_of(self.data)

    async def admitted(self) -> None:
        """Wait until the server let it begin: it grants more than the window."""
        had = self.raw.credit[self.id]
        await self.raw.when(lambda: self.raw.credit[self.id] > had or self.answered)

    @property
    def answered(self) -> bool:
        return bool(self.raw.answers(self.id))

    async def send(self, count: int | None = None) -> None:
        """Send so many chunks more, or all, as credit allows; stop where it is answered."""
        chunks = self.chunks
        end = len(chunks) if count is None else min(len(chunks), self.sent + count)
        while self.sent < end and not self.answered:
            await self.raw.when(lambda: self.raw.credit[self.id] > 0 or self.answered)
            if self.answered:
                return
            self.raw.credit[self.id] -= 1
            last = self.sent == len(chunks) - 1
            self.raw.send_data(self.id, chunks[self.sent], last=last)
            self.sent += 1

    def commit(self, **changes: Any) -> None:
        digest = blake2b_512(self.data).digest()
        fields = {"file_id": self.file_id, "version": self.version, "prev": self.prev, "digest": digest} | changes
        self.raw.tell(
            m.CommitUpload(id=self.id, digest=digest, signature=self.person.sign(self.path, self.data, **fields))
        )

    def cancel(self, *, keep: bool = False) -> None:
        self.raw.tell(m.Cancel(id=self.id, keep=keep))

    async def answer(self) -> Any:
        return await self.raw.answer(self.id)

    async def whole(self) -> Any:
        await self.send()
        if not self.answered:
            self.commit()
        return await self.answer()

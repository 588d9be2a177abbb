"""A transfer's work in order: batches of chunks between the connection and the pool, and the credit that bounds them.

Rules. At most one batch of a transfer is in work, so its steps never overlap. A flow owns credit,
order and interruption; what the bytes mean belongs to the steps that it is given: ``compute``
(cryptography, on the reactor or the pool as the pool says) and ``store`` or ``fetch``
(files and hashes, always on the pool). An interrupted flow lets the batch in work end and then runs nothing
more. It names no loop: its pool makes what is waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sft.errors import LocalProtocolError, RemoteProtocolError
from sft.limits import CREDIT_STEP_CHUNKS, TRANSFER_CREDIT_CHUNKS
from sft.transport.credit import CreditPool
from sft.transport.outbox import Outbox

Chunks = list[bytes]

Waiting = Any
"""Twisted's Deferred, or what has its form on the small loop of a client; errbacks get a Failure there, an exception here."""


class _Pool(Protocol):
    """The pool, as far as flows know it."""

    crypto_in_pool: bool

    def run(self, function: Callable[..., Any], /, *args: Any) -> Waiting: ...

    def deferred(self) -> Waiting: ...


class _Flow:
    """What both directions share: one batch at a time, an end that is reached once."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._working = False
        self._ended = False
        self._stopping: list[Waiting] = []
        self.finished: Waiting = pool.deferred()

    def interrupt(self) -> Waiting:
        """Run no further batch; fires when the batch in work, if any, has ended. ``finished`` never fires then."""
        self._ended = True
        self._drop()
        stopped = self._pool.deferred()
        if self._working:
            self._stopping.append(stopped)
        else:
            stopped.callback(None)
        return stopped

    def _drop(self) -> None:
        """Forget what waits."""

    def _batch_ended(self) -> bool:
        """Note the end of a batch; False if the flow was interrupted meanwhile."""
        self._working = False
        stopping, self._stopping = self._stopping, []
        for waiting in stopping:
            waiting.callback(None)
        return not self._ended

    def _fail(self, fault: Any) -> None:
        if self._batch_ended():
            self._ended = True
            self._drop()
            self.finished.errback(fault)

    def _finish(self) -> None:
        self._ended = True
        self.finished.callback(None)


class ReceiveFlow(_Flow):
    """The receiving end of a transfer.

    Args:
        compute: turns chunks (and whether the last is among them) into what is stored.
        store: writes what ``compute`` made; on the pool.
        grant: sends credit to the peer.
        hold: asked after each batch; the next one waits until what it returns has fired. Of the server alone: the small loop
            does not wait within callbacks.
        window: chunks that the peer may send at once, without a grant.
        ready: False while the steps must not run yet; what arrives waits until ``open``.
    """

    def __init__(
        self,
        pool: _Pool,
        credit_pool: CreditPool,
        *,
        compute: Callable[[Chunks, bool], Sequence[bytes]],
        store: Callable[[Sequence[bytes]], object],
        grant: Callable[[int], None],
        window: int,
        ready: bool = True,
        hold: Callable[[], Waiting | None] = lambda: None,
    ) -> None:
        super().__init__(pool)
        self._ready = ready
        self._compute = compute
        self._store = store
        self._grant = grant
        self._hold = hold
        self._credit_pool = credit_pool
        self._waiting: deque[bytes] = deque()
        self._last_came = False
        self._complete = False
        self._allowed = credit_pool.take(window, window)  # what the peer may still send
        self._held = self._allowed  # what is charged to the credit pool

    def open(self) -> None:
        """Run the steps, and grant as much as a transfer may hold: it is admitted."""
        self._ready = True
        self._offer(TRANSFER_CREDIT_CHUNKS - self._held)
        self._work()

    def nothing_comes(self) -> None:
        """Take it that all chunks are there already; before ``open``."""
        self._last_came = True

    def receive(self, chunk: bytes, *, last: bool) -> None:
        """Take a chunk that arrived; RemoteProtocolError if more than was allowed, or anything after the last."""
        if self._allowed < 1 or self._last_came:
            raise RemoteProtocolError("data beyond its credit or after its end")
        self._allowed -= 1
        self._last_came = last
        if self._ended:
            return
        self._waiting.append(chunk)
        # A batch that is full, or all there will be for now, goes; a slow sender's chunk does not wait for seven others.
        self._work()

    @property
    def complete(self) -> bool:
        return self._complete

    @property
    def owed(self) -> bool:
        """Whether the peer may send more, and has more."""
        return self._allowed > 0 and not (self._last_came or self._ended)

    def _drop(self) -> None:
        self._waiting.clear()
        self._credit_pool.give_back(self._held)
        self._held = 0

    def _work(self) -> None:
        if self._working or self._ended or not self._ready:
            return
        if not self._waiting:
            if self._last_came:
                self._drop()
                self._complete = True
                self._finish()
            return
        batch = [self._waiting.popleft() for _ in range(min(CREDIT_STEP_CHUNKS, len(self._waiting)))]
        last = self._last_came and not self._waiting
        self._working = True
        try:
            stored = self._start(batch, last=last)
        except Exception as fault:  # noqa: BLE001 - a failing step fails its transfer, whatever it was
            self._fail(fault)
            return
        stored.addCallback(lambda _: self._hold())
        stored.addCallback(lambda _: self._stored(len(batch))).addErrback(self._fail)

    def _start(self, batch: Chunks, *, last: bool) -> Waiting:
        if self._pool.crypto_in_pool:
            return self._pool.run(lambda: self._store(self._compute(batch, last)))
        return self._pool.run(self._store, self._compute(batch, last))

    def _stored(self, chunks: int) -> None:
        if not self._batch_ended():
            return
        self._credit_pool.give_back(chunks)
        self._held -= chunks
        if not self._last_came:
            room = TRANSFER_CREDIT_CHUNKS - self._held
            if room >= CREDIT_STEP_CHUNKS or self._allowed == 0:
                self._offer(room)
        self._work()

    def _offer(self, wanted: int) -> None:
        if wanted < 1 or self._ended or self._last_came:
            return
        granted = self._credit_pool.take(wanted, 1 if self._allowed == 0 else 0)
        if granted > 0:
            self._allowed += granted
            self._held += granted
            self._grant(granted)


class SendFlow(_Flow):
    """The sending end of a transfer; its chunks leave through the outbox as credit allows.

    Args:
        fetch: reads up to so many chunks, on the pool; returns them and whether the last is among them.
        compute: turns what was read into what is sent.
        window: chunks that may be sent before any credit comes.
        read_ahead_credit: what the session may hold that was read and not sent, over all its transfers.
        batch: chunks that are read together.
        mend: after a batch failed; fires when it can be read again, or fails with why not. Of the server alone: the small
            loop does not wait within callbacks.
    """

    def __init__(
        self,
        pool: _Pool,
        outbox: Outbox,
        request_id: int,
        *,
        fetch: Callable[[int], tuple[Chunks, bool]],
        compute: Callable[[Chunks], Chunks],
        window: int,
        read_ahead_credit: CreditPool,
        batch: int = CREDIT_STEP_CHUNKS,
        mend: Callable[[Any], Waiting] | None = None,
    ) -> None:
        super().__init__(pool)
        self._read_ahead_credit = read_ahead_credit
        self._batch = batch
        self._mend = mend
        self._asked = False
        self._outbox = outbox
        self._request_id = request_id
        self._fetch = fetch
        self._compute = compute
        self._credit = window
        self._ready: deque[bytes] = deque()
        self._read_all = False
        self.sent_chunks = 0

    def start(self) -> None:
        self._outbox.attach(self)
        self._work()

    def credit(self, chunks: int) -> None:
        """Note what the peer allows; RemoteProtocolError if it is more than one transfer may hold."""
        self._credit += chunks
        if self._credit > TRANSFER_CREDIT_CHUNKS:
            raise RemoteProtocolError("more credit than a transfer may hold")
        self._work()
        self._outbox.wake()

    def next_chunk(self) -> tuple[int, bytes, bool] | None:
        """Return the next chunk that is ready and allowed (for the outbox)."""
        if self._ended or not self._ready or self._credit < 1:
            return None
        chunk = self._ready.popleft()
        self._credit -= 1
        self.sent_chunks += 1
        return self._request_id, chunk, self._read_all and not self._ready

    def sent(self, *, last: bool) -> None:
        """Note that a chunk was written: read on, or be done (for the outbox)."""
        self._read_ahead_credit.give_back(1)
        if last:
            self._outbox.detach(self)
            self._finish()
        else:
            self._work()

    def _drop(self) -> None:
        self._read_ahead_credit.give_back(len(self._ready))
        self._ready.clear()
        self._outbox.detach(self)

    def _work(self) -> None:
        # One batch ready and one in work keep disk and network busy. What nobody has allowed is not read, nor what the
        # session has no room for: what it read before has to leave first, so a peer that takes nothing makes nothing be read.
        if self._working or self._asked or self._ended or self._read_all or len(self._ready) > self._batch:
            return
        wanted = min(self._batch, self._credit - len(self._ready))
        if wanted < 1:
            return
        self._asked = True
        self._read_ahead_credit.when_free(wanted, lambda: self._read(wanted))

    def _read(self, count: int) -> None:
        """Read a batch that has its room."""
        self._asked = False
        if self._ended:
            self._read_ahead_credit.give_back(count)
            return
        self._working = True
        fetched = self._run(count)
        if (mend := self._mend) is not None:
            fetched.addErrback(lambda fault: mend(fault).addCallback(lambda _: self._run(count)))
        fetched.addCallbacks(lambda got: self._fetched(got, count), lambda fault: self._not_fetched(fault, count))
        fetched.addErrback(self._fail)

    def _run(self, count: int) -> Waiting:
        if self._pool.crypto_in_pool:
            return self._pool.run(self._fetch_and_compute, count)
        return self._pool.run(self._fetch, count).addCallback(self._computed)

    def _not_fetched(self, fault: Any, count: int) -> None:
        self._read_ahead_credit.give_back(count)
        self._fail(fault)

    def _fetch_and_compute(self, count: int) -> tuple[Chunks, bool]:
        return self._computed(self._fetch(count))

    def _computed(self, fetched: tuple[Chunks, bool]) -> tuple[Chunks, bool]:
        chunks, last = fetched
        return self._compute(chunks), last

    def _fetched(self, fetched: tuple[Chunks, bool], count: int) -> None:
        chunks, last = fetched
        if not self._batch_ended():
            self._read_ahead_credit.give_back(count)
            return
        self._ready.extend(chunks)
        self._read_ahead_credit.give_back(count - len(chunks))
        if not chunks:
            self._fail(LocalProtocolError("a source must give at least one chunk"))
            return
        self._read_all = last
        self._work()
        self._outbox.wake()

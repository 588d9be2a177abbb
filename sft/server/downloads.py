"""A download of one session, chunk by chunk as credit allows."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import (
    ConnectionLostError,
    ContentDamagedError,
    RemoteProtocolError,
    RequestError,
    ResumeRefusedError,
    RightsChangedError,
    TransferEndedError,
)
from sft.limits import CREDIT_STEP_CHUNKS, READ_AHEAD_CHUNKS, TRANSFER_CREDIT_CHUNKS
from sft.server.context import ServerContext
from sft.server.proofs import fitting
from sft.server.refusal_log import asked_of
from sft.server.said_begun import say_begun
from sft.server.transfer import TransferSession
from sft.service import downloads
from sft.service.log.evidence import EvidenceBuilder
from sft.store.downloads import FileVersionKey
from sft.transport.flow import Chunks, SendFlow
from sft.wire.messages import Done, FileBegins, GetFile


class DownloadFlow:
    """One download, from GetFile to its last chunk or its refusal."""

    def __init__(self, context: ServerContext, session: TransferSession, request: GetFile) -> None:
        self._context = context
        self._session = session
        self._request = request
        self.path = request.path
        self._download: downloads.Download | None = None
        self._outflow: SendFlow | None = None
        self._window = min(request.window, CREDIT_STEP_CHUNKS)
        self._early_credit = 0
        self._over = False
        self._said_begun: FileVersionKey | None = None
        self._begun: Deferred[None] = Deferred()
        begun = Deferred.fromCoroutine(self._begin()).addErrback(self._failed)
        begun.addBoth(lambda _: self._begun.callback(None))

    def credit(self, chunks: int) -> None:
        """Note what the reader allows, perhaps before anything was sent.

        Raises:
            RemoteProtocolError: more than one transfer may hold.
        """
        if self._outflow is not None:
            self._outflow.credit(chunks)
            return
        self._early_credit += chunks
        if self._window + self._early_credit > TRANSFER_CREDIT_CHUNKS:
            raise RemoteProtocolError("more credit than a transfer may hold")

    def cancel(self, *, keep: bool) -> None:  # noqa: ARG002 - nothing of a download is kept here
        """End because the reader says so; answered once nothing more will come."""
        if not self._over:
            self._session.send(Done(self._request.id, changed=False))
            self._stop()

    def interrupt(self, error: RequestError) -> None:
        if not self._over:
            self._refuse(Failure(error))
            self._stop()

    def abandon(self) -> None:
        if not self._over:
            self._stop()

    async def _begin(self) -> None:
        try:
            await self._session.answer_room()
        except ConnectionLostError:
            return  # the session ended while this waited: there is nobody to answer
        try:
            if not self._over:
                await self._answer()
        finally:
            self._session.answer_sent()

    async def _answer(self) -> None:
        sessions, caller = self._context.sessions, self._session.caller
        changes = sessions.changes(caller.user_id)
        _, evidence = await self._session.proved(self._open)
        if self._over:
            return
        if sessions.changes(caller.user_id) != changes:
            raise RightsChangedError(problem="Your rights changed")
        download = self._running()
        self._context.event_log.note(
            "getting",
            session=self._session.session_id,
            by=caller.name,
            path=self.path,
            version=download.file.version.number,
            size=download.file.version.size,
        )
        self._session.send(fitting(FileBegins(self._request.id, download.file, evidence)))
        self._outflow = SendFlow(
            self._context.pool,
            self._session.outbox,
            self._request.id,
            fetch=self._fetch,
            compute=lambda sealed: self._running().open(sealed),
            window=self._window + self._early_credit,
            read_ahead_credit=self._session.read_ahead_credit,
            batch=READ_AHEAD_CHUNKS // 2,
            mend=lambda failure: Deferred.fromCoroutine(self._follow(failure)),
        )
        self._outflow.finished.addCallbacks(lambda _: self._stop(), self._failed)
        self._outflow.start()

    async def _open(self, builder: EvidenceBuilder | None) -> None:
        """Find the file and open its object; that it leaves is in the log when this ends, once however often it is read.

        Once more where the object is not what its row said: ``rotate-key --reencrypt`` may have moved it between the two.
        """
        self._close()
        await self._start(builder)
        file = self._running().file
        version = file.id, file.version.number
        if not self._over and version != self._said_begun:
            leaving = {version: file.version.digest}
            await say_begun(self._context, self._session, leaving, first_chunk=self._request.first_chunk)
            self._said_begun = version

    async def _start(self, builder: EvidenceBuilder | None) -> None:
        previous: bytes | None = None
        while True:
            download = await self._find(self._request.version, builder)
            self._download = download
            try:
                if self._request.first_chunk >= download.chunks:
                    problem = f"it has {download.chunks} chunks"
                    raise ResumeRefusedError(path=self.path, problem=problem)
                await self._context.pool.run(download.start, self._request.first_chunk)
            except ContentDamagedError:
                if download.object_id == previous:
                    raise
                previous = download.object_id
            else:
                return

    def _find(self, version: int, builder: EvidenceBuilder | None = None) -> Deferred[downloads.Download]:
        return self._session.read(
            downloads.begin, storage=self._context.storage, path=self._request.path, version=version, builder=builder
        )

    async def _follow(self, failure: Failure) -> None:
        """Go on in the object to which ``rotate-key --reencrypt`` has moved the content meanwhile; else raise what failed."""
        damaged = failure.value
        if not isinstance(damaged, ContentDamagedError):
            failure.raiseException()
        before = self._running()
        version = before.file.version
        now = await self._find(version.number)
        if now.object_id == before.object_id or (now.file.id, now.file.version) != (before.file.id, version):
            raise damaged
        await self._context.pool.run(now.start, before.chunks_opened)
        self._download = now

    def _fetch(self, count: int) -> tuple[Chunks, bool]:
        """Read a batch, on the pool; the object is open only meanwhile."""
        download = self._running()
        return download.read(count), download.chunks_left == 0

    def _running(self) -> downloads.Download:
        if self._download is None:
            raise TransferEndedError(problem="it was over already")
        return self._download

    def _failed(self, failure: Failure) -> None:
        if not self._over:
            self._refuse(failure)
            self._stop()

    def _refuse(self, failure: Failure) -> None:
        about = asked_of(self._request)
        if self._download is not None:
            about |= {"version": self._download.file.version.number, "object": self._download.object_id.hex()}
        self._session.refuse(self._request.id, failure, **about)

    def _stop(self) -> None:
        """Stop sending, let the step in work end, close the object."""
        self._over = True
        self._session.transfer_over(self._request.id)
        if self._outflow is not None:
            self._outflow.interrupt().addCallback(lambda _: self._close())
        else:
            # The first step may still be on another thread: what it opened is closed after it.
            self._begun.addCallback(lambda _: self._close())

    def _close(self) -> None:
        download, self._download = self._download, None
        if download is not None:
            self._context.pool.run(download.close).addErrback(self._context.event_log.failed, "download-close")

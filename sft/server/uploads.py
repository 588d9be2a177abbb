"""An upload of one session: the flow between its frames and the service's steps.

BeginUpload, Data, LastData and CommitUpload may all be here before the first step has run. Whatever
ends an upload early (a refusal, a cancel, a change of rights, the end of the connection) interrupts
the flow, lets the step in work end and then aborts: nothing partial is kept. A refused upload
drains: what was in flight is dropped up to its CommitUpload or Cancel.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import (
    BadRequestError,
    LocalProtocolError,
    OutcomeUnknownError,
    RequestError,
    ResumeRefusedError,
    RightsChangedError,
    TransferEndedError,
)
from sft.limits import CREDIT_STEP_CHUNKS, UPLOAD_SILENT_SECONDS
from sft.model.records import Stored
from sft.server.context import ServerContext
from sft.server.refusal_log import asked_of
from sft.server.transfer import TransferSession
from sft.service import commits, uploads
from sft.service.open_uploads import EndUpload, end_uploads, open_uploads
from sft.service.pending import Pending, discard, settle
from sft.transport.flow import ReceiveFlow
from sft.wire.messages import BeginUpload, CommitUpload, Credit, Done, FileStored


class UploadFlow:
    """One upload, from BeginUpload to its one answer."""

    def __init__(self, context: ServerContext, session: TransferSession, begin: BeginUpload) -> None:
        self._context = context
        self._session = session
        self._id = begin.id
        self._asked = asked_of(begin)
        self.path = begin.path
        self._upload: uploads.Upload | None = None
        self._counted = False
        self._opened = False  # its row is there, and its end is ours
        self._commit: CommitUpload | None = None
        self._answered = False
        self._stream_over = False  # CommitUpload or Cancel was read: nothing more comes for this id
        self._committing = False
        # Until the first check has passed the steps do not exist; the flow buffers no more than the window meanwhile.
        self._intake = ReceiveFlow(
            context.pool,
            session.share.receive_credit,
            compute=self._seal,
            store=self._append,
            grant=lambda chunks: session.send(Credit(self._id, chunks)),
            window=min(begin.window, CREDIT_STEP_CHUNKS),
            ready=False,
        )
        self._intake.finished.addCallbacks(lambda _: self._try_commit(), self._failed)
        self._silence = context.reactor.callLater(UPLOAD_SILENT_SECONDS, self._silent)
        self._begun: Deferred[None] = Deferred()
        begun = Deferred.fromCoroutine(self._begin(begin)).addErrback(self._failed)
        begun.addBoth(lambda _: self._begun.callback(None))

    @property
    def draining(self) -> bool:
        """Whether it is answered, and only what is in flight for it is still to come."""
        return self._answered

    @property
    def committing(self) -> bool:
        """Whether nothing but the server's own work is still to come."""
        return self._committing

    # -- frames ------------------------------------------------------------------------------------------

    def data(self, chunk: bytes, *, last: bool) -> None:
        """Take a chunk; after a refusal it is only counted against its credit."""
        if self._silence.active():
            self._silence.reset(UPLOAD_SILENT_SECONDS)
        self._intake.receive(chunk, last=last)

    def commit(self, message: CommitUpload) -> None:
        """Take the signature that ends the upload."""
        self._stream_over = True
        if self._answered:
            self._session.transfer_over(self._id)
            return
        self._commit = message
        self._try_commit()

    def cancel(self) -> None:
        """End the upload because its sender says so; after its CommitUpload a Cancel means nothing."""
        if self._commit is not None:
            return
        self._stream_over = True
        if self._answered:
            self._session.transfer_over(self._id)
        else:
            self._session.send(Done(self._id, changed=False))
            self._stop()

    def interrupt(self, error: RequestError) -> None:
        """End the upload because the server says so; while it commits the rights are read again there."""
        if not self._answered and not self._committing:
            self._session.refuse(self._id, Failure(error), **self._asked)
            self._stop()

    def _silent(self) -> None:
        minutes = UPLOAD_SILENT_SECONDS // 60
        self.interrupt(TransferEndedError(problem=f"nothing of it came for {minutes} minutes"))

    def abandon(self) -> None:
        if not self._answered and not self._committing:
            self._stop()

    # -- steps -------------------------------------------------------------------------------------------

    async def _begin(self, begin: BeginUpload) -> None:
        if begin.resume is not None:
            raise ResumeRefusedError(path=begin.path, problem="nothing is kept of it")
        self._session.share.begin_upload()
        self._counted = True
        sessions, caller = self._context.sessions, self._session.caller
        changes = sessions.changes(caller.user_id)
        upload = await self._session.read(
            uploads.begin,
            storage=self._session.storage,
            path=begin.path,
            file_id=begin.file_id,
            version=begin.version,
            size=begin.size,
        )
        if sessions.changes(caller.user_id) != changes:
            raise RightsChangedError(problem="Your rights changed")
        if self._answered:
            return
        self._upload = upload
        if upload.announcement is not None:
            await self._context.act(open_uploads, upload.announcement)
            self._opened = True
        if not self._answered:
            await self._context.pool.run(upload.start)
        if not self._answered:
            self._intake.open()

    def _seal(self, chunks: list[bytes], last: bool) -> Sequence[bytes]:  # noqa: FBT001 - the flow's calling form
        return self._running().seal(chunks, last=last)

    def _append(self, sealed: Sequence[bytes]) -> None:
        self._running().append(sealed)

    def _running(self) -> uploads.Upload:
        if self._upload is None:
            raise LocalProtocolError("an upload's steps ran before it was admitted")
        return self._upload

    def _try_commit(self) -> None:
        """Go on once both the last chunk is stored and the signature is here."""
        if self._commit is not None and self._intake.complete and not self._committing and not self._answered:
            self._committing = True
            Deferred.fromCoroutine(self._finish(self._commit)).addCallbacks(self._stored, self._failed)

    async def _finish(self, message: CommitUpload) -> Stored:
        if self._upload is None:
            raise BadRequestError(problem="a commit before its data")
        pending = await self._context.pool.run(self._upload.finish, message.digest, message.signature)
        self._upload, self._opened = None, False  # the object is the commit's now
        return await commit_pending(self._context, pending)

    def _stored(self, stored: Stored) -> None:
        self._answer()
        self._end_count()
        self._session.send(FileStored(self._id, stored))
        self._session.transfer_over(self._id)

    def _failed(self, failure: Failure) -> None:
        self._committing = False
        if not self._answered:
            self._session.refuse(self._id, failure, **self._asked)
            self._stop()

    def _stop(self) -> None:
        """End the flow and abort what was begun, after the step in work; drain what is still in flight."""
        self._answer()
        self._begun.addCallback(lambda _: self._intake.interrupt()).addCallback(lambda _: self._abort())
        if self._stream_over:
            self._session.transfer_over(self._id)

    def _answer(self) -> None:
        self._answered = True
        if self._silence.active():
            self._silence.cancel()

    def _abort(self) -> None:
        upload, self._upload = self._upload, None
        if upload is None:
            self._end_count()
            return
        aborted = Deferred.fromCoroutine(self._let_go(upload))
        aborted.addErrback(self._context.event_log.failed, "upload-abort")
        aborted.addCallback(lambda _: self._end_count())

    async def _let_go(self, upload: uploads.Upload) -> None:
        await self._context.pool.run(upload.abort)
        if self._opened and upload.announcement is not None:
            await self._context.act(end_uploads, EndUpload(upload.announcement.object_id))

    def _end_count(self) -> None:
        """Count it no more: what it held open is closed."""
        if self._counted:
            self._counted = False
            self._session.share.end_upload()


async def commit_pending(context: ServerContext, pending: Pending) -> Stored:
    """Have the writer commit what is durable already, then sign its receipt; the object of a refused one is removed."""
    try:
        committed = await context.act(commits.commit, pending, size=pending.weight_bytes)
    except OutcomeUnknownError:
        raise  # perhaps it is stored: the next start looks
    except Exception:
        await discard_unwanted(context, pending)
        raise
    if committed.unchanged:
        await discard_unwanted(context, pending)
    return settle(pending, committed)


async def discard_unwanted(context: ServerContext, pending: Pending) -> None:
    """Remove an object that is not wanted; one that cannot be removed is the next start's, and nobody's trouble now."""
    try:
        if not pending.inline:
            await context.pool.run(discard, pending)
        if pending.opened:
            await context.act(end_uploads, EndUpload(pending.object_id))
    except Exception:  # noqa: BLE001 - whatever it is, what became of the file is known
        context.event_log.fault("upload-discard", Failure())

"""An upload of one session: the flow between its frames and the service's steps.

BeginUpload, Data, LastData and CommitUpload may all be here before the first step has run. Whatever
ends an upload early interrupts the flow and lets the step in work end; what stays of it then ``service.upload_life`` says,
and what can be parked is (``resumable_uploads``). A refused upload drains: what was in flight is dropped up to its
CommitUpload or Cancel. A segment that is full is made durable beside the flow, one at a time; only the next full one
waits for it. Where nobody has said the size, what came has its room in a quota before more is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import (
    BadRequestError,
    LocalProtocolError,
    OutcomeUnknownError,
    QuotaBytesError,
    RequestError,
    RightsChangedError,
    TransferEndedError,
)
from sft.limits import CREDIT_STEP_CHUNKS, OPEN_UPLOADS, UPLOAD_SILENT_SECONDS, WORKING_SECONDS
from sft.model.records import Stored
from sft.server.context import ServerContext
from sft.server.jobs import WORKING
from sft.server.refusal_log import asked_of
from sft.server.transfer import TransferSession
from sft.service import commits, uploads
from sft.service.open_uploads import (
    EndUpload,
    GrowUpload,
    end_uploads,
    grow_uploads,
    note_segments,
    open_uploads,
    resume_upload,
)
from sft.service.pending import Pending, acknowledge_one, discard
from sft.service.upload import Point, Upload
from sft.service.upload_life import Ending, ending_of
from sft.transport.flow import ReceiveFlow
from sft.wire.messages import BeginUpload, CommitUpload, Credit, Done, FileStored, Notice

P = ParamSpec("P")
R = TypeVar("R")


class UploadFlow:
    """One upload, from BeginUpload to its one answer."""

    def __init__(self, context: ServerContext, session: TransferSession, begin: BeginUpload) -> None:
        self._context = context
        self._session = session
        self._id = begin.id
        self._asked = asked_of(begin)
        self.path = begin.path
        self._upload: Upload | None = None
        self._name = (session.caller.user_id or 0, begin.upload_id)
        self._settling: Deferred[None] | None = None
        self._waiting: list[Deferred[None]] = []  # for what is being settled
        self._let_go_of: list[Deferred[None]] = []  # who waits until this flow has let go of its upload
        self._gone = False
        self._counted = False
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
            hold=self._hold,
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

    def _is_over(self) -> bool:
        return self._answered  # mypy takes ``draining``, a property, to stay over an await what it was before

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

    def cancel(self, *, keep: bool) -> None:
        """End the upload because its sender says so, or have it parked; after its CommitUpload a Cancel means nothing."""
        if self._commit is not None:
            return
        self._stream_over = True
        if self._answered:
            self._session.transfer_over(self._id)
        else:
            self._session.send(Done(self._id, changed=False))
            self._stop(Ending.LOST if keep else Ending.GIVEN_UP)

    def interrupt(self, error: RequestError) -> None:
        """End the upload because the server says so; while it commits the rights are read again there."""
        if not self._answered and not self._committing:
            self._session.refuse(self._id, Failure(error), **self._asked)
            self._stop(ending_of(error))

    def hand_over(self) -> Deferred[None]:
        """Let the upload go for another connection of its person; fires when it is parked, stored or gone."""
        gone: Deferred[None] = Deferred()
        if self._gone:
            gone.callback(None)
            return gone
        self._let_go_of.append(gone)
        if not self._answered and not self._committing:
            error = TransferEndedError(problem="another connection goes on with it")
            self._session.refuse(self._id, Failure(error), **self._asked)
            self._stop(Ending.LOST)
        return gone

    def _silent(self) -> None:
        minutes = UPLOAD_SILENT_SECONDS // 60
        self.interrupt(TransferEndedError(problem=f"nothing of it came for {minutes} minutes"))

    def abandon(self) -> None:
        if not self._answered and not self._committing:
            self._stop(Ending.LOST)

    # -- steps -------------------------------------------------------------------------------------------

    async def _begin(self, begin: BeginUpload) -> None:
        context, sessions, caller = self._context, self._context.sessions, self._session.caller
        self._session.share.begin_upload()
        self._counted = True
        changes = sessions.changes(caller.user_id)
        await context.resumable_uploads.hold(self._name, self)
        if self._is_over():
            return
        alive = context.resumable_uploads.take(self._name) if begin.resume is not None else None
        self._upload = alive
        upload = await self._session.read(
            uploads.begin,
            storage=self._session.storage,
            path=begin.path,
            file_id=begin.file_id,
            version=begin.version,
            size=begin.size,
            upload_id=begin.upload_id,
            resume=None if begin.resume is None else Point(begin.resume.chunks, begin.resume.digest),
            alive=alive,
        )
        if sessions.changes(caller.user_id) != changes:
            raise RightsChangedError(problem="Your rights changed")
        if self._is_over():
            return
        if alive is None:
            await self._open(upload)
        if not self._is_over():
            await context.pool.run(upload.start)
        if not self._is_over():
            if upload.complete:
                self._intake.nothing_comes()
            self._intake.open()

    async def _open(self, upload: Upload) -> None:
        """Note that its object is written, or goes on; what is kept of it is read."""
        context = self._context
        for object_id in upload.replaces:
            await context.resumable_uploads.give_up(object_id)
        await self._make_way(upload)
        if self._is_over():
            return
        if upload.resumption is not None:
            await context.act(resume_upload, upload.resumption)
            self._upload = upload
            await self._recall(upload)
        else:
            self._upload = upload
            if upload.announcement is not None:
                await context.act(open_uploads, upload.announcement)

    async def _recall(self, upload: Upload) -> None:
        """Have all that is kept read once; its sender hears of it now and then, and is not expected to say anything."""
        seconds = self._context.reactor.seconds
        told_at = seconds()
        while not self._is_over() and await self._context.pool.run(upload.recall):
            if self._silence.active():
                self._silence.reset(UPLOAD_SILENT_SECONDS)
            if seconds() - told_at >= WORKING_SECONDS:
                told_at = seconds()
                self._session.send(Notice(WORKING, {"bytes": upload.received}))

    async def _make_way(self, upload: Upload) -> None:
        """Give up the person's oldest kept uploads: beyond what one person may have, and where this one has no room."""
        if upload.kept_before:
            most = OPEN_UPLOADS - self._session.share.uploads
            resumable = self._context.resumable_uploads
            await resumable.limit(
                upload.kept_before, most=most, wanted_bytes=upload.wanted_bytes, shortage=upload.shortage
            )

    @property
    def object_id(self) -> bytes | None:
        return None if self._upload is None else self._upload.object_id

    # -- segments --------------------------------------------------------------------------------------

    def _hold(self) -> Deferred[None] | None:
        """Say what the next batch waits for: room in a quota for what came, and the segment before."""
        upload = self._upload
        if upload is None:
            return None
        settling = self._hold_settling(upload)
        if (outgrown := upload.outgrown) is None:
            return settling
        return Deferred.fromCoroutine(self._reserve(upload, outgrown, settling))

    async def _reserve(self, upload: Upload, outgrown: GrowUpload, settling: Deferred[None] | None) -> None:
        """Reserve room for what came, where nobody said how much will; kept uploads give way for it, as at a beginning."""
        context = self._context
        try:
            upload.reserved = await context.act(grow_uploads, outgrown)
        except QuotaBytesError:
            if not await self._clear_the_way(outgrown):
                raise
            upload.reserved = await context.act(grow_uploads, outgrown)
        if settling is not None:
            await settling

    async def _clear_the_way(self, outgrown: GrowUpload) -> bool:
        """Give up the person's oldest kept uploads where what they reserve is what is missing; return whether there are any."""
        kept, shortage = await self._session.read(uploads.in_the_way, object_id=outgrown.object_id, size=outgrown.size)
        most = OPEN_UPLOADS - self._session.share.uploads
        await self._context.resumable_uploads.limit(kept, most=most, shortage=shortage)
        return bool(kept)

    def _hold_settling(self, upload: Upload) -> Deferred[None] | None:
        """Begin to settle a full segment; where the one before is still being settled, wait for that first."""
        if not upload.has_full:
            return None
        if self._settling is None:
            self._settle(upload)
            return None
        return self._when_settled()

    def _when_settled(self) -> Deferred[None]:
        settled: Deferred[None] = Deferred()
        if self._settling is None:
            settled.callback(None)
        else:
            self._waiting.append(settled)
        return settled

    def _settle(self, upload: Upload) -> None:
        self._settling = Deferred.fromCoroutine(self._settled(upload))
        self._settling.addErrback(self._failed)
        self._settling.addBoth(lambda _: self._go_on_settling(upload))

    async def _settled(self, upload: Upload) -> None:
        done = await self._sync(upload.settle)
        if done is not None:
            await self._context.act(note_segments, done)
            upload.note(done.segments)

    def _go_on_settling(self, upload: Upload) -> None:
        self._settling = None
        if upload.has_full and not self._answered:
            self._settle(upload)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def _sync(self, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Have a step that waits for the disk done in turn: a slow one leaves threads to small files and downloads."""
        return self._context.settling_turns.run(self._session.caller.session_id or 0, step, *args, **kwargs)

    def _seal(self, chunks: list[bytes], last: bool) -> Sequence[bytes]:  # noqa: FBT001 - the flow's calling form
        return self._running().seal(chunks, last=last)

    def _append(self, sealed: Sequence[bytes]) -> None:
        self._running().append(sealed)

    def _running(self) -> Upload:
        if self._upload is None:
            raise LocalProtocolError("an upload's steps ran before it was admitted")
        return self._upload

    def _try_commit(self) -> None:
        """Go on once both the last chunk is stored and the signature is here."""
        if self._commit is not None and self._intake.complete and not self._committing and not self._answered:
            self._committing = True
            Deferred.fromCoroutine(self._finish(self._commit)).addCallbacks(self._stored, self._failed)

    async def _finish(self, message: CommitUpload) -> Stored:
        while self._settling is not None:
            await self._when_settled()
        if self._upload is None or self._is_over():
            raise BadRequestError(problem="a commit before its data, or after its end")
        pending = await self._sync(self._upload.finish, message.digest, message.signature)
        self._upload = None  # the object is the commit's now
        await self._session.catch_up_with_log()
        stored = await commit_pending(self._context, pending)
        self._session.follow_log()
        return stored

    def _stored(self, stored: Stored) -> None:
        self._answer()
        self._has_let_go()
        self._session.send(FileStored(self._id, stored))
        self._session.transfer_over(self._id)

    def _failed(self, failure: Failure) -> None:
        self._committing = False
        if not self._answered:
            self._session.refuse(self._id, failure, **self._asked)
            self._stop(ending_of(failure.value))

    def _stop(self, ending: Ending) -> None:
        """End the flow after the step in work, and let its upload go; drain what is still in flight."""
        self._answer()
        self._begun.addCallback(lambda _: self._intake.interrupt()).addCallback(lambda _: self._let_go(ending))
        if self._stream_over:
            self._session.transfer_over(self._id)

    def _answer(self) -> None:
        self._answered = True
        if self._silence.active():
            self._silence.cancel()

    def _let_go(self, ending: Ending) -> None:
        upload, self._upload = self._upload, None
        let_go = Deferred.fromCoroutine(self._end(upload, ending))
        let_go.addErrback(self._context.event_log.failed, "upload-end")
        let_go.addBoth(lambda _: self._has_let_go())

    async def _end(self, upload: Upload | None, ending: Ending) -> None:
        if upload is None:
            return
        while self._settling is not None:
            await self._when_settled()
        try:
            # Only what is to be parked waits for the disk.
            await (self._sync if ending is Ending.LOST else self._context.pool.run)(upload.end, ending)
        except Exception:  # noqa: BLE001 - its state says what is left all the same
            self._context.event_log.fault("upload-end", Failure())
        await self._context.resumable_uploads.ended(self._name, upload)

    def _has_let_go(self) -> None:
        """Tell who waits for it that this flow has no upload any more, and count it no more: what it held open is closed."""
        self._gone = True
        self._context.resumable_uploads.release(self._name, self)
        waiting, self._let_go_of = self._let_go_of, []
        for each in waiting:
            each.callback(None)
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
    return acknowledge_one(pending, committed)


async def discard_unwanted(context: ServerContext, pending: Pending) -> None:
    """Remove an object that is not wanted; one that cannot be removed is the next start's, and nobody's trouble now."""
    try:
        if not pending.inline:
            await context.pool.run(discard, pending)
        if pending.opened:
            await context.act(end_uploads, EndUpload(pending.object_id))
    except Exception:  # noqa: BLE001 - whatever it is, what became of the file is known
        context.event_log.fault("upload-discard", Failure())

"""One file to the server: signed here, stored there, receipt checked and kept.

Rules. What is signed is built here from checked fields, never from a string of the server's: also the version that a replace
builds on holds as one that is got. Small files go together (``small_puts``). A replace names the version that it saw, so that
no update is lost. What is there already with the same bytes under our own signature is done already, once the server has
acknowledged it anew: so a retry after a lost answer is never a conflict, and nobody's word alone says that it is stored.
"""

from __future__ import annotations

import os
from typing import Final

from msgspec import Struct

from sft.client.api.files import show_proved
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.acknowledged import UploadResult, take_answer
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.proving import ShownProved
from sft.client.transfers.same import PutAsked, VersionThere, put_step
from sft.client.transfers.sources import FileSource, Stated, UploadSource
from sft.client.transfers.there_already import proved_ours, require_replaceable
from sft.client.transfers.upload_resume import ResumableUpload, UploadAsked
from sft.client.trust import prove_file
from sft.crypto.comment import FILE_ID_BYTES, FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import sign_file
from sft.errors import ExistsError, NotFoundError, ReceiptBadError, SftError
from sft.model.names import parse_path

_COMPARED_CHUNKS: Final = 64  # read and hashed at a time where nothing is sent


class SignedContent(Struct, frozen=True):
    """A whole small content, and what we say of it."""

    content: bytes
    digest: bytes
    comment: FileComment
    signature: bytes


class FileUpload:
    """One file on its way.

    Args:
        digests: what is known of files here.
    """

    def __init__(self, session: Session, asked: PutAsked, report: Reporter, digests: DigestCache) -> None:
        self._session = session
        self._asked = asked
        self.path = parse_path(asked.path)
        self.report = report
        self._digests = digests
        self._before: ShownProved | None = None
        self._file_id = os.urandom(FILE_ID_BYTES)

    @property
    def looks(self) -> bool:
        """Whether what is there decides what is signed."""
        return self._asked.looks

    async def look(self, shown: ShownProved | SftError | None = None) -> None:
        """See what is there, if that ``looks``; before anything is signed.

        Args:
            shown: what is there, where it was asked for together with others.

        Raises:
            LedgerError: the log has not what is shown.
            RequestError: the server refused.
            ChangedSinceError: another version is there than the one meant, and it cannot be what is to be sent.
            SftError: that version is not its author's.
        """
        if not self.looks:
            return
        try:
            before = await self._shown() if shown is None else shown
            if isinstance(before, SftError):
                raise before
        except NotFoundError:
            put_step(self._asked, None, self._session.user_id, None)
            return
        before.state.file(before.file)
        self._before, self._file_id = before, before.file.id
        there = VersionThere.of(before.file)
        if not there.may_be(self._session.user_id, self.report.total_bytes):
            await self._require_replaceable(there, before)

    async def _shown(self) -> ShownProved:
        file, evidence = await show_proved(self._session, self.path)
        return ShownProved(file, prove_file(self._session, evidence, file))

    def sign(self, content: bytes, stated: Stated, seen: LocalFile | None = None) -> SignedContent:
        """Sign a small content; pure computing.

        Args:
            seen: the file that it was read from.
        """
        digest = blake2b_512(content).digest()
        if seen is not None:
            self._digests.note(seen, digest)
        comment = self._comment(self._file_id, len(content), stated, digest)
        return SignedContent(content, digest, comment, sign_file(self._session.key, comment).encode())

    async def found_there(self, content: SignedContent) -> UploadResult | None:
        """Return the version seen if it is this very content, signed by us and acknowledged anew.

        Raises:
            ChangedSinceError, SftError: it is not, and may not be replaced, as from ``look``.
        """
        if self._before is None:
            return None
        there = VersionThere.of(self._before.file)
        found = await self._proved(there, len(content.content), content.digest)
        if found is None:
            await self._require_replaceable(there, self._before)
        return found

    async def send(self, source: UploadSource) -> UploadResult:
        """Store what is too large to go with others, or find it there already.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was, or cannot be read.
            ReceiptBadError: the receipt is not the server's, or for something else.
        """
        before, found = self._before, None
        asked = UploadAsked(
            self._asked, self._file_id, self._number(), b"" if before is None else before.file.version.digest
        )
        outgoing = ResumableUpload(self._session, source, self.report, asked)
        if before is not None:
            there = VersionThere.of(before.file)
            found = await self._compared(source, there)
            if found is None:
                await self._require_replaceable(there, before)
        result = found or await self._sent(source, outgoing)
        await outgoing.done()
        return result

    async def _sent(self, source: UploadSource, outgoing: ResumableUpload) -> UploadResult:
        try:
            sent = await outgoing.send(self._comment)
        except ExistsError as refusal:
            there = VersionThere.refused_by(refusal.values)
            if there is not None and (found := await self._compared(source, there)) is not None:
                return found
            raise
        if sent.stored.unchanged:
            result = await self.already_there(sent.stored.version, sent.sent, sent.digest)
        else:
            result = await take_answer(self._session, sent)
            self.report(TransferStage.STORED, sent.sent.size)
        if source.unchanged is not None:
            await finish_even_if_cancelled(self._session.pool.run(self._digests.note, source.unchanged, sent.digest))
        return result

    async def already_there(self, version: int, sent: FileComment, digest: bytes) -> UploadResult:
        """Take the server's word that what was sent whole was there already, once it holds; ReceiptBadError if not."""
        there = VersionThere(version, "", sent.user, sent.size, digest, 0)
        if (found := await self._proved(there, sent.size, digest)) is not None:
            return found
        detail = "what is said to be there already is not ours"
        raise ReceiptBadError(detail, path=self.path, server=self._session.server_name)

    # -- is it there already? ------------------------------------------------------------------------

    async def _require_replaceable(self, there: VersionThere, before: ShownProved) -> None:
        await require_replaceable(self._session, self._asked, before.file, before.state)
        put_step(self._asked, there, self._session.user_id, self.report.total_bytes, same=False, judged=True)

    async def _proved(self, there: VersionThere, size: int, digest: bytes) -> UploadResult | None:
        found = await proved_ours(self._session, self.path, there, size, digest)
        if found is not None:
            self.report(TransferStage.UNCHANGED, size)
        return found

    async def _compared(self, source: UploadSource, there: VersionThere) -> UploadResult | None:
        """Read the source to see whether it is what is there; only where author and size say that it may be."""
        if not isinstance(source, FileSource) or not there.may_be(self._session.user_id, source.size):
            return None
        known = await self._session.pool.run(self._digests.is_known_as, source.seen, there.digest)
        if not known:
            known = await self._read(source) == there.digest
        return await self._proved(there, source.size, there.digest) if known else None

    async def _read(self, source: FileSource) -> bytes:
        pool = self._session.pool
        await finish_even_if_cancelled(pool.run(source.rewind))
        running, last, done = blake2b_512(), False, 0

        def read() -> tuple[int, bool]:
            chunks, ended = source.fetch(_COMPARED_CHUNKS)
            for chunk in chunks:
                running.update(chunk)
            return sum(map(len, chunks)), ended

        while not last:
            size, last = await finish_even_if_cancelled(pool.run(read))
            done += size
            self.report(TransferStage.SENDING, done)
        await finish_even_if_cancelled(pool.run(source.require_unchanged))
        await finish_even_if_cancelled(pool.run(source.rewind))
        if source.unchanged is not None:
            await finish_even_if_cancelled(pool.run(self._digests.note, source.unchanged, running.digest()))
        return running.digest()

    # -- what is signed, and what comes back -----------------------------------------------------------

    def _number(self) -> int:
        return 1 if self._before is None else self._before.file.version.number + 1

    def _comment(self, file_id: bytes, size: int, stated: Stated, digest: bytes) -> FileComment:
        before = self._before
        return FileComment(
            server_id=self._session.server_id,
            file_id=file_id,
            version=self._number(),
            size=size,
            digest=digest,
            mtime=stated.dated_at,
            executable=stated.executable,
            name=self.path,
            user=self._session.user_id,
            prev=None if before is None else before.file.version.digest,
            ts=int(self._session.clock()),
            head=self._session.head_text,
        )

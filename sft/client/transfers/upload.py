"""One file to the server: signed here, stored there, receipt checked and kept.

Rules. What is signed is built here from checked fields, never from a string of the server's: also the version that a replace
builds on holds as one that is got. Small files go together (``small_puts``). A replace names the version that it saw, so that
no update is lost. What is there already with the same bytes under our own signature is done already, once the server has
acknowledged it anew: so a retry after a lost answer is never a conflict, and nobody's word alone says that it is stored.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from sft.client.api.files import show_file, show_with_receipt
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.receipts import ReceiptNote, keep_receipts
from sft.client.session import Session
from sft.client.transfers.plan import VersionSeen
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.sources import FileSource, UploadSource
from sft.client.transfers.upload_resume import ResumableUpload, UploadAsked
from sft.client.trust import judge_over, known_of
from sft.crypto.comment import FILE_ID_BYTES, FileComment
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.signatures import sign_file
from sft.errors import (
    ChangedSinceError,
    ExistsError,
    LocalDiskFullError,
    LocalFileError,
    NotFoundError,
    PinChangedError,
    ReceiptBadError,
    SignatureBadError,
    SignatureInvalidError,
    SignerUnknownError,
)
from sft.model.names import parse_path
from sft.model.records import File, Stored

_COMPARED_CHUNKS: Final = 64  # read and hashed at a time where nothing is sent


class UploadResult(Struct, frozen=True):
    """What an upload became, and where its receipt lies."""

    stored: Stored
    receipt: Path | None


class Answered(Struct, frozen=True):
    """What the server says that it stored, beside what was sent; the path is where the file is now."""

    path: str
    stored: Stored
    sent: FileComment
    digest: bytes


class SignedContent(Struct, frozen=True):
    """A whole small content, and what we say of it."""

    content: bytes
    digest: bytes
    comment: FileComment
    signature: bytes


class FileUpload:
    """One file on its way.

    Args:
        path: where on the server.
        replace: a file that is there becomes the version before.
        if_version: the version that this one is made from, whoever signed it.
        replaces: the version that this one may replace, if anything is there.
    """

    def __init__(
        self,
        session: Session,
        path: str,
        report: Reporter,
        *,
        replace: bool = False,
        if_version: int | None = None,
        replaces: VersionSeen | None = None,
    ) -> None:
        self._session = session
        self.path = parse_path(path)
        self.report = report
        self._replace = replace
        self._if_version = if_version
        self._replaces = replaces
        self._before: File | None = None
        self._file_id = os.urandom(FILE_ID_BYTES)

    @property
    def looks(self) -> bool:
        """Whether what is there decides what is signed."""
        return self._replace or self._if_version is not None or self._replaces is not None

    async def look(self) -> None:
        """See what is there, if that ``looks``; before anything is signed.

        Raises:
            RequestError: the server refused.
            ChangedSinceError: another version is there than the one meant.
            SftError: that version is not its author's.
        """
        if self.looks:
            self._before = await self._version_seen()
            if self._before is not None:
                self._file_id = self._before.id

    def sign(self, content: bytes, dated_at: int) -> SignedContent:
        """Sign a small content; pure computing."""
        digest = blake2b_512(content).digest()
        comment = self._comment(self._file_id, len(content), dated_at, digest)
        return SignedContent(content, digest, comment, sign_file(self._session.key, comment).encode())

    async def found_there(self, content: SignedContent) -> UploadResult | None:
        """Return the version seen if it is this very content, signed by us and acknowledged anew."""
        return await self._ours(self._before_values(), len(content.content), content.digest)

    async def send(self, source: UploadSource) -> UploadResult:
        """Store what is too large to go with others, or find it there already.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was, or cannot be read.
            ReceiptBadError: the receipt is not the server's, or for something else.
        """
        before = self._before
        asked = UploadAsked(
            self.path, self._file_id, self._number(), b"" if before is None else before.version.digest,
            self._replace, self._if_version, self._replaces,
        )  # fmt: skip
        outgoing = ResumableUpload(self._session, source, self.report, asked)
        result = await self._compared(source, self._before_values())
        if result is None:
            result = await self._sent(source, outgoing)
        await outgoing.done()
        return result

    async def _sent(self, source: UploadSource, outgoing: ResumableUpload) -> UploadResult:
        try:
            sent = await outgoing.send(self._comment)
        except ExistsError as refusal:
            if (found := await self._compared(source, refusal.values)) is not None:
                return found
            raise
        if sent.stored.unchanged:
            return await self.already_there(sent.stored.version, sent.comment, sent.digest)
        return await self._keep(sent.stored, sent.comment, sent.digest)

    async def already_there(self, version: int, sent: FileComment, digest: bytes) -> UploadResult:
        """Take the server's word that what was sent whole was there already, once it holds; ReceiptBadError if not."""
        there = {"author_id": sent.user, "size": sent.size, "digest": digest_text(digest), "version": version}
        if (found := await self._ours(there, sent.size, digest)) is not None:
            return found
        detail = "what is said to be there already is not ours"
        raise ReceiptBadError(detail, path=self.path, server=self._session.server_name)

    # -- is it there already? ------------------------------------------------------------------------

    async def _version_seen(self) -> File | None:
        try:
            seen = await show_file(self._session, self.path)
        except NotFoundError:
            if self._if_version is None:
                return None
            raise
        await self._require_good(seen)
        number = seen.version.number
        wanted = number if self._if_version is None else self._if_version
        if self._replaces is not None:
            wanted, digest = self._replaces.version, self._replaces.digest
            if number == wanted and digest not in {"", digest_text(seen.version.digest)}:
                wanted = 0  # of another file, which has taken the place since
        if number != wanted:
            raise ChangedSinceError(author=seen.version.author, version=number, seen=wanted, path=self.path)
        return seen

    async def _require_good(self, seen: File) -> None:
        """Judge the version that the next one will name: our signature would vouch for a lie about it."""
        (known,) = await known_of(self._session, [seen])
        is_named = self._if_version is not None and isinstance(known.error, (SignerUnknownError, PinChangedError))
        if known.error is not None and not is_named:
            raise known.error

    def _before_values(self) -> dict[str, Any]:
        """The values of an EXISTS about the version seen."""
        if self._before is None:
            return {}
        version = self._before.version
        return {
            "author_id": version.author_id,
            "size": version.size,
            "digest": digest_text(version.digest),
            "version": version.number,
        }

    async def _ours(self, there: dict[str, Any], size: int, digest: bytes) -> UploadResult | None:
        """Return what is there already, if these bytes are signed there by our own key and the server acknowledges them anew.

        Args:
            there: what the server says is there: only where to look.
        """
        session, version = self._session, there.get("version")
        said = (there.get("author_id"), there.get("size"), there.get("digest"))
        if said != (session.user_id, size, digest_text(digest)) or not isinstance(version, int):
            return None
        file, receipt = await show_with_receipt(session, self.path, version)
        try:
            verdict = judge_over(session, file, digest, size)
        except (SignatureBadError, SignerUnknownError, PinChangedError):
            return None
        if verdict.comment.user != session.user_id:
            return None
        stored = Stored(verdict.signed_name, verdict.version, size, digest, receipt, unchanged=True)
        return await self._keep(stored, verdict.comment, digest)

    async def _compared(self, source: UploadSource, there: dict[str, Any]) -> UploadResult | None:
        """Read the source to see whether it is what is there; only where author and size say that it may be."""
        if not isinstance(source, FileSource) or source.size != there.get("size"):
            return None
        if there.get("author_id") != self._session.user_id:
            return None
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
        await finish_even_if_cancelled(pool.run(source.settle))
        await finish_even_if_cancelled(pool.run(source.rewind))
        return await self._ours(there, source.size, running.digest())

    # -- what is signed, and what comes back -----------------------------------------------------------

    def _number(self) -> int:
        return 1 if self._before is None else self._before.version.number + 1

    def _comment(self, file_id: bytes, size: int, dated_at: int, digest: bytes) -> FileComment:
        before = self._before
        return FileComment(
            server_id=self._session.server_id,
            file_id=file_id,
            version=self._number(),
            size=size,
            digest=digest,
            mtime=dated_at,
            name=self.path,
            user=self._session.user_id,
            prev=None if before is None else before.version.digest,
            ts=int(self._session.clock()),
        )

    async def _keep(self, stored: Stored, sent: FileComment, digest: bytes) -> UploadResult:
        """Take the answer about this file alone."""
        answer = Answered(self.path, stored, sent, digest)
        (result,) = await self._session.pool.run(take_receipt, self._session, stored.receipt, [answer])
        if isinstance(result, ReceiptBadError):
            raise result
        self.report(TransferStage.UNCHANGED if stored.unchanged else TransferStage.STORED, sent.size)
        return result


def take_receipt(session: Session, text: str, answers: Sequence[Answered]) -> list[UploadResult | ReceiptBadError]:
    """Hold a server to one receipt for all that it acknowledges, and keep it for each that it holds for (blocks)."""
    try:
        note = ReceiptNote(session.server_key, text)
    except SignatureInvalidError as error:
        return [ReceiptBadError(error.detail, path=each.path, server=session.server_name) for each in answers]
    faults: dict[int, ReceiptBadError] = {}
    for number, each in enumerate(answers):
        try:
            note.check(each.stored, each.sent, each.digest)
        except SignatureInvalidError as error:
            faults[number] = ReceiptBadError(error.detail, path=each.path, server=session.server_name)
        else:
            session.versions_seen.note(each.sent.file_id, each.stored.version, each.digest, each.sent.name)
    good = [each for number, each in enumerate(answers) if number not in faults]
    kept: list[Path | None] = [None] * len(good)
    # It is stored, whatever happens to its receipt here: the result says that none was kept.
    with contextlib.suppress(LocalDiskFullError, LocalFileError):
        kept = [*keep_receipts(session.state, note, [each.sent for each in good])] if good else []
    receipts = iter(kept)
    return [
        faults.get(number) or UploadResult(msgspec.structs.replace(each.stored, path=each.path), next(receipts))
        for number, each in enumerate(answers)
    ]

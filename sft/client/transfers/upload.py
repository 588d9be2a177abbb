"""One file to the server: signed here, stored there, receipt checked and kept.

Rules. What is signed is built here from checked fields, never from a string of the server's. A file of at most 60 KiB is one
request. A replace names the version that it saw, so that no update is lost. What is there already with the same bytes by
the same author is done already: so a retry after a lost answer is never a conflict.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sft.client.api.files import show_file
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.receipts import check_receipt, keep_receipt
from sft.client.session import Session
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.sources import FileSource, UploadSource
from sft.client.transfers.upload_stream import UploadStream
from sft.crypto.comment import FILE_ID_BYTES, FileComment
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.signatures import sign_file
from sft.errors import (
    ChangedSinceError,
    ExistsError,
    LocalDiskFullError,
    LocalFileError,
    NotFoundError,
    ReceiptBadError,
    SignatureInvalidError,
)
from sft.model.names import parse_path
from sft.model.records import File, Stored
from sft.wire.messages import FileStored, PutSmall

_COMPARED_CHUNKS: Final = 64  # read and hashed at a time where nothing is sent


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What an upload became, and where its receipt lies."""

    stored: Stored
    receipt: Path | None


class FileUpload:
    """One file on its way.

    Args:
        path: where on the server.
        replace: a file that is there becomes the version before.
        if_version: the version that this one is made from.
    """

    def __init__(
        self,
        session: Session,
        source: UploadSource,
        path: str,
        report: Reporter,
        *,
        replace: bool = False,
        if_version: int | None = None,
    ) -> None:
        self._session = session
        self._source = source
        self._path = parse_path(path)
        self._report = report
        self._replace = replace
        self._if_version = if_version
        self._before: File | None = None
        self._file_id = os.urandom(FILE_ID_BYTES)

    async def run(self) -> UploadResult:
        """Store it, or find it there already.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was, or cannot be read.
            SignatureInvalidError: the receipt is not the server's, or for something else.
        """
        self._report(TransferStage.SENDING, 0)
        if self._replace or self._if_version is not None:
            self._before = await self._version_seen()
            if self._before is not None:
                self._file_id = self._before.id
        reading = self._session.pool.run(self._read_small)
        read = await finish_even_if_cancelled(reading, self._source.give_up)
        if read is None:
            return await self._large()
        return await self._small(*read)

    def _read_small(self) -> tuple[bytes, int] | None:
        content = self._source.small()
        return None if content is None else (content, self._source.settle())

    async def _small(self, content: bytes, dated_at: int) -> UploadResult:
        digest = blake2b_512(content).digest()
        if self._is_there(len(content), digest):
            return self._unchanged(digest)
        comment = self._comment(len(content), dated_at)
        answer = await self._session.request(
            PutSmall,
            FileStored,
            path=self._path,
            signature=sign_file(self._session.key, digest, comment).encode(),
            content=content,
        )
        return await self._keep(answer.stored, comment, digest)

    async def _large(self) -> UploadResult:
        if (found := await self._compared(self._before_values())) is not None:
            return found
        outgoing = UploadStream(self._session, self._source, self._report)
        try:
            sent = await outgoing.send(
                path=self._path, file_id=self._file_id, version=self._number(), describe=self._comment
            )
        except ExistsError as refusal:
            if (found := await self._compared(refusal.values)) is not None:
                return found
            raise
        return await self._keep(sent.stored, sent.comment, sent.digest)

    # -- is it there already? ------------------------------------------------------------------------

    async def _version_seen(self) -> File | None:
        try:
            seen = await show_file(self._session, self._path)
        except NotFoundError:
            if self._if_version is None:
                return None
            raise
        number = seen.version.number
        if self._if_version is not None and number != self._if_version:
            raise ChangedSinceError(author=seen.version.author, version=number, seen=self._if_version, path=self._path)
        return seen

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

    def _is_there(self, size: int, digest: bytes) -> bool:
        there = self._before_values()
        mine = (self._session.user_id, size, digest_text(digest))
        return (there.get("author_id"), there.get("size"), there.get("digest")) == mine

    async def _compared(self, there: dict[str, Any]) -> UploadResult | None:
        """Read the source to see whether it is what is there; only where author and size say that it may be."""
        source = self._source
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
            self._report(TransferStage.SENDING, done)
        await finish_even_if_cancelled(pool.run(source.settle))
        await finish_even_if_cancelled(pool.run(source.rewind))
        digest = running.digest()
        if digest_text(digest) != there.get("digest"):
            return None
        version = there.get("version")
        if not isinstance(version, int):
            return None
        return self._unchanged(digest, version=version, size=source.size)

    def _unchanged(self, digest: bytes, *, version: int = 0, size: int = 0) -> UploadResult:
        if self._before is not None:
            version, size = self._before.version.number, self._before.version.size
        self._report(TransferStage.UNCHANGED, size)
        return UploadResult(Stored(self._path, version, size, digest, "", unchanged=True), None)

    # -- what is signed, and what comes back -----------------------------------------------------------

    def _number(self) -> int:
        return 1 if self._before is None else self._before.version.number + 1

    def _comment(self, size: int, dated_at: int) -> FileComment:
        before = self._before
        return FileComment(
            server_id=self._session.server_id,
            file_id=self._file_id,
            version=self._number(),
            size=size,
            mtime=dated_at,
            name=self._path,
            user=self._session.user_id,
            prev=None if before is None else before.version.digest,
            ts=int(self._session.clock()),
        )

    async def _keep(self, stored: Stored, sent: FileComment, digest: bytes) -> UploadResult:
        try:
            check_receipt(self._session.server_key, stored, sent, digest)
        except SignatureInvalidError as error:
            raise ReceiptBadError(error.detail, path=self._path, server=self._session.server_name) from error

        def keep() -> Path | None:
            self._session.versions_seen.note(sent.file_id, stored.version)
            # It is stored, whatever happens to its receipt here: the result says that none was kept.
            with contextlib.suppress(LocalDiskFullError, LocalFileError):
                return keep_receipt(self._session.state, sent, stored)
            return None

        receipt = await self._session.pool.run(keep)
        self._report(TransferStage.UNCHANGED if stored.unchanged else TransferStage.STORED, sent.size)
        return UploadResult(stored, receipt)

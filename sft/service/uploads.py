"""One upload, from its announcement to what waits for its commit.

    begin → open_uploads → start → (seal → append)* → finish → Pending

Rules. Batches are pushed: nothing here waits for the network or pulls a stream. ``seal`` computes; ``start``, ``append`` and
``abort`` do input and output; so each can run where that is cheap. What ``begin`` checks is an early refusal only: the commit
asks again. A content that is small enough becomes an object in the database and touches no file. Whatever is refused leaves
nothing behind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sft.crypto.digests import blake2b_512
from sft.errors import BadRequestError, TooLargeError, UploadGoneError
from sft.limits import CHUNK_BYTES, FILE_BYTES
from sft.model.access import Caller, Permission
from sft.service.author_signature import Signed, require_announced, require_digest, require_signed, sidecar_of
from sft.service.commits import Put, check_upload
from sft.service.open_uploads import OpenUpload
from sft.service.path_lookup import PathLookup, require_path
from sft.service.pending import Pending, pending_inline, translate_disk_full
from sft.service.record_builder import RecordBuilder, blame_path
from sft.service.storage import OBJECT_ID_BYTES, FileStorage
from sft.service.use_case import query
from sft.store.files import files_by_file_id, newest_versions
from sft.store.rows import ReadTransaction
from sft.store.users import key_by_id
from sft.vault.objects import fits_inline
from sft.vault.vault import ObjectWriter

MOST_SHOWN: Final = "64 TiB"


class Plan(Struct, frozen=True):
    """What an upload was announced as; ``prev`` is the digest of the version that it replaces."""

    caller: Caller
    user_id: int
    public_key: bytes
    path: str
    file_id: bytes
    version: int
    size: int | None
    prev: bytes | None


@query(Permission.FILE_WRITE)
def begin(
    reading: ReadTransaction,
    caller: Caller,
    *,
    storage: FileStorage,
    path: str,
    file_id: bytes,
    version: int,
    size: int | None,
) -> Upload:
    """Announce an upload; nothing is written yet.

    Args:
        file_id: drawn by the author of version 1.
        version: the version that the author saw, plus one.
        size: of the content; None where the author reads a pipe.

    Raises:
        RequestError: the rule by which the commit would refuse it now.
    """
    require_path(path)
    if size is not None and size > FILE_BYTES:
        raise TooLargeError(what=path, limit=MOST_SHOWN)
    user_id, public_key = _author(reading, caller)
    with blame_path(path):
        places = PathLookup(reading)
        place = places.one(path)
        newest = newest_versions(reading, places.files())
        current = None if place.file is None else newest[place.file.id]
        check_upload(
            RecordBuilder(reading),
            caller,
            place,
            current,
            Put(file_id, version),
            id_is_known=bool(files_by_file_id(reading, [file_id])),
        )
    prev = None if current is None else current.digest
    return Upload(storage, Plan(caller, user_id, public_key, path, file_id, version, size, prev))


class UploadPoint(Struct, frozen=True):
    """After how many chunks an upload that was cut off can go on, and until when it is kept (Unix seconds)."""

    chunks: int
    expires_at: int


@query(Permission.FILE_WRITE)
def find(_reading: ReadTransaction, _caller: Caller, *, upload_id: bytes) -> UploadPoint:  # noqa: ARG001 - nothing is kept
    """Find what is kept of an upload; UploadGoneError if nothing is, or it is another person's."""
    raise UploadGoneError


def _author(reading: ReadTransaction, caller: Caller) -> tuple[int, bytes]:
    key = None if caller.key_id is None else key_by_id(reading, caller.key_id)
    if caller.user_id is None or key is None:
        raise BadRequestError(problem="a file needs an author with a key")
    return caller.user_id, key.public_key


class Upload:
    """An upload that is open; one owner at a time.

    Attributes:
        received: bytes of content so far.
        announcement: what is noted before ``start``, and ended after ``abort``; None where the content goes into the database.
    """

    def __init__(self, storage: FileStorage, plan: Plan) -> None:
        self.received = 0
        self._storage = storage
        self._plan = plan
        self._object_id = os.urandom(OBJECT_ID_BYTES)
        small = plan.size is not None and fits_inline(plan.size)
        self.announcement = None if small else OpenUpload(self._object_id, plan.user_id, plan.path)
        self._digest = blake2b_512()
        self._writer: ObjectWriter | None = None
        self._small: bytes | None = None  # content that goes into the database
        self._started = False
        self._complete = False
        self._over = False

    @property
    def path(self) -> str:
        return self._plan.path

    @property
    def size(self) -> int | None:
        return self._plan.size

    def start(self) -> None:
        """Reserve room and make the temporary file, before sealing (input and output); ServerFullError without room."""
        if self._started or self._over:
            raise ValueError("an upload starts once")
        self._started = True
        size = self._plan.size
        if self.announcement is None:
            return
        try:
            with translate_disk_full(size):
                self._writer = self._storage.vault.begin(self._object_id, size, owner=self._plan.user_id)
        except BaseException:
            self.abort()
            raise

    def seal(self, chunks: Sequence[bytes], *, last: bool) -> list[bytes]:
        """Hash and seal the next chunks; pure computing.

        Args:
            chunks: of 65,536 bytes each; the last of all may be shorter, and is empty for empty content alone.
            last: nothing follows.

        Returns:
            What ``append`` takes; nothing where the content goes into the database.

        Raises:
            BadRequestError: chunks of other lengths, or another size than announced.
            TooLargeError: more than a file may hold.
        """
        if not self._started or self._complete or self._over:
            raise ValueError("the upload is not open")
        first = self.received == 0
        self._require_lengths(chunks, last=last, first=first)
        if not chunks:
            return []
        self.received += sum(map(len, chunks))
        self._require_size(last=last)
        for chunk in chunks:
            self._digest.update(chunk)
        self._complete = last
        if first and last and len(chunks) == 1 and fits_inline(self.received):
            self._small = chunks[0]
            return []
        if self._writer is None:  # announced as small: the size held, so this batch was the last
            raise ValueError("the upload has no object")
        return self._writer.seal(chunks, last=last)

    def append(self, sealed: Sequence[bytes]) -> None:
        """Write what ``seal`` returned, in the same order (input and output); a ServerFullError ends the upload."""
        if not sealed or self._over:
            return
        if self._writer is None:
            raise ValueError("the upload has no object")
        with translate_disk_full(self._plan.size):
            self._writer.append(sealed)

    def finish(self, digest: bytes, signature: bytes) -> Pending:
        """Check what arrived against what was signed, and make it durable; input and output.

        Args:
            digest: as the author sent it.

        Returns:
            What the commit takes.

        Raises:
            SignatureRefusedError: something does not fit.
            ServerFullError: the disk is full.
            BadRequestError: nothing said that the content is complete.
        """
        if self._over:
            raise ValueError("the upload is over")
        plan = self._plan
        try:
            self._require_complete()
            found = self._digest.digest()
            require_digest(digest, found)
            signed = require_signed(
                self._storage,
                user_id=plan.user_id,
                public_key=plan.public_key,
                path=plan.path,
                size=self.received,
                digest=found,
                signature=signature,
            )
            require_announced(signed, file_id=plan.file_id, version=plan.version, prev=plan.prev)
            pending = self._store(signed)
        except BaseException:
            self.abort()
            raise
        self._over = True
        return pending

    def _store(self, signed: Signed) -> Pending:
        writer, plan = self._writer, self._plan
        if self._small is not None:
            if writer is not None:  # of unknown size, and small after all
                writer.abort()
            return pending_inline(
                self._storage,
                plan.caller,
                plan.public_key,
                signed,
                self._object_id,
                self._small,
                opened=writer is not None,
            )
        if writer is None:
            raise ValueError("the upload has no object")
        with translate_disk_full(plan.size):
            writer.finish(sidecar_of(signed, plan.public_key))
        return Pending(
            caller=plan.caller,
            public_key=plan.public_key,
            signed=signed,
            object_id=self._object_id,
            sealed=None,
            key=writer.key,
            storage=self._storage,
            opened=True,
        )

    def abort(self) -> None:
        """Leave nothing behind; idempotent, and does nothing after ``finish``. Input and output."""
        if self._over:
            return
        self._over = True
        self._small = None
        if self._writer is not None:
            self._writer.abort()

    def _require_complete(self) -> None:
        if not self._complete:
            raise BadRequestError(problem="a commit before the last data")

    def _require_lengths(self, chunks: Sequence[bytes], *, last: bool, first: bool) -> None:
        full = chunks[:-1] if last else chunks
        fits = all(len(chunk) == CHUNK_BYTES for chunk in full)
        if last:
            least = 0 if first and len(chunks) == 1 else 1
            fits = fits and bool(chunks) and least <= len(chunks[-1]) <= CHUNK_BYTES
        if not fits:
            raise BadRequestError(problem="chunks of another length than 64 KiB")

    def _require_size(self, *, last: bool) -> None:
        announced = self._plan.size
        if self.received > FILE_BYTES:
            raise TooLargeError(what=self.path, limit=MOST_SHOWN)
        if announced is not None and (self.received > announced or (last and self.received != announced)):
            raise BadRequestError(problem="another size than announced")

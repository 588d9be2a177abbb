"""An upload that is open: from its start to what waits for its commit, and over cuts in between.

    start → (seal → append → settle)* → finish → Pending
    recall* → start → …                            of what another process left
    end (LOST) … take_over → start → …             of what lost its connection

Rules. Batches are pushed: nothing here waits for the network or pulls a stream. ``seal`` computes; all others but ``take_over``
do input and output; so each can run where that is cheap. A content that is small enough becomes an object in the database
and touches no file. What fails here ends, and what stays then ``upload_life`` says.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct

from sft.crypto.digests import blake2b_512
from sft.errors import BadRequestError, ObjectCorruptError, ObjectMissingError, ResumeRefusedError, TooLargeError
from sft.limits import CHUNK_BYTES, CREDIT_STEP_CHUNKS, FILE_BYTES, SEGMENT_BYTES, SEGMENT_CHUNKS, SPACE_STEP_BYTES
from sft.model.access import Caller
from sft.model.quotas import Usage
from sft.model.text import size_text
from sft.service.author_signature import Signed, require_announced, require_digest, require_signed, sidecar_of
from sft.service.open_uploads import GrowUpload, OpenUpload, Resumable, ResumeUpload, SegmentsDone
from sft.service.pending import Pending, pending_inline, translate_disk_full
from sft.service.storage import OBJECT_ID_BYTES, FileStorage, sealed_key_of, under_current_key
from sft.service.upload_life import Ending, UploadState, after, ending_of
from sft.store.row_types import UploadRow
from sft.vault.layout import sealed_size
from sft.vault.objects import fits_inline
from sft.vault.objects import require_digest as require_content
from sft.vault.vault import ObjectReader, ObjectWriter


class Plan(Struct, frozen=True):
    """What an upload was announced as.

    Attributes:
        prev: digest of the version that it replaces.
        owner_id: who will own it; None where nobody's quota is asked.
        most_bytes: that a file may have.
    """

    caller: Caller
    user_id: int
    public_key: bytes
    path: str
    file_id: bytes
    version: int
    size: int | None
    prev: bytes | None
    upload_id: bytes | None = None
    owner_id: int | None = None
    most_bytes: int = FILE_BYTES

    @property
    def resumable(self) -> Resumable | None:
        """What its row keeps, where it has several segments and a size."""
        key_id = self.caller.key_id
        if self.upload_id is None or key_id is None or self.size is None or self.size <= SEGMENT_BYTES:
            return None
        return Resumable(self.upload_id, key_id, self.file_id, self.version, self.size)


class Point(Struct, frozen=True):
    """Where an author goes on: after so many chunks, and the digest of the content before."""

    chunks: int
    digest: bytes


class UnfinishedUpload(Struct, frozen=True):
    """An upload that can be gone on with: the bytes that its finished segments take, and what is reserved of a quota."""

    object_id: bytes
    stored_bytes: int
    reserved: Usage = Usage()


class Upload:
    """An upload that is open; one owner at a time.

    Attributes:
        state: which ``start``, ``finish`` and ``end`` change.
        received: bytes of content so far.
        chunks: likewise.
        complete: whether all of the content is here.
        replaces: objects of uploads with the same id, which is begun anew.
        kept_before: the person's other uploads that can be gone on with, the first to expire first.
        shortage: by how much it does not fit its owner's quota beside what is reserved.
        noted: segments that the row names.
        reserved: bytes that have their room in a quota, where nobody said how large it will be.
        resumable: its row says how it can go on.
        announcement: what is noted before ``start``, and ended once nothing is left; None if the database takes the content.
    """

    def __init__(self, storage: FileStorage, plan: Plan, row: UploadRow | None = None) -> None:
        self.state = UploadState.NEW if row is None else UploadState.LEFT
        self.received = 0
        self.chunks = 0
        self.complete = False
        self.replaces: tuple[bytes, ...] = ()
        self.kept_before: tuple[UnfinishedUpload, ...] = ()
        self.shortage = Usage()
        self.noted = 0 if row is None else row.segments
        self.reserved = 0
        self._storage = storage
        self._plan = plan
        self._row = row
        self._object_id = os.urandom(OBJECT_ID_BYTES) if row is None else row.object_id
        small = plan.size is not None and fits_inline(plan.size)
        self.resumable = plan.resumable is not None
        self.announcement = (
            None
            if small or row is not None
            else OpenUpload(
                self._object_id,
                plan.user_id,
                plan.path,
                resumable=plan.resumable,
                owner_id=plan.owner_id,
                version=plan.version,
                size=plan.size or 0,
                grows=plan.size is None,
            )
        )
        self._digest = blake2b_512()
        self._unhashed: Sequence[bytes] = ()  # sealed, and not hashed yet
        self._marks: dict[int, blake2b] = {}  # running digests at the ends of segments that are not noted yet
        self._reader: ObjectReader | None = None
        self._writer: ObjectWriter | None = None
        self._small: bytes | None = None  # content that goes into the database

    @property
    def object_id(self) -> bytes:
        return self._object_id

    @property
    def path(self) -> str:
        return self._plan.path

    @property
    def size(self) -> int | None:
        return self._plan.size

    @property
    def wanted_bytes(self) -> int:
        """Room that its start asks for."""
        if self.announcement is None and self._row is None:
            return 0
        size = self._plan.size
        return SPACE_STEP_BYTES if size is None else sealed_size(size) - self.noted * sealed_size(SEGMENT_BYTES)

    @property
    def outgrown(self) -> GrowUpload | None:
        """What is to be reserved before more is taken: of unknown size, and more came than has its room."""
        if self._plan.size is not None or self.complete or self.received <= self.reserved:
            return None
        return GrowUpload(self._object_id, self.received)

    @property
    def resumption(self) -> ResumeUpload | None:
        """What is noted before ``recall``, where another process left this."""
        row = self._row
        return None if row is None else ResumeUpload(self._plan.caller, row.object_id, row.segments)

    @property
    def has_row(self) -> bool:
        """Whether a row says that its object is written."""
        return self.announcement is not None or self._row is not None

    def start(self) -> None:
        """Reserve room and make the temporary file, before sealing (input and output); ServerFullError without room."""
        if self.state not in (UploadState.NEW, UploadState.LEFT, UploadState.PARKED):
            raise ValueError("an upload starts once")
        plan, row, vault = self._plan, self._row, self._storage.vault
        try:
            with translate_disk_full(plan.size):
                if self.state is UploadState.LEFT and row is not None:
                    key = under_current_key(self._storage, row.object_id, sealed_key_of(row))
                    self._writer = vault.go_on(row.object_id, row.size, key, row.segments, owner=plan.user_id)
                elif self.state is UploadState.NEW and self.announcement is not None:
                    self._writer = vault.begin(self._object_id, plan.size, owner=plan.user_id)
        except BaseException as fault:
            self.end(ending_of(fault))
            raise
        self.state = UploadState.OPEN

    # -- going on ------------------------------------------------------------------------------------------

    def recall(self) -> bool:
        """Read the next segment that another process has finished, for the running digest (input and output).

        Returns:
            Whether there are more.

        Raises:
            ResumeRefusedError: what is kept is damaged, or gone; nobody can go on with it.
        """
        row = self._row
        if row is None:
            return False
        try:
            if self._reader is None:
                self._reader = self._storage.vault.open(row.object_id, row.size, sealed_key_of(row))
            end = self.chunks + SEGMENT_CHUNKS
            while self.chunks < end:
                for chunk in self._reader.open(self._reader.read(CREDIT_STEP_CHUNKS)):
                    self._digest.update(chunk)
                    self.chunks += 1
                    self.received += len(chunk)
            if end < row.segments * SEGMENT_CHUNKS:
                return True
            require_content(row.object_id, self._digest.copy().digest(), row.prefix)
        except (ObjectCorruptError, ObjectMissingError) as fault:
            self.end(Ending.GIVEN_UP)
            detail = str(fault.values["problem"])
            raise ResumeRefusedError(detail, path=row.path, problem="what was kept of it is damaged") from fault
        self._reader.close()
        return False

    def take_over(self, plan: Plan, resume: Point) -> None:
        """Let what is parked go on at exactly this point, for the author as they are now; else ResumeRefusedError."""
        if resume.chunks != self.chunks:
            raise ResumeRefusedError(path=plan.path, problem="it ends elsewhere")
        if not hmac.compare_digest(self._digest.copy().digest(), resume.digest):
            raise ResumeRefusedError(path=plan.path, problem="its content is another")
        self._plan = plan

    @property
    def has_full(self) -> bool:
        """Whether a segment waits for ``settle``."""
        return self._writer is not None and self._writer.has_full

    def settle(self) -> SegmentsDone | None:
        """Make full segments durable, beside ``append`` (input and output); return what is to be noted of them."""
        if self._writer is None or self.state is not UploadState.OPEN:
            return None
        with translate_disk_full(self._plan.size):
            segments = self._writer.settle()
        if not self.resumable or segments <= self.noted:
            return None
        return SegmentsDone(self._storage, self._object_id, segments, self._marks[segments].digest(), self._writer.key)

    def note(self, segments: int) -> None:
        """Take it that the row names so many segments now."""
        self.noted = segments
        # In place: on the pool ``append`` may be adding the next one, which another dictionary would not have.
        for end in [end for end in tuple(self._marks) if end <= segments]:
            del self._marks[end]

    # -- content -------------------------------------------------------------------------------------------

    def seal(self, chunks: Sequence[bytes], *, last: bool) -> list[bytes]:
        """Seal the next chunks; pure computing. ``append`` hashes them.

        Args:
            chunks: of 65,536 bytes each; the last of all may be shorter, and is empty for empty content alone.
            last: nothing follows.

        Returns:
            What ``append`` takes; nothing where the content goes into the database.

        Raises:
            BadRequestError: chunks of other lengths, or another size than announced.
            TooLargeError: more than a file may hold.
        """
        if self.state is not UploadState.OPEN or self.complete:
            raise ValueError("the upload is not open")
        first = self.received == 0
        self._require_lengths(chunks, last=last, first=first)
        if not chunks:
            return []
        self.received += sum(map(len, chunks))
        self._require_size(last=last)
        self._unhashed = chunks
        self.complete = last
        if first and last and len(chunks) == 1 and fits_inline(self.received):
            self._small = chunks[0]
            return []
        if self._writer is None:  # announced as small: the size held, so this batch was the last
            raise ValueError("the upload has no object")
        return self._writer.seal(chunks, last=last)

    def append(self, sealed: Sequence[bytes]) -> None:
        """Hash what was sealed, and write what ``seal`` returned, in the same order; a ServerFullError ends the upload.

        Input and output; hashing is here, so that it goes on beside the opening of what comes next, on another core.
        """
        if self.state is not UploadState.OPEN:
            return
        self._hash()
        if not sealed:
            return
        if self._writer is None:
            raise ValueError("the upload has no object")
        with translate_disk_full(self._plan.size):
            self._writer.append(sealed)

    def _hash(self) -> None:
        chunks, self._unhashed = self._unhashed, ()
        for chunk in chunks:
            self._digest.update(chunk)
            self.chunks += 1
            if self.resumable and self.chunks % SEGMENT_CHUNKS == 0:
                self._marks[self.chunks // SEGMENT_CHUNKS] = self._digest.copy()

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
        if self.state is not UploadState.OPEN:
            raise ValueError("the upload is not open")
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
        except BaseException as fault:
            self.end(ending_of(fault))
            raise
        self.state = UploadState.STORED
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
            writer.finish(sidecar_of(signed, plan.caller.name, plan.public_key))
        return Pending(
            caller=plan.caller,
            public_key=plan.public_key,
            signed=signed,
            object_id=self._object_id,
            sealed=None,
            key=writer.key,
            storage=self._storage,
            opened=True,
            resumable=self.resumable,
        )

    def end(self, ending: Ending) -> None:
        """Leave what the table says, and nothing else (input and output); nothing happens to what ended before.

        Raises:
            VaultError: it cannot be parked, and what stays is as after ENDED; or not all could be removed, and its row stays.
        """
        writer = self._writer
        can_park = self.resumable and self.chunks > 0 and writer is not None and writer.intact
        state = after(self.state, ending, can_park=can_park, can_stay=self.resumable and self.noted > 0)
        if state is self.state:
            return
        if state is UploadState.PARKED and writer is not None:
            try:
                writer.rest()
            except BaseException:
                self.end(Ending.ENDED)
                raise
            self.state = state
            return
        self.state = UploadState.KEPT  # until all is removed
        self._small = None
        if self._reader is not None:
            self._reader.close()
        if writer is not None:
            writer.leave() if state is UploadState.KEPT else writer.abort()
            if state is UploadState.KEPT and writer.finished > self.noted:
                self._storage.vault.remove(self._object_id, self.noted)
        elif state is UploadState.GONE and self._row is not None:
            self._storage.vault.remove(self._object_id)
        self.state = state

    def _require_complete(self) -> None:
        if not self.complete:
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
        if self.received > self._plan.most_bytes:
            raise TooLargeError(what=self.path, limit=size_text(self._plan.most_bytes))
        if announced is not None and (self.received > announced or (last and self.received != announced)):
            raise BadRequestError(problem="another size than announced")

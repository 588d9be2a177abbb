"""What waits for its commit: a version whose content is durable, or sealed in memory, and that no row names yet.

    put_small, Unwritten.write, Upload.finish → Pending → commit → acknowledge_one, acknowledge or discard

Rules. A content that is small enough becomes an object in the database and touches no file. The receipt is signed after the
commit, outside the writing thread: it costs half of what a small file's row does, and only what is durable has one. Whatever
is refused leaves nothing behind; of what nobody knows whether it is durable, nothing is removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from sft.crypto.digests import blake2b_512
from sft.crypto.notes import Receipt, sign_receipts
from sft.errors import BadRequestError, ServerFullError, TooLargeError, VaultFullError
from sft.limits import SMALL_FILE_BYTES, SPACE_STEP_BYTES
from sft.model.access import Caller, Permission, allows
from sft.model.records import File, Stored
from sft.service.author_signature import Signed, require_signed, sidecar_of
from sft.service.open_uploads import OpenUpload
from sft.service.path_lookup import require_path
from sft.service.storage import OBJECT_ID_BYTES, FileStorage
from sft.vault.objects import fits_inline, seal_whole
from sft.vault.vault import SealedKey

ROW_BYTES: Final = 512  # what a version's rows weigh beside signature and inline object


class Pending(Struct, frozen=True):
    """A version whose content is durable, or lies sealed in here, and that no row names yet.

    Attributes:
        public_key: the key that the signature was checked under.
        signed: what the author signed.
        object_id: of the content, 16 random bytes.
        sealed: the object itself, where it goes into the database.
        key: the sealed data key, for the row.
        opened: an open upload's row stands for it, which its commit removes.
        resumable: that row says how it can go on.
        adopted: it was stored here before, and the index is made again: versions right before it may be lost, and no quota
            refuses it.
    """

    caller: Caller
    public_key: bytes
    signed: Signed
    object_id: bytes
    sealed: bytes | None
    key: SealedKey
    storage: FileStorage
    opened: bool = False
    resumable: bool = False
    adopted: bool = False

    @property
    def inline(self) -> bool:
        """The object lies in the database alone: neither settling nor discarding does input or output."""
        return self.sealed is not None

    @property
    def path(self) -> str:
        return self.signed.path

    @property
    def weight_bytes(self) -> int:
        """What it adds to a group of the writer's."""
        return ROW_BYTES + len(self.signed.signature) + len(self.sealed or b"")


class Committed(Struct, frozen=True):
    """What a commit made durable, or found there already (``unchanged``)."""

    receipt: Receipt  # still to be signed
    unchanged: bool


class Unwritten(Struct, frozen=True):
    """A checked small file whose object goes into the vault: its upload is opened, then it is written."""

    caller: Caller
    public_key: bytes
    signed: Signed
    object_id: bytes
    content: bytes
    storage: FileStorage

    @property
    def announcement(self) -> OpenUpload:
        """What is noted before the first byte."""
        return OpenUpload(self.object_id, self.signed.user_id, self.signed.path)

    def write(self) -> Pending:
        """Write the object durably; input and output.

        Raises:
            ServerFullError: the disk is full; nothing is left.
        """
        with translate_disk_full(len(self.content)):
            writer = self.storage.vault.begin(self.object_id, len(self.content), owner=self.signed.user_id)
            try:
                writer.append(writer.seal([self.content], last=True))
                writer.finish(sidecar_of(self.signed, self.caller.name, self.public_key))
            except BaseException:
                writer.abort()
                raise
        return Pending(
            self.caller, self.public_key, self.signed, self.object_id, None, writer.key, self.storage, opened=True
        )


def put_small(
    storage: FileStorage, caller: Caller, public_key: bytes, *, path: str, signature: bytes, content: bytes
) -> Pending | Unwritten:
    """Check a whole small file, and seal it if it goes into the database; pure computing.

    What it is stands in the signature's comment.

    Args:
        public_key: of the session, minisign's 42 bytes; the commit reads the key again.

    Returns:
        What the commit takes, or what is still to be written.

    Raises:
        NameNotAllowedError: of the path.
        SignatureRefusedError: something does not fit.
    """
    require_path(path)
    if len(content) > SMALL_FILE_BYTES:
        raise TooLargeError(what=path, limit="60 KiB")
    if caller.user_id is None:
        raise BadRequestError(problem="a file needs an author with a key")
    signed = require_signed(
        storage,
        user_id=caller.user_id,
        public_key=public_key,
        path=path,
        size=len(content),
        digest=blake2b_512(content).digest(),
        signature=signature,
    )
    object_id = os.urandom(OBJECT_ID_BYTES)
    # Who may store nothing is refused by the commit, in its words: until then not a byte goes to the disk.
    if fits_inline(len(content)) or not allows(caller.role, Permission.FILE_WRITE):
        return pending_inline(storage, caller, public_key, signed, object_id, content)
    return Unwritten(caller, public_key, signed, object_id, content, storage)


def pending_inline(
    storage: FileStorage,
    caller: Caller,
    public_key: bytes,
    signed: Signed,
    object_id: bytes,
    content: bytes,
    *,
    opened: bool = False,
) -> Pending:
    """Seal a small content as an object for the database; pure computing."""
    key, sealed = seal_whole(storage.vault.keyring, object_id, content)
    return Pending(caller, public_key, signed, object_id, sealed, key, storage, opened)


def acknowledge_one(pending: Pending, committed: Committed) -> Stored:
    """Sign the receipt of a version that is durable, once its commit has returned: about 20 microseconds.

    Where the same content was there already (``unchanged``), the caller discards the object that was written.
    """
    receipt = committed.receipt
    return Stored(
        path=receipt.name,
        version=receipt.version,
        size=receipt.size,
        digest=receipt.digest,
        receipt=sign_receipts(pending.storage.server_key, [receipt]),
        unchanged=committed.unchanged,
    )


def acknowledge(storage: FileStorage, committed: Sequence[Committed]) -> str:
    """Sign one receipt for what is durable of one answer, one author's; a version that was there twice has one line."""
    lines = {(each.receipt.file_id, each.receipt.version): each.receipt for each in committed}
    return sign_receipts(storage.server_key, list(lines.values()))


def receipt_again(storage: FileStorage, file: File) -> str:
    """Sign the receipt of a version that is there, for its author."""
    version = file.version
    receipt = Receipt(
        server_id=storage.server_id,
        file_id=file.id,
        version=version.number,
        size=version.size,
        digest=version.digest,
        user=version.author_id,
        name=version.signed_name,
        stored_at=version.stored_at,
        leaf=version.leaf,
    )
    return sign_receipts(storage.server_key, [receipt])


def discard(pending: Pending) -> None:
    """Remove the object of a version that was refused, or there already; input and output, unless ``inline``.

    Afterwards the row of its upload goes (``open_uploads``), if it was ``opened``. Where nobody knows whether a commit is
    durable, nothing is removed, and recovery decides.
    """
    if not pending.inline:
        pending.storage.vault.remove(pending.object_id)


@contextmanager
def translate_disk_full(size: int | None) -> Iterator[None]:
    """Refuse for want of room where the vault's disk is full."""
    try:
        yield
    except VaultFullError as fault:
        wanted = SPACE_STEP_BYTES if size is None else size
        raise ServerFullError(str(fault.values["problem"]), size_bytes=wanted) from fault

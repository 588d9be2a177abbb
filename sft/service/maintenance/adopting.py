"""The acts of an index that is made again: an author is there with a key, a version whose object lies in the vault has a row.

Rules. Who is made so is locked out and a guest, and nobody is let in by what lies in the vault. A version is stored as its
author did it, by every rule of a commit but those of what they may do.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.crypto.comment import NO_HEAD
from sft.crypto.keys import PublicKey, SigningKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import BadRequestError
from sft.ledger.checkpoints import parse_head_text
from sft.model.access import Caller, Permission, Role
from sft.model.events import FileCommitted, FileReplaced, KeyAdded, UserAdded
from sft.model.records import UserState
from sft.service import use_case
from sft.service.author_signature import Sidecar, Signed
from sft.service.commits import CommitGroup
from sft.service.keys import add_key_row, key_added
from sft.service.log.seen import require_seen
from sft.service.pending import Pending
from sft.service.storage import FileStorage
from sft.service.users import enroll, require_free_name, user_added
from sft.store.ledger import ledger_row
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.rows import Transaction
from sft.store.users import key_by_point, keys_of, user_by_id, user_by_name, write_users
from sft.vault.vault import SealedKey

DEVICE: Final = "rebuilt"  # what the keys are called that come back so
_UNKNOWN: Final = "unknown-{}"  # who joined before somebody that is known, and stored nothing that is left


class Author(Struct, frozen=True):
    """Somebody who signed what lies in the vault."""

    user_id: int
    name: str
    public_key: bytes


class Enlistment(Struct, frozen=True):
    """An author who is to be there, with the key."""

    caller: Caller
    author: Author


class Adoption(Struct, frozen=True):
    """A version whose object lies in the vault, and that is to have a row."""

    caller: Caller
    storage: FileStorage
    object_id: bytes
    key: SealedKey
    sidecar: Sidecar


@use_case.act(Permission.VAULT_MANAGE, logs=(UserAdded, KeyAdded))
def enlist(transaction: Transaction, item: Enlistment) -> int:
    """Have an author there with a key; return how many people were made for it, those before in order included.

    Raises:
        BadRequestError: somebody else has the id, the name or the key, or is let in here without it.
    """
    author = item.author
    known = key_by_point(transaction, PublicKey.decode(author.public_key).point)
    if known is not None:
        if known.user_id != author.user_id:
            raise BadRequestError(problem="its author's key is somebody else's here")
        return 0
    user = user_by_id(transaction, author.user_id)
    if user is not None:
        _add_key(transaction, item, user)
        return 0
    last = transaction.rows.next_id(UserRow)
    for user_id in range(last, author.user_id):
        _make(transaction, item.caller, Author(user_id, _UNKNOWN.format(user_id), _nobodys_key()))
    if user_by_name(transaction, author.name) is not None:
        author = replace(author, name=f"{author.name}-{author.user_id}")
    _make(transaction, item.caller, author)
    return author.user_id - last + 1


def _make(transaction: Transaction, by: Caller, author: Author) -> None:
    """Make somebody who is locked out from the first moment on."""
    require_free_name(transaction, author.name)
    user, key = enroll(transaction, author.name, Role.GUEST, author.public_key, DEVICE)
    write_users(transaction, [replace(user, state=UserState.DISABLED.value)])
    transaction.log(user_added(by, user, key))


def _add_key(transaction: Transaction, item: Enlistment, user: UserRow) -> None:
    """Add a key of somebody who is locked out, and was made here: nobody is let in by what lies in the vault."""
    keys = keys_of(transaction, [user.id])[user.id]
    if user.state != UserState.DISABLED or {key.device for key in keys} != {DEVICE}:
        raise BadRequestError(problem="its author is not known here by this key")
    key = add_key_row(transaction, user, keys, item.author.public_key, DEVICE, b"")
    transaction.log(key_added(item.caller, user, key))


def _nobodys_key() -> bytes:
    """Make a key whose secret half nobody has."""
    return SigningKey.generate().public.encode()


@use_case.act(Permission.VAULT_MANAGE, logs=(FileCommitted, FileReplaced))
def adopt(transaction: Transaction, item: Adoption) -> bool:
    """Store a version whose object lies there, as its author did; False where the same content is there already.

    Raises:
        RequestError: the rule that refuses: as of a commit; or its author has seen another log.
    """
    sidecar = item.sidecar
    key = key_by_point(transaction, PublicKey.decode(sidecar.public_key).point)
    if key is None or key.user_id != sidecar.user_id or key.public_key != sidecar.public_key:
        raise BadRequestError(problem="its author is not known here by this key")
    said = verify_file(PublicKey.decode(sidecar.public_key), sidecar.digest, FileSignature.parse(sidecar.signature))
    if said.server_id != item.storage.server_id:
        raise BadRequestError(problem="it was signed for another server")
    _require_log(transaction, item.storage, said.head)
    pending = Pending(
        caller=_author(transaction, key),
        public_key=key.public_key,
        signed=Signed(
            file_id=sidecar.file_id,
            version=sidecar.version,
            size=sidecar.size,
            digest=sidecar.digest,
            dated_at=sidecar.dated_at,
            path=sidecar.path,
            user_id=sidecar.user_id,
            prev=said.prev,
            signature=sidecar.signature,
        ),
        object_id=item.object_id,
        sealed=None,
        key=item.key,
        storage=item.storage,
        adopted=True,
    )
    group = CommitGroup(transaction, [pending])
    committed = group.judge(pending)
    group.write()
    return not committed.unchanged


def _author(transaction: Transaction, key: DeviceKeyRow) -> Caller:
    """Return who stored it; what they might do then, nobody knows, so nothing is refused for that."""
    user = user_by_id(transaction, key.user_id)
    if user is None:
        raise BadRequestError(problem="its author is gone")
    return Caller(user.id, key.id, user.name, Role.ADMIN)


def _require_log(transaction: Transaction, storage: FileStorage, head: str) -> None:
    """Take a head of this log, or of an epoch before: what was lost of that is what is put in here."""
    if head == NO_HEAD or parse_head_text(head)[0] < ledger_row(transaction).epoch:
        return
    require_seen(storage.ledger, head)

"""Making the index again of what lies beside objects, where the database was lost or put back to an older copy.

    objects that no row names → sidecar: opened, signature checked → authors, by id → versions, file by file, each an act

Rules. What a sidecar says was sealed by this server and signed by its author: version, path, digest, who, with which key. What
it does not say does not come back: roles, who was removed or disabled, which key was stolen, what was moved or deleted, who
owns what. So whoever is made again is locked out and a guest, until the operator has given a new key and let them in. A version
follows the one before it, or is left where it is and named. Killed, it is gone on with by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.crypto.comment import NO_HEAD
from sft.crypto.keys import PublicKey, SigningKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import BadRequestError, ObjectCorruptError, ObjectMissingError, RequestError, SignatureRefusedError
from sft.ledger.checkpoints import parse_head_text
from sft.model.access import Caller, Permission, Role
from sft.model.events import FileCommitted, FileReplaced, KeyAdded, UserAdded
from sft.model.records import UserState, VaultReport
from sft.service import use_case
from sft.service.author_signature import Sidecar, Signed, parse_sidecar
from sft.service.commits import CommitGroup
from sft.service.keys import add_key_row
from sft.service.log.seen import require_seen
from sft.service.maintenance.check import strays_of
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.pending import Pending
from sft.service.storage import FileStorage
from sft.service.users import enroll, require_free_name
from sft.store.ledger import ledger_row
from sft.store.row_types import DeviceKeyRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
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


class _Found(Struct, frozen=True, order=True, gc=False):
    """Where a sidecar belongs; in the order in which versions follow one another."""

    file_id: bytes
    version: int
    object_id: bytes


@use_case.query(Permission.VAULT_MANAGE)
def rebuild(_reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Give rows to objects that none names, as far as what lies beside them goes; the job's report counts the versions."""
    return _Rebuilding(replace(context, caller=caller)).run


class _Rebuilding:
    """Goes through objects that nobody knows."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._report = Report()
        self._authors: dict[tuple[int, bytes], Author] = {}
        self._refused: dict[tuple[int, bytes], str] = {}
        self._made = 0

    def run(self) -> VaultReport:
        vault, report = self._context.storage.vault, self._report
        found = sorted(self._look(strays_of(vault.ids(), self._context.begin_read)))
        self._enlist()
        for each in found:
            self._adopt(each)
        if self._made:
            report.note(f"{self._made} people were made again, as guests who are locked out")
            report.note("who is to come in gets a new key first: sftd user reset-key NAME")
            report.note("and is let in then: sftd user enable NAME")
        return report.finish()

    def _look(self, object_ids: list[bytes]) -> Iterator[_Found]:
        """Read what lies beside objects; of a million it keeps 150 bytes each."""
        for object_id in object_ids:
            sidecar = self._sidecar(object_id)
            if sidecar is None:
                continue
            author = Author(sidecar.user_id, sidecar.user_name, sidecar.public_key)
            self._authors.setdefault((author.user_id, author.public_key), author)
            yield _Found(sidecar.file_id, sidecar.version, object_id)

    def _sidecar(self, object_id: bytes) -> Sidecar | None:
        try:
            opened = self._context.storage.vault.read_sidecar(object_id)
            if opened is not None:
                return parse_sidecar(opened.content)
        except (ObjectCorruptError, SignatureRefusedError) as fault:
            self._report.fault(f"object {object_id.hex()}", str(fault.values["problem"]))
            return None
        self._report.fault(f"object {object_id.hex()}", "nothing lies beside it that says what it is")
        return None

    def _enlist(self) -> None:
        for key, author in sorted(self._authors.items()):
            try:
                self._made += self._context.act(enlist, Enlistment(self._context.caller, author))
            except RequestError as refusal:
                self._refused[key] = str(refusal.values.get("problem", refusal.code))

    def _adopt(self, found: _Found) -> None:
        context, vault = self._context, self._context.storage.vault
        opened = vault.read_sidecar(found.object_id)
        if opened is None:
            return
        sidecar = parse_sidecar(opened.content)
        what = f"{sidecar.path} version {sidecar.version}"
        refused = self._refused.get((sidecar.user_id, sidecar.public_key))
        if refused:
            self._report.fault(what, f"{refused} (object {found.object_id.hex()})")
            return
        wrapped = vault.keyring.wrap(found.object_id, opened.data_key)
        key = SealedKey(wrapped.epoch, wrapped.sealed, opened.later)
        try:
            vault.look_at(found.object_id, sidecar.size, key)
            adopted = context.act(adopt, Adoption(context.caller, context.storage, found.object_id, key, sidecar))
        except (ObjectCorruptError, ObjectMissingError) as fault:
            self._report.fault(what, str(fault.values["problem"]))
            return
        except RequestError as refusal:
            self._report.fault(what, f"{_why(refusal)} (object {found.object_id.hex()})")
            return
        if not adopted:
            self._report.fault(f"object {found.object_id.hex()}", f"{what} is there already, of another object")
            return
        self._report.versions += 1
        self._report.files += int(sidecar.version == 1)
        self._report.bytes_checked += sidecar.size
        context.progress(self._report.versions, self._report.bytes_checked)


def _why(refusal: RequestError) -> str:
    return str(refusal.values.get("problem") or f"it finds no place [{refusal.code}]")


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
    transaction.log(
        UserAdded(
            by=by,
            user_id=user.id,
            name=user.name,
            role=Role.GUEST,
            key_id=key.id,
            public_key=key.public_key,
            device=key.device,
        )
    )


def _add_key(transaction: Transaction, item: Enlistment, user: UserRow) -> None:
    """Add a key of somebody who is locked out, and was made here: nobody is let in by what lies in the vault."""
    keys = keys_of(transaction, [user.id])[user.id]
    if user.state != UserState.DISABLED or {key.device for key in keys} != {DEVICE}:
        raise BadRequestError(problem="its author is not known here by this key")
    key = add_key_row(transaction, user, keys, item.author.public_key, DEVICE, b"")
    transaction.log(
        KeyAdded(
            by=item.caller, user_id=user.id, name=user.name, key_id=key.id, public_key=key.public_key, device=key.device
        )
    )


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

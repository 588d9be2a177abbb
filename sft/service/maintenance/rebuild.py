"""Making the index again of what lies beside objects, where the database was lost or put back to an older copy.

    objects that no row names → sidecar: opened, signature checked → authors, by id → versions, file by file, each an act
                              → what finds no place → a folder of the operator's, where one was named

Rules. What a sidecar says was sealed by this server and signed by its author: version, path, digest, who, with which key. What
it does not say does not come back: roles, who was removed or disabled, which key was stolen, what was moved or deleted, who
owns what. So whoever is made again is locked out and a guest, until the operator has given a new key and let them in. Versions
of a file follow one another; those before or between them that are not there (destroyed, as older ones are; or so small that
they were in the database alone) count as lost, and the file's slot says so to everybody. A file lies where its newest version
was signed to; versions that were signed elsewhere are left where they are, named, and lost to the file: nobody could prove who
moved it. Of two files at one path the one that was signed last has it. Killed, it is gone on with by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.keys import PublicKey, SigningKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import BadRequestError, ObjectCorruptError, ObjectMissingError, RequestError, SignatureRefusedError
from sft.ledger.checkpoints import parse_head_text
from sft.model.access import Caller, Permission, Role
from sft.model.events import FileCommitted, FileReplaced, KeyAdded, UserAdded
from sft.model.records import NoteAbout, UserState, VaultReport
from sft.model.text import counted
from sft.service import use_case
from sft.service.author_signature import Sidecar, Signed, parse_sidecar
from sft.service.commits import CommitGroup
from sft.service.keys import add_key_row
from sft.service.log.seen import require_seen
from sft.service.maintenance.check import orphans_of
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.maintenance.unplaced import export
from sft.service.pending import Pending
from sft.service.storage import FileStorage
from sft.service.users import enroll, require_free_name
from sft.store.files import files_by_file_id
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
    """Where a sidecar belongs; in the order in which versions follow one another.

    Attributes:
        path: a hash of it, for this run: of a million files it is kept.
        signed_at: by its author's clock.
    """

    file_id: bytes
    version: int
    object_id: bytes
    path: int
    signed_at: int


@use_case.query(Permission.VAULT_MANAGE)
def rebuild(_reading: ReadTransaction, caller: Caller, *, context: JobContext, export_to: str = "") -> Job:
    """Give rows to objects that none names, as far as what lies beside them goes; the job's report counts the versions.

    Args:
        export_to: an absolute folder for what finds no place; empty for none.

    Raises:
        BadRequestError: it is not absolute.
    """
    if export_to and not Path(export_to).is_absolute():
        raise BadRequestError(problem="the folder's path is not whole")
    return _Rebuilding(replace(context, caller=caller), Path(export_to) if export_to else None).run


class _Rebuilding:
    """Goes through objects that nobody knows."""

    def __init__(self, context: JobContext, export_to: Path | None) -> None:
        self._context = context
        self._export_to = export_to
        self._report = Report()
        self._authors: dict[tuple[int, bytes], Author] = {}
        self._refused: dict[tuple[int, bytes], str] = {}
        self._made = 0
        self._unplaced = 0
        self._exported = 0

    def run(self) -> VaultReport:
        vault, report = self._context.storage.vault, self._report
        files = _by_file(self._look(orphans_of(vault.ids(), self._context.begin_read)))
        self._enlist()
        for versions in files:
            self._adopt_file(versions)
        if self._exported:
            report.note(
                f"written to {self._export_to}, and put aside: {counted(self._exported, 'content')} without a place"
            )
        elif self._unplaced:
            report.note(f"{counted(self._unplaced, 'content')} without a place", NoteAbout.WITHOUT_PLACE)
        if self._made:
            report.note(f"{self._made} people were made again, as guests who are locked out", NoteAbout.LOCKED_OUT)
        return report.finish()

    def _look(self, object_ids: list[bytes]) -> Iterator[_Found]:
        """Read what lies beside objects; of a million it keeps 150 bytes each."""
        for object_id in object_ids:
            sidecar = self._sidecar(object_id)
            if sidecar is None:
                continue
            author = Author(sidecar.user_id, sidecar.user_name, sidecar.public_key)
            self._authors.setdefault((author.user_id, author.public_key), author)
            signed_at = FileComment.parse(FileSignature.parse(sidecar.signature).comment).ts
            yield _Found(sidecar.file_id, sidecar.version, object_id, hash(sidecar.path), signed_at)

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

    def _adopt_file(self, versions: list[_Found]) -> None:
        """Place the versions of one file, in order."""
        with self._context.begin_read() as reading:
            there = bool(files_by_file_id(reading, [versions[0].file_id]))
        home = versions[-1].path
        for each in versions:
            # Where the file is here already, its place is what it is: another path is refused as everywhere.
            problem = "" if there or each.path == home else "it was signed to another place than the newest one"
            there = self._adopt(each, problem, is_new=not there) or there

    def _adopt(self, found: _Found, problem: str, *, is_new: bool) -> bool:
        """Place a version, or say why it has none; return whether its file is there now by it."""
        context, vault, report = self._context, self._context.storage.vault, self._report
        opened = vault.read_sidecar(found.object_id)
        if opened is None:
            return False
        sidecar = parse_sidecar(opened.content)
        what = f"{sidecar.path} version {sidecar.version}"
        wrapped = vault.keyring.wrap(found.object_id, opened.data_key)
        key = SealedKey(wrapped.epoch, wrapped.sealed, opened.later)
        problem = self._refused.get((sidecar.user_id, sidecar.public_key)) or problem
        try:
            vault.look_at(found.object_id, sidecar.size, key)
            if not problem:
                adopted = context.act(adopt, Adoption(context.caller, context.storage, found.object_id, key, sidecar))
                problem = "" if adopted else "the same content is there already, of another object"
        except (ObjectCorruptError, ObjectMissingError) as fault:
            report.fault(what, str(fault.values["problem"]))
            return False
        except RequestError as refusal:
            problem = _why(refusal)
        if problem:
            report.fault(what, f"{problem} (object {found.object_id.hex()})")
            self._export(found.object_id, key, sidecar)
            return False
        report.versions += 1
        report.files += is_new
        report.bytes_checked += sidecar.size
        context.progress(report.versions, report.bytes_checked)
        return True

    def _export(self, object_id: bytes, key: SealedKey, sidecar: Sidecar) -> None:
        self._unplaced += 1
        if self._export_to is None:
            return
        context, report, vault = self._context, self._report, self._context.storage.vault
        try:
            export(self._export_to, vault, object_id, key, sidecar, report.reading(context.progress))
            vault.quarantine(object_id)
            self._exported += 1
        except (ObjectCorruptError, ObjectMissingError) as fault:
            report.fault(f"object {object_id.hex()}", str(fault.values["problem"]))
        except OSError as fault:
            report.fault(f"object {object_id.hex()}", f"it cannot be written to {self._export_to}: {fault.strerror}")


def _by_file(found: Iterable[_Found]) -> list[list[_Found]]:
    """Return the versions of each file in order; files by when their newest version was signed, the last one first."""
    files = [list(versions) for _, versions in groupby(sorted(found), key=attrgetter("file_id"))]
    return sorted(files, key=lambda versions: (-versions[-1].signed_at, versions[-1].file_id))


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

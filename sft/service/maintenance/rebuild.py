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

from msgspec import Struct
from msgspec.structs import replace

from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.errors import BadRequestError, RequestError, SignatureRefusedError
from sft.model.access import Caller, Permission
from sft.model.records import NoteAbout, VaultReport
from sft.model.text import counted
from sft.service import use_case
from sft.service.author_signature import Sidecar, parse_sidecar
from sft.service.maintenance.adopting import Adoption, Author, Enlistment, adopt, enlist
from sft.service.maintenance.check import orphans_of
from sft.service.maintenance.report import NOT_READ, Job, JobContext, Report
from sft.service.maintenance.unplaced import export
from sft.store.files import files_by_file_id
from sft.store.rows import ReadTransaction
from sft.vault.vault import SealedKey


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
        except (*NOT_READ, SignatureRefusedError) as fault:
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
        except NOT_READ as fault:
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
        except NOT_READ as fault:
            report.fault(f"object {object_id.hex()}", str(fault.values["problem"]))
        except OSError as fault:
            report.fault(f"object {object_id.hex()}", f"it cannot be written to {self._export_to}: {fault.strerror}")


def _by_file(found: Iterable[_Found]) -> list[list[_Found]]:
    """Return the versions of each file in order; files by when their newest version was signed, the last one first."""
    files = [list(versions) for _, versions in groupby(sorted(found), key=attrgetter("file_id"))]
    return sorted(files, key=lambda versions: (-versions[-1].signed_at, versions[-1].file_id))


def _why(refusal: RequestError) -> str:
    return str(refusal.values.get("problem") or f"it finds no place [{refusal.code}]")

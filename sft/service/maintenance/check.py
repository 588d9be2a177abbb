"""Reading everything that is stored, and naming what does not hold.

    database → rows → files → figures → versions: object, digest, signature → uploads that were cut → objects that nobody knows
             → the sum of all MACs

Rules. It works while the server runs, a page of rows a transaction, none open while an object is read. So what it
saw may change under it: what looks wrong is looked at once more before it is reported. It changes nothing. A fault names the
file, as far as any row that holds tells its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice
from typing import Final

from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import CryptoError, ObjectCorruptError, ObjectMissingError, RowForgedError, StoreError
from sft.model.access import Caller, Permission
from sft.model.records import VaultReport
from sft.service.author_signature import MOST_VERSIONS
from sft.service.maintenance.check_figures import check_figures
from sft.service.maintenance.check_uploads import check_uploads
from sft.service.maintenance.report import FORGED, PAGE, Job, JobContext, Report, sound_rows
from sft.service.maintenance.walking import Found, Read, walk
from sft.service.record_builder import RecordBuilder
from sft.service.storage import sealed_key_of
from sft.service.use_case import query
from sft.store.files import (
    VersionKey,
    file_by_row_id,
    file_row_ids,
    files_without_folder,
    files_without_version,
    versions_at,
    versions_of_file,
)
from sft.store.folders import folder_ids_after, folders_that_hang_on_nothing
from sft.store.objects import inline_ids, known_objects, small_object, small_object_ids, version_keys
from sft.store.row_types import Row, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import TABLE_SPECS, table_of
from sft.store.users import admins_are_named, key_by_id
from sft.vault.objects import check_whole

DATABASE: Final = "the database"
_Faults = list[tuple[str, str]]


class _Subject(Struct, frozen=True):
    """A version, and what is needed to judge its content; None where that does not hold itself."""

    path: str
    row: VersionRow
    file_id: bytes | None
    public_key: bytes | None
    sealed: bytes | None


@query(Permission.VAULT_MANAGE)
def check(_reading: ReadTransaction, _caller: Caller, *, context: JobContext) -> Job:
    """Read every row and every object whole; the job's report names what does not hold."""
    return _Check(context).run


class _Check:
    """One check, from the first row to the last object."""

    def __init__(self, context: JobContext) -> None:
        self._storage = context.storage
        self._begin_read = context.begin_read
        self._progress = context.progress
        self._report = Report()
        self._digests: dict[VersionKey, bytes] = {}  # of the version before

    def run(self) -> VaultReport:
        self._database()
        self._rows()
        self._folders()
        self._files()
        check_figures(self._begin_read, self._report, lambda table, fault: self._damaged(fault, table))
        self._versions()
        for stage in (self._uploads, self._strays, self._small_strays, self._sum):
            self._whole(stage)
        aside, size = self._storage.vault.quarantine_figures()
        if aside:
            self._report.note(f"the quarantine holds {aside} files, {size} bytes: sftd vault quarantine list, or drop")
        return self._report.finish()

    def _database(self) -> None:
        """Ask the database first whether it is whole: an index has no MAC, and hides rows when it is damaged."""

        def ask() -> None:
            with self._begin_read() as reading:
                for problem in reading.rows.integrity():
                    self._report.fault(DATABASE, problem)

        self._whole(ask)

    def _whole(self, stage: Callable[[], None]) -> None:
        """Do a stage that has no way round a page that cannot be read."""
        try:
            stage()
        except StoreError as fault:
            self._damaged(fault)

    def _damaged(self, fault: StoreError, table: str = "") -> None:
        where = f"a page of {table}" if table else "a page"
        self._report.fault(DATABASE, f"{where} cannot be read ({fault.detail})")

    def _rows(self) -> None:
        for kind in TABLE_SPECS:

            def read(after: int, limit: int, kind: type[Row] = kind) -> tuple[_Faults, int | None]:
                with self._begin_read() as reading:
                    faults, last = reading.rows.check(kind, after, limit)
                    return [(_named(reading, fault), FORGED) for fault in faults], last

            self._walk(table_of(kind), read, self._report_all)

        def admins() -> None:
            with self._begin_read() as reading, suppress(RowForgedError):
                if not admins_are_named(reading):
                    self._report.fault("the list of admins", FORGED)

        self._whole(admins)

    def _folders(self) -> None:
        """Find folders that hang neither on the root nor on one in the trash."""

        def read(after: int, limit: int) -> tuple[_Faults, int | None]:
            with self._begin_read() as reading:
                folder_ids = folder_ids_after(reading, after, limit)
                lost = folders_that_hang_on_nothing(reading, folder_ids)
            faults = [(f"row {folder_id} of folders", "it hangs on nothing") for folder_id in lost]
            return faults, folder_ids[-1] if folder_ids else None

        self._walk("folders", read, self._report_all)

    def _files(self) -> None:
        """Hold every file against its folder and its newest version."""

        def read(after: int, limit: int) -> tuple[tuple[int, _Faults], int | None]:
            with self._begin_read() as reading:
                row_ids = file_row_ids(reading, after, limit)
                gone = [(row_id, "its newest version is gone") for row_id in files_without_version(reading, row_ids)]
                gone += [(row_id, "its folder is gone") for row_id in files_without_folder(reading, row_ids)]
                faults = [(_file_name(reading, row_id), problem) for row_id, problem in gone]
            return (len(row_ids), faults), row_ids[-1] if row_ids else None

        def take(found: tuple[int, _Faults]) -> None:
            self._report.files += found[0]
            self._report_all(found[1])

        self._walk("files", read, take)

    def _walk(self, table: str, read: Read[Found], take: Callable[[Found], object]) -> None:
        walk(read, PAGE, take, partial(self._damaged, table=table))

    def _report_all(self, faults: _Faults) -> None:
        for name, problem in faults:
            self._report.fault(name, problem)

    # -- contents ----------------------------------------------------------------------------------

    def _versions(self) -> None:
        def read(after: int, limit: int) -> tuple[list[_Subject], int | None]:
            subjects, keys = self._subjects(partial(version_keys, after=divmod(after, MOST_VERSIONS), limit=limit))
            return subjects, keys[-1][0] * MOST_VERSIONS + keys[-1][1] if keys else None

        def take(subjects: list[_Subject]) -> None:
            for subject in subjects:
                self._whole(partial(self._version, subject))

        self._walk("versions", read, take)

    def _subjects(
        self, choose: Callable[[ReadTransaction], Sequence[VersionKey]]
    ) -> tuple[list[_Subject], Sequence[VersionKey]]:
        """Load versions that hold; those that do not were reported with the rows."""
        with self._begin_read() as reading:
            keys = choose(reading)
            rows, _ = sound_rows(partial(versions_at, reading), keys)
            rows.sort(key=_key_of)
            return [_subject(reading, row) for row in rows], keys

    def _version(self, subject: _Subject) -> None:
        key = _key_of(subject.row)
        problem = self._problem(subject)
        if problem:
            # Perhaps it was destroyed, or sealed anew, between its row and its object.
            again, _ = self._subjects(lambda _: [key])
            if not again:
                return
            (subject,) = again
            problem = self._problem(subject)
        if problem:
            self._report.fault(f"{subject.path} version {subject.row.number}", problem)
        self._report.versions += 1
        self._report.bytes_checked += 0 if subject.row.destroyed_at is not None else subject.row.size
        self._progress(self._report.versions, self._report.bytes_checked)
        self._digests = {key: subject.row.digest}

    def _problem(self, subject: _Subject) -> str:
        row = subject.row
        try:
            if row.destroyed_at is not None:
                pass  # its signature stands yet, over the digest
            elif not row.inline:
                self._storage.vault.check(
                    row.object_id, row.size, row.digest, sealed_key_of(row), each=self._report.reading(self._progress)
                )
            elif subject.sealed is None:
                return "its content is gone"
            else:
                check_whole(
                    self._storage.vault.keyring, row.object_id, row.size, row.digest, sealed_key_of(row), subject.sealed
                )
        except (ObjectCorruptError, ObjectMissingError) as fault:
            return str(fault.values["problem"])
        return self._signature_problem(subject)

    def _signature_problem(self, subject: _Subject) -> str:
        row = subject.row
        if subject.public_key is None:
            return "the key that signed it is gone, or another's"
        try:
            signature = FileSignature.parse(row.signature)
            said = verify_file(PublicKey.decode(subject.public_key), row.digest, signature)
        except CryptoError as fault:
            return f"its signature does not hold ({fault})"
        prev = self._digests.get((row.file, row.number - 1), said.prev)
        fields = (
            ("server", said.server_id, self._storage.server_id),
            ("file", said.file_id, said.file_id if subject.file_id is None else subject.file_id),
            ("version", said.version, row.number),
            ("size", said.size, row.size),
            ("name", said.name, row.signed_name),
            ("user", said.user, row.author_id),
            ("mtime", said.mtime, row.dated_at),
            ("prev", said.prev, prev),
        )
        wrong = [name for name, signed, stored in fields if signed != stored]
        return f"its signature names another {wrong[0]}" if wrong else ""

    def _uploads(self) -> None:
        check_uploads(self._begin_read, self._storage.vault, self._report, self._report.reading(self._progress))

    # -- what nobody knows -------------------------------------------------------------------------

    def _strays(self) -> None:
        vault = self._storage.vault
        # In this order: an object whose upload is open no more has its version by now, or is gone.
        strays = strays_of(vault.ids(), self._begin_read)
        still_there = set(strays).intersection(vault.ids()) if strays else set()
        for object_id in sorted(still_there):
            self._report.fault(f"object {object_id.hex()}", "nobody knows it")

    def _sum(self) -> None:
        """Find a row that is good and yet not the last one, or not there: a MAC cannot tell that."""
        with self._begin_read() as reading, suppress(RowForgedError):  # a changed sum was reported with the rows
            if not reading.rows.sum_holds():
                self._report.fault(DATABASE, "the set of its rows was changed outside the server")

    def _small_strays(self) -> None:
        after = b""
        while True:
            with self._begin_read() as reading:
                object_ids = small_object_ids(reading, after, PAGE)
                known = inline_ids(reading, object_ids)
            if not object_ids:
                return
            for object_id in object_ids:
                if object_id not in known:
                    self._report.fault(f"small object {object_id.hex()}", "nobody knows it")
            after = object_ids[-1]


def strays_of(
    object_ids: Iterable[bytes], begin_read: Callable[[], AbstractContextManager[ReadTransaction]]
) -> list[bytes]:
    """Return the orphans among objects: those that no version, open upload or purge names."""
    strays: list[bytes] = []
    ids = iter(object_ids)
    while batch := list(islice(ids, PAGE)):
        with begin_read() as reading:
            known = known_objects(reading, batch)
        strays.extend(object_id for object_id in batch if object_id not in known)
    return strays


def _key_of(row: VersionRow) -> VersionKey:
    return row.file, row.number


def _subject(reading: ReadTransaction, row: VersionRow) -> _Subject:
    file_id, public_key = None, None
    with suppress(RowForgedError):
        file = file_by_row_id(reading, row.file)
        file_id = None if file is None else file.file_id
    with suppress(RowForgedError):
        key = key_by_id(reading, row.key_id)
        if key is not None and key.user_id == row.author_id:
            public_key = key.public_key
    return _Subject(
        path=_file_name(reading, row.file),
        row=row,
        file_id=file_id,
        public_key=public_key,
        sealed=small_object(reading, row.object_id) if row.inline else None,
    )


def _named(reading: ReadTransaction, fault: RowForgedError) -> str:
    """Name a row that does not hold, and the file that it belongs to."""
    row = f"row {fault.row} of {fault.table}"
    number = fault.row.partition(",")[0]
    if fault.table in ("files", "versions") and number.isascii() and number.isdigit():
        return f"{_file_name(reading, int(number))} ({row})"
    return row


def _file_name(reading: ReadTransaction, row_id: int) -> str:
    """Name a file by its row, or else by what its last author signed."""
    with suppress(RowForgedError):
        file = file_by_row_id(reading, row_id)
        if file is not None:
            return RecordBuilder(reading).path_of(file)
    with suppress(RowForgedError):
        versions = versions_of_file(reading, row_id)
        if versions:
            return versions[-1].signed_name
    return f"file {row_id}"

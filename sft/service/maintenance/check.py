"""Reading everything that is stored, and naming what does not hold.

    database → rows → files → figures → versions: object, digest, signature → uploads that were cut → objects that nobody knows
             → the sum of all MACs

Rules. It works while the server runs, a page of rows a transaction, none open while an object is read. So what it
saw may change under it: what looks wrong is looked at once more before it is reported. Of what is stored it changes nothing
but sidecars that do not hold: these it writes anew. A fault names the file, as far as any row that holds tells its name.
Reading all contents takes hours: a check that was stopped is gone on with there, and all else is looked at anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import RowForgedError, StoreError, VaultError
from sft.model.access import Caller, Permission
from sft.model.records import NoteAbout, VaultReport
from sft.model.text import counted
from sft.service.maintenance.check_contents import StoredContents, file_name
from sft.service.maintenance.check_figures import check_figures
from sft.service.maintenance.check_uploads import check_uploads
from sft.service.maintenance.positions import Walk
from sft.service.maintenance.report import FORGED, PAGE, BeginRead, Job, JobContext, Report
from sft.service.maintenance.walking import Found, Read, walk
from sft.service.use_case import query
from sft.store.checks import CHECK, stored_bytes
from sft.store.files import file_row_ids, files_without_folder, files_without_version
from sft.store.folders import folder_ids_after, folders_that_hang_on_nothing
from sft.store.objects import inline_ids, known_objects, small_object_ids
from sft.store.row_types import Row
from sft.store.rows import ReadTransaction
from sft.store.table_specs import TABLE_SPECS, table_of
from sft.store.users import admins_are_named

DATABASE: Final = "the database"
_Faults = list[tuple[str, str]]


class CheckPlan(Struct, frozen=True):
    """What a check does.

    Attributes:
        read_data: reads every content whole; else it looks whether each is there, of its length and under its key.
        afresh: from the first content on; else behind those that a check which was stopped has read.
        of_backup: the contents are those of a backup, and nothing is written among them. What is kept of uploads that were cut
            is in none, and objects of others lie beside its own: neither is looked at.
    """

    read_data: bool = True
    afresh: bool = False
    of_backup: bool = False


WHOLE: Final = CheckPlan()


@query(Permission.VAULT_MANAGE)
def check(_reading: ReadTransaction, caller: Caller, *, context: JobContext, plan: CheckPlan = WHOLE) -> Job:
    """Read every row, and every object as the plan says; the job's report names what does not hold."""
    return _Check(replace(context, caller=caller), plan).run


class _Check:
    """One check, from the first row to the last object."""

    def __init__(self, context: JobContext, plan: CheckPlan) -> None:
        self._context = context
        self._plan = plan
        self._storage = context.storage
        self._begin_read = context.begin_read
        self._progress = context.progress
        self._report = Report()

    def run(self) -> VaultReport:
        self._database()
        self._rows()
        self._folders()
        self._files()
        check_figures(self._begin_read, self._report, lambda table, fault: self._damaged(fault, table))
        self._contents()
        apart = () if self._plan.of_backup else (self._uploads, self._orphans)
        for stage in (*apart, self._small_orphans, self._sum):
            self._whole(stage)
        if not self._plan.of_backup:
            self._quarantine()
        return self._report.finish()

    def _quarantine(self) -> None:
        aside, size = self._storage.vault.quarantine_figures()
        if aside:
            self._report.note(f"the quarantine holds {counted(aside, 'file')}, {size} bytes", NoteAbout.QUARANTINE)

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
        except VaultError as fault:
            self._report.fault("the vault", str(fault.values["problem"]))

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
                faults = [(file_name(reading, row_id), problem) for row_id, problem in gone]
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

    def _contents(self) -> None:
        context, report = self._context, self._report
        contents = StoredContents(
            context,
            report,
            partial(self._damaged, table="versions"),
            reads_data=self._plan.read_data,
            mends=not self._plan.of_backup,
        )
        if not self._plan.read_data:
            contents.run()
            return
        with self._begin_read() as reading:
            context.total(stored_bytes(reading))
        position = Walk(context, CHECK, afresh=self._plan.afresh)
        before = position.row
        if position.went_on:
            report.versions, report.bytes_checked = before.versions, before.size_bytes
            report.note(f"went on behind {before.versions} versions that a check which was stopped has read")
        contents.run(position)
        if position.went_on:
            contents.report_known(before.began_at or 0)
        position.end()

    def _uploads(self) -> None:
        if self._plan.read_data:
            each = self._report.reading(self._progress)
            check_uploads(self._begin_read, self._storage.vault, self._report, each)

    # -- what nobody knows -------------------------------------------------------------------------

    def _orphans(self) -> None:
        vault = self._storage.vault
        # In this order: an object whose upload is open no more has its version by now, or is gone.
        orphans = orphans_of(vault.ids(), self._begin_read)
        still_there = set(orphans).intersection(vault.ids()) if orphans else set()
        for object_id in sorted(still_there):
            self._report.fault(f"object {object_id.hex()}", "nobody knows it")

    def _sum(self) -> None:
        """Find a row that is good and yet not the last one, or not there: a MAC cannot tell that."""
        with self._begin_read() as reading, suppress(RowForgedError):  # a changed sum was reported with the rows
            if not reading.rows.sum_holds():
                self._report.fault(DATABASE, "the set of its rows was changed outside the server")

    def _small_orphans(self) -> None:
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


def orphans_of(object_ids: Iterable[bytes], begin_read: BeginRead) -> list[bytes]:
    """Return the orphans among objects: those that no version, open upload or purge names."""
    orphans: list[bytes] = []
    ids = iter(object_ids)
    while batch := list(islice(ids, PAGE)):
        with begin_read() as reading:
            known = known_objects(reading, batch)
        orphans.extend(object_id for object_id in batch if object_id not in known)
    return orphans


def _named(reading: ReadTransaction, fault: RowForgedError) -> str:
    """Name a row that does not hold, and the file that it belongs to."""
    row = f"row {fault.row} of {fault.table}"
    number = fault.row.partition(",")[0]
    if fault.table in ("files", "versions") and number.isascii() and number.isdigit():
        return f"{file_name(reading, int(number))} ({row})"
    return row

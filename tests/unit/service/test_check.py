import errno
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sft.crypto.comment import FileComment
from sft.crypto.signatures import sign_file
from sft.errors import VaultError, VaultFullError
from sft.model.check_events import SidecarWritten
from sft.model.records import VaultReport
from sft.service.commits import commit
from sft.service.files import show_file
from sft.service.maintenance import check as check_module
from sft.service.maintenance import check_contents as contents_module
from sft.service.maintenance import positions
from sft.service.maintenance.check import CheckPlan, check
from sft.service.maintenance.damage import count_damages
from sft.service.maintenance.purging import PurgeFoldersInput, begin_purges, collect
from sft.service.maintenance.rotation import reencrypt
from sft.service.open_uploads import EndUpload, end_uploads
from sft.service.pending import acknowledge_one
from sft.service.trash import Deletion, delete
from sft.store.row_types import FolderRow, VersionRow
from sft.store.statements import rows_of
from sft.store.writer import Writer
from tests.unit.service.service_fixture import ADA, MAX, MIA, OPERATOR, ServiceFixture, comment_of
from tests.unit.service.test_files import put_many

BIG = 70_000


def run(services: ServiceFixture) -> VaultReport:
    job = services.ask(check, OPERATOR, context=services.job_context)
    return job()


def faults(services: ServiceFixture) -> list[tuple[str, str]]:
    report = run(services)
    assert report.more_faults == 0
    return [(fault.what, fault.problem) for fault in report.faults]


def fill(services: ServiceFixture) -> bytes:
    """Two versions of a small file, a big one, one in the trash.

    Returns:
        The id of the big one's object.
    """
    services.put(MAX, "d/small", b"1")
    services.replace(MAX, "d/small", b"2", services.ask(show_file, MAX, path="d/small"))
    item = services.stream(MAX, "d/e/big", os.urandom(BIG))
    services.commit(item)
    services.put(ADA, "gone", b"gone")
    services.act(delete, Deletion(ADA.caller, "gone"))
    return item.object_id


@pytest.mark.parametrize("page", [1, 2, 200])
def test_a_sound_vault_has_no_faults(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    for module in (check_module, contents_module, positions):
        monkeypatch.setattr(module, "PAGE", page)
    fill(services)
    assert run(services) == VaultReport(files=3, versions=4, bytes_checked=BIG + 6)


def test_an_empty_vault_has_no_faults(services: ServiceFixture) -> None:
    assert run(services) == VaultReport(files=0, versions=0, bytes_checked=0)


# -- objects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 20, 100, 200, 66_000, -1])
def test_a_changed_byte_is_found_and_the_file_named(services: ServiceFixture, place: int) -> None:
    shelf, object_id = services.backend.shelf.objects, fill(services)
    data = bytearray(shelf[object_id])
    data[place] ^= 1
    shelf[object_id] = bytes(data)
    ((what, problem),) = faults(services)
    assert what == "d/e/big version 1"
    assert object_id.hex() in problem


def test_a_cut_object_is_found(services: ServiceFixture) -> None:
    shelf, object_id = services.backend.shelf.objects, fill(services)
    shelf[object_id] = shelf[object_id][:-16]
    assert [what for what, _ in faults(services)] == ["d/e/big version 1"]


def test_a_missing_object_is_found(services: ServiceFixture) -> None:
    services.backend.shelf.objects.pop(fill(services))
    found = dict(faults(services))
    assert "missing" in found["d/e/big version 1"]


@pytest.mark.parametrize("reads_data", [True, False])
def test_a_sidecar_that_does_not_hold_is_written_anew_and_said(services: ServiceFixture, *, reads_data: bool) -> None:
    sidecars, object_id = services.backend.shelf.sidecars, fill(services)
    vault = services.storage.vault
    before = vault.read_sidecar(object_id)
    for damaged in (sidecars[object_id][:-1] + bytes([sidecars[object_id][-1] ^ 1]), None):
        del sidecars[object_id]
        sidecars |= {} if damaged is None else {object_id: damaged}
        report = services.ask(check, OPERATOR, context=services.job_context, plan=CheckPlan(reads_data))()
        assert (report.faults, report.sidecars_written, report.sidecars_lacking) == ((), 1, 0)
        assert vault.read_sidecar(object_id) == before
        assert run(services).sidecars_written == 0
    told = [event for event in services.events if isinstance(event, SidecarWritten)]
    assert [(event.path, event.version, event.object) for event in told] == [("d/e/big", 1, object_id.hex())] * 2
    assert services.ask(count_damages, OPERATOR) == 0


def test_a_sidecar_that_cannot_be_written_anew_is_a_fault_of_its_own(services: ServiceFixture) -> None:
    del services.backend.shelf.sidecars[fill(services)]

    def refuse(object_id: bytes, _sidecar: bytes) -> None:
        raise VaultFullError(problem=f"object {object_id.hex()} finds no room")

    services.backend.write_sidecar = refuse  # type: ignore[method-assign]
    report = run(services)
    ((what, problem),) = [(each.what, each.problem) for each in report.faults]
    assert (what, report.sidecars_lacking, services.ask(count_damages, OPERATOR)) == ("d/e/big version 1", 1, 0)
    assert "its content holds, and a rebuild would lose it" in problem
    assert "finds no room" in problem


def test_what_the_disk_does_not_let_be_opened_is_a_fault_and_no_damage_and_the_rest_is_read(
    services: ServiceFixture,
) -> None:
    """As of a file that a copy by another user made that one's."""
    backend, shut = services.backend, fill(services)
    services.commit(services.stream(MAX, "d/later", os.urandom(BIG)))
    open_, read_sidecar = backend.open, backend.read_sidecar

    def refused(object_id: bytes) -> None:
        if object_id == shut:
            raise VaultError(problem=f"object {object_id.hex()} could not be opened")

    backend.open = lambda object_id, segment=0: refused(object_id) or open_(object_id, segment)  # type: ignore[method-assign]
    report = run(services)
    ((what, problem),) = [(each.what, each.problem) for each in report.faults]
    assert (what, "could not be opened" in problem, report.versions) == ("d/e/big version 1", True, 5)
    assert services.ask(count_damages, OPERATOR) == 0
    backend.open = open_  # type: ignore[method-assign]
    backend.read_sidecar = lambda object_id: refused(object_id) or read_sidecar(object_id)  # type: ignore[method-assign]
    report = run(services)
    assert (report.versions, report.sidecars_written, report.faults) == (5, 1, ())


def test_a_collection_leaves_what_is_being_uploaded(services: ServiceFixture) -> None:
    gone, content = fill(services), os.urandom(BIG)
    item = services.stream(MAX, "d/coming", content)  # its object lies there, and no version names it yet
    begun = services.begin(MAX, "d/begun", BIG)
    services.act(delete, Deletion(MAX.caller, "d/e/big"))
    services.ask(collect, OPERATOR, context=services.job_context, until=services.now)()
    assert gone not in services.backend.shelf.objects
    services.commit(item)
    assert services.get(MAX, "d/coming") == content
    assert begun is not None
    assert faults(services) == []


def test_a_content_that_is_destroyed_while_its_sidecar_is_written_leaves_none(services: ServiceFixture) -> None:
    object_id = fill(services)
    del services.backend.shelf.sidecars[object_id]
    write = services.backend.write_sidecar

    def write_late(object_id: bytes, sidecar: bytes) -> None:
        services.act(delete, Deletion(MAX.caller, "d/e/big"))
        services.ask(collect, OPERATOR, context=services.job_context, until=services.now)()
        assert object_id not in services.backend.shelf.objects
        write(object_id, sidecar)

    services.backend.write_sidecar = write_late  # type: ignore[method-assign]
    assert run(services).faults == ()
    assert services.backend.shelf.sidecars == {}


def test_a_damaged_or_missing_small_object_is_found(services: ServiceFixture) -> None:
    fill(services)
    services.tamper("UPDATE small_objects SET sealed = zeroblob(length(sealed)) WHERE rowid = 1")
    services.tamper("DELETE FROM small_objects WHERE rowid = 2")
    found = faults(services)
    assert len(found) == 2
    assert {what for what, _ in found} <= {
        "d/small version 1", "d/small version 2", "gone version 1"
    }  # fmt: skip
    assert "its content is gone" in dict(found).values()


# -- orphans ------------------------------------------------------------------------------------------


def test_an_object_that_nobody_knows_is_found(disk_services: ServiceFixture) -> None:
    fill(disk_services)
    stray = disk_services.stream(MAX, "lost", bytes(BIG))
    assert faults(disk_services) == []  # it is under way
    disk_services.act(end_uploads, EndUpload(stray.object_id))
    assert faults(disk_services) == [(f"object {stray.object_id.hex()}", "nobody knows it")]


def test_an_object_that_is_being_destroyed_is_no_stray(services: ServiceFixture) -> None:
    from sft.service.maintenance.purging import PurgeInput, purge

    fill(services)
    services.act(delete, Deletion(MAX.caller, "d/e/big"))
    services.act(purge, PurgeInput(OPERATOR, services.now, tuple(range(1, 20))))
    assert list(services.vault.ids())
    assert faults(services) == []


def test_an_upload_that_commits_during_the_check_is_no_stray(services: ServiceFixture) -> None:
    """It is seen in the vault, and has its row before the database is asked."""
    items = [services.stream(MAX, f"{n}", os.urandom(BIG)) for n in range(3)]
    vault_ids = services.vault.ids

    def ids_while_they_commit() -> Any:
        seen = list(vault_ids())
        while items:
            services.commit(items.pop())
        return iter(seen)

    services.storage.vault.ids = ids_while_they_commit  # type: ignore[method-assign]
    assert [f for f in faults(services) if "nobody" in f[1]] == []


def test_an_upload_that_is_refused_during_the_check_is_no_stray(services: ServiceFixture) -> None:
    from sft.service.pending import discard

    item = services.stream(MAX, "a", os.urandom(BIG))
    vault_ids = services.vault.ids

    def ids_before_it_is_discarded() -> Any:
        seen = list(vault_ids())
        discard(item)
        return iter(seen)

    def ids() -> Any:
        return next(listings)()

    listings = iter([ids_before_it_is_discarded, vault_ids])
    services.storage.vault.ids = ids  # type: ignore[method-assign]
    assert faults(services) == []


def meanwhile(services: ServiceFixture, change: Callable[[], object]) -> None:
    """Let something happen after a version was loaded, before its object is read."""
    vault_check, left = services.vault.check, [change]

    def check_after_the_change(*args: Any, **kwargs: Any) -> None:
        while left:
            left.pop()()
        vault_check(*args, **kwargs)

    services.storage.vault.check = check_after_the_change  # type: ignore[method-assign]


def test_what_moves_to_a_new_object_meanwhile_is_looked_at_again(services: ServiceFixture) -> None:
    fill(services)
    parts = {"context": services.job_context}
    meanwhile(services, services.ask(reencrypt, OPERATOR, **parts))
    assert run(services) == VaultReport(files=3, versions=4, bytes_checked=BIG + 6)


def test_what_is_destroyed_meanwhile_is_no_fault(services: ServiceFixture) -> None:
    fill(services)
    parts = {"context": services.job_context}
    services.act(delete, Deletion(MAX.caller, "d/e/big"))
    meanwhile(services, services.ask(collect, OPERATOR, **parts, until=services.now))
    report = run(services)
    assert report.faults == ()
    assert report.versions == 3  # all but the big one


def test_a_check_runs_while_the_server_works(disk_services: ServiceFixture) -> None:
    services = disk_services
    writer = Writer(services.database, lambda: services.now, on_fatal=lambda _: None)
    writer.start()
    done = threading.Event()

    def store() -> None:
        try:
            for number in range(25):
                item = services.stream(MAX, f"d/{number}", bytes(20_000 * (number % 3)))
                acknowledge_one(item, writer.submit(commit, item).result(30))
                if number % 5 == 0:
                    writer.submit(delete, services.signed(Deletion(MAX.caller, f"d/{number}"))).result(30)
        finally:
            done.set()

    thread = threading.Thread(target=store)
    thread.start()
    reports = [run(services)]
    while not done.is_set():
        reports.append(run(services))
    thread.join()
    reports.append(run(services))
    writer.stop()
    assert [report.faults for report in reports if report.faults] == []
    assert reports[-1].files == reports[-1].versions == 25


def test_a_small_object_that_nobody_knows_is_found(services: ServiceFixture) -> None:
    fill(services)
    services.tamper("INSERT INTO small_objects VALUES (?, ?)", b"s" * 16, b"x")
    assert faults(services) == [(f"small object {(b's' * 16).hex()}", "nobody knows it")]


# -- rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE versions SET size = 9 WHERE file = 1 AND number = 2", "d/small (row 1, 2 of versions)"),
        ("UPDATE versions SET key_id = 1 WHERE file = 2", "d/e/big (row 2, 1 of versions)"),
        ("UPDATE files SET owner_id = 4 WHERE id = 2", "d/e/big (row 2 of files)"),
        ("UPDATE files SET trashed_at = 1 WHERE id = 3", "gone (row 3 of files)"),
        ("UPDATE users SET role = 'admin' WHERE id = 4", "row 4 of users"),
        ("UPDATE device_keys SET ended_at = 1 WHERE id = 4", "row 4 of device_keys"),
        ("UPDATE folders SET maker_id = 4 WHERE id = 3", "row 3 of folders"),
        ("UPDATE settings SET value = 'open' WHERE name = 'registration'", "row registration of settings"),
        ("INSERT INTO purges VALUES (zeroblob(16), 1, zeroblob(32))", f"row {'00' * 16} of purges"),
    ],
)  # fmt: skip
def test_a_forged_row_is_found_and_named(services: ServiceFixture, statement: str, named: str) -> None:
    fill(services)
    services.tamper(statement)
    assert (named, "was changed outside the server") in faults(services)


def test_every_forged_row_is_found_and_the_rest_is_checked(services: ServiceFixture) -> None:
    put_many(services, *(f"{n}" for n in range(20)))
    services.tamper("UPDATE versions SET size = 99 WHERE file % 4 = 0")
    report = run(services)
    assert [fault.what for fault in report.faults[5:]] == ["user max"]
    assert (report.files, report.versions) == (20, 15)


def test_a_report_counts_what_it_does_not_list(services: ServiceFixture) -> None:
    put_many(services, *(f"{n}" for n in range(203)))
    services.tamper("UPDATE versions SET size = 99")
    report = run(services)
    assert (len(report.faults), report.more_faults) == (200, 4)  # and what max owns no longer adds up


def test_a_missing_version_and_a_missing_folder_are_found(services: ServiceFixture) -> None:
    object_id = fill(services)
    services.tamper("DELETE FROM versions WHERE file = 2")
    services.tamper("DELETE FROM folders WHERE name = 'd'")
    # The big one's folders can no longer be spelled, and its version, which says what was signed, is gone.
    found = dict(faults(services))
    assert found.pop(f"object {object_id.hex()}") == "nobody knows it"
    assert found.pop("the database")  # of three: the set of rows, and rows that refer to what is not there
    assert {found.pop(what)[:16] for what in ("the root folder", "user max")} == {"the kept figures"}
    assert set(found.items()) == {
        ("row 3 of folders", "it hangs on nothing"),
        ("file 2", "its newest version is gone"),
        ("d/small", "its folder is gone"),
    }


def test_folders_in_the_trash_and_half_destroyed_are_no_fault(services: ServiceFixture) -> None:
    put_many(services, "d/e/a", "f/g/b")
    for path in ("d", "f"):
        services.act(delete, Deletion(MAX.caller, path, recursive=True))
    (f,) = [row.id for row in _folders(services) if row.trashed_path == "f"]
    services.act(begin_purges, PurgeFoldersInput(OPERATOR, services.now, (f,)))
    assert faults(services) == []
    services.tamper("UPDATE files SET owner_id = 1")
    assert [name for name, _ in faults(services)][:2] == ["d/e/a (row 1 of files)", "f/g/b (row 2 of files)"]


def test_a_deleted_folder_that_became_an_orphan_is_found(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.act(delete, Deletion(MAX.caller, "d", recursive=True))
    services.tamper("UPDATE folders SET state = 'live' WHERE id = 2")
    assert ("row 2 of folders", "it hangs on nothing") in faults(services)


def _folders(services: ServiceFixture) -> list[FolderRow]:
    with services.reading() as reading:
        return list(reading.rows.all(rows_of(FolderRow)))


# -- signatures ---------------------------------------------------------------------------------------


def resign(services: ServiceFixture, comment: FileComment, **changes: Any) -> None:
    """Write another signature with a good MAC: what a thief of the row key could do, and no more."""
    signature = sign_file(MAX.key, comment).encode()
    with services.transaction() as transaction:
        rows = transaction.rows.all(rows_of(VersionRow))
        transaction.rows.update([replace(rows[0], signature=signature, **changes)])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"server_id": bytes(32)}, "its signature names another server"),
        ({"file_id": bytes(16)}, "its signature names another file"),
        ({"version": 2, "prev": bytes(64)}, "its signature names another version"),
        ({"size": 3}, "its signature names another size"),
        ({"name": "b"}, "its signature names another name"),
        ({"user": 3}, "its signature names another user"),
        ({"mtime": 3}, "its signature names another mtime"),
    ],
)
def test_a_signature_over_other_facts_is_found(services: ServiceFixture, changes: dict[str, Any], problem: str) -> None:
    services.put(MAX, "a", b"x")
    resign(services, comment_of(MAX, "a", b"x", **changes))
    assert faults(services) == [("a version 1", problem)]


def test_a_signature_of_another_content_or_person_is_found(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"x")
    resign(services, comment_of(MAX, "a", b"y"))
    ((what, problem),) = faults(services)
    assert what == "a version 1"
    assert problem.startswith("its signature does not hold")
    resign(services, comment_of(MAX, "a", b"x"), author_id=ADA.id)
    assert faults(services) == [("a version 1", "the key that signed it is gone, or another's")]


def test_a_version_that_follows_another_content_is_found(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    services.replace(MAX, "a", b"2", services.ask(show_file, MAX, path="a"))
    comment = comment_of(MAX, "a", b"2", version=2, prev=bytes(64))
    signature = sign_file(MAX.key, comment).encode()
    with services.transaction() as transaction:
        rows = transaction.rows.all(rows_of(VersionRow))
        second = next(row for row in rows if row.number == 2)
        transaction.rows.update([replace(second, signature=signature)])
    assert faults(services) == [("a version 2", "its signature names another prev")]


# -- rows that are good, and not the last ---------------------------------------------------------------


def test_a_row_put_back_as_it_once_was_is_found_though_its_mark_is_good(services: ServiceFixture) -> None:
    fill(services)
    with closing(sqlite3.connect(services.path)) as connection:
        old = connection.execute("SELECT * FROM users WHERE id = 3").fetchone()
    services.change_user(MIA, role="guest")
    assert faults(services) == []
    services.tamper("DELETE FROM users WHERE id = 3")
    services.tamper("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *old)
    assert faults(services) == [("the database", "the set of its rows was changed outside the server")]


# -- a damaged database -----------------------------------------------------------------------------------


def damage(services: ServiceFixture, name: str, *, leaf: int) -> None:
    """Spoil one page of a table or an index: the last but so many of its leaves."""
    with services.database.write_connections.lend() as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(services.path)) as connection:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    with services.path.open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        page = file.read(page_bytes)
        if page[0] in (10, 13):  # it is a leaf itself
            child = root
        else:
            at = int.from_bytes(page[12 + 2 * leaf : 14 + 2 * leaf], "big")
            assert leaf < int.from_bytes(page[3:5], "big")
            child = int.from_bytes(page[at : at + 4], "big")
        file.seek((child - 1) * page_bytes)
        file.write(b"\xee" * 64)
    services.database.read_connections.close()  # a reader may hold the page as it was


def test_a_check_goes_on_where_a_disk_has_lost_a_content_or_a_folder_of_contents(
    disk_services: ServiceFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = disk_services
    items = {name: services.stream(MAX, name, os.urandom(BIG)) for name in ("a", "b", "c", "d", "e")}
    for item in items.values():
        services.commit(item)
    root = tmp_path / "vault" / "objects"
    folders = {name: item.object_id.hex()[:2] for name, item in items.items()}  # of 256: two may lie in one
    inodes = {(root / folders["a"] / items["a"].object_id.hex()).stat().st_ino}
    lost = next(folder for folder in folders.values() if folder != folders["a"])
    (root / lost).rename(tmp_path / "gone")
    real = os.readv

    def readv(file: int, *rest: Any) -> int:
        if os.fstat(file).st_ino in inodes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(file, *rest)

    monkeypatch.setattr(os, "readv", readv)
    found = dict(faults(services))
    assert "cannot be read from its disk" in found["a version 1"]
    for name in ("b", "c", "d", "e"):
        problem = found.get(f"{name} version 1", "")
        assert ("missing" in problem) if folders[name] == lost else not problem


def test_a_damaged_index_is_a_fault(services: ServiceFixture) -> None:
    """Its row is whole and not found: nothing but SQLite itself can tell."""
    put_many(services, *(f"d/{number}" for number in range(120)))
    damage(services, "uq_files_place", leaf=0)
    found = faults(services)
    assert {what for what, _ in found} == {"the database"}


def test_a_row_that_an_index_has_lost_is_a_fault(services: ServiceFixture) -> None:
    """Row and page are whole, and no query meets anything: it does not find the row, that is all."""
    put_many(services, "a", "b")
    with services.database.write_connections.lend() as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(services.path)) as connection, connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM files WHERE id = 1")
        connection.execute("DELETE FROM files WHERE id = 1")
        index = connection.execute("SELECT * FROM sqlite_master WHERE name = 'uq_files_place'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'uq_files_place'")
    with closing(sqlite3.connect(services.path)) as connection, connection:
        connection.execute("INSERT INTO files SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)
    services.database.read_connections.close()
    services.database.write_connections.close()
    found = faults(services)
    assert ("the database", "row 1 missing from index uq_files_place") in found


def test_a_damaged_page_is_a_fault_and_the_walk_goes_on_behind_it(services: ServiceFixture) -> None:
    put_many(services, *(f"d/{number}" for number in range(120)))
    services.tamper("UPDATE versions SET size = 9 WHERE file IN (1, 119)")
    damage(services, "versions", leaf=3)
    found = faults(services)
    assert any(what == "the database" and "a page of versions cannot be read" in problem for what, problem in found)
    named = {what for what, problem in found if problem == "was changed outside the server"}
    assert {"d/0 (row 1, 1 of versions)", "d/118 (row 119, 1 of versions)"} <= named

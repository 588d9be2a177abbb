"""Many commits at once: judged in order, loaded and written together, one fault ending one act."""

from __future__ import annotations

import os

import pytest

from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    ExistsError,
    FolderInTheWayError,
    NameClashError,
    NotFoundError,
    NotYoursError,
    RequestError,
    RoleForbidsError,
    RowForgedError,
    ServerFullError,
)
from sft.limits import GROUP_BYTES
from sft.service import pending
from sft.service.commits import commit
from sft.service.files import list_folder
from sft.service.maintenance.daily import GiveBack, give_back
from sft.service.maintenance.purging import PurgeInput, purge
from sft.service.pending import Committed, Pending
from sft.service.trash import Deletion, delete
from sft.store.ledger import ledger_row
from sft.store.row_types import FileRow, FolderRow, VersionRow
from sft.store.statements import rows_of
from sft.store.writer import Writer
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    KEYRING,
    MAX,
    MIA,
    OPERATOR,
    ServiceFixture,
    digest_of,
    file_id_of,
)
from tests.unit.store.asked import asked_of


def outcomes_of(services: ServiceFixture, *items: Pending) -> list[str]:
    return [
        type(outcome).__name__
        if isinstance(outcome, RequestError)
        else f"{outcome.receipt.version}{'=' if outcome.unchanged else ''}"
        for outcome in services.act_each(commit, *items)
    ]


def test_two_inputs_want_one_name(services: ServiceFixture) -> None:
    items = [
        services.pend(MAX, "d/a", b"max"),
        services.pend(MIA, "d/a", b"mia", file_id=bytes(16)),
        services.pend(MIA, "d/A", b"mia", file_id=b"2" * 16),
        services.pend(MAX, "d/a", b"max", file_id=b"3" * 16),
        services.pend(MIA, "d/a/b", b"mia"),
        services.pend(MIA, "d", b"mia"),
        services.pend(MIA, "d/b", b"mia", file_id=file_id_of("d/a")),
    ]
    assert outcomes_of(services, *items) == [
        "1",
        "ExistsError",
        "NameClashError",
        "1=",
        "FolderInTheWayError",
        "FolderInTheWayError",
        "BadRequestError",
    ]
    assert services.get(GUS, "d/a") == b"max"


def test_versions_follow_one_another_within_a_group(services: ServiceFixture) -> None:
    ids = {"file_id": file_id_of("a")}
    items = [
        services.pend(MAX, "a", b"1"),
        services.pend(MAX, "a", b"2", version=2, prev=digest_of(b"1"), **ids),
        services.pend(MIA, "a", b"3", version=3, prev=digest_of(b"2"), **ids),
        services.pend(ADA, "a", b"4", version=3, prev=digest_of(b"2"), **ids),
        services.pend(MAX, "a", b"5", version=3, prev=digest_of(b"2"), **ids),
        services.pend(MAX, "a", b"6", version=4, prev=digest_of(b"5"), **ids),
    ]
    assert outcomes_of(services, *items) == [
        "1", "2", "NotYoursError", "3", "ChangedSinceError", "ChangedSinceError",
    ]  # fmt: skip
    assert [services.get(GUS, "a", n) for n in (1, 2, 3)] == [b"1", b"2", b"4"]


def test_a_group_replaces_what_was_there_before_it(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    ids = {"file_id": file_id_of("a")}
    items = [
        services.pend(MAX, "a", b"2", version=2, prev=digest_of(b"1"), **ids),
        services.pend(MAX, "a", b"3", version=3, prev=digest_of(b"2"), **ids),
    ]
    assert outcomes_of(services, *items) == ["2", "3"]
    assert services.get(GUS, "a") == b"3"


def test_folders_are_made_once_for_all(services: ServiceFixture) -> None:
    paths = ["x/y/a", "x/y/b", "x/z/a", "x/a", "w/a", "x/y/z/a"]
    assert outcomes_of(services, *(services.pend(MAX, p, b"x") for p in paths)) == ["1"] * 6
    for path in paths:
        assert services.get(GUS, path) == b"x"
    page = services.ask(list_folder, GUS, path="x")
    assert [(f.path, f.files, f.folders) for f in page.folders] == [("x/y", 2, 1), ("x/z", 1, 0)]


def test_a_refused_input_makes_no_folder(services: ServiceFixture) -> None:
    items = [
        services.pend(GUS, "guests/a", b"x"),
        services.pend(MAX, "lost/a", b"x", version=2, prev=bytes(64)),
        services.pend(MAX, "kept/a", b"x"),
    ]
    assert outcomes_of(services, *items) == ["RoleForbidsError", "NotFoundError", "1"]
    assert [f.path for f in services.ask(list_folder, GUS, path="").folders] == ["kept"]


def test_a_group_has_dense_places_in_the_ledger(services: ServiceFixture) -> None:
    services.put(MAX, "old", b"1")
    with services.reading() as reading:
        before = ledger_row(reading)
    items = [
        services.pend(MAX, "d/e/a", b"a"),
        services.pend(MIA, "old", b"mia", version=2, file_id=file_id_of("old"), prev=digest_of(b"1")),
        services.pend(MAX, "d/b", b"b"),
        services.pend(MAX, "old", b"2", version=2, file_id=file_id_of("old"), prev=digest_of(b"1")),
        services.pend(MAX, "d/b", b"b2", version=2, file_id=file_id_of("d/b"), prev=digest_of(b"b")),
    ]
    assert outcomes_of(services, *items) == ["1", "NotYoursError", "1", "2", "2"]
    with services.reading() as reading:
        files = {row.name: row for row in reading.rows.all(rows_of(FileRow))}
        folders = {row.name: row for row in reading.rows.all(rows_of(FolderRow))}
        leaves = {(row.file, row.number): row.leaf for row in reading.rows.all(rows_of(VersionRow))}
        after = ledger_row(reading)
    # What was refused took none; each folder stands before what lies in it.
    slots = [row.slot for row in (folders["d"], folders["e"], files["a"], files["b"])]
    assert slots == [before.files + number for number in range(4)]
    keys = [(files["a"].id, 1), (files["b"].id, 1), (files["old"].id, 2), (files["b"].id, 2)]
    assert [leaves[key] for key in keys] == [before.size + number for number in range(4)]
    assert (after.size, after.files) == (before.size + 4, before.files + 4)
    # One complete subtree of two versions, whose hash another commit would have changed.
    assert [len(files[name].versions_peaks) for name in ("a", "b", "old")] == [32, 32, 32]
    assert len({files[name].versions_peaks for name in ("a", "b", "old")}) == 3


def test_a_file_keeps_the_tree_over_its_versions(services: ServiceFixture) -> None:
    sizes = []
    prev = None
    for number in range(1, 9):
        services.put(MAX, "a", b"%d" % number, version=number, prev=prev)
        prev = digest_of(b"%d" % number)
        with services.reading() as reading:
            (row,) = reading.rows.all(rows_of(FileRow))
        sizes.append(len(row.versions_peaks) // 32)
        assert row.slot == 1
    assert sizes == [number.bit_count() for number in range(1, 9)]


def test_every_third_of_64_fails_each_for_its_own_reason(services: ServiceFixture) -> None:
    services.put(MIA, "mias", b"old")
    services.put(MAX, "d/maxs", b"old")
    mias = {"file_id": file_id_of("mias"), "version": 2, "prev": digest_of(b"old")}
    failing = [
        (services.pend(GUS, "no", b"x"), RoleForbidsError),
        (services.pend(MAX, "d/maxs", b"x"), ExistsError),
        (services.pend(MAX, "mias", b"x", **mias), NotYoursError),
        (services.pend(MAX, "d/MAXS", b"x"), NameClashError),
        (services.pend(MAX, "d", b"x"), FolderInTheWayError),
        (services.pend(MAX, "none", b"x", version=2, prev=bytes(64)), NotFoundError),
        (services.pend(MAX, "d/other", b"x", file_id=file_id_of("d/maxs")), BadRequestError),
        (
            services.pend(MAX, "d/maxs", b"x", file_id=file_id_of("d/maxs"), version=3, prev=bytes(64)),
            ChangedSinceError,
        ),
    ]
    items, expected = [], []
    for number in range(64):
        if number % 3:
            who = (MAX, MIA, ADA)[number % 2]
            items.append(services.pend(who, f"d/e/{number:02}", f"{number}".encode()))
            expected.append(Committed)
        else:
            item, error = failing[number // 3 % len(failing)]
            items.append(item)
            expected.append(error)
    assert [type(outcome) for outcome in services.act_each(commit, *items)] == expected
    page = services.ask(list_folder, GUS, path="d/e")
    names = [f"d/e/{number:02}" for number in range(64) if number % 3]
    assert [file.path for file in page.files] == names
    for number in (1, 62):
        assert services.get(GUS, f"d/e/{number:02}") == f"{number}".encode()


def test_a_group_of_64_takes_as_many_statements_as_one(services: ServiceFixture) -> None:
    def statements(*items: Pending) -> int:
        with asked_of(services.database.write_connections) as seen:
            services.act_each(commit, *items)
        return len(seen)

    one = statements(services.pend(MAX, "d/first", b"x"))
    many = statements(*(services.pend(MAX, f"d/{n}", b"x") for n in range(64)))
    assert many <= one


def test_the_writer_takes_what_is_pending(services: ServiceFixture) -> None:
    fatal: list[BaseException] = []
    writer = Writer(services.database, lambda: services.now, on_fatal=fatal.append)
    items = [services.pend(MAX, f"d/{n}", b"x", file_id=os.urandom(16)) for n in range(100)]
    items += [services.pend(MIA, "d/7", b"y", file_id=os.urandom(16))]
    futures = [writer.submit(commit, item, size=item.weight_bytes) for item in items]
    writer.start()
    with pytest.raises(ExistsError):
        futures.pop().result(10)
    for item, future in zip(items, futures, strict=False):
        assert pending.acknowledge_one(item, future.result(10)).path == item.path
    writer.stop()
    assert not fatal
    assert all(200 < item.weight_bytes < GROUP_BYTES // 64 for item in items)


def test_a_forged_row_ends_no_other_act(services: ServiceFixture) -> None:
    services.put(MAX, "bad/a")
    services.tamper("UPDATE folders SET name = 'bat' WHERE name = 'bad'")
    writer = Writer(services.database, lambda: services.now, on_fatal=lambda _: None)
    good = services.pend(MAX, "good", b"x")
    futures = [writer.submit(commit, services.pend(MAX, "bad/b", b"x")), writer.submit(commit, good)]
    writer.start()
    with pytest.raises(RowForgedError) as forged:
        futures[0].result(10)
    assert (forged.value.table, forged.value.row) == ("folders", "2")
    assert futures[1].result(10).receipt.name == "good"
    writer.stop()


def test_the_room_that_is_left_is_for_the_whole_group(services: ServiceFixture) -> None:
    backend = MemoryBackend(capacity_bytes=5_000)
    services.vault = services.storage.vault = Vault(backend, KEYRING)
    items = [services.pend(MAX, f"{n}", bytes(2_000)) for n in range(3)]
    assert outcomes_of(services, *items) == ["1", "ServerFullError", "ServerFullError"]


def test_what_was_deleted_makes_room_for_small_files_again(services: ServiceFixture) -> None:
    """On a disk that small files have filled the database never shrinks by itself: its free pages are room."""
    for number in range(8):
        services.put(MAX, f"{number}", bytes(16_000))
    services.vault = services.storage.vault = Vault(MemoryBackend(capacity_bytes=0), KEYRING)
    with pytest.raises(ServerFullError):
        services.put(MAX, "more", bytes(16_000))
    for number in range(8):
        services.act(delete, Deletion(MAX.caller, f"{number}"))
    services.act(purge, PurgeInput(OPERATOR, services.now, tuple(range(1, 9))))
    for number in range(6):
        services.put(MAX, f"new{number}", bytes(16_000))


def test_pages_that_are_free_go_back_to_the_file_system(services: ServiceFixture) -> None:
    for number in range(20):
        services.put(MAX, f"{number}", bytes(16_000))
        services.act(delete, Deletion(MAX.caller, f"{number}"))
    with services.transaction() as transaction:
        pages = transaction.rows._pragma("page_count")
    services.act(purge, PurgeInput(OPERATOR, services.now, tuple(range(1, 21))))
    with services.transaction() as transaction:
        free = transaction.rows.free_bytes()
    assert free > 20 * 16_000
    while services.act(give_back, GiveBack(OPERATOR, 20_000)):
        pass
    with services.transaction() as transaction:
        assert transaction.rows.free_bytes() <= 20_000
        assert transaction.rows._pragma("page_count") <= pages - 60

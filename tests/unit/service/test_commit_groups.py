"""Many commits at once: judged in order, loaded and written together, one fault ending one act."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import event

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
)
from sft.limits import GROUP_BYTES
from sft.service import pending
from sft.service.commits import commit
from sft.service.files import list_folder
from sft.service.pending import Committed, Pending
from sft.store.writer import Writer
from sft.vault.backend_memory import MemoryBackend
from sft.vault.vault import Vault
from tests.unit.service.office import (
    ADA,
    GUS,
    KEYRING,
    MAX,
    MIA,
    Office,
    digest_of,
    file_id_of,
)


def outcomes_of(office: Office, *items: Pending) -> list[str]:
    return [
        type(outcome).__name__
        if isinstance(outcome, RequestError)
        else f"{outcome.receipt.version}{'=' if outcome.unchanged else ''}"
        for outcome in office.act_each(commit, *items)
    ]


def test_two_inputs_want_one_name(office: Office) -> None:
    items = [
        office.pend(MAX, "d/a", b"max"),
        office.pend(MIA, "d/a", b"mia", file_id=bytes(16)),
        office.pend(MIA, "d/A", b"mia", file_id=b"2" * 16),
        office.pend(MAX, "d/a", b"max", file_id=b"3" * 16),
        office.pend(MIA, "d/a/b", b"mia"),
        office.pend(MIA, "d", b"mia"),
        office.pend(MIA, "d/b", b"mia", file_id=file_id_of("d/a")),
    ]
    assert outcomes_of(office, *items) == [
        "1",
        "ExistsError",
        "NameClashError",
        "1=",
        "FolderInTheWayError",
        "FolderInTheWayError",
        "BadRequestError",
    ]
    assert office.get(GUS, "d/a") == b"max"


def test_versions_follow_one_another_within_a_group(office: Office) -> None:
    ids = {"file_id": file_id_of("a")}
    items = [
        office.pend(MAX, "a", b"1"),
        office.pend(MAX, "a", b"2", version=2, prev=digest_of(b"1"), **ids),
        office.pend(MIA, "a", b"3", version=3, prev=digest_of(b"2"), **ids),
        office.pend(ADA, "a", b"4", version=3, prev=digest_of(b"2"), **ids),
        office.pend(MAX, "a", b"5", version=3, prev=digest_of(b"2"), **ids),
        office.pend(MAX, "a", b"6", version=4, prev=digest_of(b"5"), **ids),
    ]
    assert outcomes_of(office, *items) == [
        "1", "2", "NotYoursError", "3", "ChangedSinceError", "ChangedSinceError",
    ]  # fmt: skip
    assert [office.get(GUS, "a", n) for n in (1, 2, 3)] == [b"1", b"2", b"4"]


def test_a_group_replaces_what_was_there_before_it(office: Office) -> None:
    office.put(MAX, "a", b"1")
    ids = {"file_id": file_id_of("a")}
    items = [
        office.pend(MAX, "a", b"2", version=2, prev=digest_of(b"1"), **ids),
        office.pend(MAX, "a", b"3", version=3, prev=digest_of(b"2"), **ids),
    ]
    assert outcomes_of(office, *items) == ["2", "3"]
    assert office.get(GUS, "a") == b"3"


def test_folders_are_made_once_for_all(office: Office) -> None:
    paths = ["x/y/a", "x/y/b", "x/z/a", "x/a", "w/a", "x/y/z/a"]
    assert outcomes_of(office, *(office.pend(MAX, p, b"x") for p in paths)) == ["1"] * 6
    for path in paths:
        assert office.get(GUS, path) == b"x"
    page = office.ask(list_folder, GUS, path="x")
    assert [(f.path, f.files, f.folders) for f in page.folders] == [("x/y", 2, 1), ("x/z", 1, 0)]


def test_a_refused_input_makes_no_folder(office: Office) -> None:
    items = [
        office.pend(GUS, "guests/a", b"x"),
        office.pend(MAX, "lost/a", b"x", version=2, prev=bytes(64)),
        office.pend(MAX, "kept/a", b"x"),
    ]
    assert outcomes_of(office, *items) == ["RoleForbidsError", "NotFoundError", "1"]
    assert [f.path for f in office.ask(list_folder, GUS, path="").folders] == ["kept"]


def test_every_third_of_64_fails_each_for_its_own_reason(office: Office) -> None:
    office.put(MIA, "mias", b"old")
    office.put(MAX, "d/maxs", b"old")
    mias = {"file_id": file_id_of("mias"), "version": 2, "prev": digest_of(b"old")}
    failing = [
        (office.pend(GUS, "no", b"x"), RoleForbidsError),
        (office.pend(MAX, "d/maxs", b"x"), ExistsError),
        (office.pend(MAX, "mias", b"x", **mias), NotYoursError),
        (office.pend(MAX, "d/MAXS", b"x"), NameClashError),
        (office.pend(MAX, "d", b"x"), FolderInTheWayError),
        (office.pend(MAX, "none", b"x", version=2, prev=bytes(64)), NotFoundError),
        (office.pend(MAX, "d/other", b"x", file_id=file_id_of("d/maxs")), BadRequestError),
        (
            office.pend(
                MAX, "d/maxs", b"x", file_id=file_id_of("d/maxs"), version=3, prev=bytes(64)
            ),
            ChangedSinceError,
        ),
    ]
    items, expected = [], []
    for number in range(64):
        if number % 3:
            who = (MAX, MIA, ADA)[number % 2]
            items.append(office.pend(who, f"d/e/{number:02}", f"{number}".encode()))
            expected.append(Committed)
        else:
            item, error = failing[number // 3 % len(failing)]
            items.append(item)
            expected.append(error)
    assert [type(outcome) for outcome in office.act_each(commit, *items)] == expected
    page = office.ask(list_folder, GUS, path="d/e")
    names = [f"d/e/{number:02}" for number in range(64) if number % 3]
    assert [file.path for file in page.files] == names
    for number in (1, 62):
        assert office.get(GUS, f"d/e/{number:02}") == f"{number}".encode()


def test_a_group_of_64_takes_as_many_statements_as_one(office: Office) -> None:
    def statements(*items: Pending) -> int:
        seen: list[str] = []

        def note(*args: object) -> None:
            seen.append(str(args[2]))

        event.listen(office.database.write_engine, "before_cursor_execute", note)
        office.act_each(commit, *items)
        event.remove(office.database.write_engine, "before_cursor_execute", note)
        return len(seen)

    one = statements(office.pend(MAX, "d/first", b"x"))
    many = statements(*(office.pend(MAX, f"d/{n}", b"x") for n in range(64)))
    assert many <= one


def test_the_writer_takes_what_is_pending(office: Office) -> None:
    fatal: list[BaseException] = []
    writer = Writer(office.database, lambda: office.now, on_fatal=fatal.append)
    items = [office.pend(MAX, f"d/{n}", b"x", file_id=os.urandom(16)) for n in range(100)]
    items += [office.pend(MIA, "d/7", b"y", file_id=os.urandom(16))]
    futures = [writer.submit(commit, item, size=item.weight_bytes) for item in items]
    writer.start()
    with pytest.raises(ExistsError):
        futures.pop().result(10)
    for item, future in zip(items, futures, strict=False):
        assert pending.settle(item, future.result(10)).path == item.path
    writer.stop()
    assert not fatal
    assert all(200 < item.weight_bytes < GROUP_BYTES // 64 for item in items)


def test_a_forged_row_ends_no_other_act(office: Office) -> None:
    office.put(MAX, "bad/a")
    office.tamper("UPDATE folders SET name = 'bat' WHERE name = 'bad'")
    writer = Writer(office.database, lambda: office.now, on_fatal=lambda _: None)
    good = office.pend(MAX, "good", b"x")
    futures = [
        writer.submit(commit, office.pend(MAX, "bad/b", b"x")),
        writer.submit(commit, good),
    ]
    writer.start()
    with pytest.raises(RowForgedError) as forged:
        futures[0].result(10)
    assert (forged.value.table, forged.value.row) == ("folders", "2")
    assert futures[1].result(10).receipt.name == "good"
    writer.stop()


def test_the_room_that_is_left_is_for_the_whole_group(office: Office) -> None:
    backend = MemoryBackend(capacity_bytes=5_000)
    office.vault = office.storage.vault = Vault(backend, KEYRING)
    items = [office.pend(MAX, f"{n}", bytes(2_000)) for n in range(3)]
    assert outcomes_of(office, *items) == ["1", "ServerFullError", "ServerFullError"]

"""Going on with a check that was stopped, and what is known to be damaged."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from sft.errors import TransferEndedError
from sft.model.check_events import CheckEnded, DamageFound, DamageMended
from sft.model.records import VaultReport
from sft.service.files import show_file
from sft.service.maintenance import positions
from sft.service.maintenance.check import CheckPlan, check
from sft.service.maintenance.purging import collect
from sft.service.trash import Deletion, delete
from sft.store.checks import CHECK, damage_count, walk_row
from sft.store.row_types import VersionRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture

BIG = 70_000


def run(services: ServiceFixture, plan: CheckPlan, progress: Callable[[int, int], None] | None = None) -> VaultReport:
    context = services.job_context
    if progress is not None:
        context = replace(context, progress=progress)
    return services.ask(check, OPERATOR, context=context, plan=plan)()


def fill(services: ServiceFixture, files: int = 5) -> list[bytes]:
    """Store files in the vault; return their objects' ids."""
    items = [services.stream(MAX, f"d/{n}", os.urandom(BIG)) for n in range(files)]
    for item in items:
        services.commit(item)
    return [item.object_id for item in items]


def spoil(services: ServiceFixture, object_id: bytes, *, at: int = 40_000) -> None:
    shelf = services.backend.shelf.objects
    data = bytearray(shelf[object_id])
    data[at] ^= 1
    shelf[object_id] = bytes(data)


def stop_after(versions: int) -> Callable[[int, int], None]:
    def progress(done: int, _bytes: int) -> None:
        if done >= versions:
            raise TransferEndedError(problem="the server stops")

    return progress


def read_by(services: ServiceFixture, plan: CheckPlan) -> tuple[VaultReport, int]:
    """Check; return the report and how many bytes of content were read for it."""
    read = 0

    def pace(count: int) -> None:
        nonlocal read
        read += count

    context = replace(services.job_context, pace=pace)
    return services.ask(check, OPERATOR, context=context, plan=plan)(), read


@pytest.mark.parametrize("noted_after", [1, 2])
def test_a_check_that_was_stopped_goes_on_behind_what_it_has_read(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, noted_after: int
) -> None:
    monkeypatch.setattr(positions, "PAGE", noted_after)
    first, *_ = fill(services)
    spoil(services, first)
    with pytest.raises(TransferEndedError):
        run(services, CheckPlan(), stop_after(3))
    report, read = read_by(services, CheckPlan())
    # The third was read and not noted: it is the only one that is read twice.
    assert read == 3 * BIG
    assert (report.versions, report.bytes_checked) == (5, 5 * BIG)
    assert [fault.what for fault in report.faults] == ["d/0 version 1"], "what was found before the stop"
    assert "went on behind 2 versions" in report.notes[0].text
    with services.reading() as reading:
        row = walk_row(reading, CHECK)
    assert (row.began_at, row.ended_versions, row.ended_bytes, row.ended_faults) == (None, 5, 5 * BIG, 1)
    assert row.ended_at == services.now


def test_an_operator_may_begin_afresh(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "PAGE", 1)
    fill(services)
    with pytest.raises(TransferEndedError):
        run(services, CheckPlan(), stop_after(3))
    report, read = read_by(services, CheckPlan(afresh=True))
    assert (report.versions, read, report.notes) == (5, 5 * BIG, ())


def test_the_versions_of_a_file_are_one_chain_across_a_stop(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "PAGE", 1)
    services.put(MAX, "a", b"one")
    services.replace(MAX, "a", b"two", services.ask(show_file, MAX, path="a"))
    with pytest.raises(TransferEndedError):
        run(services, CheckPlan(), stop_after(2))
    # Somebody changes version 1, with what makes it look genuine, between the two.
    with services.log.transaction(services.now) as transaction:
        row = transaction.rows.all(rows_of(VersionRow))[0]
        transaction.rows.update([replace(row, digest=b"x" * 64)])
    (fault,) = run(services, CheckPlan()).faults
    assert fault.problem == "its signature names another prev"


def test_without_reading_data_a_check_sees_what_is_missing_cut_or_under_another_key(services: ServiceFixture) -> None:
    changed, missing, cut, other_key, _ = fill(services)
    shelf = services.backend.shelf.objects
    spoil(services, changed)
    del shelf[missing]
    shelf[cut] = shelf[cut][:-1]
    with services.log.transaction(services.now) as transaction:
        (row,) = [row for row in transaction.rows.all(rows_of(VersionRow)) if row.object_id == other_key]
        transaction.rows.update([replace(row, sealed_key=bytes(104))])
    report, read = read_by(services, CheckPlan(read_data=False))
    assert [fault.what for fault in report.faults] == [f"d/{n} version 1" for n in (1, 2, 3)]
    assert (read, report.bytes_checked, report.versions) == (0, 0, 5)
    assert [fault.what for fault in run(services, CheckPlan()).faults] == [f"d/{n} version 1" for n in range(4)]


def test_a_damage_is_told_once_and_forgotten_when_the_content_holds_again(services: ServiceFixture) -> None:
    object_id, *_ = fill(services)
    sound = services.backend.shelf.objects[object_id]
    spoil(services, object_id)
    services.events.clear()
    for _ in range(2):
        assert len(run(services, CheckPlan()).faults) == 1
    (told,) = [event for event in services.events if isinstance(event, DamageFound)]
    assert (told.path, told.version, told.by) == ("d/0", 1, OPERATOR)
    assert object_id.hex() in told.problem
    services.backend.shelf.objects[object_id] = sound
    # To look at it does not show that it holds.
    run(services, CheckPlan(read_data=False))
    with services.reading() as reading:
        assert damage_count(reading) == 1
    assert run(services, CheckPlan()).faults == ()
    assert [event.objects for event in services.events if isinstance(event, DamageMended)] == [1]
    assert [event.faults for event in services.events if isinstance(event, CheckEnded)] == [1, 1, 0]


def test_a_damage_goes_with_the_version(services: ServiceFixture) -> None:
    object_id, *_ = fill(services)
    spoil(services, object_id)
    run(services, CheckPlan())
    services.act(delete, Deletion(MAX.caller, "d/0"))
    services.ask(collect, OPERATOR, context=services.job_context, until=services.now)()
    assert run(services, CheckPlan()).faults == ()
    with services.reading() as reading:
        assert damage_count(reading) == 0


def test_what_cannot_be_noted_stops_no_check(services: ServiceFixture) -> None:
    object_id, *_ = fill(services)
    spoil(services, object_id)
    services.tamper("UPDATE row_sums SET mac = zeroblob(32)")
    found = [fault.what for fault in run(services, CheckPlan()).faults]
    assert "d/0 version 1" in found

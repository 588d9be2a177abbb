from __future__ import annotations

from threading import Event

import pytest
from twisted.internet.task import Clock

from sft.limits import COLLECT_SECONDS, EXPIRY_LOOK_SECONDS
from sft.model.access import operator_caller
from sft.model.policy import ServerPolicy
from sft.server.periodic import FIRST_LOOK_SECONDS, LOOK_SECONDS, Periodic
from sft.service.maintenance.daily import is_collection_due
from sft.store.hand_overs import handed_over
from sft.store.row_types import FileRow
from sft.store.search_blocks import blocks_before
from sft.store.settings import COLLECTED_AT, setting
from sft.store.statements import rows_of
from sft.store.version_search import VersionsWanted
from sft.wire import messages as m
from tests.integration.server_fixture import ServerFixture, on_reactor, until
from tests.unit.service.service_fixture import TRASH_SECONDS

COLLECTED = "files-purged by=operator files=2"
LOWERED = "retention-lowered option="


async def deleted_long_ago(server: ServerFixture) -> None:
    raw = await server.raw("max")
    for name in ("old", "older"):
        await server.put("max", name, b"x", raw)
        await raw.ask(m.Delete, path=name)
    now = server.here.clock()
    server.here.readers._clock = lambda: now + TRASH_SECONDS + 1


def idle(server: ServerFixture) -> bool:
    return not (server.here.maintenance_pool.busy or server.here.reading_pool.busy)


@on_reactor
@pytest.mark.every_run
async def test_the_trash_is_collected_ten_minutes_after_a_start_and_then_once_a_day(server: ServerFixture):
    """A server that restarts each night has no process that lives for a day."""
    await deleted_long_ago(server)
    clock = Clock()
    periodic = Periodic(server.here, reactor=clock, uptime=clock.seconds)
    periodic.start()
    clock.advance(FIRST_LOOK_SECONDS - 1)
    assert idle(server)
    clock.advance(1)
    await until(lambda: any(line.startswith(COLLECTED) for line in server.lines), "a collection")
    await until(lambda: idle(server), "it is done")
    with server.here.readers.reading() as reading:
        assert int(setting(reading, COLLECTED_AT)) >= server.here.clock() - 60
    # The next start looks, and has nothing to do before a day is over.
    server.here.readers._clock = server.here.clock
    with server.here.readers.reading() as reading:
        assert not is_collection_due(reading, operator_caller())
    now = server.here.clock()
    server.here.readers._clock = lambda: now + COLLECT_SECONDS + 60
    with server.here.readers.reading() as reading:
        assert is_collection_due(reading, operator_caller())
    periodic.stop()
    periodic.stop()


@on_reactor
async def test_a_wall_clock_that_jumped_destroys_nothing(server: ServerFixture):
    await deleted_long_ago(server)
    clock, up = Clock(), [100.0]
    periodic = Periodic(server.here, reactor=clock, uptime=lambda: up[0])
    periodic.start()
    up[0] -= 2 * COLLECT_SECONDS
    clock.advance(FIRST_LOOK_SECONDS)
    await until(lambda: any(line.startswith("clock-doubted seconds=1728") for line in server.lines), "it is said")
    await until(lambda: idle(server), "what else is done once a minute has ended")
    assert not any(line.startswith(COLLECTED) for line in server.lines)
    up[0] += 2 * COLLECT_SECONDS
    clock.advance(LOOK_SECONDS)
    await until(lambda: any(line.startswith(COLLECTED) for line in server.lines), "a collection")
    assert not [line for line in server.lines if "fault" in line], "what was doubted was not even tried"
    periodic.stop()


@on_reactor
async def test_what_searches_look_through_is_made_with_a_start_and_each_minute(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 2)
    raw = await server.raw("max")
    clock = Clock()
    periodic = Periodic(server.here, reactor=clock, uptime=clock.seconds)

    async def made(count: int, *names: str) -> None:
        for name in names:
            await server.put("max", name, b"x", raw)
        clock.advance(EXPIRY_LOOK_SECONDS)
        await until(lambda: blocks(server) == count, "a block")

    for name in ("a", "b"):
        await server.put("max", name, b"x", raw)
    periodic.start()
    await until(lambda: blocks(server) == 1, "a block")
    clock.advance(FIRST_LOOK_SECONDS)
    await made(2, "c", "d")
    await made(3, "e", "f", "g")
    periodic.stop()


@on_reactor
async def test_what_expired_and_waits_in_a_deleted_folder_is_looked_for_again_each_hour_alone(server: ServerFixture):
    raw = await server.raw("max")
    await server.put("max", "d/a", b"x", raw)
    shown = await raw.ask(m.ShowFile, path="d/a")
    now = server.here.clock()
    await raw.ask(m.SetExpiry, path="d/a", file_id=shown.file.id, expires_at=now + 60)
    await raw.ask(m.Delete, path="d", recursive=True)
    server.here.clock = server.here.readers._clock = lambda: now + 600
    periodic = Periodic(server.here, reactor=Clock())

    async def looks() -> int:
        await periodic._expire_files()
        return sum("job-begun job=expire_files" in line for line in server.lines)

    assert [await looks(), await looks(), await looks()] == [1, 1, 1]
    await periodic._look()
    assert await looks() == 2


def blocks(server: ServerFixture) -> int:
    with server.here.readers.reading() as reading:
        return len(blocks_before(reading, 2**62, 99, named=False, **VersionsWanted().bounds()))


@on_reactor
async def test_days_and_versions_that_were_lowered_by_mistake_destroy_nothing_for_a_day(server: ServerFixture):
    await deleted_long_ago(server)
    raw = await server.raw("max")
    await server.put("max", "plan", b"1", raw)
    for number in range(2, 12):
        shown = (await raw.ask(m.ShowFile, path="plan")).file
        await server.put(
            "max", "plan", b"%d" % number, raw, file_id=shown.id, version=number, prev=shown.version.digest
        )
    now = server.here.clock() + 5 * COLLECT_SECONDS
    server.here.readers._clock = lambda: now
    server.here.readers.policy = ServerPolicy(trash_days=1, versions_kept=1)
    clock = Clock()
    periodic = Periodic(server.here, reactor=clock, uptime=clock.seconds)
    periodic.start()
    clock.advance(FIRST_LOOK_SECONDS)
    await until(lambda: idle(server) and len([line for line in server.lines if LOWERED in line]) == 2, "both are said")
    assert any(f"{LOWERED}trash_days to=1 before=30 files=2 size_bytes=2" in line for line in server.lines)
    assert any(f"{LOWERED}versions_kept to=1 before=10 files=1 size_bytes=11" in line for line in server.lines)
    await until(lambda: idle(server) and "job-begun job=collect by=operator" in server.lines, "what follows is done")
    clock.advance(LOOK_SECONDS)
    await until(lambda: idle(server), "it has looked")
    (gone,) = [line for line in server.lines if line.startswith(("files-purged", "versions-destroyed"))]
    assert gone == "versions-destroyed by=operator versions=1 size=1", "the eleventh, as before"
    # Who collects by hand means it.
    done = await (await server.operator()).ask(m.CollectTrash)
    # Two files, and of a third all versions but one.
    assert (done.report.files, done.report.versions) == (3, 2 + 9)
    periodic.stop()


@pytest.mark.parametrize("agrees", [True, False])
@on_reactor
async def test_a_server_that_starts_months_ahead_destroys_nothing_until_somebody_agrees(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch, agrees: bool
):
    await deleted_long_ago(server)
    now = server.here.clock() + TRASH_SECONDS + 1
    monkeypatch.setattr(server.here, "clock", lambda: now)
    clock = Clock()
    periodic = Periodic(server.here, reactor=clock, uptime=clock.seconds)
    periodic.start()
    await until(lambda: any(line.startswith("clock-doubted ") for line in server.lines), "it is said at the start")
    clock.advance(FIRST_LOOK_SECONDS)
    refused = await (await server.operator()).ask(m.CollectTrash)
    assert (refused.code, refused.values["now_at"]) == ("CLOCK_DOUBTED", now)
    raw = await server.raw("max")
    await server.put("max", "signed", b"x", raw, **({"ts": now} if agrees else {}))
    if agrees:
        await until(lambda: any(line.startswith("clock-believed ") for line in server.lines), "somebody agreed")
    else:
        await raw.barrier()
    clock.advance(LOOK_SECONDS)
    if agrees:
        await until(lambda: any(line.startswith(COLLECTED) for line in server.lines), "a collection")
    else:
        done = await (await server.operator()).ask(m.CollectTrash, clock_is_right=True)
        assert done.report.files == 2
    periodic.stop()


def owners(server: ServerFixture) -> set[int]:
    with server.here.readers.reading() as reading:
        return {row.owner_id for row in reading.rows.all(rows_of(FileRow))}


def is_handed_over(server: ServerFixture) -> bool:
    with server.here.readers.reading() as reading:
        return not handed_over(reading)


async def owned_by_max(server: ServerFixture) -> None:
    raw = await server.raw("max")
    for name in ("a", "b"):
        await server.put("max", name, b"x", raw)


async def remove_max(server: ServerFixture) -> None:
    await (await server.raw("ada")).ask(m.RemoveUser, name="max", files_to="ada")


@on_reactor
async def test_a_hand_over_begins_with_the_removal_and_waits_for_no_other_work(server: ServerFixture):
    await owned_by_max(server)
    held = Event()
    held_up = server.here.maintenance_pool.run(held.wait)
    try:
        await remove_max(server)
        await until(lambda: is_handed_over(server), "handing over")
        assert len(owners(server)) == 1
        await until(lambda: any(line.startswith("hand-over-ended") for line in server.lines), "a line that says so")
        assert not [line for line in server.lines if line.startswith("handed-over")]
    finally:
        held.set()
        await held_up


@on_reactor
async def test_what_lies_in_a_folder_that_was_handed_over_follows_at_once(server: ServerFixture):
    raw = await server.raw("max")
    for name in ("d/a", "d/e/b"):
        await server.put("max", name, b"x", raw)
    given = await raw.ask(m.ChangeOwner, path="d", owner="mia")
    assert (given.change.files, given.change.folders, given.change.changed) == (2, 2, True)
    await until(lambda: any(line.startswith("folder-hand-over-ended") for line in server.lines), "a line that says so")
    assert any(line.startswith("folder-owner-changed") for line in server.lines)
    mia = await server.raw("mia")
    assert {(await mia.ask(m.ShowFile, path=path)).file.owner for path in ("d/a", "d/e/b")} == {"mia"}
    assert isinstance(await mia.ask(m.Delete, path="d", recursive=True), m.FileDeleted)


@on_reactor
async def test_what_was_not_handed_over_goes_on_with_a_start_and_each_hour(server: ServerFixture):
    server.here.watchers.clear()
    await owned_by_max(server)
    before = owners(server)
    await remove_max(server)
    assert not is_handed_over(server)
    clock = Clock()
    server.here.stopping = True
    periodic = Periodic(server.here, reactor=clock)
    periodic.start()
    assert not server.here.entry_pool.busy
    server.here.stopping = False
    clock.advance(FIRST_LOOK_SECONDS)
    await until(lambda: is_handed_over(server), "the next look")
    assert not before & owners(server)
    await until(lambda: idle(server) and not server.here.pool.busy, "it is done")
    periodic.stop()
    assert not server.here.watchers


@on_reactor
async def test_a_hand_over_goes_on_with_the_next_start(server: ServerFixture):
    server.here.watchers.clear()
    await owned_by_max(server)
    await remove_max(server)
    assert not is_handed_over(server)
    periodic = Periodic(server.here, reactor=Clock())
    periodic.start()
    await until(lambda: is_handed_over(server), "what a start goes on with")
    await until(lambda: not server.here.pool.busy, "it is done")
    periodic.stop()


@on_reactor
async def test_long_work_ends_when_the_server_stops(server: ServerFixture):
    operator = await server.operator()
    raw = await server.raw("max")
    await server.put("max", "a", b"x", raw)
    server.here.stopping = True
    assert (await operator.ask(m.CheckVault, read_data=True)).code == "INTERRUPTED"
    server.here.stopping = False
    assert not (await operator.ask(m.CheckVault, read_data=True)).report.faults

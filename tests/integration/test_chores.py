from __future__ import annotations

from twisted.internet.task import Clock

from sft.limits import TRASH_SECONDS
from sft.server.periodic import DAY_SECONDS, Periodic
from sft.wire import messages as m
from tests.integration.server_fixture import ServerFixture, on_reactor, until


@on_reactor
async def test_once_a_day_the_trash_loses_what_was_there_for_its_time(server: ServerFixture):
    raw = await server.raw("max")
    for name in ("old", "older"):
        await server.put("max", name, b"x", raw)
        await raw.ask(m.Delete, path=name)
    now = server.here.clock()
    server.here.readers._clock = lambda: now + TRASH_SECONDS + 1
    clock = Clock()
    periodic = Periodic(server.here)
    periodic._daily.clock = clock
    periodic.start()
    clock.advance(DAY_SECONDS - 1)
    assert not server.here.maintenance_pool.busy
    assert not server.here.reading_pool.busy
    clock.advance(1)
    await until(
        lambda: any(line.startswith("files-purged by=operator files=2") for line in server.lines), "a collection"
    )
    periodic.stop()
    periodic.stop()
    assert (await raw.ask(m.Restore, path="old")).code == "NOT_FOUND"


@on_reactor
async def test_long_work_ends_when_the_server_stops(server: ServerFixture):
    operator = await server.operator()
    raw = await server.raw("max")
    await server.put("max", "a", b"x", raw)
    server.here.stopping = True
    assert (await operator.ask(m.CheckVault)).code == "INTERRUPTED"
    server.here.stopping = False
    assert not (await operator.ask(m.CheckVault)).report.faults

from __future__ import annotations

from twisted.internet.task import Clock

from sft.limits import TRASH_SECONDS
from sft.server.periodic import DAY_SECONDS, Periodic
from sft.wire import messages as m
from tests.integration.site import Site, on_reactor, until


@on_reactor
async def test_once_a_day_the_trash_loses_what_was_there_for_its_time(site: Site):
    raw = await site.raw("max")
    for name in ("old", "older"):
        await site.put("max", name, b"x", raw)
        await raw.ask(m.Delete, path=name)
    now = site.here.clock()
    site.here.readers._clock = lambda: now + TRASH_SECONDS + 1
    clock = Clock()
    periodic = Periodic(site.here)
    periodic._daily.clock = clock
    periodic.start()
    clock.advance(DAY_SECONDS - 1)
    assert not site.here.upkeep_pool.busy
    assert not site.here.reading_pool.busy
    clock.advance(1)
    await until(
        lambda: any(line.startswith("files-purged by=operator files=2") for line in site.lines),
        "a collection",
    )
    periodic.stop()
    periodic.stop()
    assert (await raw.ask(m.Restore, path="old")).code == "NOT_FOUND"


@on_reactor
async def test_long_work_ends_when_the_server_stops(site: Site):
    operator = await site.operator()
    raw = await site.raw("max")
    await site.put("max", "a", b"x", raw)
    site.here.stopping = True
    assert (await operator.ask(m.CheckVault)).code == "INTERRUPTED"
    site.here.stopping = False
    assert not (await operator.ask(m.CheckVault)).report.faults

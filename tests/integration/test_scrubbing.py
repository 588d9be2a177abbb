"""The scrub of a server that serves: a slice when it is due, and nothing while maintenance is at something else."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from sft.server.scrubbing import LOOK_SECONDS, Scrubbing
from sft.store.checks import SCRUB, walk_row
from tests.integration.server_fixture import ServerFixture, content, on_reactor, until


@on_reactor
@pytest.mark.every_run
async def test_what_is_due_is_read_each_minute_and_damage_is_said(server: ServerFixture):
    raw = await server.raw("max")
    for name in ("a", "b"):
        await server.put("max", name, content(100_000), raw)
    for stored in server.objects()[:1]:
        stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    clock, now = Clock(), server.here.clock()
    scrubbing = Scrubbing(server.here, reactor=clock)
    scrubbing.start()
    server.here.maintenance_pool.busy += 1
    clock.advance(LOOK_SECONDS)
    assert not server.here.entry_pool.busy
    server.here.maintenance_pool.busy -= 1

    def versions() -> int:
        with server.here.readers.reading() as reading:
            row = walk_row(reading, SCRUB)
        return row.versions + row.ended_versions

    for days in (0, 29):
        server.here.readers._clock = lambda days=days: now + days * 24 * 3600
        clock.advance(LOOK_SECONDS)
        await until(lambda: not (server.here.entry_pool.busy or server.here.maintenance_pool.busy), "the slice is done")
    assert versions() == 2
    assert [line for line in server.log.warnings if line.startswith("damage-found path=")]
    scrubbing.stop()
    scrubbing.stop()

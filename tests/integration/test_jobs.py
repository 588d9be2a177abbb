"""Long work of maintenance: in the event log from its beginning to its end, seen by who asked, and never in anybody's way."""

from __future__ import annotations

import threading

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from sft.client.connecting import connect_operator
from sft.crypto.keys import ServerPublic
from sft.errors import TransferEndedError
from sft.model.records import VaultReport
from sft.server.jobs import WORKING, RunningJob
from sft.wire import messages as m
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import ServerFixture, on_reactor, until
from tests.loop import run


def has(server: ServerFixture, *parts: str) -> bool:
    return any(all(part in line for part in parts) for line in server.lines)


@on_reactor
async def test_a_rotation_that_was_interrupted_goes_on_while_people_are_served(server: ServerFixture):
    await server.put("max", "a", b"x")
    server.here.master_keys.turn(server.here.storage.vault.adopt)
    await server.halt()
    server.log.lines.clear()
    await server.start()
    await until(lambda: has(server, "job-ended job=rotate", "versions=1", "how=done"), f"an end: {server.lines}")
    assert server.here.storage.vault.keyring.epochs == {2}
    assert await server.get(await server.raw("gus"), "a") == b"x"


def test_an_operators_command_never_finishes_a_rotation(cli: LiveCli):
    home = cli.server.home
    cli.server.here.master_keys.turn(cli.server.here.storage.vault.adopt)
    keyring = home.keyring.read_bytes()
    run(cli.server.halt())
    assert cli.operator("user", "list").status == 0
    assert home.keyring.read_bytes() == keyring


@on_reactor
async def test_the_journal_tells_of_long_work_every_minute_and_its_asker_sees_it(server: ServerFixture):
    said: list[m.Notice] = []
    clock, begun, may_end = Clock(), threading.Event(), threading.Event()
    running = RunningJob(server.here, "check", "operator", said.append, clock=clock)

    def work() -> VaultReport:
        running.job_context.progress(7, 700)
        begun.set()
        may_end.wait()
        return VaultReport(1, 8, 800)

    done = Deferred.fromCoroutine(running.run(work))
    await until(begun.is_set, "the work")
    assert has(server, "job-begun job=check by=operator")
    clock.pump([0.5] * 120)
    assert said[0] == m.Notice(WORKING, {"versions": 7, "bytes": 700})
    assert has(server, "job-runs job=check versions=7 bytes=700")
    may_end.set()
    await done
    assert has(server, "job-ended job=check versions=8 bytes=800", "how=done")


@on_reactor
@pytest.mark.every_run
async def test_long_work_ends_at_its_next_page_when_the_server_stops(server: ServerFixture):
    running = RunningJob(server.here, "check", "operator")

    def work() -> VaultReport:
        server.here.stopping = True
        running.job_context.progress(1, 10)
        raise AssertionError("it goes on")

    with pytest.raises(TransferEndedError):
        await running.run(work)
    assert has(server, "job-ended job=check versions=1 bytes=10", "how=stopped")


@on_reactor
async def test_a_session_at_the_operators_socket_is_not_ended_after_a_day(server: ServerFixture):
    home, here = server.home, server.here
    assert server.pool is not None
    session = await connect_operator(here.reactor, str(home.control), ServerPublic(home.server_key()), pool=server.pool)
    assert not session.protocol.session_ends
    assert not any(each.link.session_ends for each in here.sessions.all())
    await session.close()

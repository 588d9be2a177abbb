"""Starts before anybody is there: nothing is made that is not told, and who may come in as an admin is no matter of rows."""

from __future__ import annotations

import ctypes
import resource
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from sft.errors import ListenError, UsageError
from sft.model.access import Caller, Role
from sft.model.events import UserJoined
from sft.operator.configuration import Configuration
from sft.operator.home import Home
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.server import Server
from sft.operator.service import SIGN_SECONDS, ServerService
from sft.server.event_log import EventLog
from tests.integration.raw import pause
from tests.integration.server_fixture import ServerFixture, copy_server, on_reactor, until
from tests.loop import Timed

LOOPBACK = "tcp:0:interface=127.0.0.1"


def server_at(home: Home, listen: str, **given: str) -> Server:
    from twisted.internet import reactor

    return Server(
        reactor, home, Configuration(name="acme", **given), listen=listen, event_log=EventLog(), on_fatal=lambda _: None
    )


def made(home: Home) -> set[str]:
    return {path.name for path in home.path.iterdir()} - {"lock"}


@on_reactor
async def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path):
    home = Home(tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError) as refused:
            await server_at(home, listen).start()
    assert refused.value.values["reason"] == "Address already in use"
    assert made(home) == set()


@on_reactor
async def test_a_socket_that_no_link_can_name_is_refused_before_anything_is_made(tmp_path: Path):
    home = Home(tmp_path / "home")
    listen = f"unix:{tmp_path / 'socket'}"
    with pytest.raises(UsageError) as refused:
        await server_at(home, listen).start()
    assert str(refused.value.values["remedy"]).endswith(f"--listen {listen} --public HOST:PORT")
    assert made(home) == set()
    server = server_at(home, listen, public="files.example.org:7361")
    await server.start()
    await server.stop()


class Service:
    """The service that twistd runs, and what its log says of each start."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.said: list[str] = []

    async def start(self, timed: Timed | None = None, seconds: float = 0) -> None:
        """Start; where a clock is given, so many seconds pass before the home is open."""
        from twisted.internet import reactor

        self.said.clear()
        self.running = ServerService(timed or reactor, self.home, NEXT_STEPS, {"listen": LOOPBACK})
        with self._heard():
            self.running.startService()
            if timed is not None:
                timed.clock.advance(seconds)
            await until(lambda: any(line.startswith("listening") for line in self.said), f"a start: {self.said}")

    async def stop(self) -> None:
        await self.running.stopService()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        def hear(event: Any) -> None:
            self.said.append(str(event.get("line", "")))

        globalLogPublisher.addObserver(hear)
        try:
            yield
        finally:
            globalLogPublisher.removeObserver(hear)

    def says(self, words: str) -> bool:
        return any(words in line for line in self.said)


@on_reactor
@pytest.mark.every_run
async def test_every_start_says_how_an_admin_comes_in_until_there_is_one(tmp_path: Path):
    service = Service(Home(tmp_path / "home"))
    first = service.home.first_admin
    for _ in range(2):
        await service.start()
        assert service.says(f"is in {first}")
        assert service.says("Keep a copy of")
        await service.stop()
    first.unlink()
    await service.start()
    assert service.says(f"No admin yet. Invite one: sftd --home {service.home.path} invite --role admin")
    assert not first.exists()
    await service.stop()


@on_reactor
async def test_an_invitation_that_was_shown_just_now_is_not_told_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sft.operator.service.on_terminal", lambda: True)
    service = Service(Home(tmp_path / "home"))
    await service.start()
    assert service.says("First invitation (admin, once, for a day): sft://")
    assert service.says("Keep a copy of")
    assert not service.says("Invite one")
    await service.stop()
    await service.start()
    assert service.says("No admin yet. Invite one: sftd")
    await service.stop()


@on_reactor
async def test_a_start_that_takes_longer_than_a_second_says_what_it_is_at(template: Path, tmp_path: Path):
    service, timed = Service(copy_server(template, tmp_path / "s").home), Timed()
    await service.start(timed, seconds=SIGN_SECONDS)
    assert next(filter(None, service.said)) == f'start says="Opening {service.home.path} …"'
    stopped: list[None] = []
    service.running.stopService().addCallback(stopped.append)
    while not stopped:
        timed.clock.advance(0.02)
        await pause(0)
    await service.start()
    assert not service.says("Opening")
    await service.stop()


@on_reactor
async def test_the_first_invitation_goes_from_the_disk_when_an_admin_has_joined(tmp_path: Path):
    service = Service(Home(tmp_path / "home"))
    await service.start()
    assert service.running._server is not None
    assert service.running._server.opened is not None
    context = service.running._server.opened.context
    for number, role in enumerate((Role.GUEST, Role.ADMIN), 1):
        assert service.home.first_admin.exists()
        joined = {"user_id": number, "key_id": number, "name": "ada", "device": "laptop", "invitation_id": 1}
        by = Caller(number, number, "ada", role)
        context.tell([UserJoined(by=by, role=role, public_key=bytes(42), **joined)])
        await until(lambda: not context.pool.busy, "the disk")
    assert not service.home.first_admin.exists()
    await service.stop()


@on_reactor
async def test_a_first_invitation_that_is_left_over_goes_at_a_start_that_has_an_admin(template: Path, tmp_path: Path):
    fixture = copy_server(template, tmp_path / "s")
    fixture.home.first_admin.write_text("sft://left over\n")
    service = Service(fixture.home)
    await service.start()
    assert not service.says("No admin yet")
    assert not service.says("Keep a copy of")
    assert not fixture.home.first_admin.exists()
    await service.stop()


@on_reactor
async def test_admins_whose_rows_were_changed_are_no_reason_to_let_another_in(server: ServerFixture):
    await server.halt()
    with closing(sqlite3.connect(server.home.database)) as database:
        database.execute("update users set role = 'guest'")
        database.commit()
    await server.start()
    assert server.running is not None
    assert await server.running.first_admin() is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has prctl")
@on_reactor
@pytest.mark.every_run
async def test_a_server_leaves_no_core_and_lets_nobody_attach(server: ServerFixture):
    get_dumpable, set_dumpable = 3, 4
    prctl = ctypes.CDLL(None).prctl
    await server.halt()
    prctl(set_dumpable, 1, 0, 0, 0)
    await server.start()
    assert prctl(get_dumpable, 0, 0, 0, 0) == 0
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0

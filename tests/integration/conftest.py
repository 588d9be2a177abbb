import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogLevel, globalLogPublisher

from tests.integration.live_cli import LiveCli, NewCli
from tests.integration.relay import Relay
from tests.integration.server_fixture import ALL_LINES, SECRETS, ServerFixture, copy_server, leaks, make_template
from tests.loop import reactor, run


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    run(make_template(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_any_line() -> Iterator[None]:
    """Search the log lines of all servers of the run, at its end, for everything that no log may hold."""
    yield
    assert leaks(ALL_LINES, SECRETS) == set()


@pytest.fixture
def server(tmp_path: Path, template: Path) -> Iterator[ServerFixture]:
    server = copy_server(template, tmp_path / "s")
    run(server.start())
    try:
        yield server
    finally:
        run(server.stop())
    assert server.fatal == []


@pytest.fixture(autouse=True)
def nothing_unhandled() -> Iterator[None]:
    """Fail a test during which Twisted logged an error that nobody took: an exception lost in a callback."""
    errors = []

    def observe(event):
        if event["log_level"] >= LogLevel.error:
            failure = event.get("log_failure")
            errors.append(event if failure is None else failure.getTraceback())

    globalLogPublisher.addObserver(observe)
    try:
        # What is left of all tests before is looked at here once more, and at the end of this test and of others no more.
        gc.collect()
        gc.freeze()
        yield
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not errors, errors


@pytest.fixture
def relay(server: ServerFixture) -> Iterator[Relay]:
    """Stand between clients and the server: it cuts, freezes and counts."""
    relay = run(Relay(reactor, server.port).start())
    yield relay
    relay.thaw()
    run(relay.stop())


@pytest.fixture
def cli(server: ServerFixture) -> LiveCli:
    """The command line of several people, and of the operator, against the server."""
    return LiveCli(server)


@pytest.fixture
def new_cli(tmp_path: Path) -> Iterator[NewCli]:
    made: list[ServerFixture] = []

    def make(port: int = 0, **settings: Any) -> LiveCli:
        server = ServerFixture(tmp_path / f"s{len(made)}")
        server.folder.mkdir()
        made.append(server)
        run(server.start(port, **settings))
        return LiveCli(server)

    yield make
    for server in made:
        run(server.stop())
        assert server.fatal == []

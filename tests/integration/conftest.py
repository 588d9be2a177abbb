import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogLevel, globalLogPublisher

from tests.integration.cli_fixture import CliFixture, NewCli
from tests.integration.relay import Relay
from tests.integration.site import (
    ALL_LINES,
    SECRETS,
    Site,
    copy_site,
    leaks,
    make_template,
)
from tests.loop import reactor, run


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    run(make_template(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_any_line() -> Iterator[None]:
    """Search the log lines of all servers of the run, at its end, for everything that no log may hold."""
    yield
    assert leaks(ALL_LINES, SECRETS) == set()


@pytest.fixture
def site(tmp_path: Path, template: Path) -> Iterator[Site]:
    site = copy_site(template, tmp_path / "s")
    run(site.start())
    try:
        yield site
    finally:
        run(site.stop())
    assert site.fatal == []


@pytest.fixture(scope="module")
def frozen_heap() -> Iterator[None]:
    """Leave what is there already out of collections: modules alone are half a million objects."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_unhandled(frozen_heap: None) -> Iterator[None]:
    """Fail a test during which Twisted logged an error that nobody took: an exception lost in a callback."""
    errors = []

    def observe(event):
        if event["log_level"] >= LogLevel.error:
            failure = event.get("log_failure")
            errors.append(event if failure is None else failure.getTraceback())

    globalLogPublisher.addObserver(observe)
    try:
        yield
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not errors, errors


@pytest.fixture
def relay(site: Site) -> Iterator[Relay]:
    """Stand between clients and the server: it cuts, freezes and counts."""
    relay = run(Relay(reactor, site.port).start())
    yield relay
    relay.thaw()
    run(relay.stop())


@pytest.fixture
def cli(site: Site) -> CliFixture:
    """The command line of several people, and of the operator, against the server."""
    return CliFixture(site)


@pytest.fixture
def new_cli(tmp_path: Path) -> Iterator[NewCli]:
    made: list[Site] = []

    def make(port: int = 0, **settings: Any) -> CliFixture:
        site = Site(tmp_path / f"s{len(made)}")
        site.folder.mkdir()
        made.append(site)
        run(site.start(port, **settings))
        return CliFixture(site)

    yield make
    for site in made:
        run(site.stop())
        assert site.fatal == []

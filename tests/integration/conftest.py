import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from twisted.logger import LogLevel, globalLogPublisher

from tests.integration.relay import Relay
from tests.integration.site import (
    ALL_LINES,
    SECRETS,
    Site,
    bridged,
    copy_site,
    leaks,
    make_template,
)


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    await bridged(make_template(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_any_line() -> Iterator[None]:
    """Search the log lines of all servers of the run, at its end, for everything that no log may hold."""
    yield
    assert leaks(ALL_LINES, SECRETS) == set()


@pytest.fixture
async def site(tmp_path: Path, template: Path) -> AsyncIterator[Site]:
    site = copy_site(template, tmp_path / "s")
    await bridged(site.start())
    try:
        yield site
    finally:
        await bridged(site.stop())
    assert site.fatal == []


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
        yield
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not errors, errors


@pytest.fixture
async def relay(site: Site) -> AsyncIterator[Relay]:
    """Stand between clients and the server: it cuts, freezes and counts."""
    from twisted.internet import reactor

    relay = await bridged(Relay(reactor, site.port).start())
    yield relay
    relay.thaw()
    await bridged(relay.stop())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the UI try a lost server again at once: tests wait for what happens, not for seconds."""
    from tui.live import reconnect

    monkeypatch.setattr(reconnect, "_PAUSES", (0.02,))
    monkeypatch.setattr(reconnect, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(reconnect, "_LEAVE_SECONDS", 0.02)

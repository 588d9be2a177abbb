"""An evil server against the full-screen interface."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.client.connection_info import Status
from sft.wire import messages as m
from tests.integration.evil.evil_server import EvilServer
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import bridged
from tests.integration.ui_driver import opened_ui


async def test_it_stops_with_the_same_words_and_stays_so(
    cli: LiveCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evil = EvilServer(cli, monkeypatch)
    await bridged(evil.server.put("max", "plan", b"the plan"))
    async with opened_ui(evil.server, "gus", tmp_path / "here") as ui:
        await ui.sees("plan")
        evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.FilesContent) else message)
        await ui.walk_to("plan")
        await ui.press("c")
        await ui.until(lambda: "STOP" in ui.screen(), "the line says STOP")
        await ui.until(lambda: "does not prove what it says of these files" in ui.alarm(), ui.alarm())
        assert ui.gateway.connection.status is Status.STOPPED
    evil.be_honest()
    assert evil.mark("gus").exists()
    async with opened_ui(evil.server, "gus", tmp_path / "here", online=False) as ui:
        await ui.until(lambda: "does not prove what it says of these files" in ui.alarm(), ui.alarm())

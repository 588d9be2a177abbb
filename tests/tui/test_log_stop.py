"""A server whose log contradicts what it proved is stopped, in words, and no key takes that away."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from sft.client.connection_info import Status
from sft.errors import LogRestartedError, LogWentBackError
from tests.tui.ui_driver import RAW, UiDriver, driven
from tui.dialogs.log_stop import LogStop
from tui.widgets.message_line import MessageLine


@asynccontextmanager
async def stopped(here, *, size=(80, 24)):
    async with driven(here, size=size, bare=True) as stage:
        stage.gateway.fork_log()
        await stage.noticed()
        yield stage
        assert not stage.gateway.faults


def alarm(stage: UiDriver) -> str:
    said = stage.app.frame.query_one(MessageLine).alarm
    return "" if said is None else f"{said.text} {said.next_step}".strip()


@pytest.mark.every_run
async def test_it_is_a_full_stop_with_the_words_and_the_evidence(tmp_path):
    async with stopped(tmp_path) as stage:
        assert stage.dialog == "LogStop"
        assert "STOP: acme-files contradicts its own log" in stage.text()
        text = stage.text("#dialog-content")
        assert "acme-files does not prove that its log goes on what this computer saw at 3" in text
        evidence = stage.gateway.connection.error.values["evidence"]
        assert evidence[-12:] in text.replace(" ", "")
        assert "show the operator the evidence" in text
        assert str(stage.app.focused.label) == "Stay disconnected"
        await stage.press("y")
        assert stage.app.clipboard == evidence


async def test_no_key_takes_it_away(tmp_path):
    async with stopped(tmp_path, size=(120, 36)) as stage:
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.said() == "You stay disconnected. Nothing of that server is used."
        for key in ("R", "escape", "ctrl+r"):
            await stage.press(key)
            await stage.later(1)
            assert stage.gateway.connection.status is Status.STOPPED
        stage.app.frame.query_one(MessageLine).hush()
        assert "goes on what this computer saw at 3" in alarm(stage)
        assert stage.lines()[0].rstrip().endswith("✗ acme-files  STOP")
        await stage.press("6", "enter")
        assert stage.dialog == "LogStop"
        await stage.press("escape")
        assert "its log contradicts what it proved" in stage.text("#server-says")
        await stage.press("3", "i")
        assert "The server's log contradicts what it proved" in stage.said()


async def test_what_fails_within_a_session_stops_it_at_once(tmp_path):
    async with driven(tmp_path, size=(120, 36), bare=True) as stage:
        assert stage.lines()[0].rstrip().endswith("max · maintainer  log ✓")
        told = []
        stage.gateway.listen(told.append)
        log = stage.gateway._live._access.session.log
        with pytest.raises(LogWentBackError):
            log._fail(LogWentBackError(server="acme-files", profile="acme-files", seen=7))
        await stage.later(1)
        assert [event.status for event in told] == [Status.STOPPED]  # and not tried again
        assert stage.dialog == "LogStop"


async def test_what_a_server_said_is_harmless_there(tmp_path):
    async with driven(tmp_path, bare=True) as stage:
        (account,) = await stage.gateway.accounts.all()
        hostile = "[@click=app.quit]x[/]\u202e\x1b[31m"
        stage.app.push_screen(LogStop(account, LogRestartedError(server=hostile, profile=hostile, seen=3)))
        await stage.quiet()
        assert "has begun a new log" in stage.text()
        assert "[@click=app.quit]x[/]" in stage.text()
        assert not any(raw in stage.screen() for raw in RAW)

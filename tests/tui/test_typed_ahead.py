"""What is typed faster than a slow line answers goes where it was meant to go: the next folder, list or dialog."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.widgets import Input

from sft.client.transfers.queue.job import JobState
from sft.errors import RecordForgedError
from tests.fakes.acme import acme
from tests.fakes.gateway import FakeGateway
from tests.tui.slow_line import LATE_SECONDS, slow
from tests.tui.test_joining import invitation, joining
from tests.tui.test_key_queue import key
from tests.tui.ui_driver import UiDriver, driven
from tui.dialogs.confirm import Confirm
from tui.dialogs.join import Join
from tui.dialogs.unlock import Unlock


async def burst(run: UiDriver, *names: str) -> None:
    """Type everything at once, and let it be answered."""
    for name in names:
        run.app.post_message(key(name))
    await run.later(LATE_SECONDS * 20)


def fields(run: UiDriver) -> list[str]:
    return [field.value for field in run.app.screen.query(Input)]


async def test_keys_after_enter_are_for_the_folder_that_it_opens(tmp_path):
    async with driven(tmp_path, "ada", prepare=slow) as run:
        await run.later(LATE_SECONDS * 20)
        run.put_cursor_on("finance/")
        await burst(run, "enter", "end", "enter", "down", "down", "d")
        assert run.files.remote_side.path == "finance/2026"
        assert isinstance(run.app.screen, Confirm)
        assert "contract.pdf" in run.text()


async def test_no_line_of_another_folder_stands_under_a_title_and_escape_drops_what_was_typed(tmp_path):
    async with driven(tmp_path, "ada", prepare=slow) as run:
        await run.later(LATE_SECONDS * 20)
        read = run.gateway.files.list_folder
        answers = asyncio.Event()

        async def waits(*of, **how):
            await answers.wait()
            return await read(*of, **how)

        run.gateway.files.list_folder = waits
        run.put_cursor_on("finance/")
        for name in ("enter", "d"):
            run.app.post_message(key(name))
        await run.later(1.0)
        assert "Reading…" in run.text("#remote")
        assert "README.md" not in run.text("#remote")
        await run.press("2")  # after what was typed before it
        assert run.app.frame.screen_id == "files"
        await run.press("escape", "2")
        assert run.app.frame.screen_id == "transfers"
        await run.press("1")
        answers.set()
        await run.later(LATE_SECONDS * 20)
        assert not run.dialog
        assert "2026/" in run.text("#remote")
        run.gateway.files.list_folder = refused
        # What cannot be read shows no old lines either, and R asks again.
        run.put_cursor_on("2026/")
        await burst(run, "enter")
        assert "R tries again." in run.text("#remote")
        run.gateway.files.list_folder = read
        await burst(run, "R")
        assert "contract.pdf" in run.text("#remote")


async def refused(*_: object, **__: object) -> None:
    raise RecordForgedError(what="folders 1")


async def test_keys_after_a_filter_are_for_the_lines_that_fit(tmp_path):
    async with driven(tmp_path, "ada", prepare=slow) as run:
        await run.later(LATE_SECONDS * 20)
        run.put_cursor_on("finance/")
        await burst(run, "enter", "end", "enter", "slash", *"pdf", "enter", "down", "c")
        await run.moved()
        (job,) = run.app.queue.jobs
        assert job.state is JobState.DONE
        assert job.title == run.names()[1]


@pytest.mark.every_run
async def test_what_is_typed_before_a_question_stands_there_is_for_it(tmp_path):
    async with driven(tmp_path, "ada", prepare=slow) as run:
        await run.later(LATE_SECONDS * 20)
        await run.press("5")
        await run.later(LATE_SECONDS * 20)
        await burst(run, "e", *"nd")
        assert fields(run)[0].endswith("/nd.pub")


async def test_a_passphrase_typed_at_once_at_the_start_lands_in_its_question(tmp_path):
    async with driven(tmp_path, "ada", prepare=slow, passphrase="disqr") as run:
        for name in "disqr":
            run.app.post_message(key(name))
        await run.later(LATE_SECONDS * 20)
        assert isinstance(run.app.screen, Unlock)
        assert fields(run) == ["disqr"]
        assert run.app.frame.screen_id == "files"


async def test_a_name_typed_after_an_invitation_was_pasted_lands_in_its_field(tmp_path):
    service = acme()
    async with joining(tmp_path, service=service) as run:
        slow(run.gateway)
        run.app.post_message(events.Paste(invitation(service)))
        await burst(run, "enter", *"dena")
        assert isinstance(run.app.screen, Join)
        assert fields(run)[0] == "dena"


async def test_keys_that_come_before_the_list_of_servers_was_read_are_for_it(tmp_path):
    def two(gateway: FakeGateway) -> None:
        gateway.add_account("gus")
        slow(gateway)

    async with driven(tmp_path, prepare=two) as run:
        await burst(run, "6", "down", "enter")  # the first connection is being made
        assert run.gateway.connection.user == "gus"

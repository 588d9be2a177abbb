"""The versions of a file and what lies in the trash, by keys alone: got, brought back, destroyed once a name was typed."""

from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven
from tui.dialogs.destroy import Destroy
from tui.dialogs.versions import Versions

BUDGET = "finance/2026/budget.xlsx"


@pytest.mark.every_run
async def test_an_old_content_comes_back_and_one_is_destroyed_by_its_name(tmp_path):
    async with driven(tmp_path) as run:
        for content in (b"fourth", b"fifth"):
            run.service.store(BUDGET, "max", content)
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("V")
        assert isinstance(run.app.screen, Versions)
        await run.press("u")
        assert "That is the newest" in run.text()
        await run.press("down", "u")
        await run.moved()
        assert run.dialog == ""
        assert "budget.xlsx: version 4 is the newest again, as version 6, signed by you." in run.said()
        assert run.service.versions(BUDGET) == 6
        await run.press("V", "down", "d")
        assert isinstance(run.app.screen, Destroy)
        await run.press(*"budget", "enter")
        assert isinstance(run.app.screen, Destroy)
        await run.press(*".xlsx", "enter")
        await run.quiet()
        assert "The content of version 5 of budget.xlsx is destroyed." in run.said()
        await run.press("V")
        assert "destroyed" in run.text("#versions-list")


async def test_what_lies_in_the_trash_is_destroyed_there(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("d", "y", "T")
        run.put_cursor_on(BUDGET)
        await run.press("d")
        assert isinstance(run.app.screen, Destroy)
        await run.press(*"budget.xlsx", "enter")
        await run.quiet()
        assert BUDGET not in run.names()
        assert "budget.xlsx: 1 file destroyed." in run.said()


async def test_files_are_put_with_a_time_after_which_they_expire_from_this_side(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("e")
        assert "It goes to /finance/2026, and from there to the trash by itself." in run.text("#dialog")
        await run.press(*"2d", "enter")
        await run.moved()
        assert run.said() == "notes.md: stored as version 1, receipt kept, until 5 May"
        assert (
            await run.gateway.files.details("finance/2026/notes.md")
        ).file.expires_at == run.service.now + 2 * 86_400
        (done,) = [each.text for each in run.app.commands]
        assert done.endswith("notes.md --to finance/2026 --expires 2d")


async def test_a_file_is_said_to_expire_and_not_to(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("e")
        assert run.dialog == "TextPrompt"
        await run.press(*"soon", "enter")
        assert run.dialog == "TextPrompt"  # what is no time is asked again
        await run.press(*["backspace"] * 4, *"2d", "enter")
        await run.quiet()
        assert "budget.xlsx goes to the trash 5 May 15:31." in run.said()
        assert (await run.gateway.files.details(BUDGET)).file.expires_at == run.service.now + 2 * 24 * 3600
        await run.press("e", *"never", "enter")
        await run.quiet()
        assert "budget.xlsx does not go to the trash by itself." in run.said()
        assert (await run.gateway.files.details(BUDGET)).file.expires_at is None
        run.put_cursor_on("contract.pdf")
        await run.press("e")
        assert run.dialog == ""
        assert "contract.pdf belongs to ada" in run.said()

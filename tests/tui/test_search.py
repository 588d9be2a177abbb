"""Names are found wherever they lie, and the way to them and back."""

from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven


async def search(run, text: str) -> None:
    await run.press("s")
    await run.type(text)
    await run.press("enter")


@pytest.mark.every_run
async def test_a_name_is_found_on_the_whole_server_and_enter_goes_to_it(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("photos")
        await search(run, "INVOICE 003")
        assert run.said() == "Names with INVOICE 003, on the whole server; esc goes back."
        assert run.names() == ["..", "finance/2026/Q1/invoice-003.pdf"]
        assert "found on acme-files INVOICE 003" in run.screen()
        run.put_cursor_on("finance/2026/Q1/invoice-003.pdf")
        await run.press("enter")
        assert run.files.remote_side.path == "finance/2026/Q1"
        assert run.files.remote.current.name == "invoice-003.pdf"


async def test_what_was_found_is_got_and_esc_goes_back(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("photos")
        await search(run, "invoice-003")
        run.put_cursor_on("finance/2026/Q1/invoice-003.pdf")
        await run.press("c")
        await run.moved()
        assert (tmp_path / "reports" / "invoice-003.pdf").exists()
        await run.press("escape")
        assert run.files.remote_side.path == "photos"
        assert run.names()[1] == "summer-01.jpg"


async def test_a_folder_that_was_found_is_opened(tmp_path):
    async with driven(tmp_path) as run:
        await search(run, "q2")
        await run.press("down", "enter")
        assert run.files.remote_side.path == "finance/2026/Q2"


async def test_nothing_found_says_what_to_do_and_no_letter_asks_nothing(tmp_path):
    async with driven(tmp_path) as run:
        await search(run, "zebra")
        assert run.names() == [".."]
        assert "No name on this server holds zebra. s asks for another; esc goes back." in run.text("#remote")
        await search(run, "**")
        assert run.dialog == "TextPrompt"
        assert "There is no letter to look for" in run.screen()


async def test_a_heading_sorts_by_click_and_a_second_one_turns_it_round(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        at = run.files.remote.current.path
        lines = run.files.remote.lines

        async def click(title: str) -> None:
            row = lines.region.y + 1
            x = run.lines()[row].index(title, lines.region.x) - lines.region.x
            await run.pilot.click(lines, offset=(x, 1))
            await run.quiet()

        await click("size")
        assert "size↓" in run.text("#remote")
        assert run.files.remote.current.path == at
        assert lines.scroll_offset.y == 0
        await click("size↓")
        assert "size↑" in run.text("#remote")
        await click("name")
        assert "name↑" in run.text("#remote")


async def test_files_are_found_by_who_signed_them_and_how_large_they_are(tmp_path):
    async with driven(tmp_path) as run:
        await search(run, "from:nobody")
        assert run.names() == [".."]
        assert run.said() == "Files like from:nobody, on the whole server; esc goes back."
        await search(run, "invoice-003 larger:1")
        assert run.names() == ["..", "finance/2026/Q1/invoice-003.pdf"]
        await run.press("s")
        await run.paste("by:ada")
        await run.press("enter")
        assert run.dialog == "TextPrompt"
        assert "by: says nothing known of a file" in run.screen()

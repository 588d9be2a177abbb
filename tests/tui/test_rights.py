"""Who may do what with a thing, asked in Files: oneself, and for an admin about everybody."""

from __future__ import annotations

from tests.tui.ui_driver import driven
from tui.dialogs.rights import Allowed, Rights


async def test_somebody_sees_what_they_may_and_why_not(tmp_path):
    async with driven(tmp_path, "max") as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        await run.press("W")
        assert isinstance(run.app.screen, Rights)
        assert "Who may" not in run.text("#dialog-buttons")
        await run.press("down", "down", "down")
        assert "max may not delete finance/2026/contract.pdf" in run.text("#rights-why").replace("\n", " ")
        assert "ask ada" in " ".join(run.text("#rights-why").lower().split())
        await run.press("escape")
        run.put_cursor_on("budget.xlsx")
        await run.press("W", "down", "down", "down")
        assert "it is theirs" in " ".join(run.text("#rights-why").split())


async def test_an_admin_asks_about_somebody_else_and_who_may(tmp_path):
    async with driven(tmp_path, "ada") as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("W", "o")
        await run.press(*"gus", "enter")
        assert run.text("#rights-user").strip() == "gus"
        assert "gus may get" in " ".join(run.text("#rights-why").split())
        await run.press("down", "down", "down", "w")
        assert isinstance(run.app.screen, Allowed)
        listed = run.text("#allowed-list")
        assert "max" in listed
        assert "gus" not in listed
        await run.press("escape", "escape")
        assert run.dialog == ""

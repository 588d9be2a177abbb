"""Who may do what with a thing, asked in Files: oneself, and for an admin about everybody."""

from __future__ import annotations

from tests.tui.ui_driver import driven, running
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


async def test_what_may_be_done_with_a_person_is_asked_in_people(tmp_path):
    async with running(tmp_path) as run:
        await run.press("3", "W")
        assert isinstance(run.app.screen, Rights)
        assert all(
            words in run.text("#rights-list") for words in ("change their role", "disable them", "reset their keys")
        )
        assert "ada may change the role of ada: admins may." in " ".join(run.text("#rights-why").split())
        await run.press("o")
        await run.press(*"gus", "enter")
        assert "gus may not change the role of ada" in " ".join(run.text("#rights-why").split())
        await run.press("w")
        assert isinstance(run.app.screen, Allowed)
        assert "eva" in run.text("#allowed-list")


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

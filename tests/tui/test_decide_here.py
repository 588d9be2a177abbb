"""One key decides a single conflict where it arose; keys typed before it was seen are not taken for an answer."""

from __future__ import annotations

import pytest

from sft.client.transfers.queue.job import JobState
from tests.tui.ui_driver import driven

BUDGET = "finance/2026/budget.xlsx"


async def put_budget(run) -> None:
    await run.go("finance/2026")
    await run.press("tab")
    run.put_cursor_on("budget.xlsx")
    await run.press("c")
    await run.moved()


@pytest.mark.parametrize(
    ("key", "versions", "files", "state"),
    [
        ("r", 4, 0, JobState.DONE),
        ("b", 3, 1, JobState.DONE),
        ("s", 3, 0, JobState.DONE),
        ("escape", 3, 0, JobState.NEEDS_YOU),
    ],
)
async def test_one_key_decides(tmp_path, key, versions, files, state):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        before = len(run.names())
        await put_budget(run)
        assert run.dialog == "DecideHere"
        shown = run.text()
        assert "budget.xlsx is there already: version 3 by max" in shown
        assert "[s] skip" in shown
        assert "[b] beside" in shown
        assert "[r] replace (v3 stays)" in shown
        await run.later(1)
        await run.press(key)
        await run.moved()
        assert run.dialog == ""
        assert run.service.versions(BUDGET) == versions
        assert len(run.names()) == before + files
        assert run.app.queue.jobs[-1].state is state


async def test_a_get_that_would_replace_what_is_here_is_decided_likewise(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        (tmp_path / "reports" / "contract.pdf").write_bytes(b"mine")
        run.put_cursor_on("contract.pdf")
        await run.press("c")
        await run.moved()
        assert "contract.pdf is here already: yours: " in run.text()
        assert "[r] replace mine (" in run.text()
        await run.later(1)
        await run.press("r")
        await run.moved()
        assert (tmp_path / "reports" / "contract.pdf").stat().st_size > 4


@pytest.mark.every_run
async def test_a_key_in_its_first_moments_is_no_answer(tmp_path):
    async with driven(tmp_path) as run:
        await put_budget(run)
        screen = run.app.screen
        screen.is_seen = False
        await run.pilot.strike("r", 0)
        assert run.app.screen is screen
        assert run.service.versions(BUDGET) == 3


async def test_whoever_has_gone_on_meanwhile_is_told_and_asked_nothing(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        run.put_cursor_on("budget.xlsx")
        for key in ("c", "down"):
            await run.pilot.strike(key, 0)
        await run.moved()
        assert run.dialog == ""
        assert run.said() == "budget.xlsx needs you: something has that name already. t, then enter"

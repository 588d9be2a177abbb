"""What keys do the mouse does too: lines, folders, selecting, scrolling, the footer and the names of screens."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.fakes.acme import acme
from tests.tui.ui_driver import driven
from tui.widgets.footer import Footer
from tui.widgets.header import Header


async def test_all_of_it_goes_by_mouse_too(tmp_path):
    async with driven(tmp_path, size=(100, 20), service=acme(many=60)) as run:
        pilot, frame = run.pilot, run.app.frame
        here, there = run.files.local.lines, run.files.remote.lines

        async def click(rows, name: str, **how) -> None:
            (y,) = [y for y, line in enumerate(run.lines()) if name in line[rows.region.x : rows.region.right]]
            await pilot.click(rows, offset=(8, y - rows.region.y), **how)
            await run.quiet()

        await click(here, "notes.md")
        assert run.files.pane is run.files.local
        assert run.files.pane.current.name == "notes.md"
        await click(here, "plan.pdf", control=True)
        assert [Path(key).name for key in here.selected] == ["plan.pdf"]
        await click(there, "finance/", times=2)
        assert run.files.remote_side.path == "finance"
        await run.go("archive/scans")
        await pilot._post_mouse_events([events.MouseScrollDown], there, offset=(8, 4), button=0)
        await run.quiet()
        assert there.scroll_offset.y > 0
        footer = frame.query_one(Footer)
        await pilot.click(footer, offset=(run.footer().index("? Help") + 2, 0))
        await run.quiet()
        assert run.dialog == "Help"
        await run.press("escape")
        await pilot.click(Header, offset=(run.lines()[0].index("People"), 0))
        await run.quiet()
        assert frame.screen_id == "people"

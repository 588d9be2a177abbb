"""How screens make use of their room, and what stands out: bars, ways, boxes, and what a list tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from sft.client.transfers.queue.job import Direction, Job, JobState
from sft.limits import KEPT_SECONDS, SEGMENT_BYTES
from sft.model.text import day_text
from tests.fakes.gateway import FakeGateway
from tests.tui.scenes import play, shows, staged
from tests.tui.ui_driver import driven
from tui.dialogs.dialog import DialogButton
from tui.glyphs import FINE, PLAIN
from tui.messages import Notification, Severity
from tui.screens.transfers import left_of, place_columns
from tui.widgets.dock import Dock
from tui.widgets.header import Header
from tui.widgets.job_words import bar, counts_of, title_of, way_of
from tui.widgets.message_line import MessageLine
from tui.widgets.row_list import RowList


def job(direction: Direction, *names: str, to: str = "", **values) -> Job:
    return Job(1, "acme", direction, names, to, **values)


def drawn(pilot, within: str = "") -> list[str]:
    screen = pilot.app.screen
    lines = [strip.text for strip in screen._compositor.render_strips()]
    if not within:
        return lines
    region = screen.query_one(within).region
    return [line[region.x : region.right] for line in lines[region.y : region.bottom]]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (SEGMENT_BYTES, "Nobody sees a partial file."),
        (SEGMENT_BYTES + 1, "What it began of a large file is kept until {day}: sft resume goes on with it."),
    ],
)
def test_a_transfer_that_was_taken_off_says_what_stays_of_it(size: int, said: str):
    left = left_of(job(Direction.PUT, "a", total_bytes=size), 0)
    assert left == said.format(day=day_text(KEPT_SECONDS, 0))


# -- transfers in few cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "fine", "plain"),
    [
        (0, "──────────", "----------"),
        (4, "──────────", "----------"),
        (5, "╸─────────", "----------"),
        (60, "━━━━━━────", "######----"),
        (65, "━━━━━━╸───", "######----"),
        (100, "━━━━━━━━━━", "##########"),
    ],
)
def test_a_bar_grows_by_half_cells_where_there_is_a_sign_for_one(percent, fine, plain):
    assert "".join(bar(percent, 10, FINE)) == fine
    assert "".join(bar(percent, 10, PLAIN)) == plain


def test_both_ends_of_a_way_stay_in_sight():
    home = str(Path.home())
    put = job(Direction.PUT, f"{home}/reports/a.txt", to="finance/2026")
    assert way_of(put, 40, FINE) == "~/reports → /finance/2026"
    deep = job(Direction.PUT, f"{home}/{'deep/' * 12}a.txt", to="finance/2026")
    assert way_of(deep, 28, FINE) == "…/deep/deep → /finance/2026"
    deeper = job(Direction.GET, f"{'deep/' * 12}a.txt", to=f"{home}/{'far/' * 12}end")
    assert len(way_of(deeper, 28, FINE)) <= 28
    assert way_of(deeper, 28, FINE).endswith("/end")
    read = job(Direction.VERIFY, "finance/a.txt")
    assert way_of(read, 28, PLAIN) == "/finance, not kept"


def test_a_folder_counts_its_files_until_it_is_done():
    moving = job(Direction.PUT, title="photos/", files=1203, done_files=214)
    assert title_of(moving) == "photos/ 214/1,203"
    moving.state = JobState.DONE
    assert title_of(moving) == "photos/"


def test_one_needs_you_and_two_need_you():
    one = job(Direction.PUT, state=JobState.NEEDS_YOU)
    assert counts_of([one]) == "1 needs you"
    assert counts_of([one, one, job(Direction.PUT)]) == "1 waiting, 2 need you"


async def test_a_transfer_says_what_its_room_allows(tmp_path):
    async with staged("queue", (80, 24), here=tmp_path) as pilot:
        for width, there, missing in (
            (80, ("60 %  0:04", "212 MiB/s"), "~/reports →"),
            (120, ("~/reports → /finance/2026", "60 %  1.2/2.0 GiB", "0:04"), "sending"),
            (200, ("~/reports → /finance/2026", "60 %  sending", "1.2/2.0 GiB", "0:04"), "%  1.2/2.0"),
        ):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            (line,) = [line for line in drawn(pilot) if "video.mp4" in line]
            assert all(part in line for part in there)
            assert missing not in line


async def test_where_a_transfer_went_and_when_it_ended_is_said_on_80_columns(tmp_path):
    async with driven(tmp_path, size=(80, 24)) as run:
        run.put_cursor_on("welcome.txt")
        for key, said, way in (
            ("v", "verified: signed by ada, version 1", "/, not kept"),
            ("c", "here, verified: by ada, version 1", f"/ → {tmp_path}/reports"),
        ):
            await run.press("1", key)
            await run.moved()
            await run.later(10)
            await run.press("2")
            line = next(line for line in reversed(run.lines()[:-4]) if " welcome.txt " in line)
            assert said in line
            assert line.rstrip("│ ").endswith(" 3 May 15:31")
            assert run.standing() == f"welcome.txt: {way}"
    columns = {column.key: cells for column, cells in place_columns(FINE, 75, ())}
    assert columns["rate"] == len("24 Nov 15:02")


async def test_the_dock_has_a_frame_where_there_is_room_for_one(tmp_path):
    async with staged("files-transfers", (120, 36), here=tmp_path) as pilot:
        dock = pilot.app.screen.query_one(Dock)
        top, *_, last = drawn(pilot, "#dock")
        assert top.startswith("╭─ transfers  t opens ─")
        assert "2 running, 1 waiting" in last
        assert dock.region.height == 5
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        first, second = drawn(pilot, "#dock")
        assert "60 %  1.2/2.0 GiB    212 MiB/s     0:04" in first
        assert "+ 1 running, 1 waiting (t)" in second


# -- what comes first -----------------------------------------------------------------------------------------


async def test_a_lost_line_hushes_what_was_said_before(tmp_path):
    async with staged("files", (80, 24), here=tmp_path) as pilot:
        line = pilot.app.screen.query_one(MessageLine)
        line.show(Notification("Sorted by size.", Severity.INFO))
        pilot.app.gateway.lose()
        await pilot.pause()
        assert "does not answer" in line.render().plain
        line.show(Notification("Sorted by date.", Severity.INFO))
        assert line.render().plain == "Sorted by date."


async def test_what_a_screen_said_goes_with_it_and_what_became_of_a_transfer_stays(tmp_path):
    async with driven(tmp_path, "gus") as run:
        await run.press("d")
        assert run.said().startswith("Guests do not delete files.")
        await run.press("3")
        assert run.said() == ""
        await run.press("1")
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        assert run.said().startswith("welcome.txt: here, verified")
        await run.press("3")
        assert run.said().startswith("welcome.txt: here, verified")


async def test_a_sentence_and_its_next_step_are_whole_on_80_columns(tmp_path):
    said = "Welcome, ada. You are an admin: you read, store and manage every file, and manage people."
    step = "You are the only admin. Invite a second one soon: 3, then i."
    async with driven(tmp_path, "ada", size=(80, 24)) as run:
        for next_step, lines in (
            ("Invite one.", ["and manage people.  Invite one."]),
            (step, ["and manage people.", f"  {step}"]),
        ):
            run.app.frame.post_message(Notification(said, Severity.SUCCESS, next_step))
            await run.quiet()
            first = "✓ Welcome, ada. You are an admin: you read, store and manage every file,"
            assert run.message_line().splitlines() == [first, *lines]
            shown = [line.strip() for line in run.lines()[-2 - len(lines) : -1]]
            assert shown == [first, *map(str.strip, lines)]


async def test_a_stopped_line_stands_out_whole(tmp_path):
    async with staged("stopped", (80, 24), here=tmp_path) as pilot:
        line = pilot.app.screen.query_one(Header).render()
        assert line.plain.rstrip().endswith("✗ acme-f…  STOP")
        (span,) = [s for s in line.spans if "STOP" in line.plain[s.start : s.end]]
        assert "acme-f…" in line.plain[span.start : span.end]
        assert span.style.reverse


# -- lists ----------------------------------------------------------------------------------------------------


async def test_what_is_known_of_a_line_follows_the_filter(tmp_path):
    async with staged("people-filter", (80, 24), here=tmp_path) as pilot:
        assert pilot.app.screen.query_one("#people-list").current.value.name == "max"
        assert "max  maintainer" in "\n".join(drawn(pilot, "#people-about"))


async def test_a_filter_leaves_its_list_as_wide_as_it_was(tmp_path):
    async with staged("filter-nothing", (120, 36), here=tmp_path) as pilot:
        pane = pilot.app.screen.query_one("#remote")
        assert pane.query_one("RowList").region.width == pane.region.width


async def test_the_palette_says_under_its_list_why_not(tmp_path):
    async with staged("palette", (80, 24), here=tmp_path) as pilot:
        assert "enter does it" in drawn(pilot, "#palette")[-1]
        await pilot.press(*"rename")
        assert "import.csv belongs to eva: only they or an admin may rename it." in "\n".join(drawn(pilot, "#palette"))


async def test_the_trash_describes_what_lies_in_it(tmp_path):
    async with staged("trash", (120, 36), here=tmp_path) as pilot:
        details = "\n".join(drawn(pilot, "DetailsStrip"))
        assert "draft.odt" in details
        assert "in the trash until 31 May" in details
        (line,) = [line for line in drawn(pilot, "#remote") if "77 KiB" in line and "31 May" in line]
        assert "draft.odt" in line  # its beginning is cut, not its name


DIALOGS = (
    "stop", "stop-link", "link-written", "join-filled", "join-fault", "remove", "troubles", "conflict",
    "versions", "write", "passphrase", "unlock-wrong", "kick", "quit", "invite", "forget",
)  # fmt: skip


@pytest.mark.parametrize("show", [pytest.param(show, id=show.scenes[0][0]) for show in shows(DIALOGS)])
async def test_every_button_of_a_dialog_is_in_sight_on_a_small_screen(show, tmp_path):
    async for _, pilot in play(show, (80, 24), here=tmp_path):
        screen = pilot.app.screen
        inside = screen.query_one("#dialog").content_region
        buttons = [one for one in screen.query(DialogButton) if one.display]
        assert len(buttons) > 1
        for button in buttons:
            assert button.region.width >= len(str(button.label))
            assert inside.contains_region(button.region), str(button.label)


async def test_on_60_columns_it_is_said_who_is_where_and_every_screen_is_a_click_away(tmp_path):
    async with driven(tmp_path, size=(60, 20)) as run:
        assert run.lines()[0].split() == [
            "1",
            "Files",
            "2",
            "3",
            "4",
            "5",
            "6",
            "●",
            "acme-files",
            "max",
            "·",
            "maintainer",
            "log",
            "✓",
        ]
        await run.pilot.click(Header, offset=(run.lines()[0].index("3"), 0))
        await run.quiet()
        assert run.app.frame.screen_id == "people"
        assert run.lines()[0].split()[:8] == ["1", "2", "3", "People", "4", "5", "6", "●"]


@pytest.mark.parametrize("lost", [FakeGateway.lose, FakeGateway.change_key], ids=["away", "stop"])
async def test_what_was_listed_before_the_line_was_lost_is_quiet_until_it_is_back(tmp_path, lost):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.files.remote.lines.move_to(0)
        live = colors_of(run.files.remote.lines)
        assert len(live) > 2
        lost(run.gateway)
        await run.noticed()
        await run.press("escape")
        assert "contract.pdf" in run.screen()
        assert len(colors_of(run.files.remote.lines)) == 1
        assert len(colors_of(run.files.local.lines)) > 1
        if lost is FakeGateway.lose:
            run.gateway.come_back()
            await run.press("R")
            assert colors_of(run.files.remote.lines) == live


def colors_of(rows: RowList) -> set[str]:
    """Which colors the lines below the cursor have."""
    strips = [rows.render_line(y) for y in range(2, len(rows.source))]
    styles = [segment.style for strip in strips for segment in strip if segment.text.strip()]
    return {style.color.name for style in styles if style is not None and style.color is not None}

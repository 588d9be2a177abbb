from __future__ import annotations

import asyncio
import dataclasses

import pytest

from sft.client.transfers.queue.job import JobState
from sft.errors import ConnectionLostError, RecordForgedError, ServerFullError
from sft.model.names import split_path
from sft.server.shares import Places
from tests.fakes.acme import acme, with_hostile_files
from tests.tui.ui_driver import driven
from tui.dialogs.ask import TextPrompt
from tui.dialogs.confirm import Confirm
from tui.dialogs.resolve_conflicts import ResolveConflicts
from tui.keys import ACTS
from tui.panes.details import DetailsPane
from tui.panes.details_strip import DetailsStrip


async def test_it_opens_on_the_servers_root_folders_are_walked_by_keys_and_the_cursor_comes_back(tmp_path):
    async with driven(tmp_path) as run:
        assert run.app.frame.screen_id == "files"
        assert run.names()[:3] == ["archive/", "backups/", "finance/"]
        assert run.files.remote.lines.has_focus
        assert "acme-files" in run.screen()
        await run.press("down", "down", "enter")
        assert run.files.remote_side.path == "finance"
        assert run.names() == ["..", "2025/", "2026/"]
        await run.press("backspace")
        assert run.files.remote_side.path == ""
        assert run.files.remote.current.name == "finance"


async def test_at_the_start_the_cursor_stands_on_what_can_be_put_and_not_on_the_way_up(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        assert run.names_here()[0] == ".."
        assert run.files.pane.current.name == "drafts"
        assert "c Put→" in run.footer()


@pytest.mark.every_run
async def test_a_file_is_put(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        assert run.service.has("finance/2026/notes.md")
        assert "notes.md" in run.names()
        assert "stored as version 1, receipt kept" in run.message_line()


async def test_a_folder_and_a_file_are_put_together(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        for name in ("photos/", "plan.pdf"):
            run.put_cursor_on(name)
            await run.press("space")
        assert "2 selected here (1 folder; 1 file, 2.0 MiB): c stores them in /" in run.message_line()
        assert str(run.files.local.lines.border_subtitle) == "2 selected: 1 folder; 1 file, 2.0 MiB"
        assert str(run.files.remote.lines.border_subtitle) == "5 folders; 1 file, 23 B"
        run.gateway.brake.at = 0.5
        await run.press("c")
        assert run.said() == "2 items go to /"
        run.put_cursor_on("notes.md")
        await run.press("c")
        assert run.said() == "notes.md goes to /"
        for said in ("notes.md is off the queue.", "2 items are off the queue."):
            await run.press("2", "end", "x")
            assert run.said() == f"{said} Nobody sees a partial file."
            await run.press("1")
        run.gateway.brake.at = None
        for name in ("photos/", "plan.pdf"):
            run.put_cursor_on(name)
            await run.press("space")
        await run.press("c")
        await run.moved()
        assert run.service.has("plan.pdf")
        assert sum(path.startswith("photos/0") for path in run.service.below("photos")) == 10
        assert run.app.queue.jobs[-1].done_files == 13


@pytest.mark.every_run
async def test_a_file_is_got_and_verified_and_getting_the_same_bytes_again_asks_nothing(tmp_path):
    async with driven(tmp_path) as run:
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        got = tmp_path / "reports" / "welcome.txt"
        assert got.read_bytes() == b"Welcome to acme-files.\n"
        assert run.said() == "welcome.txt: here, verified: by ada, version 1"
        assert "welcome.txt" in run.names_here()
        assert run.files.remote.current.state.value == "verified"
        await run.press("c")
        await run.moved()
        assert [job.state for job in run.app.queue.jobs] == [JobState.DONE, JobState.DONE]
        assert "here already, the same bytes" in run.message_line()


async def test_verifying_keeps_nothing_and_names_what_is_bad(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        before = sorted((tmp_path / "reports").iterdir())
        run.put_cursor_on("old-plan.pdf")
        await run.press("v")
        await run.moved()
        assert "are not what ivo signed" in run.message_line()
        assert run.files.remote.current.state.value == "bad"
        assert sorted((tmp_path / "reports").iterdir()) == before


@pytest.mark.every_run
async def test_a_taken_name_needs_a_decision_while_the_rest_goes_on(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        for name in ("budget.xlsx", "notes.md"):
            run.put_cursor_on(name)
            await run.press("space")
        await run.press("c")
        await run.moved()
        job = run.app.queue.jobs[-1]
        assert job.state is JobState.NEEDS_YOU
        assert run.service.has("finance/2026/notes.md")
        await run.press("2", "enter")
        assert isinstance(run.app.screen, ResolveConflicts)
        shown = run.screen()
        assert "version not known 3, by max" in run.text()
        assert "Store mine as version 4; max's stays as version 3" in shown
        await run.press("down", "down", "enter")
        await run.moved()
        assert run.service.versions("finance/2026/budget.xlsx") == 4
        assert job.state is JobState.DONE


async def test_not_deciding_changes_nothing_and_a_taken_name_can_be_kept_beside(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        run.put_cursor_on("budget.xlsx")
        await run.press("c")
        await run.moved()
        await run.leave_for_later()
        await run.press("2", "enter", "escape")
        assert run.app.queue.jobs[-1].state is JobState.NEEDS_YOU
        assert run.service.versions("finance/2026/budget.xlsx") == 3
        await run.press("enter", "down", "enter")
        await run.moved()
        assert run.service.has("finance/2026/budget (max 3 May).xlsx")
        assert run.service.versions("finance/2026/budget.xlsx") == 3


async def test_a_name_that_no_computer_stores_says_so_and_can_be_mended(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        run.put_cursor_on("a:b.txt")
        await run.press("c")
        await run.moved()
        assert 'has ":", which Windows cannot store' in run.message_line()
        await run.press("2", "enter")
        assert "Store as a_b.txt" in run.screen()
        await run.press("tab", "enter")
        await run.moved()
        assert run.service.has("a_b.txt")


async def test_renaming_and_a_name_that_is_not_allowed_is_explained_where_it_is_typed(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("r")
        assert isinstance(run.app.screen, TextPrompt)
        await run.type("a:b")
        await run.press("enter")
        assert isinstance(run.app.screen, TextPrompt)
        assert "which Windows cannot store" in run.screen()
        await run.press("escape", "r")
        await run.type("plan")
        await run.press("enter")
        assert run.service.has("finance/2026/plan.xlsx")
        assert "plan.xlsx" in run.names()
        assert "budget.xlsx is plan.xlsx now" in run.message_line()


async def test_what_was_moved_is_shown_with_its_signed_name(tmp_path):
    async with driven(tmp_path, size=(160, 36)) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("r")
        await run.type("plan")
        await run.press("enter")
        run.put_cursor_on("plan.xlsx")
        await run.quiet()
        for size, there in (((160, 36), DetailsPane), ((120, 36), DetailsStrip)):
            await run.resize(size)
            shown = " ".join(run.text(f"#{run.app.screen.query_one(there).id}").split())
            assert "signed as finance/2026/budget.xlsx, moved since" in shown


@pytest.mark.every_run
async def test_deleting_asks_with_the_safe_answer_first(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("d")
        assert isinstance(run.app.screen, Confirm)
        await run.press("enter")
        assert run.service.has("finance/2026/budget.xlsx")
        await run.press("d", "y")
        assert not run.service.has("finance/2026/budget.xlsx")
        assert "budget.xlsx" not in run.names()
        assert "in the trash until 2 June" in run.message_line()


async def test_deleting_a_folder_says_so(tmp_path):
    async with driven(tmp_path, "ada") as run:
        await run.go("finance/2026")
        run.put_cursor_on("Q1/")
        await run.press("d")
        assert "Delete this folder and all in it for everyone?" in run.screen()
        await run.press("y")
        assert "finance/2026/Q1" not in run.service.below("finance/2026")


async def test_restoring_and_making_a_folder(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("T")
        assert "finance/2026/draft.odt" in run.names()
        await run.press("u")  # the cursor stands on the first of them, not on the way up
        assert run.service.has("finance/2026/draft.odt")
        assert "draft.odt is back: version 1, signature unchanged." in run.message_line()
        await run.press("T")
        assert "finance/" in run.names()
        await run.press("n")
        await run.type("Q3 plans")
        await run.press("enter")
        assert "Q3 plans" in run.service.below("")
        assert "Q3 plans/" in run.names()


async def test_a_folder_in_the_trash_is_described_never_entered_and_comes_back_whole(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("T")
        run.put_cursor_on("finance/2024/")
        await run.press("enter")
        assert "finance/2024/" in run.names()
        for said in ("3 files", "deleted 28 Apr by max", "in the trash until 28 May"):
            assert said in run.screen()
        await run.press("u")
        assert "2024 is back with 3 files in it." in run.message_line()
        assert "finance/2024/" not in run.names()
        assert run.service.has("finance/2024/Q1/letters.odt")


@pytest.mark.every_run
async def test_what_a_guest_may_not_do_is_said_and_never_tried(tmp_path):
    async with driven(tmp_path, "gus") as run:
        run.put_cursor_on("welcome.txt")
        assert "Delete" not in run.footer()
        await run.press("d")
        assert run.said() == "Guests do not delete files. An admin can change your role: ada, eva."
        for key, deed in (("r", "rename files"), ("T", "look into the trash"), ("n", "make folders")):
            await run.press(key)
            assert run.said() == f"Guests do not {deed}. An admin can change your role: ada, eva."
        assert "do not bring files back" in run.files.reason_against(ACTS["files.restore"])
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        assert "Guests do not store files. An admin can change your role: ada, eva." in run.message_line()
        assert run.app.queue.jobs == []


async def test_whose_a_file_is_that_a_letter_in_the_filter_is_no_act_and_that_the_largest_come_first(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        await run.press("d")
        assert "contract.pdf belongs to ada" in run.message_line()
        run.put_cursor_on("budget.xlsx")
        await run.press("slash")
        await run.type("dcq")
        assert run.files.remote.query_text == "dcq"
        assert run.service.has("finance/2026/budget.xlsx")
        assert run.app.queue.jobs == []
        await run.press("escape", "o")
        names = run.names()
        assert names[:4] == ["..", "Q1/", "Q2/", "budget.xlsx"]
        assert names[-1] == "README.md"


async def test_nothing_on_this_computer_is_deleted_or_renamed(tmp_path):
    async with driven(tmp_path, "ada") as run:
        await run.press("tab")
        run.put_cursor_on("notes.md")
        for key in ("d", "r", "f8", "f6"):
            await run.press(key)
            assert "Nothing on this computer" in run.message_line()
        assert (tmp_path / "reports" / "notes.md").exists()


async def test_a_file_and_a_folder_are_handed_over_and_enter_at_once_hands_over_nothing(tmp_path):
    async with driven(tmp_path, "ada") as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("O", "enter")
        assert run.service.file("finance/2026/budget.xlsx").owner == "max"
        await run.press("O", "e", "enter")
        assert "budget.xlsx belongs to eva now." in run.message_line()
        assert run.service.file("finance/2026/budget.xlsx").owner == "eva"
        await run.press("backspace")
        run.put_cursor_on("2026/")
        await run.press("O")
        assert "With all in it, which follows file by file." in run.text()
        await run.press("e", "enter")
        assert "2026 belongs to eva now, and so do the " in run.message_line()
        await run.press("at")
        assert "sft owner eva finance/2026/budget.xlsx --yes" in run.text()


async def test_the_servers_refusal_is_shown_where_the_screen_did_not_know(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("d")
        run.service.give("finance/2026/budget.xlsx", "ada")
        await run.press("y")
        assert "belongs to ada" in run.message_line()
        assert run.service.has("finance/2026/budget.xlsx")


async def test_the_filter_narrows_as_one_types_and_escape_gives_it_up(tmp_path):
    async with driven(tmp_path, service=acme(many=3000)) as run:
        await run.go("archive/scans")
        await run.press("slash")
        await run.type("0077")
        assert run.names() == [f"scan-00077{n}.tif" for n in range(10)] + ["scan-000077.tif"] or (
            "scan-000077.tif" in run.names() and len(run.names()) == 11
        )
        await run.press("escape")
        assert len(run.files.remote.lines.source) == 3001
        assert run.files.remote.lines.has_focus


async def test_all_of_a_large_folder_is_selected(tmp_path):
    async with driven(tmp_path, service=acme(many=3000)) as run:
        await run.go("archive/scans")
        await run.press("a")
        assert len(run.files.remote.lines.selected) == 3000
        assert ".." not in {split_path(path)[1] for path in run.files.remote.lines.selected}
        await run.press("asterisk")
        assert run.files.remote.lines.selected == set()


async def test_what_is_done_at_once_after_selecting_all_is_about_all(tmp_path):
    async with driven(tmp_path, service=acme(many=3000)) as run:
        await run.go("archive/scans")
        held, folder = asyncio.Event(), run.gateway.files.list_folder

        async def late(*args, **options):
            await held.wait()
            return await folder(*args, **options)

        run.gateway.files.list_folder = late
        await run.pilot.press("a", "d")
        assert not isinstance(run.app.screen, Confirm)
        held.set()
        await run.quiet()
        assert "Delete 3,000 things for everyone?" in run.screen()


async def test_selecting_by_pattern(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("plus")
        await run.type("*.pdf")
        await run.press("enter")
        assert len(run.files.remote.lines.selected) == 3


async def test_hidden_names_here(tmp_path):
    async with driven(tmp_path) as run:
        (tmp_path / "reports" / ".secret").write_bytes(b"")
        await run.press("full_stop")
        assert ".secret" in run.names_here()
        await run.press("full_stop")
        assert ".secret" not in run.names_here()


async def test_details_say_the_verdict_in_words(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        await run.quiet()
        run.files._describe()
        await run.quiet()
        shown = " ".join(run.screen().split())
        assert "Signed by ada. Its content" in shown
        assert "key known since 12 Jan" in shown


async def test_at_eighty_columns_details_take_the_place_of_the_other_pane(tmp_path):
    async with driven(tmp_path, size=(80, 24)) as run:
        assert run.files.local.display
        await run.press("i")
        assert not run.files.local.display
        await run.press("i")
        assert run.files.local.display


async def test_details_stand_in_the_other_panes_place_and_tab_moves_into_them(tmp_path):
    async with driven(tmp_path, size=(80, 20)) as run:
        await run.go("finance/2026")
        run.put_cursor_on("budget.xlsx")
        await run.press("i")
        details = run.app.screen.query_one(DetailsPane)
        assert details.region.x == 0
        assert run.files.remote.region.x == details.region.right == 40
        await run.press("tab")
        assert details.has_focus
        before = details.scroll_offset.y
        await run.press("end")
        await run.later(1)
        assert details.scroll_offset.y > before
        await run.press("tab")
        assert run.files.remote.lines.has_focus
        await run.press("i", "tab", "i")
        assert (run.files.local.region.x, run.app.screen.query_one(DetailsPane).region.x) == (0, 40)


async def test_z_gives_the_active_pane_the_whole_width(tmp_path):
    async with driven(tmp_path, size=(80, 24)) as run:
        await run.press("z")
        assert (run.files.local.display, run.files.remote.region.width) == (False, 80)
        await run.press("tab")
        assert (run.files.remote.display, run.files.local.region.width) == (False, 80)
        await run.press("z")
        assert (run.files.local.region.width, run.files.remote.region.width) == (40, 40)


async def test_details_are_a_strip_from_110_columns_and_a_column_from_160(tmp_path):
    async with driven(tmp_path, size=(109, 36)) as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        strip, column = run.app.screen.query_one(DetailsStrip), run.app.screen.query_one(DetailsPane)
        for size, there in (((109, 36), None), ((110, 36), strip), ((159, 36), strip), ((160, 36), column)):
            await run.resize(size)
            assert [one for one in (strip, column) if one.display] == ([] if there is None else [there])
            if there is not None:
                assert "Signed by ada. Its content has not been checked" in run.text(f"#{there.id}")
        await run.press("i")
        assert not column.display
        assert run.files.remote.region.width == 80


async def test_a_sorted_column_is_there_at_eighty_columns_with_its_direction(tmp_path):
    async with driven(tmp_path, size=(80, 24)) as run:
        await run.go("finance/2026")
        assert "name↑" in run.text("#remote")
        await run.press("o")
        assert "size↓" in run.text("#remote")
        await run.press("o")
        assert "age↓" in run.text("#remote")


async def test_what_is_typed_after_enter_in_the_filter_is_for_the_list(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        for name in ("slash", *"contract", "enter", "V"):
            await run.pilot.strike(name, 0)
        await run.quiet()
        assert run.files.remote.query_text == "contract"
        assert run.dialog == "Versions"
        assert "contract.pdf" in run.screen()


async def test_an_invitation_is_not_selected_with_all_others(tmp_path):
    async with driven(tmp_path) as run:
        (tmp_path / "reports" / "invitation-ivo.txt").write_text("sft://")
        await run.press("tab", "R")
        run.files.local.read(anew=True)
        await run.quiet()
        assert "invitation-ivo.txt" in run.names_here()
        await run.press("a")
        assert "notes.md" in {path.rpartition("/")[2] for path in run.files.local.lines.selected}
        assert "invitation-ivo.txt" not in {path.rpartition("/")[2] for path in run.files.local.lines.selected}


async def test_a_get_replaces_what_is_here_only_when_asked_and_compares_both(tmp_path):
    async with driven(tmp_path) as run:
        here = tmp_path / "reports" / "welcome.txt"
        here.write_bytes(b"mine")
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        assert here.read_bytes() == b"mine"
        await run.leave_for_later()
        await run.press("2", "enter")
        shown = run.text()
        assert "1, by ada" in shown
        assert "not known" in shown
        assert "Replace mine (4 B, " in shown
        assert ") with version 1 by ada" in shown
        await run.press("enter")  # skipping is what stands there first
        assert here.read_bytes() == b"mine"
        await run.press("1", "c")
        await run.moved()
        await run.leave_for_later()
        await run.press("2", "end", "enter", "down", "down", "enter")
        await run.moved()
        assert here.read_bytes() == b"Welcome to acme-files.\n"
        assert run.app.queue.jobs[-1].state is JobState.DONE
        assert [path.name for path in here.parent.glob("welcome*")] == ["welcome.txt"]


async def test_a_version_that_was_stored_before_is_replaced_unasked_and_what_was_made_of_it_is_not(tmp_path):
    async with driven(tmp_path) as run:
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        run.service.store("welcome.txt", "ada", b"Welcome again.\n")
        await run.press("c")
        await run.moved()
        here = tmp_path / "reports" / "welcome.txt"
        assert here.read_bytes() == b"Welcome again.\n"
        assert [path.name for path in here.parent.glob("welcome*")] == ["welcome.txt"]
        here.write_bytes(b"Welcome, edited.\n")
        run.service.store("welcome.txt", "ada", b"Welcome a third time.\n")
        await run.press("c")
        await run.moved()
        assert here.read_bytes() == b"Welcome, edited.\n"
        await run.leave_for_later()
        await run.press("2", "end", "enter")
        assert "made from 2" in run.text()


async def test_a_narrow_terminal_shows_one_pane_and_tab_flips(tmp_path):
    async with driven(tmp_path, size=(70, 24)) as run:
        assert (run.files.local.display, run.files.remote.display) == (False, True)
        await run.press("tab")
        assert (run.files.local.display, run.files.remote.display) == (True, False)


async def test_a_tiny_terminal_says_one_sentence(tmp_path):
    async with driven(tmp_path, size=(50, 12)) as run:
        assert "at least 60 by 15" in run.screen()


@pytest.mark.every_run
async def test_a_lost_connection_is_said_and_the_queue_goes_on_by_itself(tmp_path):
    async with driven(tmp_path) as run:
        run.gateway.lose()
        await run.quiet()
        assert "acme-files does not answer since 15:31:11" in run.message_line()
        await run.press("tab")
        run.put_cursor_on("notes.md")
        run.app.queue.put([str(tmp_path / "reports" / "notes.md")], "", "notes.md")
        await run.quiet()
        assert run.app.queue.jobs[0].state is JobState.WAITING
        run.gateway.come_back()
        await run.press("R")
        await run.moved()
        assert run.service.has("notes.md")


async def test_a_full_server_is_said_in_plain_words(tmp_path):
    def prepare(gateway):
        gateway.fail_next["put"] = ServerFullError(size_bytes=2 * 1024**3)

    async with driven(tmp_path, prepare=prepare) as run:
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        assert "The server has no room for 2.0 GiB" in run.message_line()
        assert run.app.queue.jobs[0].state is JobState.FAILED


async def test_a_folder_that_cannot_be_read_says_so(tmp_path):
    async with driven(tmp_path) as run:
        run.gateway.fail_next["list_folder"] = ConnectionLostError()
        await run.press("enter")
        assert "The connection broke" in run.message_line()


async def test_what_is_refused_at_first_is_said_in_place_of_the_list(tmp_path):
    def prepare(gateway):
        gateway.fail_next["list_folder"] = RecordForgedError(what="folders 1")

    async with driven(tmp_path, prepare=prepare) as run:
        assert "Connecting" not in run.screen()
        assert "The server's record of folders 1 was changed" in run.screen()
        assert "R tries again." in run.screen()
        await run.press("R")
        assert "notes.md" in run.screen()


def _take_nobody(service) -> None:
    shares = service.context.shares
    shares.places = dataclasses.replace(shares.places, sessions=0)


async def test_a_server_that_answers_and_takes_nobody_now_is_told_with_its_words(tmp_path):
    async with driven(tmp_path) as run:
        places = run.service.context.shares.places
        _take_nobody(run.service)
        run.gateway.break_line()
        await run.later(1.5)
        assert run.message_line().startswith("! acme-files has no room for another session now; again in 2 s (R now).")
        run.service.context.shares.places = places
        await run.press("R")
        await run.quiet()
        assert "has no room" not in run.screen()


async def test_transfers_opens_where_something_is_to_be_decided(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        for text in ("first", "second"):  # which differs from what is stored by then
            (run.files.local_side.path / "notes.md").write_text(text)
            run.put_cursor_on("notes.md")
            await run.press("c")
            await run.moved()
        first, second = run.app.queue.jobs
        assert (first.state, second.state) == (JobState.DONE, JobState.NEEDS_YOU)
        await run.leave_for_later()
        await run.press("2")
        assert run.app.frame.view.job is second


async def test_transfers_opens_on_what_runs_else_on_the_last(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        for name in ("notes.md", "plan.pdf", "budget.xlsx"):
            run.put_cursor_on(name)
            await run.press("c")
            await run.moved()
        *_, last = run.app.queue.jobs
        await run.press("2")
        assert run.app.frame.view.job is last
        await run.press("home", "1")
        run.gateway.brake.at = 0.5
        for name in ("drafts/", "photos/", "video.mp4"):
            run.put_cursor_on(name)
            await run.press("c")
        running = next(job for job in run.app.queue.jobs if job.state is JobState.RUNNING)
        assert running is not run.app.queue.jobs[-1]
        await run.press("2")
        assert run.app.frame.view.job is running


async def test_a_server_that_takes_nobody_at_first_says_why_and_that_it_is_tried_again(tmp_path):
    async with driven(tmp_path, prepare=lambda gateway: _take_nobody(gateway.service)) as run:
        assert "Connecting" not in run.screen()
        assert "acme-files has no room for another session now." in run.screen()
        assert "It is tried again by itself; R tries now." in run.screen()
        run.service.context.shares.places = Places.of(1024)
        await run.press("R")
        await run.quiet()
        assert "notes.md" in run.screen()


async def test_hostile_names_do_nothing_and_can_be_read(tmp_path):
    async with driven(tmp_path, "ada", size=(160, 40), service=with_hostile_files(acme())) as run:
        await run.go("hostile")
        for _ in run.names():
            await run.press("down")
            run.files._describe()
            await run.quiet()
        shown = run.screen()
        for raw in ("\x1b", "\u202e", "\u200b", "\x07"):
            assert raw not in shown
        assert "\\u{202e}" in shown
        assert run.app.is_running
        await run.press("a", "d")
        assert isinstance(run.app.screen, Confirm)
        await run.press("escape", "space", "c")
        await run.moved()
        await run.press("2", "enter")
        assert "\x1b" not in run.screen()
        assert run.app.is_running


@pytest.mark.every_run
async def test_a_click_on_a_hostile_name_runs_no_action(tmp_path):
    async with driven(tmp_path, "ada", service=with_hostile_files(acme())) as run:
        await run.go("hostile")
        lines = run.files.remote.lines
        for y in range(1, 14):
            await run.pilot.click(lines, offset=(6, y))
        assert run.app.is_running
        assert run.app.frame.screen_id == "files"


async def test_a_path_that_leads_nowhere_is_refused_in_the_question(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        for typed in ("~nobody-is-called-so/x", "/" + "a" * 300, "/dev/null"):
            await run.press("ctrl+l")
            await run.paste(typed)
            await run.press("enter")
            assert run.dialog == "TextPrompt"
            assert "is no folder" in run.screen()
            await run.press("escape")


async def test_a_box_says_by_a_sign_whether_it_is_ticked(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        (tmp_path / "reports" / "notes.md").write_bytes(b"changed meanwhile")
        for name in ("notes.md", "budget.xlsx"):
            run.put_cursor_on(name)
            await run.press("space")
        await run.press("c")
        await run.moved()
        await run.press("2", "end", "enter")
        assert isinstance(run.app.screen, ResolveConflicts)
        assert "[ ] the same for the other 1" in run.screen()
        await run.press("tab", "space")
        assert "[x] the same for the other 1" in run.screen()


async def test_a_folder_that_is_entered_has_the_cursor_on_what_lies_there_and_its_summary_is_never_cut(tmp_path):
    async with driven(tmp_path, size=(80, 24)) as run:
        run.put_cursor_on("finance/")
        await run.press("enter", "enter")  # the second opens the first folder there, and does not lead up again
        assert run.files.remote_side.path.startswith("finance/")
        await run.press("left")
        assert run.files.remote_side.path == "finance"
        for pane in (run.files.local, run.files.remote):
            for order in "oo":
                pane.lines.focus()
                await run.press(order)
                assert len(str(pane.lines.border_subtitle)) <= pane.size.width - 7
        room = run.files.local.size.width - 7
        assert ", by" in run.files.local._summary(run.files.local.rows, 200)
        assert ", by" not in run.files.local._summary(run.files.local.rows, room - 20)

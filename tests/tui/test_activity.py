"""The Activity screen by keys: what happened, live, narrowed, proved, checked and written down."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest

from sft.client import log_verify
from sft.errors import LogProofError
from sft.model.records import FileReader, UserState
from tests.fakes.acme import HOSTILE_FILES, acme, with_hostile_files
from tests.tui.ui_driver import RAW, UiDriver, driven
from tui.glyphs import FINE
from tui.log_words import reader_lines
from tui.screens.activity import ActivityView


@asynccontextmanager
async def activity(here, user="ada", *, size=(120, 36), **how):
    async with driven(here, user, size=size, bare=True, **how) as stage:
        await stage.press("4")
        yield stage
        assert not stage.gateway.faults


def view(stage: UiDriver) -> ActivityView:
    found = stage.app.frame.view_of("activity")
    assert isinstance(found, ActivityView)
    return found


def listed(stage: UiDriver) -> list[str]:
    """Give the lines in sight: number, who, what and to what."""
    rows = view(stage)._list
    found = [rows.source.row(n) for n in range(min(len(rows.source), 60))]
    return [" ".join(row.cells[key] for key in ("number", "who", "what", "path")) for row in found if row is not None]


async def narrow(stage: UiDriver, text: str) -> None:
    await stage.press("slash")
    await stage.type(text)
    await stage.quiet()
    await stage.press("enter")


# -- what is shown ------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_what_happened_stands_there_newest_first_with_the_state_of_proof(tmp_path):
    async with activity(tmp_path) as stage:
        assert listed(stage)[:4] == [
            "91 ada invited tom → guest",
            "90 eva invited gus2 → maintainer",
            "89 ada disabled ivo",
            "88 max deleted /finance/2026/draft.odt",
        ]
        text = stage.text()
        assert "proof ✓ checked to 92 just now; this computer keeps heads since 12 Jan;" in text
        assert "seen by others" in text
        assert "What the operator reads from the disk is not here." in stage.standing()
        assert stage.lines()[0].rstrip().endswith("ada · admin  log ✓")


async def test_any_place_is_shown_after_one_key(tmp_path):
    async with activity(tmp_path) as stage:
        await stage.press("G")
        assert view(stage).line.number == 0
        assert "started the log" in stage.text()
        await stage.press("g")
        assert view(stage).line.number == 91


async def test_a_guest_sees_that_something_happened_and_not_what_is_not_theirs(tmp_path):
    async with activity(tmp_path, "gus") as stage:
        assert listed(stage)[:3] == [
            "91  invited not yours to see",
            "90  invited not yours to see",
            "89 ada disabled ivo",
        ]
        await stage.press("enter")
        assert stage.dialog == "LogRecord"
        text = stage.text("#dialog")
        assert "It is not yours to see: the leaf alone is, which names nobody." in text
        assert "tom" not in text


# -- live ---------------------------------------------------------------------------------------------------


async def test_what_happens_comes_on_top_and_the_list_can_be_held(tmp_path):
    async with activity(tmp_path) as stage:
        stage.service.make_folder("news", "eva")
        await stage.later(2.5)
        assert listed(stage)[0] == "92 eva made the folder /news"
        assert view(stage).line.number == 92
        assert "checked to 93" in stage.text()
        await stage.press("down", "down", "space")
        assert "held still" in stage.standing()
        kept = view(stage).line.number
        stage.service.make_folder("more news", "eva")
        await stage.later(10)
        assert listed(stage)[0].startswith("92 ")
        await stage.press("space")
        assert listed(stage)[0] == "93 eva made the folder /more news"
        assert view(stage).line.number == kept


async def test_nothing_is_asked_while_nobody_looks(tmp_path):
    async with activity(tmp_path) as stage:
        asked = []
        before = stage.gateway._live.activity.after
        stage.gateway._live.activity.after = lambda *args, **given: asked.append(args) or before(*args, **given)
        await stage.later(7)
        assert 2 <= len(asked) <= 4
        asked.clear()
        for keys in (["1"], ["4", "question_mark"], ["escape", "space"]):
            await stage.press(*keys)
            asked.clear()
            await stage.later(7)
            assert asked == []


async def test_after_a_lost_line_it_goes_on(tmp_path):
    async with activity(tmp_path) as stage:
        stage.gateway.lose()
        await stage.noticed()
        assert listed(stage)
        stage.service.make_folder("meanwhile", "eva")
        stage.gateway.come_back()
        await stage.press("R")
        await stage.later(3)
        assert listed(stage)[0] == "92 eva made the folder /meanwhile"


# -- the filter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("act:delete", ["88 max deleted /finance/2026/draft.odt", "87 max deleted the folder /finance/2024"]),
        ("user:tom", None),
        ("user:ivo act:disable", ["89 ada disabled ivo"]),
        ("file:/welcome.txt", ["82 ada stored /welcome.txt v1"]),
        (
            "file:finance/2026/draft.odt",
            ["88 max deleted /finance/2026/draft.odt", "83 max stored /finance/2026/draft.odt v1"],
        ),
        ("logo eva", ["81 eva stored /press kit/logo.svg v1"]),
        ("act:delete since:2027-01-01", []),
    ],
)
async def test_one_line_narrows_it(tmp_path, typed, lines):
    async with activity(tmp_path) as stage:
        await narrow(stage, typed)
        if lines is None:
            assert "Nobody is called tom" in stage.text()
            assert len(listed(stage)) > 20
        else:
            assert listed(stage) == lines
            assert f"{len(lines)} of 92" in stage.text()
            await stage.press("escape")
            assert len(listed(stage)) > 20


async def test_what_means_nothing_is_said_under_the_filter_and_changes_nothing(tmp_path):
    async with activity(tmp_path) as stage:
        await narrow(stage, "act:fly")
        assert "That is no act of the log. One of store, move," in stage.text()
        assert len(listed(stage)) > 20
        await stage.press("escape")
        assert "no act" not in stage.text()


async def test_a_filter_that_finds_nothing_names_the_next_key(tmp_path):
    async with activity(tmp_path) as stage:
        await narrow(stage, "xyzzy")
        assert listed(stage) == []
        assert "Nothing fits the filter. esc clears it." in stage.text()


async def test_what_is_new_and_fits_comes_on_top_of_a_filter_too(tmp_path):
    async with activity(tmp_path) as stage:
        await narrow(stage, "act:mkdir user:eva")
        assert listed(stage) == []
        stage.service.make_folder("one", "eva")
        stage.service.make_folder("two", "max")
        await stage.later(3)
        assert listed(stage) == ["92 eva made the folder /one"]


# -- record and proof ---------------------------------------------------------------------------------------


async def test_a_line_opens_its_record_and_what_proves_it(tmp_path):
    async with activity(tmp_path, size=(120, 50)) as stage:
        await narrow(stage, "act:disable")
        await stage.press("enter")
        assert stage.dialog == "LogRecord"
        text = stage.text("#dialog")
        assert "who ada" in text
        assert "user_id 5" in text
        assert "name ivo" in text
        assert "✓ it is one of the 92 leaves under the server's newest head" in text
        assert "✓ ada signed this very act" in text
        assert view(stage).line.leaf.hash().hex() in text
        await stage.press("escape")
        assert stage.dialog == ""


@pytest.mark.every_run
async def test_a_leaf_that_is_not_proved_is_a_stop(tmp_path):
    async with activity(tmp_path) as stage:
        stage.gateway.fail_next["prove"] = LogProofError(server="acme-files", profile="acme-files", what="its leaf")
        await stage.press("enter")
        assert "acme-files does not prove its leaf." in stage.text("#dialog")


async def test_nothing_of_a_hostile_record_reaches_the_terminal(tmp_path):
    service = with_hostile_files(acme())
    async with activity(tmp_path, service=service, size=(100, 40)) as stage:
        for _ in HOSTILE_FILES:
            await stage.press("enter")
            assert stage.dialog == "LogRecord"
            await stage.press("pagedown", "escape")
            assert not any(raw in stage.screen() for raw in RAW)
            await stage.press("down")
        assert stage.dialog == ""


# -- the whole log ------------------------------------------------------------------------------------------


async def test_the_whole_log_is_checked_with_words_at_the_end(tmp_path):
    async with activity(tmp_path) as stage:
        await stage.press("V")
        await stage.later(2)
        text = stage.text("#dialog")
        assert "✓ The log of acme-files holds, from its first leaf to 92." in text
        assert "92 records and 21 statements checked" in text
        await stage.press("enter")
        assert stage.dialog == ""


async def test_what_does_not_hold_is_named_leaf_by_leaf(tmp_path, monkeypatch):
    class Lying(log_verify.Replay):
        def end(self):
            self.note(17, "its [@click=app.quit]state[/] is another\u202e")
            return super().end()

    monkeypatch.setattr(log_verify, "Replay", Lying)
    async with activity(tmp_path) as stage:
        await stage.press("V")
        await stage.later(2)
        text = stage.text("#dialog")
        assert "✗ The log of acme-files does not hold: 1 faults" in text
        assert "17: its [@click=app.quit]state[/] is another" in text
        assert not any(raw in stage.screen() for raw in RAW)


async def test_a_check_can_be_stopped(tmp_path):
    async with activity(tmp_path) as stage:
        stage.gateway.lose()
        await stage.press("V")
        await stage.press("escape")
        assert stage.dialog == ""


# -- the export ---------------------------------------------------------------------------------------------


async def test_what_the_filter_leaves_is_written_as_lines_of_json(tmp_path):
    async with activity(tmp_path) as stage:
        await narrow(stage, "act:delete")
        await stage.press("e")
        assert stage.dialog == "LogExport"
        await stage.press("enter")
        await stage.later(1)
        assert stage.dialog == ""
        written = [*tmp_path.glob("*.jsonl")]
        assert [path.name for path in written] == ["acme-files-log.jsonl"]
        found = [json.loads(line) for line in written[0].read_text(encoding="ascii").splitlines()]
        assert [(one["number"], one["actor"], one["act"], one["path"]) for one in found] == [
            (87, "max", "delete", "finance/2024"),
            (88, "max", "delete", "finance/2026/draft.odt"),
        ]
        assert written[0].stat().st_mode & 0o777 == 0o600
        await stage.press("e", "enter")
        await stage.later(1)
        assert "is here already" in stage.text("#dialog")


async def test_an_export_that_ends_early_leaves_no_file(tmp_path):
    async with activity(tmp_path) as stage:
        await stage.press("e")
        stage.gateway.lose()
        await stage.press("enter")
        await stage.later(1)
        assert stage.dialog == "LogExport"
        assert [*tmp_path.glob("*.jsonl")] == []


# -- in Files -----------------------------------------------------------------------------------------------


async def test_details_of_a_file_say_what_was_done_to_it(tmp_path):
    async with driven(tmp_path, "ada", size=(170, 50), bare=True) as stage:
        await stage.go("finance/2026")
        stage.put_cursor_on("budget.xlsx")
        await stage.quiet()
        text = stage.text("#details")
        assert "LOG" in text
        assert "replaced v3" in text
        assert "stored v1" in text
        assert "max, " in text
        assert "READ BY not yet: ada, eva, gus, nightly (4) The operator's own reading" in text


def test_who_has_a_file_is_said_by_what_shows_it():
    def reader(number, version=0, *, received=False, state=UserState.ACTIVE, name=""):
        leaf = 40 if received else None
        return FileReader(number, name or f"p{number}", state, version, 30 if version else None, leaf)

    readers = [
        reader(1),
        reader(2, 3),
        reader(3, 2, received=True),
        reader(4, state=UserState.REMOVED),
        reader(5, 1, name="x\u202ey"),
    ]
    assert reader_lines(readers, FINE) == [
        "p3 v2 ✓ verified",
        "p2 v3 sent, no receipt",
        '"x\\u{202e}y" v1 sent, no receipt',
        "not yet: p1 (1)",
    ]
    many = reader_lines([*(reader(n, 1) for n in range(1, 30)), *(reader(n) for n in range(40, 50))], FINE)
    assert many[12:] == ["and 17 more", "not yet: p40, p41, p42, p43, p44, … (10)"]


async def test_who_read_a_file_is_its_owners_to_see_and_no_other_guests(tmp_path):
    async with driven(tmp_path, "gus", size=(170, 50), bare=True) as stage:
        await stage.go("finance/2026")
        stage.put_cursor_on("budget.xlsx")
        await stage.quiet()
        await stage.quiet()
        text = stage.text("#details")
        assert "replaced v3" in text
        assert "READ BY" not in text

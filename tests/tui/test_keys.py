from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven
from tui.glyphs import PLAIN
from tui.keys import ACTS, SCREEN_IDS, acts_of, bindings_of
from tui.preferences import Preferences, read_preferences
from tui.themes import theme_names

# What terminals send for other keys, and what text fields use.
NEVER = {f"ctrl+{letter}" for letter in "hijm"} | {"ctrl+left_square_bracket"}
OF_FIELDS = {f"ctrl+{letter}" for letter in "aekuwdxv"}


def test_no_key_is_bound_that_terminals_send_for_another():
    for act in ACTS.values():
        keys = set(act.keys.split(","))
        assert not keys & (NEVER | OF_FIELDS), act.id
        assert not any(key.startswith(("alt+", "ctrl+shift+")) for key in keys), act.id


@pytest.mark.parametrize("place", [*SCREEN_IDS, "app", "list"])
def test_in_one_place_a_key_does_one_thing(place):
    keys = [key for act in acts_of(place) for key in act.keys.split(",") if key]
    assert len(keys) == len(set(keys))


def test_what_stands_in_the_footer_has_a_label():
    assert [act.id for act in ACTS.values() if act.weight and not act.label] == []


def test_every_binding_carries_its_id_for_keymaps():
    assert all(binding.id in ACTS for place in SCREEN_IDS for binding in bindings_of(place))


@pytest.mark.every_run
async def test_every_act_can_be_done_and_a_screen_is_made_when_it_is_first_shown(tmp_path):
    async with driven(tmp_path) as run:
        assert {view.screen_id for view in run.app.frame.mounted_views()} == {"files", "servers"}
        for place in SCREEN_IDS:
            view = run.app.frame.view_of(place)
            assert all(callable(view.method_of(act)) for act in acts_of(place))


async def test_a_persons_own_keys_take_the_place_of_ours(tmp_path):
    async with driven(tmp_path, preferences=Preferences(keymap={"files.new_folder": "f2"})) as run:
        await run.press("n")
        assert run.app.screen is run.app.frame
        await run.press("f2")
        assert run.app.screen is not run.app.frame


@pytest.mark.parametrize(
    ("text", "theme", "keymap", "problems"),
    [
        ("", "sft-dark", {}, 0),
        ('theme = "light"', "sft-light", {}, 0),
        ('theme = "nord"', "nord", {}, 0),
        ('[keys]\n"files.delete" = "delete"', "sft-dark", {"files.delete": "delete"}, 0),
        ('[keys]\n"files.nothing" = "x"\n"app.help" = 3', "sft-dark", {}, 2),
        ('theme = "pink"', "sft-dark", {}, 1),
        ('theme = "ansi-dark"', "sft-dark", {}, 1),
        ("theme = 7", "sft-dark", {}, 1),
        ("[[[", "sft-dark", {}, 1),
    ],
)
def test_preferences_hold_as_far_as_they_are_understood(tmp_path, text, theme, keymap, problems):
    (tmp_path / "ui.toml").write_text(text)
    read = read_preferences(tmp_path)
    assert (read.theme, dict(read.keymap), len(read.problems)) == (theme, keymap, problems)


@pytest.mark.parametrize("text", ["x = " + "1" * 6000, "x = " + "[" * 20_000], ids=["number", "brackets"])
def test_a_value_without_end_is_said_and_no_end_of_the_interface(tmp_path, text):
    (tmp_path / "ui.toml").write_text(text)
    (problem,) = read_preferences(tmp_path).problems
    assert "is not TOML" in problem


def test_without_a_file_everything_is_as_it_comes(tmp_path):
    assert read_preferences(tmp_path) == Preferences()


async def test_the_footer_fits_and_always_shows_all_and_help(tmp_path):
    async with driven(tmp_path, "ada", size=(60, 20)) as run:
        for size in ((60, 20), (80, 24), (100, 30), (120, 36), (200, 60)):
            await run.resize(size)
            for place in "12345":
                await run.press(place)
                footer = run.footer()
                assert len(footer) <= size[0]
                assert footer.endswith(": All  ? Help")


async def test_the_palette_does_what_was_chosen_by_name(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("colon")
        await run.type("go to people")
        await run.press("enter")
        assert run.app.frame.screen_id == "people"


async def test_what_cannot_be_done_stands_greyed_with_its_reason(tmp_path):
    async with driven(tmp_path, "gus") as run:
        await run.press("colon")
        await run.type("make a folder")
        assert "Guests do not make folders" in run.screen()
        await run.press("escape", "question_mark")
        assert "Guests do not make folders" in run.screen()


@pytest.mark.every_run
async def test_help_names_every_key_of_the_screen(tmp_path):
    async with driven(tmp_path, size=(120, 150)) as run:
        await run.press("question_mark")
        shown = run.screen()
        for act in run.files.acts_here():
            if act.scope == "files":
                assert act.description in shown, act.id
        await run.press("escape")
        assert run.app.screen is run.app.frame


async def test_escape_never_quits(tmp_path):
    async with driven(tmp_path) as run:
        await run.press(*["escape"] * 4)
        assert run.app.is_running
        assert run.gateway.connection.online


@pytest.mark.every_run
async def test_quitting_asks_only_while_something_is_unfinished(tmp_path):
    async with driven(tmp_path) as run:
        run.gateway.brake.at = 0.5
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        for key in ("q", "f10", "ctrl+q"):
            await run.press(key)
            assert "It goes on when sft runs again" in run.screen()
            assert "a large one that is under way goes on from where it is" in run.screen()
            await run.press("enter")
            assert run.app.screen is run.app.frame
        run.put_cursor_on("plan.pdf")
        await run.press("c", "q")
        assert "2 transfers run. They go on when sft runs again" in run.text()
        await run.press("q")
        assert run.app.return_value == 0


async def test_quitting_with_nothing_to_lose_asks_nothing(tmp_path):
    async with driven(tmp_path) as run:
        await run.pilot.press("q")
        assert run.app.return_value == 0


async def test_a_theme_is_shown_while_it_is_chosen_and_remembered(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("colon")
        await run.type("choose the theme")
        await run.press("enter")
        assert " sft-dark dark now " in run.text("#dialog")
        await run.press("down")
        assert (run.app.theme, run.app.current_theme.accent) == ("sft-light", "#0b5cad")
        await run.press("escape")
        assert (run.app.theme, run.gateway.saved.get("theme")) == ("sft-dark", b"")
        await run.press("colon")
        await run.type("choose the theme")
        await run.press("enter", *["down"] * theme_names().index("nord"), "enter")
        assert (run.app.theme, run.gateway.saved["theme"]) == ("nord", b"nord")
        assert run.app.screen is run.app.frame


async def test_ctrl_c_asks_and_twice_quits(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("ctrl+c")
        assert "Quit sft?" in run.screen()
        await run.press("enter")
        assert run.app.screen is run.app.frame
        run.app.quitting._interrupted_at = float("-inf")  # some time later
        await run.pilot.press("ctrl+c", "ctrl+c")
        assert run.app.return_value == 130


@pytest.mark.parametrize("key", ["slash", "d", "n"])
async def test_ctrl_c_twice_quits_from_fields_and_dialogs_too(tmp_path, key):
    async with driven(tmp_path) as run:
        await run.press("end", key)
        await run.pilot.press("ctrl+c", "ctrl+c")
        assert run.app.return_value == 130


async def test_a_plain_terminal_gets_plain_signs_and_frames(tmp_path):
    async with driven(tmp_path, glyphs=PLAIN) as run:
        await run.go("finance/2026")
        for keys in (["i"], ["colon"], ["escape", "question_mark"], ["escape", "2"], ["6"]):
            await run.press(*keys)
            assert run.screen().isascii(), [c for c in run.screen() if not c.isascii()][:5]

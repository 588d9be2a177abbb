"""The palette finds acts of every screen, folders, people and servers, and what fits best stands above."""

from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven, running
from tui.dialogs.palette import PaletteTarget, narrowed, score


async def nothing() -> None:
    """Do nothing."""


def target(says: str, where: str = "Files", reason: str = "", also: str = "") -> PaletteTarget:
    return PaletteTarget(says, says, where, nothing, reason=reason, also=also)


def found(text: str, *targets: PaletteTarget) -> list[str]:
    return [each.says for each in narrowed(targets, text)]


def test_what_begins_so_stands_above_what_holds_it_and_that_above_letters_of_words():
    acts = [target("Add a filter line"), target("Enlist"), target("Paste the list"), target("List people")]
    assert found("list", *acts) == ["List people", "Paste the list", "Enlist"]
    assert found("afl", *acts) == ["Add a filter line"]
    assert found("", *acts) == [each.says for each in acts]
    assert found("zebra", *acts) == []


def test_every_word_must_fit_wherever_it_stands():
    invite = target("Invite somebody", "People", also="Invite")
    assert score(invite, "people invite") is not None
    assert score(invite, "people delete") is None
    assert score(target("/finance/2026", "folder"), "2026") is not None


def test_what_cannot_be_done_stands_below_what_fits_less():
    assert found("name", target("Name it", reason="no"), target("Rename")) == ["Rename", "Name it"]


@pytest.mark.parametrize("letters", ["nf", "f"])
def test_few_letters_are_looked_for_as_they_stand(letters):
    assert (score(target("Make a folder"), letters) is None) == (letters == "nf")


@pytest.mark.every_run
async def test_an_act_of_another_screen_goes_there_and_says_why_not(tmp_path):
    async with driven(tmp_path, "gus") as ui:
        await ui.press("colon")
        await ui.type("invite somebody")
        assert "Guests do not invite people. An admin can change your role" in ui.text("#palette")
        await ui.press("enter")
        assert ui.app.frame.screen_id == "people"
        assert "Guests do not invite people" in ui.said()


async def test_an_act_of_another_screen_is_done_there(tmp_path):
    async with running(tmp_path, "ada") as ui:
        await ui.press("colon")
        await ui.type("invite somebody")
        await ui.press("enter")
        assert ui.dialog == "Invite"


async def test_people_folders_and_servers_are_found(tmp_path):
    async with driven(tmp_path, "ada") as ui:
        await ui.go("finance/2026")
        await ui.go("photos")
        await ui.press("colon")
        await ui.type("finance/2026")
        await ui.press("enter")
        assert ui.files.remote_side.path == "finance/2026"
        await ui.press("colon")
        await ui.type("nightly")
        await ui.press("enter")
        assert ui.app.frame.screen_id == "people"
        assert ui.app.frame.view.user.name == "nightly"
        await ui.press("colon")
        await ui.type("acme-files server")
        await ui.press("enter")
        assert ui.app.frame.screen_id == "files"

"""Who is connected: seen and ended by keyboard on the People screen, and what the one who was sent away is told."""

from __future__ import annotations

import pytest

from sft.client.connection_info import Status
from sft.errors import ConnectionLostError
from sft.model.access import Role
from tests.fakes.acme import HOSTILE_PEOPLE, acme, with_hostile_people
from tests.tui.ui_driver import RAW, UiDriver, running
from tui.text import shown
from tui.widgets.row_list import RowList


async def sessions(stage: UiDriver, name: str = ""):
    """Go to the list of sessions, and to somebody's line."""
    await stage.press("3", "right_square_bracket", "right_square_bracket")
    view = stage.app.frame.view_of("people")
    while name and view.session.user != name:
        before = view.session
        await stage.press("down")
        assert view.session is not before, f"{name} has no session"
    return view


def users_connected(stage: UiDriver) -> list[str]:
    return stage.service.connected


async def test_an_admin_sees_who_is_connected_from_where_since_when_and_what_they_do(tmp_path):
    async with running(tmp_path, size=(120, 30)) as stage:
        await sessions(stage, "max")
        (line,) = [line for line in stage.lines()[3:] if "● max" in line]
        for part in ("maintainer", "storing finance/2026/video.mp4"):
            assert part in line
        assert "3 May 14:51" in line
        assert "Sessions 3" in stage.text("#people-tabs")
        about = stage.text("#people-about")
        assert "here since 3 May 14:51" in about
        assert "from 203.0.113.41:60214" in about


@pytest.mark.every_run
async def test_a_session_is_ended_after_one_question_whose_safe_answer_has_the_focus(tmp_path):
    async with running(tmp_path) as stage:
        view = await sessions(stage, "max")
        assert view.label_of(next(a for a in view.acts_here() if a.name == "stop")) == "Kick"
        await stage.press("x")
        said = stage.text("#dialog")
        assert "End max's session?" in said
        assert "max is signed in from 203.0.113.41:60214 since 3 May 14:51." in said
        assert "stops and shows nothing partial: storing finance/2026/video.mp4." in said
        assert "They can sign in again at once: e, in the list of people" in said
        await stage.press("enter")
        assert stage.dialog == ""
        assert users_connected(stage) == ["eva", "max", "ada"]
        await stage.press("x", "y")
        assert users_connected(stage) == ["eva", "ada"]
        assert stage.said() == "max's session is ended."
        assert "Sessions 2" in stage.text("#people-tabs")


async def test_ones_own_only_session_is_left_by_quitting(tmp_path):
    async with running(tmp_path) as stage:
        await sessions(stage, "ada")
        assert "people.stop" not in stage.offered()
        await stage.press("x")
        assert stage.dialog == ""
        assert stage.said() == "This is your own session: q ends it."


async def test_of_two_sessions_of_ones_own_either_may_be_this_one(tmp_path):
    async with running(tmp_path) as stage:
        stage.service.visit("ada", "203.0.113.99:1", since=stage.service.now - 9)
        await sessions(stage, "ada")
        await stage.press("x")
        assert "This is you: if it is the session of this very screen, you leave too." in (stage.text("#dialog"))
        await stage.press("y")
        assert stage.gateway.connection.status is Status.REFUSED


async def test_who_is_sent_away_is_told_by_whom_and_does_not_come_back_by_itself(tmp_path):
    async with running(tmp_path, "max") as stage:
        number = stage.service.session_of("max")
        stage.service.context.sessions.kick(number, "ada")
        await stage.later(1)
        connection = stage.gateway.connection
        assert connection.status is Status.REFUSED
        assert "ada ended this session." in stage.text()
        await stage.later(120)
        assert stage.gateway.connection.status is Status.REFUSED
        await stage.press("6", "enter")
        assert stage.gateway.connection.online


async def test_a_session_that_has_ended_meanwhile_is_said(tmp_path):
    async with running(tmp_path) as stage:
        await sessions(stage, "max")
        number = stage.service.session_of("max")
        await stage.press("x")
        stage.service.context.sessions.find(number).leave()
        await stage.press("y")
        assert stage.said().startswith(f"There is no session {number}.")
        assert "Sessions 2" in stage.text("#people-tabs")


async def test_people_are_marked_here_or_away_for_admins(tmp_path):
    async with running(tmp_path, size=(140, 30)) as stage:
        await stage.press("3")
        marks = {
            name: next(line for line in stage.lines()[4:] if f" {name} " in line)
            for name in ("ada", "max", "gus", "ivo")
        }
        assert "● ada" in marks["ada"]
        assert "here, you" in marks["ada"]
        assert "● max" in marks["max"]
        assert "here, storing video.mp4" in marks["max"]
        assert "○ gus" in marks["gus"]
        assert "⊘ ivo" in marks["ivo"]


async def test_others_see_neither_marks_nor_sessions(tmp_path):
    async with running(tmp_path, "gus") as stage:
        await stage.press("3")
        text = "\n".join(stage.lines()[2:])
        assert "●" not in text
        assert "○" not in text
        assert "Sessions 3" not in stage.text()
        await stage.press("left_square_bracket")
        assert stage.said().startswith("Guests do not see invitations and sessions.")
        assert stage.app.frame.query_one("#people-list", RowList).has_focus


async def test_losing_the_role_takes_the_sessions_away_at_once(tmp_path):
    async with running(tmp_path) as stage:
        view = await sessions(stage, "max")
        stage.service.change_role("ada", Role.GUEST, by="eva")
        await stage.quiet()
        assert view.lists.tab == "people-list"
        assert view.lists.current("sessions-list") is None
        assert stage.app.frame.query_one("#people-list", RowList).has_focus


async def test_who_comes_and_goes_is_seen_without_a_key(tmp_path):
    async with running(tmp_path) as stage:
        view = await sessions(stage)
        stage.service.visit("gus", "203.0.113.77:1")
        view.poll_sessions()
        await stage.quiet()
        assert any("● gus" in line for line in stage.lines())


async def test_who_has_joined_is_seen_without_a_key_when_they_come_else_when_a_list_is_shown(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3")
        view = stage.app.frame.view_of("people")
        stage.service.enroll("zoe", Role.GUEST, by="eva")
        stage.service.enroll("tom2", Role.GUEST, by="eva")
        stage.service.visit("zoe", "203.0.113.77:1")
        view.poll_sessions()
        await stage.quiet()
        assert any("● zoe" in line for line in stage.lines())
        stage.service.invite("eva", role=Role.GUEST, name="kim", seconds=3600)
        stage.service.enroll("uma", Role.GUEST, by="eva")
        await stage.press("right_square_bracket")
        assert any("● kim" in line for line in stage.lines())
        await stage.press("left_square_bracket")
        assert any("○ uma" in line for line in stage.lines())


async def test_what_is_asked_without_a_key_fails_without_a_word(tmp_path):
    async with running(tmp_path) as stage:
        view = await sessions(stage)
        before = stage.said()
        stage.gateway.fail_next["sessions"] = ConnectionLostError()
        view.poll_sessions()
        await stage.quiet()
        assert not stage.gateway.fail_next
        assert stage.said() == before


async def test_hostile_names_and_deeds_are_harmless_and_readable(tmp_path):
    service = with_hostile_people(acme())
    service.listen()
    for name in HOSTILE_PEOPLE:
        service.visit(name, name[:40], doing=f"storing {name}")
    async with running(tmp_path, service=service, size=(80, 24)) as stage:
        view = await sessions(stage)
        left = set(HOSTILE_PEOPLE)
        while left:
            name = view.session.user
            if name in left:
                left.remove(name)
                await stage.press("x")
                text = "\n".join(stage.lines())
                assert not any(raw in text for raw in RAW)
                assert shown(name)[:15] in stage.text()
                await stage.press("escape")
            before = view.session
            await stage.press("down")
            assert view.session is not before or not left


# -- the filter ------------------------------------------------------------------------------------------


def names(stage: UiDriver, tab: str) -> list[str]:
    source = stage.app.frame.query_one(f"#{tab}", RowList).source
    return [source.row(n).cells["name"] for n in range(len(source))]


async def test_people_are_narrowed_while_one_types(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3", "slash")
        await stage.type("GU")
        assert names(stage, "people-list") == ["gus"]
        assert "1 of 6" in stage.text("#people-list")
        assert "gus-pc" in stage.text("#people-about")
        await stage.press("enter", "r")
        assert stage.dialog == "ChooseRole"
        await stage.press("escape", "escape")
        assert len(names(stage, "people-list")) == 6
        assert stage.app.frame.query_one("#people-list", RowList).current.value.name == "gus"


async def test_roles_and_states_are_looked_at_too_and_nobody_is_said(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3", "slash")
        await stage.type("disabled")
        assert names(stage, "people-list") == ["ivo"]
        await stage.type("x")
        assert names(stage, "people-list") == []
        assert "Nobody fits the filter." in stage.text()
        await stage.press("escape")
        assert len(names(stage, "people-list")) == 6


async def test_up_and_down_move_the_list_while_one_types(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3", "slash")
        await stage.type("maintainer")
        await stage.press("down", "enter")
        assert names(stage, "people-list") == ["max", "ivo", "nightly"]
        view = stage.app.frame.view_of("people")
        assert view.user.name == "ivo"


async def test_invitations_and_sessions_are_narrowed_each_for_itself(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3", "right_square_bracket", "slash")
        await stage.type("tom")
        assert names(stage, "invitations-list") == ["tom"]
        assert len(names(stage, "people-list")) == 6
        await stage.press("enter", "right_square_bracket")
        assert len(names(stage, "invitations-list")) == 2
        await stage.press("slash")
        await stage.type("203.0.113.41")
        assert names(stage, "sessions-list") == ["max"]
        await stage.press("enter", "x", "y")
        assert names(stage, "sessions-list") == []
        await stage.press("escape")
        assert names(stage, "sessions-list") == ["eva", "ada"]


async def test_what_is_read_anew_stays_narrowed(tmp_path):
    async with running(tmp_path) as stage:
        await stage.press("3", "slash")
        await stage.type("gus")
        await stage.press("enter", "R")
        assert names(stage, "people-list") == ["gus"]

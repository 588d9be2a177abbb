"""The Status screen: figures as texts, and what an admin does there; nobody else sees any of it."""

from __future__ import annotations

import pytest

from sft.errors import InternalError, RoleForbidsError
from sft.model.access import Role
from sft.model.links import parse_server_link
from sft.model.spelling import link_groups, spelled
from sft.model.status import LiveStatus
from sft.model.status_words import StatusFact
from tests.tui.ui_driver import RAW, UiDriver, running
from tui.glyphs import FINE, PLAIN
from tui.screens.status_rows import packed, rate_lines
from tui.widgets.sparkline import buckets, sparkline


def test_a_column_shows_the_highest_of_its_numbers_and_the_newest_is_the_last():
    assert buckets([1, 9, 2, 3, 4], 5) == [1, 9, 2, 3, 4]
    assert buckets([1, 9, 2, 3, 4], 3) == [1, 9, 4]
    assert buckets([1, 2], 9) == [1, 2]
    assert buckets([], 9) == buckets([1], 0) == buckets([1], -1) == []


def test_only_zero_is_flat_and_the_highest_has_the_highest_bar():
    assert sparkline([0, 1, 500, 1000], 6) == "  ▁▂▅█"
    assert sparkline([0, 1, 500, 1000], 4, plain=True) == "_.=#"
    assert sparkline([0, 0], 2) == "▁▁"
    assert sparkline([], 3) == "   "


@pytest.mark.parametrize("width", [60, 78, 118, 198])
@pytest.mark.parametrize("glyphs", [FINE, PLAIN])
def test_rates_fill_their_line_and_no_more(width, glyphs):
    live = LiveStatus(2, (0, 5 << 20, 3 << 20), (1, 2, 0), (), ())
    to_server, from_server = rate_lines(live, width, glyphs).plain.split("\n")
    assert max(len(to_server), len(from_server)) == width
    assert "3.0 MiB/s" in to_server
    assert to_server.endswith("most 5.0 MiB/s in 6 s")
    assert "0 B/s" in from_server


def test_facts_stand_beside_one_another_where_there_is_room_and_none_is_lost():
    facts = [StatusFact("a", "x" * 20), StatusFact("b", "y" * 50), StatusFact("c", "z" * 10, is_doubtful=True)]
    assert packed(facts, 60) == [[facts[0], facts[2]], [facts[1]]]
    assert packed(facts, 40) == [[facts[0], facts[2]], [facts[1]]]
    assert packed(facts, 38) == [[facts[0]], [facts[1]], [facts[2]]]


def test_a_link_is_read_in_groups_that_are_the_link_and_each_sign_has_a_name():
    link = "sft://files.acme.org:7361/s#AZ0k4u6v_-J8"
    assert link_groups(link) == ["sft://files.acme.org:7361/s#", "AZ0k", "4u6v", "_-J8"]
    assert spelled("aZ0-_#") == "alfa, capital ZULU, zero, hyphen, underscore, hash"


async def look(stage: UiDriver):
    await stage.press("7")
    return stage.app.frame.view_of("status")


@pytest.mark.every_run
async def test_an_admin_sees_how_the_server_is_and_figures_that_grow_old_say_so(tmp_path):
    async with running(tmp_path, size=(120, 36)) as stage:
        context = stage.service.context
        context.last_refusals.of_person("gus", "PutFiles", "ROLE_FORBIDS", "a\x1b.txt")
        view = await look(stage)
        assert "none known; contents were never read whole" in stage.text("#status-facts")
        assert "files.acme.org:7361" in stage.text("#status-facts")
        assert any("● max" in line and "storing" in line and ".mp4" in line for line in stage.lines())
        await stage.press("right_square_bracket")
        (line,) = [line for line in stage.lines() if "ROLE_FORBIDS" in line]
        assert "put files" in line
        assert not any(raw in line for raw in RAW)
        context.waiting_options = ("listen",)
        await stage.later(2.5)
        assert "! wait for a restart: listen" in stage.text("#status-facts")
        stage.gateway.lose()
        await stage.later(20)
        assert view.status_line()[0].startswith("Looked at every two seconds")
        view._found_at -= 7
        assert view.status_line()[0] == "These figures are 7.0 s old: the server has not answered since."
        assert "! wait for a restart" in stage.text("#status-facts")


async def test_it_asks_only_while_it_is_in_sight(tmp_path):
    async with running(tmp_path) as stage:
        await look(stage)
        asked = stage.service.context.counts.requests
        before = asked["ShowStatus"]
        await stage.later(4.5)
        seen = asked["ShowStatus"]
        assert seen - before == 2
        await stage.press("colon")
        await stage.later(10)
        await stage.press("escape", "1")
        await stage.later(10)
        assert asked["ShowStatus"] - seen <= 1


async def test_the_link_is_read_out_group_by_group_and_copied(tmp_path):
    async with running(tmp_path) as stage:
        await look(stage)
        await stage.press("p")
        assert stage.dialog == "ReadLink"
        assert "sft, hyphen" not in stage.text("#read-spelled")
        await stage.press("space", "space")
        said = stage.text("#read-word").split()
        link = await stage.gateway.accounts.server_link("acme-files")
        assert said[-1] == link_groups(link)[2]
        assert stage.text("#read-spelled") == spelled(said[-1])
        typed = " ".join(link_groups(link))
        assert parse_server_link(typed).text() == link
        await stage.press("escape", "y")
        assert stage.app.clipboard == link


@pytest.mark.every_run
@pytest.mark.parametrize("user", ["gus", "max"])
async def test_who_is_no_admin_is_told_so_and_stays_where_they_were(tmp_path, user):
    async with running(tmp_path, user=user, size=(120, 30)) as stage:
        assert "7 Status" not in stage.text()
        await stage.press("7")
        assert "do not look at how the server is. An admin can change your role: ada" in stage.said()
        assert stage.app.frame.screen_id != "status"
        assert stage.service.context.counts.requests["ShowStatus"] == 0


async def test_who_is_an_admin_no_more_is_told_so_in_files_and_sees_no_figure_of_before(tmp_path):
    async with running(tmp_path, size=(120, 30)) as stage:
        view = await look(stage)
        assert stage.app.frame.query_one("#status-body").display
        stage.service.change_role("ada", Role.GUEST, by="eva")
        await stage.later(1)
        assert stage.app.frame.screen_id == "files"
        assert stage.said() == "You are a guest now: only admins look at how the server is."
        assert view._found is None


async def test_a_refusal_that_comes_before_the_news_of_another_role_is_told_in_files(tmp_path):
    async with running(tmp_path, size=(120, 30)) as stage:
        stage.gateway.fail_next["status"] = RoleForbidsError(
            role="Guest", act="end sessions", admins="eva", name="ada", needed="admin"
        )
        await look(stage)
        assert stage.app.frame.screen_id == "files"
        assert stage.said() == "Guests do not end sessions. An admin can change your role: eva"


async def test_a_fault_of_the_server_stands_where_the_figures_would_until_there_are_some(tmp_path):
    async with running(tmp_path, size=(120, 30)) as stage:
        stage.gateway.fail_next["status"] = InternalError(ref="7F3K-29QD")
        await stage.press("7")
        assert "The server had a fault of its own." in stage.text("#status-nothing")
        await stage.later(2.5)
        assert stage.app.frame.query_one("#status-body").display

"""The tour of the demo follows the person, and a staged forgery is met in safety."""

from __future__ import annotations

from itertools import permutations

from tests.tui.ui_driver import driven
from tui.tour import STEPS, Did, Tour


def test_each_line_stands_until_what_it_says_was_done():
    tour = Tour()
    for number, (what, text) in enumerate(STEPS, 1):
        assert tour.line == f"{number}/5  {text}"
        assert tour.note(what)
        assert not tour.note(what)
    assert tour.line.startswith("That was the tour")
    assert not tour.is_over


def test_what_was_done_before_its_line_is_not_asked_for_again():
    for order in permutations(Did):
        tour = Tour()
        for count, what in enumerate(order):
            left = [number for number, (step, _) in enumerate(STEPS, 1) if step not in order[:count]]
            assert tour.line.startswith(f"{left[0]}/5  ")
            tour.note(what)
        assert tour.line.startswith("That was the tour")


def test_it_can_be_ended_once_and_says_nothing_then():
    tour = Tour()
    assert tour.end()
    assert not tour.end()
    assert tour.line == ""
    assert not tour.note(Did.VERIFIED)


async def test_it_leads_through_the_demo_and_the_forgery_is_refused_in_words(tmp_path):
    async with driven(tmp_path, "ada", size=(80, 24)) as run:
        run.service.store("staged-forgery/invoice.txt", "max", b"to mallory", signed=b"to the shop")
        run.files.remote.read(anew=True)
        run.app.begin_tour()
        await run.quiet()

        def line() -> str:
            return run.text("#tour")

        assert line().startswith("1/5 v on a file")
        run.put_cursor_on("welcome.txt")
        await run.press("v")
        await run.moved()
        assert line().startswith("2/5 You have just checked a signature")
        await run.press("enter", "escape")
        assert line().startswith("3/5 w draws")
        await run.press("w", "escape")
        assert line().startswith("4/5 Now a staged forgery")
        await run.go("staged-forgery")
        run.put_cursor_on("invoice.txt")
        await run.press("enter")
        assert "✗ The bytes of staged-forgery/invoice.txt are not what max signed. Nothing was kept." in run.text()
        await run.press("escape")
        assert line().startswith("5/5 Nothing was kept of it")
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        assert line().startswith("That was the tour")
        await run.press("escape")
        assert not run.app.frame.query_one("#tour").display


async def test_esc_ends_it_on_any_screen_once_there_is_nothing_else_to_clear_and_without_a_demo_there_is_none(tmp_path):
    async with driven(tmp_path) as run:
        assert not run.app.frame.query_one("#tour").display
        run.app.begin_tour()
        await run.press("space", "escape")
        assert run.text("#tour").startswith("1/5")
        await run.press("2", "escape")
        assert not run.app.frame.query_one("#tour").display
        await run.press("1")
        run.app.begin_tour()
        await run.press("escape")
        assert not run.app.frame.query_one("#tour").display

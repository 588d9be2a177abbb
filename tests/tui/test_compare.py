"""What changed between two versions of a text: right, bounded, and shown of what was verified alone."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.limits import MIB
from tests.tui.ui_driver import driven
from tui.preview import differences
from tui.preview.differences import DIFFERENCES_SHOWN, DiffSide, compared

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "\x1b[2J"]), max_size=40)


def shown(old: list[str], new: list[str]) -> list[str]:
    return [f"{each.side.value}{each.line}" for each in compared(old, new).shown]


def test_changes_stand_between_lines_that_stayed_and_what_is_far_is_left_out():
    old = [*"abcdefghijklmn"]
    new = [*"abcdXfghijkl", "new", *"mn"]
    assert shown(old, new) == [
        "~", " b", " c", " d", "-e", "+X", " f", " g", " h", "~", " j", " k", " l", "+new", " m", " n",
    ]  # fmt: skip
    assert [each.number for each in compared(old, new).shown if each.side is not DiffSide.BOTH] == [2, 5, 5, 10, 13]


def test_what_is_the_same_shows_nothing():
    assert compared(["a"], ["a"]).shown == ()
    assert compared([], []).shown == ()


@given(TEXTS, TEXTS)
def test_what_went_and_what_came_make_the_one_text_of_the_other(old, new):
    found = compared(old, new)
    gone = [each.number - 1 for each in found.shown if each.side is DiffSide.OLD]
    come = [each.number - 1 for each in found.shown if each.side is DiffSide.NEW]
    assert (len(gone), len(come)) == (found.gone, found.come)
    left = [line for number, line in enumerate(old) if number not in gone]
    assert left == [line for number, line in enumerate(new) if number not in come]
    assert not any("\x1b" in each.line for each in found.shown)


def test_texts_that_differ_in_everything_are_cut():
    found = compared([f"a{n}" for n in range(900)], [f"b{n}" for n in range(900)])
    assert (len(found.shown), found.gone, found.come, found.is_cut) == (DIFFERENCES_SHOWN, 900, 900, True)
    assert not found.is_rough


def test_more_lines_than_can_be_compared_are_shown_as_gone_and_come():
    old = ["same", *(f"a{n}" for n in range(differences._MOST_LINES + 1)), "end"]
    found = compared(old, ["same", "x", "end"])
    assert (found.is_rough, found.gone, found.come) == (True, differences._MOST_LINES + 1, 1)


@pytest.mark.parametrize("letters", ["a", "ab", "abcdefgh", "abcdefghijklmnopqrstuvwxyz" * 20])
def test_no_text_makes_it_slow(letters):
    drawn = random.Random(letters)
    lines = differences._MOST_LINES
    texts = [
        [f"{drawn.choice(letters)}{drawn.randrange(max(len(letters) // 26, 1))}" for _ in range(lines)] for _ in "12"
    ]
    began = time.process_time()
    compared(*texts)
    compared(texts[0], texts[0][::-1])
    compared(texts[0] * 100, texts[1] * 100)
    assert time.process_time() - began < 10


@pytest.mark.every_run
async def test_two_versions_are_marked_and_compared_with_their_authors(tmp_path):
    async with driven(tmp_path) as run:
        for author, text in (("max", "one\ntwo\n"), ("ada", "one\nzwei\n"), ("ada", "one\r\nzwei\r\n")):
            run.service.store("plan.md", author, text.encode())
        run.files.remote.read(anew=True)
        await run.quiet()
        run.put_cursor_on("plan.md")
        await run.press("V", "down", "space", "enter")
        assert "Two are compared: mark one more, or one less." in run.text()
        await run.press("space", "enter")
        assert run.dialog == "Compare"
        assert "- version 1 by max" in run.screen()
        assert "+ version 2 by ada" in run.screen()
        assert "max - two" in run.screen()
        assert "ada + zwei" in run.screen()
        assert "1 line went, 1 line came." in run.screen()
        await run.press("escape", "home", "space", "end", "space", "enter")
        assert "The same lines: only how they end differs." in run.text()
        await run.press("escape", "w")
        assert run.dialog == "Trust"
        assert "plan.md, version 1, be believed?" in run.screen()


@pytest.mark.parametrize(
    ("content", "signed", "said"),
    [
        (b"pay mallory", b"pay the rent", "✗ Version 2: The bytes of plan.md are not what ada signed."),
        (b"\x00\x01", None, "Version 2 is no text: only texts are compared."),
        (b"x" * (MIB + 1), None, "Version 2 is larger than 1.0 MiB"),
    ],
)
async def test_what_does_not_hold_is_no_text_or_too_large_is_not_compared(tmp_path, content, signed, said):
    async with driven(tmp_path) as run:
        run.service.store("plan.md", "max", b"one\n")
        run.service.store("plan.md", "ada", content, signed=signed)
        run.files.remote.read(anew=True)
        await run.quiet()
        run.put_cursor_on("plan.md")
        await run.press("V", "space", "space", "enter")
        assert said in run.text()
        assert "mallory" not in run.screen()

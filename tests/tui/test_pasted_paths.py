"""Files that are dropped on the terminal are offered to be stored, and nothing else is."""

from __future__ import annotations

import random

import pytest

from tests.tui.ui_driver import driven
from tui.pasted_paths import pasted_paths

THERE = {"/a", "/a b", "/ü.txt", "/it's", "/d", "/x\u202ey"}


def read(text: str):
    return pasted_paths(text, lambda path: path.rstrip("/") in THERE)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("/a", ["/a"]),
        ("/a\n", ["/a"]),
        ("'/a b'", ["/a b"]),
        ("/a\\ b", ["/a b"]),
        ("/a b", ["/a b"]),
        ("/a '/a b'", ["/a", "/a b"]),
        ("/a\n/a b\n\n/a", ["/a", "/a b"]),
        ("file:///a%20b", ["/a b"]),
        ("file://localhost/%C3%BC.txt\r\nfile:///a", ["/ü.txt", "/a"]),
        ("'/it'\\''s'", ["/it's"]),
        ("/d/", ["/d"]),
    ],
)
def test_paths_in_every_form_of_terminals(text, paths):
    assert list(read(text).paths) == paths


@pytest.mark.parametrize(
    "text", ["", "  \n", "hello", "a/b", "~/a", "file://host/a", "file://", "https://x/a", "'/a", "/a\0", "sft://x/y#z"]
)
def test_anything_else_says_why(text):
    found = read(text)
    assert not found.paths
    assert found.problem.startswith(("What was pasted is no path", "There is no "))


def test_what_is_not_there_is_named_harmlessly_and_nothing_of_the_rest_is_offered():
    assert read("/a\n/none").problem == "There is no /none on this computer."
    assert "\u202e" not in read("/no\u202ene").problem
    assert not read("/a\n/none").paths


def test_no_text_breaks_it():
    rng = random.Random(5)
    for _ in range(3_000):
        text = "".join(rng.choices("/a b'\"\\\n%fil:e\0\u202e", k=rng.randrange(20)))
        found = read(text)
        assert bool(found.paths) != bool(found.problem), text


async def test_a_dropped_file_is_stored_after_a_question(tmp_path):
    async with driven(tmp_path) as ui:
        await ui.go("photos")
        dropped = tmp_path / "my notes.md"
        dropped.write_bytes(b"dropped")
        await ui.paste(f"'{dropped}'")
        assert "Store my notes.md in /photos?" in ui.text()
        await ui.press("escape")
        assert not ui.service.has("photos/my notes.md")
        await ui.paste(f"'{dropped}'")
        await ui.press("right", "enter")
        await ui.moved()
        assert ui.service.has("photos/my notes.md")


async def test_a_guest_is_told_that_guests_store_nothing(tmp_path):
    async with driven(tmp_path, "gus") as ui:
        await ui.paste(str(tmp_path))
        assert ui.dialog == ""
        assert "Guests do not store files" in ui.said()
        await ui.paste("hello")
        assert ui.said().startswith("What was pasted is no path of this computer.")

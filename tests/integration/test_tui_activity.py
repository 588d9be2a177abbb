"""The Activity screen at a real server: what others do comes up by itself, and is proved, checked and written down."""

from __future__ import annotations

import json

import pytest

from tests.integration.server_fixture import ServerFixture
from tests.integration.ui_driver import files_in, opened_ui, plain, put

pytestmark = pytest.mark.long


async def test_what_another_stores_comes_on_top_and_is_proved(server: ServerFixture, tmp_path):
    here = files_in(tmp_path / "max", {"note.txt": b"n"})
    async with opened_ui(server, "ada", tmp_path / "ada") as ada, opened_ui(server, "max", here) as max_:
        await ada.press("4")
        await ada.sees("proof ✓ checked to", "started the log")
        await put(max_, "note.txt")
        await max_.landed()
        await ada.sees("stored /note.txt v1")
        await ada.press("home", "enter")
        await ada.asked("LogRecord")
        await ada.sees("leaves under the server's newest head", "the version's own signature says who stored it")
        plain(ada)
        await ada.press("escape", "V")
        await ada.asked("LogCheck")
        await ada.sees("The log of acme holds, from its first leaf to")
        await ada.press("enter")
        await ada.calm()
        await ada.press("slash")
        await ada.type("user:max note")
        await ada.sees("1 of ")
        await ada.press("enter", "e")
        await ada.asked("LogExport")
        await ada.press("enter")
        await ada.hears("one JSON object a line.")
    (written,) = (tmp_path / "ada").glob("*-log.jsonl")
    (found,) = map(json.loads, written.read_text(encoding="ascii").splitlines())
    assert (found["actor"], found["act"], found["path"], found["proved"]) == ("max", "store", "note.txt", True)

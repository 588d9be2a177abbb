"""Escape and a letter that came in one piece are two keys, but in a field."""

from __future__ import annotations

import pytest
from textual import events

from tests.tui.ui_driver import driven
from tui.runtime.escaped_keys import keys_of

# As the toolkit reads the bytes of escape and the letter.
ALT_Q, ALT_SHIFT_R = events.Key("alt+q", "q"), events.Key("alt+shift+r", "R")


@pytest.mark.parametrize(("event", "keys"), [(ALT_Q, ["escape", "q"]), (ALT_SHIFT_R, ["escape", "R"])])
def test_what_came_in_one_piece_is_both_keys(event, keys):
    assert [key.key for key in keys_of(event, [], typing=False)] == keys
    assert keys_of(event, [], typing=True) == [event], "in a field it moves in the text"
    assert keys_of(event, [event.key], typing=False) == [event], "somebody gave it to an act"


@pytest.mark.parametrize("event", [events.Key("q", "q"), events.Key("up", None), events.Key("alt+up", None)])
def test_other_keys_stay_what_they_are(event):
    assert keys_of(event, [], typing=False) == [event]


async def test_escape_closes_a_dialog_and_the_letter_behind_it_acts(tmp_path):
    async with driven(tmp_path) as ui:
        await ui.press("question_mark")
        assert ui.dialog == "Help"
        ui.app.post_message(events.Key("alt+s", "s"))
        await ui.later(1)
        assert ui.dialog == "TextPrompt", "s asks for what is searched"

"""What is typed faster than screens follow goes where it was meant to go."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from tests.fakes.acme import acme
from tests.tui.test_joining import invitation, joining

PASSPHRASE = "harbor"


def key(name: str) -> events.Key:
    return events.Key(name, name if len(name) == 1 else None)


async def test_a_passphrase_that_is_typed_ahead_lands_in_its_own_field(tmp_path):
    service = acme()
    async with joining(tmp_path, service=service) as stage:
        await stage.paste(invitation(service))
        await stage.press("enter")
        for name in ("i", "d", "a", "tab", *PASSPHRASE, "tab", *PASSPHRASE):
            stage.app.post_message(key(name))
        await stage.quiet()
        fields = [field.value for field in stage.app.screen.query(Input)]
        assert fields[:3] == ["ida", PASSPHRASE, PASSPHRASE]


@pytest.mark.every_run
async def test_a_paste_waits_for_the_key_before_it(tmp_path):
    service = acme()
    async with joining(tmp_path, service=service) as stage:
        await stage.paste(invitation(service))
        await stage.press("enter")
        stage.app.post_message(key("tab"))
        stage.app.post_message(events.Paste(PASSPHRASE))
        await stage.quiet()
        fields = [field.value for field in stage.app.screen.query(Input)]
        assert PASSPHRASE not in fields[0]
        assert fields[1] == PASSPHRASE


async def test_a_key_that_never_arrives_holds_up_the_next_for_a_moment_only(tmp_path):
    service = acme()
    async with joining(tmp_path, service=service) as stage:
        await stage.paste(invitation(service))
        await stage.press("enter")
        # The call that climbs behind it is lost, as with a dialog that closes.
        stage.app.key_queue._climb = lambda node, number: None
        for name in "ida":
            stage.app.post_message(key(name))
        await stage.quiet()
        await stage.quiet()
        await stage.quiet()
        assert stage.app.screen.query(Input).first().value == "ida"

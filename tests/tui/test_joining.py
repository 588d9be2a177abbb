"""Joining a server by keyboard alone, from the first start on, over a server in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from sft.client.connection_info import Status
from sft.crypto.keys import PublicKey
from sft.model.access import Role
from sft.model.links import InvitationLink, ServerLink, parse_link
from sft.model.records import InvitationState
from sft.service import keys
from tests.fakes.acme import MAY_3, acme
from tests.fakes.memory_service import MemoryService
from tests.tui.ui_driver import UiDriver, driven
from tui.widgets.link_input import LinkInput, cleaned, link_in


def invitation(service: MemoryService, *, role: Role = Role.GUEST, **how) -> str:
    return service.invite("ada", role=role, **how).text()


@asynccontextmanager
async def joining(
    here: Path,
    *,
    service: MemoryService | None = None,
    user: str = "",
    size: tuple[int, int] = (80, 24),
    demo: bool = False,
) -> AsyncIterator[UiDriver]:
    """Run the app on a computer that has joined nothing."""
    async with driven(here, user, service=service, size=size, demo=demo, bare=True) as stage:
        yield stage
        assert not stage.gateway.faults


async def paste(stage: UiDriver, text: str) -> None:
    await stage.paste(text)


async def fill(stage: UiDriver, *values: str) -> None:
    """Fill in the form from the name on, enter after each; the last enter joins."""
    for value in values:
        await stage.type(value)
        await stage.press("enter")
    await stage.quiet()


def value(stage: UiDriver, field: str) -> str:
    return stage.app.screen.query_one(field, Input).value


# -- the first start ------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_a_computer_that_has_joined_nothing_begins_with_the_field_for_an_invitation(tmp_path):
    async with joining(tmp_path) as stage:
        assert stage.app.frame.screen_id == "servers"
        assert isinstance(stage.app.focused, LinkInput)
        assert "Welcome to sft" in stage.text()
        assert "demo" not in stage.text()
        assert stage.offered() == {"servers.connect", "app.quit", "app.palette", "app.help"}


async def test_a_demo_is_offered_only_where_the_gateway_has_one(tmp_path):
    async with joining(tmp_path, demo=True) as stage:
        assert "F2 Explore a demo on this computer" in stage.text()
        assert "servers.demo" in stage.offered()
        await stage.press("tab", "enter")
        assert stage.app.frame.screen_id == "files"
        assert stage.gateway.connection.online


async def test_letters_are_text_in_the_empty_field_too_and_a_typed_mail_starts_nothing(tmp_path):
    async with joining(tmp_path, demo=True) as stage:
        link = invitation(stage.service)
        await stage.press("f1")
        assert stage.dialog == "Help"
        await stage.press("escape")
        await stage.type(f"queer Max, {link}")
        assert value(stage, "#invitation") == f"queer Max, {link}"
        assert stage.app.is_running
        assert not stage.gateway.connection.online
        await stage.press("enter")
        assert stage.dialog == "Join"


async def test_what_follows_a_pasted_invitation_does_no_harm(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service)
        await stage.paste(f"Hi Max,\nthis is it: {link}\nregards,\nAda (ada@acme.org)\n")
        assert value(stage, "#invitation") == link
        await stage.press("enter")
        assert stage.dialog == "Join"


async def test_a_pasted_invitation_loses_blanks_line_breaks_and_box_borders(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service)
        middle = len(link) // 2
        box = f"┌──────┐\n│ {link[:middle]} │\n│  {link[middle:]}   │\n└──────┘\n"
        await paste(stage, f"Hello!\x1b[31m\n{box}")
        assert value(stage, "#invitation") == link
        assert "acme-files at files.acme.org:7361. Enter goes on." in stage.text()
        assert stage.dialog == ""


async def test_an_invitation_typed_by_a_terminal_without_paste_arrives_whole_and_goes_nowhere_before(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service)
        await stage.type(link[:40])
        assert "! Not a whole invitation yet" in stage.text()
        await stage.press("enter")  # a line break within it
        assert stage.dialog == ""
        await stage.type(link[40:])
        await stage.press("enter")
        assert stage.dialog == "Join"


def test_what_no_screen_should_get_falls_away_from_a_paste():
    assert cleaned("│ sft://a\u202e\u200b:1/i#\x1b \n\t|b│'\"<>") == "sft://a:1/i#b"


def test_a_link_that_is_typed_is_not_read_anew_for_each_beginning_of_it(monkeypatch):
    """A terminal without bracketed paste types it: some 300 letters, and so many readings of each would take seconds."""
    service = acme()
    link = invitation(service)
    service.close()
    read = []
    monkeypatch.setattr("tui.widgets.link_input.parse_link", lambda text: read.append(text) or parse_link(text))
    for end in range(len(link)):
        assert link_in(link[:end]) == link[:end]
    assert read == []
    assert link_in(f"Join: {link} soon") == link
    assert read == [link]


# -- joining -----------------------------------------------------------------------------------------------


async def test_what_the_invitation_says_is_shown_before_anything_is_asked(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service, role=Role.MAINTAINER))
        await stage.press("enter")
        text = stage.text()
        assert "acme-files at files.acme.org:7361" in text
        for words in stage.service.key.public.words().split(" "):
            assert words in text
        assert "nothing to compare" in text
        assert "maintainer: reads every file, stores files and manages their own" in text
        assert "once, until Mon 4 May 15:31" in text
        assert "Everyone on acme-files can read every file stored there." in text
        assert "Cancel" in text  # the buttons have room below it all


async def test_the_buttons_stay_in_sight_on_low_screens(tmp_path):
    async with joining(tmp_path, size=(70, 15)) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "max", "sesame", "sesame", "")
        for height in (15, 18, 24):
            await stage.resize((70, height))
            assert "max exists on acme-files already." in stage.text()
            assert "Cancel" in stage.text()


@pytest.mark.every_run
async def test_a_colleague_joins_by_keyboard_and_lands_in_files(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "zoe/x", "sesame", "sesame", "")
        assert '"zoe/x" has' in stage.text()
        assert stage.app.focused.id == "join-name"
        assert not await stage.gateway.accounts.all()
        await fill(stage, "zoe", "", "", "")  # the passphrase still stands there
        assert stage.app.frame.screen_id == "files"
        assert stage.gateway.connection.status is Status.ONLINE
        assert stage.gateway.connection.user == "zoe"
        assert "Welcome, zoe. You are a guest: you read every file and store none." in stage.said()
        (account,) = await stage.gateway.accounts.all()
        assert (account.user, account.device, account.protected) == ("zoe", "ivo-laptop", True)
        await stage.press("6")
        assert "zoe, guest" in stage.text()


async def test_the_only_admin_is_told_to_invite_a_second_one(tmp_path):
    service = MemoryService(now=MAY_3)
    async with joining(tmp_path, service=service) as stage:
        await paste(stage, service.first_admin().text())
        await stage.press("enter")
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert "You are the only admin. Invite a second one soon: 3, then i." in stage.said()


async def test_a_name_in_the_invitation_stands_there_already(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service, name="zoe"))
        await stage.press("enter")
        assert value(stage, "#join-name") == "zoe"
        assert "as the invitation says" in stage.text()
        await fill(stage, "gil", "sesame", "sesame", "")
        assert "This invitation is for zoe alone. Join under that name." in stage.text()
        assert stage.dialog == "Join"


async def test_passphrases_that_differ_are_typed_again(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        assert "ctrl+g Make a passphrase" in stage.text("#dialog-buttons")
        await fill(stage, "zoe", "sesame", "sesamy")  # said before the next field
        assert "The two passphrases differ" in stage.text()
        assert stage.app.focused.id == "join-again"
        assert not await stage.gateway.accounts.all()
        await fill(stage, "sesame", "")
        assert stage.gateway.connection.user == "zoe"


async def test_a_passphrase_of_five_words_is_made_and_shown_to_be_written_down(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await stage.type("zoe")
        await stage.press("tab", "g")
        assert value(stage, "#join-passphrase") == "g"  # letters of a passphrase make none
        assert value(stage, "#join-again") == ""
        await stage.press("ctrl+g")
        first = words = value(stage, "#join-passphrase")
        assert len(words.split("-")) == 5
        assert f"Write it down, it is shown this once: {words}" in stage.text("#dialog")
        assert value(stage, "#join-again") == words
        assert stage.app.focused.id == "join-device"
        await stage.press("tab", "ctrl+g")  # these are other words
        words = value(stage, "#join-passphrase")
        assert words != first
        assert words in stage.text("#dialog")
        await stage.press("enter")
        assert stage.gateway.connection.user == "zoe"
        (account,) = await stage.gateway.accounts.all()
        assert stage.gateway.opens(account.name, words)


async def test_a_key_that_is_made_already_gets_no_other_passphrase(tmp_path):
    async with joining(tmp_path) as stage:
        stage.gateway.lose()
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "zoe", "sesame", "sesame", "")
        await stage.press("ctrl+g", "tab", "tab", "g")
        assert value(stage, "#join-passphrase") == "sesame"
        assert "Write it down" not in stage.text()


async def test_a_key_without_passphrase_is_asked_about_once(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "zoe", "", "", "")
        assert stage.dialog == "Confirm"
        assert "can then act as zoe" in stage.text()
        await stage.press("enter")  # the safe one
        assert stage.app.focused.id == "join-passphrase"
        await fill(stage, "", "", "")
        await stage.press("y")
        assert stage.gateway.connection.user == "zoe"
        (account,) = await stage.gateway.accounts.all()
        assert not account.protected


async def test_a_taken_name_spends_nothing_and_the_same_form_goes_on(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "max", "sesame", "sesame", "")
        assert "max exists on acme-files already. Choose another name" in stage.text()
        assert stage.app.focused.id == "join-name"
        assert not stage.app.screen.query_one("#join-again-row").display
        await fill(stage, "zoe", "", "")  # the passphrase still stands there
        assert stage.gateway.connection.user == "zoe"
        assert len(await stage.gateway.accounts.all()) == 1


async def test_after_a_failed_attempt_only_its_passphrase_opens_the_key(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        await fill(stage, "max", "sesame", "sesame", "")
        await fill(stage, "zoe")
        await stage.press("ctrl+a", "ctrl+k")
        await fill(stage, "other", "")
        assert "That passphrase does not open the key." in stage.text()
        assert stage.app.focused.id == "join-passphrase"
        await fill(stage, "sesame", "")
        assert stage.gateway.connection.user == "zoe"


async def test_an_unreachable_server_spends_nothing_and_enter_tries_again(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        stage.gateway.lose()
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert "files.acme.org:7361 does not answer (connection refused)." in stage.text()
        assert stage.dialog == "Join"
        stage.gateway.come_back()
        await stage.press("enter")
        assert stage.gateway.connection.user == "zoe"


async def test_an_invitation_that_is_no_longer_good_says_why(tmp_path):
    async with joining(tmp_path) as stage:
        await paste(stage, invitation(stage.service))
        await stage.press("enter")
        stage.service.withdraw(stage.service.invitations[0].id, by="ada")
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert "This invitation was withdrawn. Ask an admin for a new one." in stage.text()
        await stage.press("escape")
        assert stage.gateway.connection.status is Status.NONE


@pytest.mark.every_run
async def test_an_expired_invitation_is_doubted_at_once_and_refused_by_the_server(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service, seconds=60)
        stage.service.now += 3600
        await paste(stage, link)
        await stage.press("enter")
        assert "by this clock it ended Sun 3 May 15:32" in stage.text()
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert "This invitation ended on 3 May 15:32. Ask ada for a new one." in stage.text()


async def test_a_used_invitation_names_the_day(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service)
        stage.service.join(link, "gil")
        assert stage.service.invitations[0].state is InvitationState.USED
        await paste(stage, link)
        await stage.press("enter")
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert "This invitation was used on 3 May 15:31. You? Then it is in Servers" in stage.text()


@pytest.mark.every_run
async def test_a_server_link_says_to_compare_the_key(tmp_path):
    async with joining(tmp_path) as stage:
        link = ServerLink(
            "files.acme.org", 7361, stage.service.key.public.point, "acme-files", server_id=stage.service.server_id
        )
        await paste(stage, link.text())
        await stage.press("enter")
        assert "Compare these words with what the operator says." in stage.text()
        assert "guest: reads every file and stores none" in stage.text()


# -- going on later --------------------------------------------------------------------------------------------


async def test_a_join_that_was_left_goes_on_with_the_same_invitation(tmp_path):
    async with joining(tmp_path) as stage:
        link = invitation(stage.service)
        await paste(stage, link)
        await stage.press("enter")
        await fill(stage, "max", "sesame", "sesame", "")
        await stage.press("escape")
        assert stage.dialog == ""
        assert "not joined yet" in stage.text()
        assert "Joining was not finished." in stage.text("#server-says")
        await stage.press("enter")
        assert stage.dialog == "PasteInvitation"
        assert "Your key for it is made" in stage.text()
        await paste(stage, link)
        await stage.press("enter")
        assert stage.dialog == "Join"
        assert not stage.app.screen.query_one("#join-again-row").display
        await stage.press("ctrl+a", "ctrl+k")
        await fill(stage, "zoe", "sesame", "")
        assert stage.gateway.connection.user == "zoe"
        (account,) = await stage.gateway.accounts.all()
        assert account.joined


async def test_another_server_is_joined_beside_the_first(tmp_path):
    async with joining(tmp_path, user="max") as stage:
        link = invitation(stage.service)
        await stage.press("6", "n")
        assert stage.dialog == "PasteInvitation"
        await paste(stage, link)
        await stage.press("enter")
        await fill(stage, "zoe", "sesame", "sesame", "")
        assert [one.user for one in await stage.gateway.accounts.all()] == ["max", "zoe"]
        assert stage.gateway.connection.user == "zoe"


async def test_the_names_in_a_link_are_harmless_on_the_screen(tmp_path):
    async with joining(tmp_path) as stage:
        link = InvitationLink(
            "h.example", 7361, bytes(31) + b"\1", "a.b_c-" + "x" * 50, bytes(32), Role.GUEST,
            int(stage.service.now) + 60, server_id=stage.service.server_id,
        )  # fmt: skip
        await paste(stage, link.text())
        await stage.press("enter")
        assert stage.dialog == "Join"
        assert "x" * 40 in stage.text()


async def test_a_second_device_says_its_key_and_joins_once_the_first_one_vouched_for_it(tmp_path):
    async with joining(tmp_path, size=(120, 36)) as stage:
        service = stage.service
        host, port = "files.acme.org", 7361
        link = ServerLink(host, port, service.key.public.point, service.name, server_id=service.server_id)
        await paste(stage, link.text())
        await stage.press("enter", "ctrl+u")
        await fill(stage, "max", "", "", "desk")
        await stage.press("y")
        (made,) = [one for one in await stage.gateway.accounts.all() if not one.joined]
        assert "n vouches for the key of this one" in stage.text("#dialog")
        assert made.minisign_key in stage.text("#dialog")
        assert made.key_words in stage.text("#dialog")
        key = PublicKey.parse(made.minisign_key).encode()
        service.act(keys.add_key, keys.AddKeyInput(service.caller("max"), key, "desk"))
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.gateway.connection.online
        assert stage.gateway.connection.user == "max"

"""The Servers screen: unlocking, the stop at a changed key, and what is known of servers, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from sft.client.connection_info import Status
from sft.crypto.keys import ServerKey
from sft.model.access import Role
from sft.model.links import ServerLink, parse_server_link
from tests.fakes.gateway import FakeGateway
from tests.tui.ui_driver import RAW, UiDriver, driven
from tui.dialogs.dialog import DialogButton
from tui.widgets.header import Header
from tui.widgets.message_line import MessageLine

HOSTILE = ("[@click=app.pwn]x[/]", "evil[/nope]", "ac\u202eme", "z\u200bero", "\x1b[31mred", "x" * 255)


@asynccontextmanager
async def servers(
    here: Path, *, size: tuple[int, int] = (80, 24), passphrase: str = "", two: bool = False
) -> AsyncIterator[UiDriver]:
    """Run the app on a computer that has joined one server, or two."""

    def prepare(gateway: FakeGateway) -> None:
        if two:
            gateway.add_account("gus")

    async with driven(here, size=size, passphrase=passphrase, prepare=prepare, bare=True) as stage:
        yield stage
        assert not stage.gateway.faults


async def paste(stage: UiDriver, text: str) -> None:
    await stage.paste(text)


def server_link(stage: UiDriver, *, address: str = "files.acme.org", name: str = "acme-files") -> str:
    service = stage.service
    return ServerLink(address, 7361, service.key.public.point, name, server_id=service.server_id).text()


def alarm(stage: UiDriver) -> str:
    said = stage.app.frame.query_one(MessageLine).alarm
    return "" if said is None else f"{said.text} {said.next_step}".strip()


# -- what is seen ------------------------------------------------------------------------------------------


async def test_a_server_stands_there_with_state_keys_and_who_we_are(tmp_path):
    async with servers(tmp_path, two=True) as stage:
        await stage.press("6")
        for size in ((80, 24), (120, 36), (200, 60)):
            await stage.resize(size)
            text = stage.text()
            assert "max, maintainer" in text
            assert "connected, used first" in text
            assert "files.acme.org:7361" in text
            (account, _) = await stage.gateway.accounts.all()
            about = stage.text("#server-about")
            for words in (*account.server_words.split(" "), *account.key_words.split(" ")):
                assert words in about
            assert "You are a maintainer: you read every file" in about
            assert "no passphrase protects it" in about


async def test_the_log_of_a_server_is_as_long_as_it_was_shown_last(tmp_path):
    async with driven(tmp_path) as stage:
        await stage.press("6")
        before = int(re.search(r"Its log: (\d+) leaves", stage.text())[1])
        stage.service.make_folder("another", "ada")
        await stage.press("4", "6")  # Activity is shown more of it
        assert f"Its log: {before + 1} leaves" in stage.text()


@pytest.mark.parametrize("questions", [1, 3])
async def test_hostile_names_of_servers_and_people_are_harmless(tmp_path, questions):
    async with servers(tmp_path, size=(120, 36)) as stage:
        for name in HOSTILE:
            stage.gateway.add_account("max", name=name, server_name=name, user_name=name, device=name)
        await stage.press("6")
        for number in range(len(HOSTILE)):
            await stage.press("down")
            text = "".join(stage.lines())
            assert not any(raw in text for raw in RAW)
            for key in "dapda"[number % 3 :][:questions]:
                await stage.press(key)
                assert stage.dialog
                assert not any(raw in "".join(stage.lines()) for raw in RAW)
                await stage.press("escape")
        await stage.press("home")
        assert "[@click=app.pwn]x[/]" in stage.text()


async def test_hostile_names_are_harmless_in_the_questions_that_come_by_themselves(tmp_path):
    def prepare(gateway: FakeGateway) -> None:
        for name in HOSTILE:
            gateway.add_account("max", passphrase="sesame", name=name, server_name=name)
        gateway.service.replace_key(ServerKey.from_seed(bytes(32)))

    async with driven(tmp_path, "", size=(80, 24), prepare=prepare, bare=True) as stage:
        for _ in HOSTILE:
            for dialog in ("Unlock", "ServerKeyStop"):
                assert stage.dialog == dialog
                assert not any(raw in "".join(stage.lines()) for raw in RAW)
                await stage.type("sesame" if dialog == "Unlock" else "")
                await stage.press("enter")
            await stage.press("6", "down", "enter")


async def test_y_copies_the_server_link_for_whoever_has_lost_the_server(tmp_path):
    async with servers(tmp_path) as stage:
        await stage.press("6", "y")
        link = parse_server_link(stage.app.clipboard)
        assert link.server_key == stage.service.key.public.point
        assert link.server_id == stage.service.storage.server_id
        assert stage.said() == "Sent to the terminal's clipboard: the server link of acme-files, which is no secret."


# -- connecting and unlocking ---------------------------------------------------------------------------------


async def test_a_locked_key_is_asked_for_at_the_start(tmp_path):
    async with servers(tmp_path, passphrase="sesame") as stage:
        assert stage.dialog == "Unlock"
        assert "The key of max on acme-files is locked." in stage.text()
        await stage.type("sesame")
        assert "sesame" not in stage.text()
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.app.frame.screen_id == "files"
        assert stage.gateway.connection.online


async def test_a_wrong_passphrase_is_said_and_asked_again(tmp_path):
    async with servers(tmp_path, passphrase="sesame") as stage:
        await stage.type("sesamy")
        await stage.press("enter")
        assert "That passphrase does not open the key. Type it again." in stage.text()
        assert stage.app.focused.id == "unlock-passphrase"
        await stage.type("sesame")
        await stage.press("enter")
        assert stage.gateway.connection.online


async def test_a_key_that_stays_locked_is_opened_with_enter_later(tmp_path):
    async with servers(tmp_path, passphrase="sesame") as stage:
        await stage.press("escape")
        assert stage.said() == "Your key stays locked. Enter asks again."
        assert stage.gateway.connection.status is Status.LOCKED
        assert "Your key is locked: enter asks for its passphrase." in stage.text("#server-about")
        await stage.press("enter")
        assert stage.dialog == "Unlock"
        await stage.type("sesame")
        await stage.press("enter")
        assert stage.gateway.connection.online


async def test_a_key_file_that_cannot_be_read_says_so_in_place(tmp_path):
    async with servers(tmp_path, passphrase="sesame") as stage:
        stage.gateway.key_path("acme-files").unlink()
        await stage.type("sesame")
        await stage.press("enter")
        assert "is missing: it is your key. Put it back from a copy" in stage.text("#dialog-problem")
        assert stage.dialog == "Unlock"


async def test_a_key_that_was_locked_again_is_asked_for_wherever_one_is(tmp_path):
    async with servers(tmp_path) as stage:
        gateway = stage.gateway
        assert stage.app.frame.screen_id == "files"
        gateway.protect("acme-files", "sesame")
        gateway.break_line()
        await stage.noticed()
        assert stage.dialog == "Unlock"
        await stage.type("sesame")
        await stage.press("enter")
        assert gateway.connection.online


async def test_an_open_key_and_a_silent_server_say_what_is_wrong(tmp_path):
    async with servers(tmp_path, passphrase="sesame") as stage:
        stage.gateway.lose()
        await stage.type("sesame")
        await stage.press("enter")
        await stage.later(1)
        assert stage.dialog == ""
        assert stage.said() == (
            "files.acme.org:7361 does not answer (connection refused). Moved? 6, then a, gives it another address"
        )


async def test_enter_connects_another_server(tmp_path):
    async with servers(tmp_path, two=True) as stage:
        await stage.press("6", "down", "enter")
        assert stage.gateway.connection.user == "gus"
        assert stage.app.frame.screen_id == "files"
        await stage.press("6", "enter")  # connected already: to its files
        assert stage.app.frame.screen_id == "files"


# -- the line ---------------------------------------------------------------------------------------------------


async def test_a_lost_line_is_said_counts_down_and_comes_back(tmp_path):
    async with servers(tmp_path) as stage:
        await stage.press("6")
        stage.gateway.lose()
        await stage.quiet()
        assert alarm(stage) == "acme-files does not answer since 15:31:11; again in 1 s (R now)."
        await stage.later(1.5)
        assert "again in 2 s (R now)" in alarm(stage)
        stage.service.now += 30
        stage.app.frame._count_down()
        assert "; trying again." in alarm(stage)
        stage.gateway.come_back()
        await stage.press("R")
        assert stage.said() == "acme-files is back."
        assert alarm(stage) == ""
        assert stage.gateway.connection.online


@pytest.mark.parametrize(
    ("key", "cause", "step"),
    [
        (None, "keys/0.key is missing: it is your key", "Put it back from a copy"),
        ("no key", "That is not a minisign key", "Put back a copy of its file"),
    ],
    ids=["missing", "no key"],
)
async def test_what_is_wrong_on_this_computer_is_not_blamed_on_the_server(tmp_path, key, cause, step):
    async with servers(tmp_path, size=(120, 36)) as stage:
        path = stage.gateway.key_path("acme-files")
        if key is None:
            path.unlink()
        else:
            path.write_text(key)
        stage.gateway.break_line()
        await stage.later(1.5)
        assert cause in alarm(stage)
        assert "(R now)" in alarm(stage)
        assert step in alarm(stage)
        assert cause in stage.reasons()["files.new_folder"]
        await stage.press("6")
        assert "not connected" in stage.text("#servers-list")
        assert cause.rpartition("/")[2] in stage.text("#server-about")
        assert "does not answer" not in stage.text()
        assert "no answer" not in stage.text()


async def test_a_server_that_lets_this_key_in_no_more_says_whom_to_ask(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.revoke()
        await stage.noticed()
        await stage.press("6")
        said = "acme-files does not let this key in. Removed or disabled? An admin knows"
        assert said in alarm(stage)
        assert said[:36] in stage.text("#server-about")
        assert "lets you in no more" in stage.text()


async def test_what_the_server_tells_unasked_is_said_in_words_and_nothing_of_what_means_nothing(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.tell("role", role="[bold]king", by="x\u202e")
        stage.gateway.tell("weather", sky="blue")
        await stage.quiet()
        assert stage.said() == ""
        for kind, values, said in (
            (
                "role",
                {"role": "maintainer", "by": "ada"},
                "You are a maintainer now: you read every file, store files and manage your own. ada changed it.",
            ),
            ("ended", {"why": "removed", "by": "ada"}, "ada removed you from acme-files. What you got stays with you."),
            ("ended", {"why": "key", "by": "ada"}, "ada ended the key that this device has on acme-files."),
            ("ended", {"why": "kicked", "by": "operator"}, "The operator ended this session."),
        ):
            stage.gateway.tell(kind, **values)
            await stage.quiet()
            assert stage.said() == said


# -- the server's key ---------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_a_changed_server_key_is_a_full_stop_in_plain_words(tmp_path):
    async with servers(tmp_path) as stage:
        pinned = stage.service.key.public.words()
        stage.gateway.change_key()
        await stage.noticed()
        assert stage.dialog == "ServerKeyStop"
        title = "STOP: acme-files shows another key than the one you pinned"
        assert title in stage.text()
        text = stage.text("#dialog-content")
        assert "Nothing was sent: not your name, no file, no request." in text
        seen = stage.service.key.public.words()
        assert pinned != seen
        for words in (*pinned.split(" "), *seen.split(" ")):
            assert words in text
        assert "by phone or in person" in text
        assert "Paste server link" in stage.text("#dialog-buttons")
        assert str(stage.app.focused.label) == "Stay disconnected"
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.said() == "You stay disconnected. Nothing was sent."
        assert stage.gateway.connection.status is Status.STOPPED
        assert stage.app.frame.query_one(Header).connection.status is Status.STOPPED
        assert "6, then enter, shows both keys" in alarm(stage)


async def test_the_stop_says_where_the_evidence_is_kept(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.change_key()
        await stage.noticed()
        await stage.press("w")
        assert stage.dialog == "ServerKeyStop"
        kept = stage.gateway.connection.error.values["evidence"]
        assert "Kept as" in stage.text("#dialog")
        assert kept[-12:] in stage.text("#dialog")  # it takes two lines
        await stage.press("y")
        shown = stage.service.key.public.words()
        assert stage.app.clipboard.endswith(f"shown: {shown}\n")
        assert "the words of both keys" in stage.text("#dialog")
        assert stage.gateway.connection.status is Status.STOPPED


async def test_without_evidence_none_is_offered(tmp_path):
    async with servers(tmp_path) as stage:
        info = stage.service.context.info
        stage.service.context.info = msgspec.structs.replace(info, server_id=bytes(len(info.server_id)))
        stage.gateway.break_line()
        await stage.noticed()
        assert stage.dialog == "ServerKeyStop"
        assert "Evidence" not in stage.text("#dialog-buttons")
        await stage.press("w")
        assert "Kept as" not in stage.text("#dialog")


async def test_the_stop_waits_until_another_question_is_answered(tmp_path):
    async with servers(tmp_path) as stage:
        await stage.press("colon")
        stage.gateway.change_key()
        await stage.noticed()
        assert stage.dialog == "Palette"
        await stage.press("escape")
        await stage.later(1)
        assert stage.dialog == "ServerKeyStop"


async def test_the_stop_comes_back_with_enter_and_while_connecting(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.change_key()
        await stage.noticed()
        await stage.press("escape", "6", "enter")
        assert stage.dialog == "ServerKeyStop"
        await stage.press("escape")
        await stage.gateway.accounts.forget("acme-files")
        stage.gateway.add_account("max", server_key=ServerKey.from_seed(bytes(32)).public.point)
        await stage.press("1", "6", "enter")
        assert stage.dialog == "ServerKeyStop"


async def test_a_server_link_from_a_person_is_the_way_on(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.change_key()
        await stage.noticed()
        await stage.press("p")
        assert stage.dialog == "PasteServerLink"
        await paste(stage, server_link(stage)[:-3])
        assert "Not a whole link yet" in stage.text()
        await stage.press("enter")
        assert stage.dialog == "PasteServerLink"
        await paste(stage, server_link(stage))
        assert "It is the key that the server shows now." in stage.text()
        await stage.press("enter")  # a pasted line break pins nothing
        assert stage.gateway.connection.status is Status.STOPPED
        await stage.press("enter")
        await stage.later(1)
        assert stage.dialog == ""
        assert stage.gateway.connection.online
        assert stage.said() == "Its new key is pinned. It proved that key just now."
        (account,) = await stage.gateway.accounts.all()
        assert account.server_words == stage.service.key.public.words()


async def test_a_link_with_a_third_key_or_of_another_server_is_doubted(tmp_path):
    async with servers(tmp_path) as stage:
        stage.gateway.change_key()
        await stage.noticed()
        await stage.press("p")
        third = ServerLink(
            "files.acme.org", 7361, bytes(31) + b"\1", "acme-files", server_id=stage.service.server_id
        ).text()
        await paste(stage, third)
        assert "It is neither the pinned key nor the one that the server shows now." in stage.text()
        await paste(stage, server_link(stage, name="other"))
        assert "This link is of another server, not of acme-files." in stage.text()
        await stage.press("enter")
        assert stage.app.focused.id == "server-link"
        assert [str(b.label) for b in stage.app.screen.query(DialogButton) if b.disabled] == ["Pin this key"]
        await stage.press("tab", "enter")
        assert stage.gateway.connection.status is Status.STOPPED
        (account,) = await stage.gateway.accounts.all()
        assert account.server_words != ServerKey.from_seed(bytes(32)).public.words()


async def test_a_server_link_with_the_pinned_key_changes_the_address_alone(tmp_path):
    async with servers(tmp_path) as stage:
        stage.service.move_to("new.acme.org:7361")
        await stage.press("6", "p")
        await paste(stage, server_link(stage, address="new.acme.org"))
        assert "It is the pinned key: only the address is taken." in stage.text()
        await stage.press("enter", "enter")
        assert stage.said() == "Only its address changed. It proved that key just now."
        (account,) = await stage.gateway.accounts.all()
        assert account.address == "new.acme.org:7361"


async def test_an_invitation_is_no_server_link(tmp_path):
    async with servers(tmp_path) as stage:
        link = stage.service.invite("ada", role=Role.GUEST, seconds=60)
        await stage.press("6", "p")
        await paste(stage, link.text())
        assert "This is an invitation, not a server link." in stage.text()


# -- address, first, forget ------------------------------------------------------------------------------------------


async def test_a_server_that_moved_is_found_at_its_new_address(tmp_path):
    async with servers(tmp_path) as stage:
        stage.service.move_to("files2.acme.org:9000")
        stage.gateway.lose()
        await stage.press("6", "a")
        await stage.type("files2.acme.org")
        await stage.press("enter")
        assert '"files2.acme.org" is no address' in stage.text()
        stage.gateway.come_back()
        await stage.type(":9000")
        await stage.press("enter")
        assert stage.said() == "Same server: its key is the pinned one."
        assert stage.gateway.connection.address == "files2.acme.org:9000"
        assert stage.gateway.connection.online


async def test_a_wrong_address_says_that_nobody_answers_there(tmp_path):
    async with servers(tmp_path) as stage:
        await stage.press("6", "a")
        await stage.type("wrong.acme.org:1")
        await stage.press("enter")
        assert "wrong.acme.org:1 does not answer" in stage.said()


async def test_the_address_of_a_server_that_is_not_in_use_is_only_kept(tmp_path):
    async with servers(tmp_path, two=True) as stage:
        await stage.press("6", "down", "a")
        await stage.type("other.acme.org:1")
        await stage.press("enter")
        assert stage.said() == "acme-files-2 is looked for at other.acme.org:1 from now on."
        assert stage.gateway.connection.user == "max"


async def test_another_server_is_used_first(tmp_path):
    async with servers(tmp_path, two=True) as stage:
        await stage.press("6", "f")
        assert stage.said() == "acme-files is used first already."
        await stage.press("down", "f")
        assert stage.said() == "acme-files-2 is used when none is named."
        assert [one.in_use_first for one in await stage.gateway.accounts.all()] == [False, True]


async def test_forgetting_asks_and_keeps_by_default(tmp_path):
    async with servers(tmp_path, two=True) as stage:
        await stage.press("6", "down", "d")
        assert "Forget acme-files-2 on this computer?" in stage.text()
        assert "Your key is put aside, not destroyed" in stage.text()
        await stage.press("enter")
        assert len(await stage.gateway.accounts.all()) == 2
        await stage.press("d", "y")
        assert stage.said() == "acme-files-2 is forgotten here."
        assert [one.user for one in await stage.gateway.accounts.all()] == ["max"]
        assert "acme-files-2" not in stage.text("#servers-list")


async def test_forgetting_the_last_server_leads_back_to_the_first_start(tmp_path):
    async with servers(tmp_path) as stage:
        await stage.press("6", "d", "y")
        assert "Welcome to sft" in stage.text()
        assert stage.app.focused.id == "invitation"
        assert stage.gateway.connection.status is Status.NONE
        assert stage.offered() == {"servers.connect", "app.quit", "app.palette", "app.help"}

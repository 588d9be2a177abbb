"""The Identity screen: every journey by keyboard alone, over a server in memory."""

from __future__ import annotations

import stat

import pytest

from sft.client import rotating
from sft.client.api.people import rotate_key
from sft.crypto.keys import PublicKey
from sft.errors import ConnectionLostError
from sft.model.names import fold
from tests.fakes.acme import HOSTILE_PEOPLE, acme, with_hostile_people
from tests.fakes.memory_service import key_of, public_of
from tests.tui.ui_driver import RAW, UiDriver, running
from tui.text import shown
from tui.widgets.message_line import MessageLine
from tui.widgets.row_list import RowList


async def to_line(stage: UiDriver, key: str, list_id: str = "#identity-own") -> None:
    """Put the cursor on a line."""
    rows = stage.app.frame.query_one(list_id, RowList)
    await stage.press("home")
    while rows.current.key != key:
        before = rows.cursor
        await stage.press("down")
        assert rows.cursor != before, f"there is no line {key}"


# -- what is seen -----------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_this_device_its_key_the_server_and_pinned_people_are_shown_whole(tmp_path):
    async with running(tmp_path, "max", size=(60, 24)) as stage:
        await stage.press("5")
        for size in ((60, 24), (120, 36), (80, 24)):
            await stage.resize(size)
            text = stage.text("#identity-own")
            for words in public_of("max").words().split(" "):
                assert words in text
            for words in stage.service.key.public.words().split(" "):
                assert words in text
            assert "max on acme-files" in text
            assert "0 kept" in text
            if size[0] >= 80:
                assert public_of("max").text() in text
        assert "! none: whoever reads this computer's files can act as max" in stage.text()
        await stage.press("tab", "down", "down", "down")
        assert "people pinned here 6" in stage.text()
        assert stage.standing() == f"gus: {public_of('gus').words()}"


async def test_a_key_that_the_server_shows_otherwise_since_is_doubted(tmp_path):
    async with running(tmp_path, "max") as stage:
        stage.service.change_key("ada", key_of("mallory"))
        await stage.press("R", "5", "tab")
        (line,) = [line for line in stage.lines() if " ada " in line and "another since" in line]
        assert "! ada" in line
        assert stage.standing() == ("The server shows another key for ada since 3 May: let ada confirm its words.")


async def test_it_is_shown_without_a_connection_too(tmp_path):
    async with running(tmp_path, "max") as stage:
        stage.gateway.lose()
        await stage.press("5")
        assert public_of("max").text() in stage.text()
        await stage.press("e")
        assert stage.dialog == "WriteFile"


async def test_without_an_account_it_says_where_to_go(tmp_path):
    async with running(tmp_path, "") as stage:
        assert "F1 Help" in stage.text("#footer")  # letters, and so ? too, are text in the field
        await stage.press("escape")
        assert "? Help" in stage.text("#footer")
        await stage.press("5")
        assert "No server is in use: 6 shows those you joined." in stage.text()
        assert set(stage.reasons().values()) == {"No server is in use: 6 shows those you joined."}
        await stage.press("P")
        assert stage.dialog == ""


# -- copying and exporting -----------------------------------------------------------------------------------


async def test_y_copies_what_the_line_stands_for_whole(tmp_path):
    async with running(tmp_path, "max", size=(60, 24)) as stage:
        await stage.press("5")
        await to_line(stage, "key in words")
        await stage.press("y")
        assert stage.app.clipboard == public_of("max").words()
        assert stage.said() == "Sent to the terminal's clipboard: your key in words."
        await to_line(stage, "minisign key")
        await stage.press("y")
        assert stage.app.clipboard == public_of("max").text()
        for line in ("its key", "its key 2"):
            await to_line(stage, line)
            await stage.press("y")
            assert stage.app.clipboard == stage.service.key.public.words()
            stage.app.copy_to_clipboard("")
        await stage.press("tab", "down", "y")
        assert stage.app.clipboard == public_of("eva").words()
        assert stage.said() == "Sent to the terminal's clipboard: the words of eva's key."


async def test_the_public_key_is_exported_as_minisign_reads_it_under_a_name_of_ones_own_too(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "e", "enter")
        await stage.written()
        path = tmp_path / "max-acme-files.pub"
        assert path.read_text() == public_of("max").pub_file()
        assert PublicKey.parse(path.read_text()) == public_of("max")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stage.said() == f"Your public key is in {path}."
        await stage.press("e")
        await stage.type("mine")  # what is marked is replaced: the name without its ending
        await stage.press("enter")
        await stage.written()
        assert (tmp_path / "mine.pub").exists()


async def test_export_writes_over_nothing_and_says_what_is_wrong(tmp_path):
    (tmp_path / "max-acme-files.pub").write_text("mine")
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "e", "enter")
        await stage.written()
        assert "is here already. Choose another name." in stage.text("#dialog-problem")
        assert (tmp_path / "max-acme-files.pub").read_text() == "mine"
        await stage.press("end", "ctrl+u")
        await stage.type("/no/such/folder/key.pub")
        await stage.press("enter")
        await stage.written()
        assert "/no/such/folder does not exist." in stage.text("#dialog-problem")
        await stage.press("end", "ctrl+u", "enter")
        await stage.written()
        assert "A file needs a name. Type one." in stage.text()
        await stage.press("escape")
        assert stage.dialog == ""


# -- what may be owned -------------------------------------------------------------------------------------------


async def test_what_is_owned_of_the_quota_is_shown_and_a_put_that_nears_it_says_so(tmp_path):
    (tmp_path / "film.mov").write_bytes(bytes(3 << 20))
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        await stage.press("5")
        assert "140 MiB, 30 files; no quota is set" in stage.text("#identity-own")
        stage.service.set_quota("max", 178 << 20, None, by="ada")
        await stage.press("1", "tab")
        stage.put_cursor_on("film.mov")
        await stage.press("c")
        await stage.moved()
        told = "80 % of your quota is taken: 143 MiB of 178 MiB (80 %), 31 files."
        assert stage.said() == f"film.mov: stored as version 1, receipt kept {told}"
        await stage.press("5")
        assert "! 143 MiB of 178 MiB (80 %), 31 files; older versions and the trash count" in stage.text(
            "#identity-own"
        )
        await stage.resize((60, 24))
        assert "older versions and the trash count" in stage.text("#identity-own")


# -- the agent ---------------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_an_agent_holds_the_key_for_a_day_until_it_is_locked(tmp_path):
    async with running(tmp_path, "max", passphrase="old one", size=(120, 36)) as stage:
        await stage.press("5")
        assert stage.reasons()["identity.lock"] == "No agent holds your key: it asks for its passphrase anyway."
        await stage.press("U")
        await stage.type("wrong")
        await stage.press("enter", "enter")
        assert "That passphrase does not open the key. Type it again." in stage.text("#dialog")
        await stage.type("old one")
        await stage.press("enter", *["backspace"] * 2)
        await stage.type("soon")
        await stage.press("enter")
        assert '"soon" is no time span' in stage.text("#dialog")
        await stage.press(*["backspace"] * 4)
        await stage.type("8h")
        await stage.press("enter")
        assert stage.dialog == ""
        assert "set; an agent holds the key until Sun 3 May 23:31: L ends that" in stage.text("#identity-own")
        assert not (await stage.gateway.accounts.all())[0].locked
        await stage.press("L")
        assert stage.said() == "Locked: commands ask for the passphrase of your key again."
        assert (await stage.gateway.accounts.all())[0].locked
        assert [each.text for each in stage.app.commands] == ["sft lock", "sft unlock --for 8h"]
        assert "old one" not in stage.text()


async def test_a_key_without_a_passphrase_needs_no_agent(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "U")
        assert stage.dialog == ""
        assert stage.said() == "Your key has no passphrase, so it is open as it is: P sets one."


# -- the passphrase ---------------------------------------------------------------------------------------------


async def test_a_passphrase_is_set(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "P", "enter", "enter")
        assert "Your key has none now. Type a new one, or esc." in stage.text()
        await stage.press("escape")
        assert stage.dialog == ""
        await stage.press("P")
        await stage.type("one")
        await stage.press("enter")
        await stage.type("other")
        await stage.press("enter")
        assert "The two new ones differ. Type them again." in stage.text()
        assert stage.gateway.opens("acme-files", "")
        await stage.press("escape", "P")
        await stage.type("correct horse")
        await stage.press("enter")
        await stage.type("correct horse")
        await stage.press("enter")
        assert stage.gateway.opens("acme-files", "correct horse")
        assert stage.said() == "Your key has a new passphrase."
        assert "set: the key on this computer opens with it alone" in stage.text()
        assert "correct horse" not in stage.text()


async def test_a_passphrase_is_changed_with_the_old_one_and_a_wrong_one_changes_nothing(tmp_path):
    async with running(tmp_path, "max", passphrase="old one") as stage:
        await stage.press("5", "P")
        for typed in ("wrong", "new one", "new one"):
            await stage.type(typed)
            assert typed not in stage.text()
            await stage.press("enter")
        assert stage.dialog == "ChangePassphrase"
        assert "That passphrase does not open the key. Type it again." in stage.text()
        assert stage.gateway.opens("acme-files", "old one")
        await stage.type("old one")
        assert "old one" not in stage.text()
        await stage.press("tab", "tab", "enter")
        assert stage.dialog == ""
        assert stage.gateway.opens("acme-files", "new one")


async def test_taking_the_passphrase_away_asks_once_more(tmp_path):
    async with running(tmp_path, "max", passphrase="old one") as stage:
        await stage.press("5", "P")
        await stage.type("old one")
        await stage.press("enter", "enter", "enter")
        assert stage.dialog == "Confirm"
        assert "Whoever reads the files of this computer can then act as max." in stage.text()
        await stage.press("enter")  # the safe answer
        assert stage.dialog == "ChangePassphrase"
        assert stage.gateway.opens("acme-files", "old one")
        await stage.press("enter", "y")
        assert stage.gateway.opens("acme-files", "")
        assert stage.said().startswith("Your key has no passphrase now")


# -- the person's keys --------------------------------------------------------------------------------------------


DESK = public_of("max at the desk")


async def vouched(stage: UiDriver) -> None:
    """Have a second device of max's, by keys."""
    await stage.press("5", "n")
    await stage.paste(DESK.text())
    await stage.press("enter", *"desk", "enter")


async def to_key(stage: UiDriver, state: str) -> None:
    """Put the cursor on the line of another key, by what it is called."""
    rows = stage.app.frame.query_one("#identity-own", RowList)
    await stage.press("home")
    while rows.current.cells["title"] != state:
        before = rows.cursor
        await stage.press("down")
        assert rows.cursor != before, f"there is no {state}"


def keys_of_max(stage: UiDriver):
    return stage.service.user("max").keys


async def test_another_device_is_vouched_for_after_its_words_were_shown(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "n")
        assert "sft join --user max" in stage.text("#dialog")
        link = stage.app.screen.query_one("#device-link").region
        link_text = "".join(line[link.x : link.right].strip() for line in stage.lines()[link.y : link.bottom])
        assert link_text.startswith("sft://")
        await stage.press("ctrl+y")
        assert stage.app.clipboard == link_text
        await stage.type("RWnokey")
        assert stage.app.screen.query_one("DialogButton.acts").disabled
        await stage.press("enter")
        assert "Not a whole key yet: copy it from RW to its end." in stage.text("#dialog")
        await stage.press("ctrl+u")
        await stage.paste(DESK.text())
        assert DESK.words() in stage.text("#dialog")
        assert [key.device for key in keys_of_max(stage)] == ["laptop"]
        await stage.press("enter", "enter")
        assert stage.dialog == "NewDevice", "it has no name yet"
        await stage.type("desk")
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.said() == "desk is a device of yours now. There: the same sft join again"
        assert "other key desk, since 3 May, vouched for by another of yours" in stage.text("#identity-own")
        assert [(key.device, key.public_key, bool(key.endorsement)) for key in keys_of_max(stage)] == [
            ("laptop", public_of("max").encode(), False),
            ("desk", DESK.encode(), True),
        ]


async def test_a_key_of_somebody_elses_is_refused_within_the_dialog(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "n")
        await stage.paste(public_of("gus").text())
        await stage.press("enter", *"desk", "enter")
        assert stage.dialog == "NewDevice"
        assert stage.text("#dialog-problem")
        await stage.press("escape")
        assert len(keys_of_max(stage)) == 1


async def test_a_lost_device_is_revoked_after_a_question(tmp_path):
    async with running(tmp_path, "max") as stage:
        await vouched(stage)
        await to_line(stage, "device")
        await stage.press("d")
        assert stage.dialog == ""
        assert stage.said().startswith("The cursor stands on no other key of yours")
        await to_key(stage, "other key")
        await stage.press("d")
        assert "It is signed out now and never comes back." in stage.text("#dialog")
        assert "from number" not in stage.text("#dialog")
        await stage.press("escape")
        assert keys_of_max(stage)[1].ended_at is None
        await stage.press("d", "enter")
        assert stage.dialog == "RevokeOwnKey", "enter on the cause is no agreement yet"
        await stage.press("enter")
        assert stage.said() == "desk is revoked."
        assert keys_of_max(stage)[1].end_reason.value == "retired"
        assert "former key desk, ended 3 May: what it signed stays good" in stage.text("#identity-own")


async def test_a_stolen_key_counts_from_a_number_of_the_log_on_no_more(tmp_path):
    async with running(tmp_path, "max") as stage:
        await vouched(stage)
        start = keys_of_max(stage)[1].start_leaf
        await to_key(stage, "other key")
        await stage.press("d", "down", "enter")
        await stage.type("soon")
        await stage.press("enter")
        assert "That is no number of the log" in stage.text("#dialog")
        await stage.press("ctrl+u")
        await stage.type("1")
        await stage.press("enter")
        assert "take that of the first one that is not yours" in stage.said()
        assert keys_of_max(stage)[1].ended_at is None
        await stage.press("d", "down", "enter", "enter")
        assert stage.said() == f"desk is revoked: nothing of it counts from {start:,} of the log on."
        key = keys_of_max(stage)[1]
        assert (key.end_reason.value, key.cut_off_leaf) == ("compromised", start)
        assert "former key desk, ended 3 May: stolen" in stage.text("#identity-own")


async def test_a_new_key_follows_and_the_screen_goes_on_with_it(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "K")
        assert "signs no more, for good" in stage.text("#dialog")
        await stage.press("enter")  # the safe answer
        assert len(keys_of_max(stage)) == 1
        await stage.press("K", "y")
        assert stage.dialog == ""
        old, new = keys_of_max(stage)
        assert (old.end_reason.value, bool(new.endorsement), new.device) == ("retired", True, "laptop")
        words = PublicKey.decode(new.public_key).words()
        assert stage.said() == f"Your new key: {words}. The one before says so itself."
        assert stage.gateway.connection.online
        assert stage.app.frame.query_one(MessageLine).alarm is None
        assert words.split(" ")[0] in stage.text("#identity-own")
        assert "former key laptop, ended 3 May: what it signed stays good" in stage.text("#identity-own")
        await stage.press("1", "n", *"made", "enter")
        assert stage.said().startswith("made is made."), "the new key signs"


async def test_a_protected_key_is_followed_by_one_with_the_same_passphrase(tmp_path):
    async with running(tmp_path, "max", passphrase="old one") as stage:
        await stage.press("5", "K")
        await stage.type("wrong")
        await stage.press("enter")
        assert "That passphrase does not open the key. Type it again." in stage.text("#dialog")
        assert len(keys_of_max(stage)) == 1
        await stage.type("old one")
        await stage.press("enter")
        assert len(keys_of_max(stage)) == 2
        assert stage.gateway.opens("acme-files", "old one")
        assert stage.gateway.connection.online


async def test_a_rotation_whose_answer_was_lost_is_found_at_the_next_login(tmp_path, monkeypatch):
    async def unheard(session, state, pool, profile):
        await rotate_key(session, profile.next_key, profile.device)
        raise ConnectionLostError

    monkeypatch.setattr(rotating, "rotate", unheard)
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "K", "y")
        assert len(keys_of_max(stage)) == 2
        assert stage.said().startswith("Your new key: ")
        assert stage.gateway.connection.online


async def test_nothing_is_rotated_under_transfers_that_run(tmp_path):
    async with running(tmp_path, "max") as stage:
        stage.gateway.brake.at = 0.5
        stage.app.queue.get(["welcome.txt"], str(tmp_path), "welcome.txt")
        await stage.press("5", "K")
        assert stage.dialog == ""
        assert stage.said() == "Transfers are signed with this key: let them end first, or stop them (2)."
        stage.gateway.brake.released.set()
        await stage.moved()


# -- hostile names ------------------------------------------------------------------------------------------------


async def test_hostile_names_are_harmless_and_readable(tmp_path):
    async with running(tmp_path, service=with_hostile_people(acme()), size=(80, 24)) as stage:
        await stage.press("5", "tab")
        for person in acme().users:
            assert person
            await stage.press("down")
        for name in HOSTILE_PEOPLE:
            assert shown(name)[:8] in stage.text("#identity-pinned")
            assert shown(name)[:15] in stage.standing()
            text = "\n".join(stage.lines())
            assert not [raw for raw in RAW if raw in text]
            await stage.press("y", "down")


@pytest.mark.parametrize("name", ["[@click=app.pwn]x[/]", "../../etc/evil"])
async def test_a_hostile_name_of_ones_own_leads_to_no_other_folder(tmp_path, name):
    service = acme()
    service.change_user("gus", name=name, folded=fold(name))
    service.change_key(name, key_of(name))
    async with running(tmp_path, name, service=service) as stage:
        await stage.press("5", "e")
        assert shown(name)[:8] in "".join(stage.lines()) or "etc" in stage.text()
        await stage.press("enter")
        await stage.written()
        (written,) = tmp_path.iterdir()
        assert written.suffix == ".pub"
        assert stage.said().startswith("Your public key is in ")


async def test_the_words_of_a_key_are_read_one_at_a_time(tmp_path):
    async with running(tmp_path, "max") as stage:
        await stage.press("5", "colon")
        await stage.type("one at a time")
        await stage.press("enter")
        words = public_of("max").words().replace("-", " ").split()
        for number, word in enumerate(words, 1):
            assert f"{number} of {len(words)} {' '.join(word.upper())} " in stage.text("#dialog")
            await stage.press("space")
        assert f"8 of 8 {' '.join(words[-1].upper())} " in stage.text("#dialog")
        await stage.press("b")
        assert f"7 of 8 {' '.join(words[-2].upper())} " in stage.text("#dialog")
        await stage.press("escape", "3", "colon")
        await stage.type("this person's key one at a time")
        await stage.press("enter")
        assert "Words of ada's key" in stage.text("#dialog")
        assert f"1 of 8 {' '.join(public_of('ada').words().partition('-')[0].upper())} " in stage.text("#dialog")

"""The People screen: every journey by keyboard alone, over a server in memory."""

from __future__ import annotations

import dataclasses
import stat

import pytest

from sft.crypto.keys import InvitationKey
from sft.errors import InternalError
from sft.model.access import Role
from sft.model.links import parse_invitation
from sft.model.records import InvitationState, User, UserState
from tests.fakes.acme import HOSTILE_PEOPLE, acme, with_hostile_people
from tests.fakes.gateway import FakeGateway
from tests.fakes.memory_service import key_of, public_of
from tests.tui.ui_driver import RAW, UiDriver, running
from tui.dialogs.link import works_here_only
from tui.glyphs import PLAIN
from tui.screens.people import PeopleView
from tui.screens.several_people import to_switch
from tui.text import shown
from tui.widgets.choice import Choice
from tui.widgets.qr_code import lines_of, matrix_of
from tui.widgets.row_list import RowList


async def people(stage: UiDriver, name: str = "") -> PeopleView:
    """Go to the screen, and to somebody's line."""
    await stage.press("3")
    view = stage.app.frame.view_of("people")
    while name and view.user.name != name:
        before = view.user
        await stage.press("down")
        assert view.user is not before, f"{name} is not listed"
    return view


# -- what is seen -----------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_everybody_is_listed_with_role_state_files_and_key_and_what_is_known_beside_the_list(tmp_path):
    async with running(tmp_path, size=(200, 40)) as stage:
        await people(stage, "ivo")
        (line,) = [line for line in stage.lines() if " ivo " in line and "maintainer" in line]
        assert "disabled" in line
        assert public_of("ivo").words() in line
        assert "3.8 MiB" in line
        await stage.press("home")
        await people(stage, "max")
        for size in ((140, 40), (80, 24)):
            await stage.resize(size)
            text = stage.text("#people-about")
            assert "maintainer: reads every file, stores files and manages their own" in text
            assert "known since 14 Jan" in text
            assert "last act 1 May 15:31" in text
            for words in public_of("max").words().split(" "):
                assert words in text
            assert any(" max " in line and " 2 d " in line for line in stage.lines())
        await stage.press("home")
        await people(stage, "gus")
        await stage.resize((60, 15))
        assert any(" gus " in line for line in stage.lines())
        assert not stage.app.frame.query_one("#people-about").display


async def test_a_problem_of_a_dialog_pushes_no_button_out_of_a_small_screen(tmp_path):
    async with running(tmp_path, size=(60, 15)) as stage:
        await people(stage, "max")
        await stage.press("L")
        dialog = stage.app.screen
        for words in (10, 30, 45, 200):
            dialog.show_below("a problem " * words, "")
            await stage.later(0.1)
            buttons = dialog.query_one("#dialog-buttons").region
            frame = dialog.query_one("#dialog").region
            assert buttons.bottom < frame.bottom <= 15


@pytest.mark.every_run
async def test_a_key_that_is_not_the_one_first_seen_is_doubted(tmp_path):
    async with running(tmp_path, size=(110, 40)) as stage:
        stage.service.change_key("gus", key_of("mallory"))
        await people(stage, "gus")
        assert "not the key that this computer saw first: let gus confirm its words" in stage.text("#people-about")
        (line,) = [line for line in stage.lines() if " gus " in line and "guest " in line][:1]
        assert "another key" in line
        assert "!" in line


# -- roles, locking out ----------------------------------------------------------------------------------------


async def test_a_role_is_changed_the_present_one_changes_nothing_and_of_ones_own_one_is_warned(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "gus")
        await stage.press("r", "enter")
        assert stage.dialog == "ChooseRole"
        assert "gus has this role already" in stage.text()
        await stage.press("escape")
        assert stage.dialog == ""
        assert stage.service.user("gus").role is Role.GUEST
        await stage.press("r", "down", "enter")
        assert stage.service.user("gus").role is Role.MAINTAINER
        assert stage.said() == "gus is a maintainer now (was guest)."
        assert any(" gus " in line and "maintainer" in line for line in stage.lines())
        await stage.press("home")
        await people(stage, "ada")
        await stage.press("r")
        assert "This is you" in stage.text()


# -- quotas ----------------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_a_quota_is_set_what_is_no_limit_is_said_in_the_dialog_and_it_stands_in_the_list(tmp_path):
    async with running(tmp_path, size=(120, 36)) as stage:
        assert not any(" quota " in line for line in stage.lines())
        await people(stage, "max")
        await stage.press("L")
        assert stage.dialog == "SetQuota"
        assert "Owned now: 140 MiB, 30 files." in stage.text("#dialog")
        await stage.press(*["backspace"] * 7)
        await stage.type("much")
        await stage.press("enter", "enter")
        assert "That is no limit: a size such as 50G, none, or default." in stage.text("#dialog")
        await stage.press(*["backspace"] * 4)
        await stage.type("160 MiB")
        await stage.press("enter", *["backspace"] * 7)
        await stage.type("none")
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.said() == "max may own 160 MiB, in any number of files."
        assert (stage.service.user("max").quota_bytes, stage.service.user("max").quota_files) == (160 << 20, None)
        (line,) = [line for line in stage.lines() if " max " in line and "maintainer " in line]
        assert " 87 %" in line
        assert "140 MiB of 160 MiB (87 %)" in stage.text("#people-about")
        assert next(each.text for each in stage.app.commands) == "sft quota set max --bytes 160M --files none"
        await stage.press("L")
        assert "160M" in stage.text("#dialog")


async def test_the_last_admin_stays_one(tmp_path):
    service = acme()
    service.change_role("eva", Role.GUEST, by="ada")
    async with running(tmp_path, service=service) as stage:
        await people(stage, "ada")
        await stage.press("r", "g", "enter")
        assert stage.service.user("ada").role is Role.ADMIN
        assert stage.said().startswith("ada is the only admin; someone must be.")
        assert stage.said().endswith("Make somebody else an admin first")


async def test_disabling_asks_and_the_safe_answer_has_the_focus_and_enabling_is_done_at_once(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "max")
        await stage.press("e", "enter")
        assert stage.dialog == ""
        assert stage.service.user("max").state is UserState.ACTIVE
        await stage.press("e", "y")
        assert stage.service.user("max").state is UserState.DISABLED
        assert stage.said() == "max is disabled: signed out now; files and account stay."
        await stage.press("home")
        view = await people(stage, "ivo")
        acts = {act.id: view.label_of(act) for act in view.acts_here()}
        assert acts["people.switch"] == "Enable"
        await stage.press("e")
        assert stage.dialog == ""
        assert stage.service.user("ivo").state is UserState.ACTIVE
        assert stage.said() == "ivo can sign in again, as maintainer."


@pytest.mark.every_run
async def test_several_are_selected_and_locked_out_at_once_and_let_in_again(tmp_path):
    async with running(tmp_path) as stage:
        view = await people(stage, "max")
        await stage.press("space", "space")
        assert [user.name for user in view.selected] == ["max", "gus"]
        (line,) = [line for line in stage.lines() if " gus " in line and "guest " in line]
        assert "✓ gus" in line  # the usual sign is that of who is connected
        assert stage.standing() == "2 selected: e locks out all of them; esc selects nobody"
        assert stage.reasons()["people.remove"] == "That is done with one person at a time: esc selects nobody."
        await stage.press("e", "enter")
        assert stage.service.user("max").state is UserState.ACTIVE  # the safe answer has the focus
        await stage.press("e")
        assert "Disable 2 people?" in stage.screen()
        stage.gateway.fail_next["disable"] = InternalError(ref="7F3K-29QD")
        await stage.press("y")
        assert [stage.service.user(name).state for name in ("max", "gus")] == [UserState.ACTIVE, UserState.DISABLED]
        assert stage.said().startswith("max: The server had a fault of its own.")
        assert [user.name for user in view.selected] == ["max"]
        await stage.press("home")
        await people(stage, "gus")
        await stage.press("space", "e", "y")
        assert stage.service.user("max").state is UserState.DISABLED
        await stage.press("home")
        await people(stage, "max")
        await stage.press("space", "space", "e", "y")
        assert stage.said() == "2 people can sign in again."
        assert [each.text for each in stage.app.commands][-3:] == [
            "sft enable max",
            "sft disable max",
            "sft disable gus",
        ]
        await stage.press("escape")
        assert view.selected == []


def test_whoever_can_come_in_is_locked_out_first_and_the_removed_are_nobodys():
    ada, ivo, old = (
        User(number, "somebody", Role.GUEST, state, 0)
        for number, state in enumerate((UserState.ACTIVE, UserState.DISABLED, UserState.REMOVED))
    )
    assert to_switch([ada, ivo, old]) == (True, [ada])
    assert to_switch([ivo, old]) == (False, [ivo])
    assert to_switch([old]) == (False, [])


# -- a new key for who lost all --------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_who_lost_every_key_gets_a_link_once_the_name_is_typed(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "ada")
        assert stage.reasons()["people.reset"] == "This is you: Identity (5) has another key follow yours, with K."
        await people(stage, "max")
        await stage.press("K", "enter")
        await stage.type("ma")
        await stage.press("enter")
        assert "That is not max." in stage.text("#dialog")
        assert [key.ended_at for key in stage.service.user("max").keys] == [None]
        await stage.type("x")
        await stage.press("enter")
        assert stage.dialog == "ShowLink"
        (made,) = [one for one in stage.service.invitations if one.name == "max"]
        assert f"For max, maintainer, once, until {'Mon 4 May 15:31'}." in stage.text()
        assert all(key.ended_at is not None for key in stage.service.user("max").keys)
        await stage.press("escape")
        assert stage.said().startswith(
            "Every key of max has ended; the link by which they come back is good until Mon 4 May"
        )
        assert next(each.text for each in stage.app.commands) == "sft reset-key max --yes"
        assert made.state is InvitationState.OPEN


async def test_of_stolen_keys_nothing_counts_from_a_number_on(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "max")
        await stage.press("K", "down", "enter")
        await stage.type("soon")
        await stage.press("enter")
        await stage.type("max")
        await stage.press("enter")
        assert "That is no number of the log: Activity (4) says them." in stage.text("#dialog")
        await stage.press(*["backspace"] * 4, "enter", "enter")
        assert stage.dialog == "ShowLink"
        assert [key.cut_off_leaf for key in stage.service.user("max").keys] == [
            key.start_leaf for key in stage.service.user("max").keys
        ]


# -- removal ---------------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_removal_names_who_gets_the_files_and_wants_the_name_typed(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "max")
        await stage.press("d")
        assert "30 files (140 MiB) stay, signed by them; they will belong to:" in stage.text()
        choice = stage.app.screen.query_one(Choice)
        offered = [option.value for option in choice._options]
        assert offered == ["ada", "eva", "nightly"]  # gus is a guest, ivo disabled
        await stage.press("down", "enter")
        await stage.type("ma")
        await stage.press("enter")
        assert stage.dialog == "Remove"
        assert "That is not max." in stage.text()
        assert stage.service.user("max").state is UserState.ACTIVE
        await stage.type("x")
        await stage.press("enter")
        assert stage.service.user("max").state is UserState.REMOVED
        eva = stage.service.user("eva").id
        assert stage.service.file("photos/summer-01.jpg").owner_id == eva
        assert stage.said() == ("max is removed for good. 30 files stay, signed by them; now belong to eva.")


async def test_files_go_to_whoever_removes_unless_told(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "max")
        await stage.press("d", "enter")
        await stage.type("max")
        await stage.press("enter")
        assert stage.service.file("photos/summer-01.jpg").owner_id == stage.service.user("ada").id
        assert stage.said().endswith("now belong to you.")


async def test_a_removal_says_that_who_has_the_files_now_owns_more_than_they_may(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "eva")
        await stage.press("L", *["backspace"] * 7)
        await stage.type("1K")
        await stage.press("enter", *["backspace"] * 7)
        await stage.type("none")
        await stage.press("enter", "home")
        await people(stage, "max")
        await stage.press("d", "down", "enter")
        await stage.type("max")
        await stage.press("enter")
        assert "now belong to eva. eva owns more than their quota now" in stage.said()


async def test_esc_removes_nobody_without_files_none_inherits_and_a_removed_one_stays_as_a_tombstone(tmp_path):
    async with running(tmp_path) as stage:
        view = await people(stage, "gus")
        await stage.press("d")
        await stage.type("gus")
        await stage.press("escape")
        assert stage.service.user("gus").state is UserState.ACTIVE
        await stage.press("d")
        assert not stage.app.screen.query(Choice)
        await stage.type("gus")
        await stage.press("enter")
        assert stage.service.user("gus").state is UserState.REMOVED
        assert stage.said() == "gus is removed for good."
        await stage.press("end")
        assert view.user.name == "gus"
        assert "Removed for good. What they signed stays signed." in stage.text()
        assert stage.reasons()["people.role"] == "gus was removed for good."
        assert not stage.reasons()["people.copy"]


# -- invitations ---------------------------------------------------------------------------------------------------


async def invited(stage: UiDriver, name: str = "tom2") -> None:
    await people(stage)
    await stage.press("i")
    await stage.type(name)


@pytest.mark.every_run
async def test_an_invitation_is_made_by_keyboard(tmp_path):
    async with running(tmp_path) as stage:
        await invited(stage)
        await stage.press("tab", "down", "tab")
        await stage.type("12 h")
        await stage.press("tab", "tab", "enter")
        assert stage.dialog == "ShowLink"
        made = stage.service.invitations[0]
        assert (made.name, made.role, made.maker) == ("tom2", Role.MAINTAINER, "ada")
        assert made.expires_at == stage.service.now + 12 * 3600
        assert "For tom2, maintainer, once, until Mon 4 May 03:31." in stage.text()
        assert "send it to tom2 alone" in stage.text()
        await stage.press("enter")  # one too many loses nothing that is shown once
        assert stage.dialog == "ShowLink"
        assert stage.app.clipboard.startswith("sft://")
        await stage.press("escape")
        assert stage.said() == "An invitation for tom2 is open until Mon 4 May 03:31."
        await stage.press("right_square_bracket")
        assert any(" tom2 " in line and " open " in line for line in stage.lines())


async def test_the_link_stands_on_bare_lines(tmp_path):
    async with running(tmp_path, size=(60, 30)) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter")
        for width in (60, 80, 200):
            await stage.resize((width, 30))
            lines = stage.lines()
            first = next(n for n, line in enumerate(lines) if line.startswith("sft://"))
            link = ""
            for line in lines[first:]:
                link += line.rstrip()
                if len(line.rstrip()) < width:
                    break
            parsed = parse_invitation(link)
            assert (parsed.user_name, parsed.role) == ("tom2", Role.GUEST)
            point = InvitationKey.from_seed(parsed.seed).point
            assert point == stage.service.invitations[0].public_key


async def test_y_sends_the_link_to_the_clipboard_and_says_just_that_and_w_writes_a_file_that_only_its_owner_reads(
    tmp_path, monkeypatch
):
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    async with running(here) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter", "y")
        assert parse_invitation(stage.app.clipboard).user_name == "tom2"
        assert "The terminal was asked to copy it. If a paste shows something else, w writes a file." in stage.text()
        assert stage.dialog == "ShowLink"
        await stage.press("w", "enter")
        await stage.written()
        path = home / "invitation-tom2.txt"  # not among what may be put next
        assert [*here.iterdir()] == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text().endswith("\n")
        assert parse_invitation(path.read_text()).user_name == "tom2"
        assert f"Written to {path}"[:40] in stage.text()
        assert parse_invitation(path.read_text()).text() not in stage.said()


async def test_an_invitation_is_shown_as_a_code_where_there_is_room_and_whoever_joins_with_it_is_named_at_once(
    tmp_path,
):
    async with running(tmp_path, size=(100, 32)) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter")
        assert "It holds for 48:00:00 yet, and works once." in stage.text()
        stage.service.now += 10 * 3600 + 1
        await stage.later(1)
        assert "It holds for 37:59:59 yet" in stage.text()
        await stage.press("q")
        assert "The QR code needs 61 columns and 33 lines; here are 100 by 32." in stage.text()
        link = parse_invitation(stage.app.screen._link)
        await stage.resize((100, 33))
        await stage.press("q")
        drawn = lines_of(matrix_of(stage.app.screen_stack[-2]._link))
        assert [line.strip() for line in stage.lines()[: len(drawn)]] == [line.strip() for line in drawn]
        assert "It holds for 37:59:59 yet" in stage.text()
        # Somebody else's invitation says nothing here.
        stage.gateway.tell("joined", name="eve", role="guest", invitation=7)
        await stage.quiet()
        assert "has joined" not in stage.text()
        newcomer = FakeGateway(stage.service, "")
        await newcomer.accounts.join(link, user_name="tom2", device="desk", passphrase=None)
        await newcomer.close()
        await stage.quiet()
        assert "✓ tom2 has joined." in stage.text()
        await stage.press("escape")
        assert "✓ tom2 has joined. Nobody joins with this line any more." in stage.text()
        await stage.press("escape")
        assert stage.said() == "tom2 has joined."
        assert any(" tom2 " in line and "guest" in line for line in stage.lines())


async def test_a_terminal_without_the_signs_for_a_code_says_so_and_an_end_is_an_end(tmp_path):
    async with running(tmp_path, size=(120, 40), glyphs=PLAIN) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter", "q")
        assert stage.dialog == "ShowLink"
        assert "A QR code needs signs that this terminal is not told to have (SFT_ASCII, or no UTF-8)." in stage.text()
        stage.service.now += 2 * 86_400
        await stage.later(1)
        assert "It has ended: nobody joins with it any more." in stage.text()


async def test_of_a_dialog_that_another_one_covers_no_rags_are_left(tmp_path):
    async with running(tmp_path, size=(80, 24)) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter")
        assert "sft://" in stage.screen()
        await stage.press("w")
        assert "Write the invitation to a file" in stage.screen()
        assert "sft://" not in stage.screen()
        assert "Whoever" not in stage.screen()
        await stage.press("escape")
        assert "sft://" in stage.screen()
        await stage.press("w", "escape", "y")  # and it has its keys again
        assert stage.app.clipboard.startswith("sft://")


async def test_a_file_is_never_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "invitation-tom2.txt"
    path.write_text("mine")
    async with running(tmp_path) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter", "w", "enter")
        await stage.written()
        assert stage.dialog == "WriteFile"
        assert "is here already. Choose another name." in stage.text()
        assert path.read_text() == "mine"


async def test_a_taken_name_is_refused_in_the_dialog_and_can_be_mended(tmp_path):
    async with running(tmp_path) as stage:
        await invited(stage, "gus")
        await stage.press("enter", "enter", "enter")
        assert stage.dialog == "Invite"
        assert "gus exists on acme-files already. Choose another name." in stage.text()
        await stage.type("gustav")
        await stage.press("enter", "enter", "enter")
        assert stage.service.invitations[0].name == "gustav"


async def test_what_cannot_be_is_said_before_the_server_is_asked(tmp_path):
    async with running(tmp_path) as stage:
        count = len(stage.service.invitations)
        for name, span, said in (
            ("a b", "2 days", "has a blank. Letters, digits, dot, underscore and hyphen will do: a_b."),
            ("tom2", "soon", '"soon" is no time span. Write 12h, 2d or 1w.'),
            ("tom2", "31 days", "An invitation ends after 30 days at the latest."),
        ):
            await invited(stage, name)
            await stage.press("tab", "tab")
            await stage.type(span)
            await stage.press("enter")
            assert stage.dialog == "Invite"
            assert said in stage.text("#dialog")
            assert len(stage.service.invitations) == count
            await stage.press("escape")


async def test_without_a_name_they_choose_one(tmp_path):
    async with running(tmp_path) as stage:
        await invited(stage, "")
        await stage.press("enter", "enter", "enter")
        assert stage.service.invitations[0].name is None
        assert "For whoever has it, guest, once" in stage.text()
        assert "send it to one person alone" in stage.text()


async def test_an_address_that_leads_nowhere_else_is_said(tmp_path):
    service = acme()
    service.move_to("127.0.0.1:7361")
    async with running(tmp_path, service=service) as stage:
        await invited(stage)
        await stage.press("enter", "enter", "enter")
        assert "It works on this machine only" in stage.text()
        link = parse_invitation(stage.app.screen._link)
        assert not works_here_only(dataclasses.replace(link, host="files.acme.org").text())
        assert works_here_only(dataclasses.replace(link, host="localhost").text())


async def test_an_open_invitation_is_withdrawn(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage)
        await stage.press("right_square_bracket", "x", "enter")
        assert stage.service.invitation("tom").state is InvitationState.OPEN
        await stage.press("x", "y")
        assert stage.service.invitation("tom").state is InvitationState.WITHDRAWN
        assert stage.said() == "The invitation for tom is withdrawn: nobody joins with it."
        await stage.press("x")
        assert stage.dialog == ""
        assert "already: nobody joins with it." in stage.said()


async def test_each_list_offers_its_own_acts_and_keys_of_the_other_say_so(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage)
        assert "people.role" in stage.offered()
        assert "people.stop" not in stage.offered()
        await stage.press("x")
        assert stage.said() == "Invitations are withdrawn and sessions ended: ] shows them."
        await stage.press("right_square_bracket")
        assert "people.stop" in stage.offered()
        assert "people.remove" not in stage.offered()
        await stage.press("d")
        assert stage.said() == "That is done in the list of people."
        assert stage.dialog == ""


# -- who may not ------------------------------------------------------------------------------------------------------

MANAGING = ("people.invite", "people.role", "people.switch", "people.remove")


@pytest.mark.parametrize(("user", "plural"), [("gus", "Guests"), ("max", "Maintainers")])
async def test_others_see_people_and_are_told_why_they_change_nothing(tmp_path, user, plural):
    async with running(tmp_path, user) as stage:
        await people(stage, "ivo")
        assert any(" ivo " in line and "maintainer" in line for line in stage.lines())
        reasons = stage.reasons()
        for act in MANAGING:
            assert reasons[act].startswith(f"{plural} do not ")
            assert act not in stage.offered()
        assert not reasons["people.copy"]
        for key, reason in (("r", "change roles"), ("d", "remove people"), ("i", "invite people")):
            await stage.press(key)
            assert stage.dialog == ""
            assert stage.said().startswith(f"{plural} do not {reason}.")
        await stage.press("right_square_bracket")
        assert stage.app.frame.query_one("#people-list", RowList).has_focus
        assert stage.said().startswith(f"{plural} do not see invitations and sessions.")
        assert stage.standing().endswith("Who can help: ada, eva")


@pytest.mark.every_run
async def test_a_screen_that_skips_its_greying_is_refused_by_the_server(tmp_path):
    async with running(tmp_path, "gus") as stage:
        view = await people(stage, "ivo")
        before = (stage.service.users, stage.service.invitations)
        view.reason_against = lambda act: ""
        await stage.press("r", "down", "enter")
        assert stage.said().startswith("Guests do not change roles.")
        await stage.press("e")
        assert stage.said().startswith("Guests do not manage people.")
        await stage.press("d", "enter")
        await stage.type("ivo")
        await stage.press("enter")
        assert stage.said().startswith("Guests do not manage people.")
        await stage.press("i", "enter", "enter", "enter")
        assert "Guests do not invite people." in stage.text()
        await stage.press("escape")
        assert (stage.service.users, stage.service.invitations) == before


async def test_losing_the_role_takes_the_invitations_away_at_once(tmp_path):
    async with running(tmp_path) as stage:
        view = await people(stage)
        await stage.press("right_square_bracket")
        stage.service.change_role("ada", Role.GUEST, by="eva")
        await stage.quiet()
        assert view.invitation is None
        assert stage.app.frame.query_one("#people-list", RowList).has_focus
        assert "people.role" not in stage.offered()


async def test_without_a_connection_the_list_stays_and_acts_say_why(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "gus")
        stage.gateway.lose()
        await stage.quiet()
        assert any(" gus " in line for line in stage.lines())
        await stage.press("r")
        assert stage.dialog == ""
        assert stage.said() == "The server does not answer just now."


async def test_a_line_lost_while_asking_is_said_and_nothing_has_changed(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "gus")
        await stage.press("r", "down")
        stage.gateway.lose()
        await stage.press("enter")
        assert stage.dialog == ""
        assert stage.said().startswith("The connection broke")
        assert stage.service.user("gus").role is Role.GUEST


async def test_y_copies_the_words_of_the_key(tmp_path):
    async with running(tmp_path) as stage:
        await people(stage, "eva")
        await stage.press("y")
        assert stage.app.clipboard == public_of("eva").words()
        assert stage.said() == "Sent to the terminal's clipboard: the words of eva's key."


# -- hostile names -------------------------------------------------------------------------------------------------------


def harmless(stage: UiDriver) -> None:
    text = "\n".join(stage.lines())
    for raw in RAW:
        assert raw not in text


ASKING = (("r", "ChooseRole"), ("e", "Confirm"), ("d", "Remove"))


async def hostile_names(stage: UiDriver, asking) -> None:
    """Look at every line, and at questions about it."""
    view = await people(stage)
    for number, name in enumerate(HOSTILE_PEOPLE):
        while view.user.name != name:
            await stage.press("down")
        harmless(stage)
        assert shown(name)[:15] in stage.text()
        for key, dialog in asking(number):
            await stage.press(key)
            assert stage.dialog == dialog
            harmless(stage)
            assert shown(name)[:15] in stage.text()
            await stage.press("escape")
        await stage.press("y")
        harmless(stage)
    await stage.press("right_square_bracket")
    for _ in HOSTILE_PEOPLE:
        harmless(stage)
        await stage.press("x")
        assert stage.dialog == "Confirm"
        harmless(stage)
        await stage.press("escape", "down")


async def test_hostile_names_are_harmless_and_readable_in_every_question(tmp_path):
    async with running(tmp_path, service=with_hostile_people(acme()), size=(80, 24)) as stage:
        await hostile_names(stage, lambda _: ASKING)


async def test_hostile_names_are_harmless_and_readable_where_there_is_more_room(tmp_path):
    async with running(tmp_path, service=with_hostile_people(acme()), size=(140, 40)) as stage:
        await hostile_names(stage, lambda number: [ASKING[number % len(ASKING)]])


async def test_clicking_a_hostile_name_runs_nothing(tmp_path):
    async with running(tmp_path, service=with_hostile_people(acme()), size=(100, 40)) as stage:
        await people(stage)
        pwned = []
        stage.app.action_pwn = lambda: pwned.append(True)
        name = HOSTILE_PEOPLE[0][:9]  # a long name is cut in its middle
        row, line = next((n, line) for n, line in enumerate(stage.lines()) if name in line)
        await stage.pilot.click(offset=(line.index(name) + 3, row))
        await stage.press("d")
        await stage.pilot.click("#dialog-content")
        await stage.quiet()
        assert not pwned


async def test_who_has_a_name_that_nobody_can_type_can_be_removed(tmp_path):
    async with running(tmp_path, service=with_hostile_people(acme())) as stage:
        for name in HOSTILE_PEOPLE[2:5]:
            await stage.press("home")
            await people(stage, name)
            await stage.press("d", "enter")
            await stage.type(shown(name))
            await stage.press("enter")
            gone = next(user for user in stage.service.users if user.name == name)
            assert gone.state is UserState.REMOVED

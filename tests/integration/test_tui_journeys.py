"""What people do with the full-screen UI, from the first key to the bytes on the server's disk and back: keys alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sft.client.api import people
from sft.client.api.files import show_file
from sft.client.connection_info import Status
from sft.client.identity import Identity
from sft.client.profiles import Profiles
from sft.client.transfers.queue.job import JobState
from sft.model.access import Role
from sft.wire import messages as m
from tests.integration.server_fixture import ServerFixture, bridged, content
from tests.integration.ui_driver import UiDriver, ask, files_in, opened_ui, put, stored

LARGE = content(700_000)


async def _join(ui: UiDriver, link: str, *, name: str = "", passphrase: str = "") -> None:
    """Go through the form that a pasted invitation opens."""
    await ui.paste(link)
    await ui.press("enter")
    await ui.asked("Join")
    if name:
        await ui.type(name)
    await ui.press("enter")
    await ui.type(passphrase)
    await ui.press("enter")
    await ui.type(passphrase)
    await ui.press("enter", "enter")
    if not passphrase:
        await ui.sees("Join without a passphrase?")
        await ui.press("y")


# -- the shortest way ---------------------------------------------------------------------------------------------


async def test_who_joined_sends_a_file_and_gets_it_back_verified(server: ServerFixture, tmp_path):
    ada = await bridged(server.session("ada"))
    link, _ = await bridged(people.invite(ada, role=Role.MAINTAINER, name="tom", seconds=3600))
    here = files_in(tmp_path / "tom", {"big.bin": LARGE})
    async with opened_ui(server, "tom", here, joined=False) as ui:
        await _join(ui, link.text())
        await ui.hears("Welcome, tom. You are a maintainer")
        await ui.online()
        await put(ui, "big.bin")
        await ui.hears("big.bin: stored as version 1, receipt kept")
        assert await stored(server, "big.bin") == LARGE
        (here / "big.bin").unlink()
        await ui.side(here=False)
        await ui.walk_to("big.bin")
        await ui.press("c")
        await ui.hears("big.bin: here, verified: by tom")
    assert (here / "big.bin").read_bytes() == LARGE


# -- people ---------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_inviting_joining_and_what_an_admin_changes_is_seen_at_once(server: ServerFixture, tmp_path):
    async with (
        opened_ui(server, "ada", tmp_path / "ada") as ada,
        opened_ui(server, "tom", tmp_path / "tom", joined=False) as tom,
    ):
        await ada.press("3")
        await ada.sees("gus", "mia")
        await ada.press("i")
        await ada.asked("Invite")
        await ada.type("tom")
        await ada.press("enter", "enter", "enter")
        await ada.asked("ShowLink")
        await ada.press("y")
        link = ada.app.clipboard
        await ada.sees("For tom, guest, once")
        await ada.press("escape")
        await ada.hears("An invitation for tom is open until")
        await ada.calm()

        await tom.sees("Welcome to sft")
        await _join(tom, link, passphrase="seven")
        await tom.hears("Welcome, tom. You are a guest")
        await tom.online()
        await tom.side(here=True)
        (tmp_path / "tom" / "mine.txt").write_bytes(b"tom's")
        await tom.press("R")
        await tom.walk_to("mine.txt")
        await tom.press("c")
        await tom.hears("Guests do not store files. An admin can change your role: ")
        assert tom.jobs == []

        # Another role holds at once, in the session that is open.
        await ada.press("R")
        await ada.walk_to("tom")
        await ada.press("r")
        await ada.asked("ChooseRole")
        await ada.press("down", "enter")
        await ada.hears("tom is a maintainer now (was guest).")
        await ada.calm()
        await tom.hears("You are a maintainer now: you read every file", "ada changed it.")
        await tom.sees("tom · maintainer")
        await tom.press("c")
        await tom.landed()
        assert await stored(server, "mine.txt") == b"tom's"

        # Locked out, and let in again with the same key.
        await ada.press("e")
        await ada.sees("Disable tom?")
        await ada.press("y")
        await ada.hears("tom is disabled")
        await ada.calm()
        await tom.hears("ada locked you out of acme. Your files stay there.")
        await tom.until(lambda: tom.gateway.connection.status is Status.REFUSED, "refused")
        assert "ada locked you out of acme" in tom.alarm()
        await ada.press("e")
        await ada.hears("tom can sign in again, as maintainer.")
        await ada.calm()
        await tom.press("R")
        await tom.until(lambda: tom.gateway.connection.online, "let in again")

        # Removed for good: the files go to whom ada names.
        await ada.press("d")
        await ada.sees("Remove tom for good?", "One file", "will belong to:")
        await ada.press("down", "enter")
        await ada.type("tom")
        await ada.press("enter")
        await ada.hears("tom is removed for good. The one file stays, signed by them; now belongs")
        await ada.calm()
        heir = (await ask(server, m.ShowFile, path="mine.txt")).file
        assert (heir.owner, heir.version.author) == ("max", "tom")
        await tom.hears("ada removed you from acme. What you got stays with you.")
        await tom.until(lambda: tom.gateway.connection.status is Status.REFUSED, "refused")


@pytest.mark.long
async def test_an_invitation_is_withdrawn(server: ServerFixture, tmp_path):
    async with opened_ui(server, "ada", tmp_path / "ada") as ada:
        await ada.press("3", "i")
        await ada.asked("Invite")
        await ada.press("enter", "down", "enter", "enter")
        await ada.asked("ShowLink")
        await ada.press("escape")
        await ada.calm()
        await ada.press("right_square_bracket", "x")
        await ada.sees("Withdraw the invitation for anybody?")
        await ada.press("y")
        await ada.hears("is withdrawn: nobody joins with it.")
        await ada.calm()
    newest = (await ask(server, m.ListInvitations)).invitations[0]
    assert (newest.state, newest.role) == ("withdrawn", Role.MAINTAINER)


# -- a key of one's own -----------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_protected_key_is_opened_and_exported(server: ServerFixture, tmp_path):
    here = tmp_path / "max"
    async with opened_ui(server, "max", here) as ui:
        await ui.press("5")
        await ui.calm()
        await ui.press("P")
        await ui.asked("ChangePassphrase")
        await ui.type("first-one")
        await ui.press("enter")
        await ui.type("first-one")
        await ui.press("enter")
        await ui.hears("Your key has a new passphrase.")
        await ui.calm()
        await ui.press("e")
        await ui.asked("WriteFile")
        await ui.press("enter")
        await ui.hears("Your public key is in")
    (pub,) = here.glob("*.pub")
    state = server.state_of("max")
    assert pub.read_text() == Identity(state, Profiles(state).choose()).export()

    # The next start asks for the passphrase before the server hears of us.
    async with opened_ui(server, "max", here, online=False) as ui:
        await ui.asked("Unlock")
        assert not server.here.sessions.all()
        await ui.type("not that")
        await ui.press("enter")
        await ui.sees("That passphrase does not open the key. Type it again.")
        await ui.type("first-one")
        await ui.press("enter")
        await ui.online()
        (here / "signed.bin").write_bytes(b"by max")
        await ui.side(here=True)
        await ui.press("R")
        await ui.walk_to("signed.bin")
        await ui.press("c")
        await ui.landed()

    async def signature() -> bytes:
        session = await server.session("gus")
        return (await show_file(session, "signed.bin", 0)).version.signature

    (here / "signed.bin.minisig").write_bytes(await bridged(signature()))
    _minisign_accepts(here / "signed.bin", pub)


def _minisign_accepts(file: Path, pub: Path) -> None:
    """Have the program that everybody knows check it, where it is installed."""
    program = shutil.which("minisign")
    if program is not None:
        command = [program, "-V", "-H", "-m", str(file), "-p", str(pub)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


# -- files ------------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_files_go_there_are_verified_and_come_back(server: ServerFixture, tmp_path):
    out, back = tmp_path / "out", tmp_path / "back"
    (out / "album" / "1999").mkdir(parents=True)
    (out / "big.bin").write_bytes(LARGE)
    (out / "note.txt").write_bytes(b"a note")
    (out / "album" / "1999" / "one.jpg").write_bytes(content(90_000, 7))
    (out / "album" / "two.jpg").write_bytes(b"2")
    async with opened_ui(server, "max", out) as ui:
        await ui.side(here=True)
        await ui.press("a")
        await ui.sees("3 selected here")
        await ui.press("c")
        await ui.landed()
        assert (ui.jobs[0].files, ui.jobs[0].done_files) == (4, 4)
        await ui.hears("4 files stored, receipts kept")
        await ui.side(here=False)
        await ui.sees("album/", "big.bin", "note.txt")
        assert await stored(server, "big.bin") == LARGE
        assert await stored(server, "album/1999/one.jpg") == content(90_000, 7)

    async with opened_ui(server, "gus", back) as ui:
        await ui.walk_to("note.txt")
        await ui.sees("signed by max; not checked on this computer yet")
        await ui.press("v")
        await ui.hears("note.txt: verified: signed by max, version 1")
        assert list(back.iterdir()) == []
        await ui.sees("✓ These bytes are max's")
        await ui.press("a")
        await ui.sees("3 selected")
        await ui.press("c")
        await ui.landed(JobState.DONE, JobState.DONE)
        await ui.hears("4 files here, verified")
        for path in out.rglob("*"):
            if path.is_file():
                assert (back / path.relative_to(out)).read_bytes() == path.read_bytes()
        # The same again: nothing is fetched twice, nothing is overwritten.
        await ui.walk_to("note.txt")
        await ui.press("c")
        await ui.hears("here already, the same bytes")
        (back / "note.txt").write_bytes(b"my own")
        await ui.press("c")
        await ui.landed(JobState.NEEDS_YOU)
        assert (back / "note.txt").read_bytes() == b"my own"
        await ui.asked("DecideHere")
        await ui.sees("[b] beside")
        await ui.until(lambda: ui.app.screen.is_seen, "its keys are heard")
        await ui.press("b")
        await ui.landed()
        assert (back / "note (2).txt").read_bytes() == b"a note"


@pytest.mark.long
async def test_another_version_is_decided_upon_and_an_old_one_is_got(server: ServerFixture, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "plan.md").write_bytes(b"one")
    await bridged(server.put("max", "plan.md", b"theirs"))
    async with opened_ui(server, "max", here) as ui:
        await ui.side(here=True)
        await ui.walk_to("plan.md")
        await ui.press("c")
        await ui.landed(JobState.NEEDS_YOU)
        await ui.asked("DecideHere")
        await ui.sees("plan.md is there already: version 1 by max", "[r] replace (v1 stays)")
        await ui.until(lambda: ui.app.screen.is_seen, "its keys are heard")
        await ui.press("escape", "t", "enter")
        await ui.sees("plan.md is there already", "Store mine as version 2")
        await ui.press("down", "down", "enter")
        await ui.landed()
        assert await stored(server, "plan.md") == b"one"
        await ui.press("1")
        await ui.side(here=False)
        await ui.walk_to("plan.md")
        (here / "plan.md").unlink()
        await ui.press("V")
        await ui.sees("Versions of plan.md", "3 B", "6 B")
        await ui.press("end", "enter")
        await ui.landed()
        assert (here / "plan.md").read_bytes() == b"theirs"


@pytest.mark.long
async def test_folders_names_and_the_trash(server: ServerFixture, tmp_path):
    await bridged(server.put("max", "draft.md", b"text"))
    async with opened_ui(server, "max", tmp_path / "here") as ui:
        await ui.press("n")
        await ui.asked("TextPrompt")
        await ui.type("archive")
        await ui.press("enter")
        await ui.hears("archive is made.")
        await ui.sees("archive/")
        await ui.walk_to("draft.md")
        await ui.press("r")
        await ui.asked("TextPrompt")
        await ui.press("ctrl+a", "ctrl+k")
        await ui.type("/archive/final.md")
        await ui.press("enter")
        await ui.hears("draft.md is final.md now, in /archive.")
        await ui.walk_to("archive")
        await ui.press("enter")
        await ui.sees("final.md")
        await ui.walk_to("final.md")
        await ui.press("d")
        await ui.sees("Delete this file for everyone?")
        await ui.press("enter")  # the safe answer has the focus
        assert await stored(server, "archive/final.md") == b"text"
        await ui.press("d")
        await ui.asked("Confirm")
        await ui.press("y")
        await ui.hears("final.md is in the trash until")
        await ui.until(lambda: len(ui.files.remote.rows) == 1, "gone from the list")
        assert (await ask(server, m.ShowFile, path="archive/final.md")).code == "NOT_FOUND"
        await ui.press("T")
        await ui.sees("trash of acme")
        await ui.walk_to("archive/final.md")
        await ui.press("u")
        await ui.hears("final.md is back: version 1, signature unchanged.")
        assert await stored(server, "archive/final.md") == b"text"
        await ui.press("T")
        await ui.walk_to("final.md")
        await ui.press("v")
        await ui.hears("final.md: verified: signed by max, version 1")
        await ui.press("backspace")
        await ui.walk_to("archive")
        await ui.press("d")
        await ui.asked("Confirm")
        await ui.press("y")
        await ui.hears("archive and all in it is in the trash")
    assert (await ask(server, m.ShowFile, path="archive/final.md")).code == "NOT_FOUND"


# -- a server that goes and comes back -------------------------------------------------------------------------------


async def test_the_queue_goes_on_by_itself_when_the_server_is_there_again(server: ServerFixture, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "later.bin").write_bytes(LARGE)
    async with opened_ui(server, "max", here) as ui:
        port = await bridged(server.halt())
        await ui.until(lambda: ui.gateway.connection.status is Status.AWAY, "away")
        await ui.side(here=True)
        await ui.walk_to("later.bin")
        await ui.press("c")
        assert "does not answer" in ui.said()
        await bridged(server.start(port))
        await ui.press("R")
        await ui.hears("acme is back")
        await ui.press("c")
        await ui.landed()
    assert await stored(server, "later.bin") == LARGE

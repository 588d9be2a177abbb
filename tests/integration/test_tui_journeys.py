"""What people do with the full-screen UI, from the first key to the bytes on the server's disk and back: keys alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sft.client.api.files import show_file
from sft.client.connection_info import Status
from sft.client.identity import Identity
from sft.client.profiles import Profiles
from sft.client.transfers.queue.job import JobState
from sft.model.access import Role
from sft.wire import messages as m
from tests.integration.seat import Seat, ask, seated, stored
from tests.integration.site import Site, bridged, content

LARGE = content(700_000)


async def _join(seat: Seat, link: str, *, name: str = "", passphrase: str = "") -> None:
    """Go through the form that a pasted invitation opens."""
    await seat.paste(link)
    await seat.press("enter")
    await seat.asked("Join")
    if name:
        await seat.type(name)
    await seat.press("enter")
    await seat.type(passphrase)
    await seat.press("enter")
    await seat.type(passphrase)
    await seat.press("enter", "enter")
    if not passphrase:
        await seat.sees("Join without a passphrase?")
        await seat.press("y")


# -- people ---------------------------------------------------------------------------------------------------


async def test_inviting_joining_and_what_an_admin_changes_is_seen_at_once(site: Site, tmp_path):
    async with (
        seated(site, "ada", tmp_path / "ada") as ada,
        seated(site, "tom", tmp_path / "tom", joined=False) as tom,
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
        await tom.hears("Guests do not store files. An admin can change your role.")
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
        assert await stored(site, "mine.txt") == b"tom's"

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
        heir = (await ask(site, m.ShowFile, path="mine.txt")).file
        assert (heir.owner, heir.version.author) == ("max", "tom")
        await tom.hears("ada removed you from acme. What you got stays with you.")
        await tom.until(lambda: tom.gateway.connection.status is Status.REFUSED, "refused")


async def test_an_invitation_is_withdrawn(site: Site, tmp_path):
    async with seated(site, "ada", tmp_path / "ada") as ada:
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
    newest = (await ask(site, m.ListInvitations)).invitations[0]
    assert (newest.state, newest.role) == ("withdrawn", Role.MAINTAINER)


# -- a key of one's own -----------------------------------------------------------------------------------------


async def test_a_protected_key_is_opened_and_exported(site: Site, tmp_path):
    here = tmp_path / "max"
    async with seated(site, "max", here) as seat:
        await seat.press("4")
        await seat.calm()
        await seat.press("P")
        await seat.asked("ChangePassphrase")
        await seat.type("first-one")
        await seat.press("enter")
        await seat.type("first-one")
        await seat.press("enter")
        await seat.hears("Your key has a new passphrase.")
        await seat.calm()
        await seat.press("e")
        await seat.asked("WriteFile")
        await seat.press("enter")
        await seat.hears("Your public key is in")
    (pub,) = here.glob("*.pub")
    state = site.state_of("max")
    assert pub.read_text() == Identity(state, Profiles(state).choose()).export()

    # The next start asks for the passphrase before the server hears of us.
    async with seated(site, "max", here, online=False) as seat:
        await seat.asked("Unlock")
        assert not site.here.sessions.all()
        await seat.type("not that")
        await seat.press("enter")
        await seat.sees("That passphrase does not open the key. Type it again.")
        await seat.type("first-one")
        await seat.press("enter")
        await seat.online()
        (here / "signed.bin").write_bytes(b"by max")
        await seat.side(here=True)
        await seat.press("R")
        await seat.walk_to("signed.bin")
        await seat.press("c")
        await seat.landed()

    async def signature() -> bytes:
        session = await site.session("gus")
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


async def test_files_go_there_are_verified_and_come_back(site: Site, tmp_path):
    out, back = tmp_path / "out", tmp_path / "back"
    (out / "album" / "1999").mkdir(parents=True)
    (out / "big.bin").write_bytes(LARGE)
    (out / "note.txt").write_bytes(b"a note")
    (out / "album" / "1999" / "one.jpg").write_bytes(content(90_000, 7))
    (out / "album" / "two.jpg").write_bytes(b"2")
    async with seated(site, "max", out) as seat:
        await seat.side(here=True)
        await seat.press("a")
        await seat.sees("3 selected here")
        await seat.press("c")
        await seat.landed()
        assert (seat.jobs[0].files, seat.jobs[0].done_files) == (4, 4)
        await seat.hears("4 files stored, receipts kept")
        await seat.side(here=False)
        await seat.sees("album/", "big.bin", "note.txt")
        assert await stored(site, "big.bin") == LARGE
        assert await stored(site, "album/1999/one.jpg") == content(90_000, 7)

    async with seated(site, "gus", back) as seat:
        await seat.walk_to("note.txt")
        await seat.sees("signed by max; not checked on this computer yet")
        await seat.press("v")
        await seat.hears("note.txt: verified: signed by max, version 1")
        assert list(back.iterdir()) == []
        await seat.sees("✓ These bytes are max's")
        await seat.press("a")
        await seat.sees("3 selected")
        await seat.press("c")
        await seat.landed(JobState.DONE, JobState.DONE)
        await seat.hears("4 files verified")
        for path in out.rglob("*"):
            if path.is_file():
                assert (back / path.relative_to(out)).read_bytes() == path.read_bytes()
        # The same again: nothing is fetched twice, nothing is overwritten.
        await seat.walk_to("note.txt")
        await seat.press("c")
        await seat.hears("here already, the same bytes")
        (back / "note.txt").write_bytes(b"my own")
        await seat.press("c")
        await seat.landed(JobState.NEEDS_YOU)
        assert (back / "note.txt").read_bytes() == b"my own"
        await seat.press("2", "end", "enter")
        await seat.sees("Keep both")
        await seat.press("down", "enter")
        await seat.landed()
        assert (back / "note (2).txt").read_bytes() == b"a note"


async def test_another_version_is_decided_upon_and_an_old_one_is_got(site: Site, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "plan.md").write_bytes(b"one")
    await bridged(site.put("max", "plan.md", b"theirs"))
    async with seated(site, "max", here) as seat:
        await seat.side(here=True)
        await seat.walk_to("plan.md")
        await seat.press("c")
        await seat.landed(JobState.NEEDS_YOU)
        await seat.hears("plan.md needs you: something has that name already.")
        await seat.press("t", "enter")
        await seat.sees("plan.md is there already", "Store mine as version 2")
        await seat.press("down", "down", "enter")
        await seat.landed()
        assert await stored(site, "plan.md") == b"one"
        await seat.press("1")
        await seat.side(here=False)
        await seat.walk_to("plan.md")
        (here / "plan.md").unlink()
        await seat.press("V")
        await seat.sees("Versions of plan.md", "3 B", "6 B")
        await seat.press("end", "enter")
        await seat.landed()
        assert (here / "plan.md").read_bytes() == b"theirs"


async def test_folders_names_and_the_trash(site: Site, tmp_path):
    await bridged(site.put("max", "draft.md", b"text"))
    async with seated(site, "max", tmp_path / "here") as seat:
        await seat.press("n")
        await seat.asked("TextPrompt")
        await seat.type("archive")
        await seat.press("enter")
        await seat.hears("archive is made.")
        await seat.sees("archive/")
        await seat.walk_to("draft.md")
        await seat.press("r")
        await seat.asked("TextPrompt")
        await seat.press("ctrl+a", "ctrl+k")
        await seat.type("/archive/final.md")
        await seat.press("enter")
        await seat.hears("draft.md is final.md now, in /archive.")
        await seat.walk_to("archive")
        await seat.press("enter")
        await seat.sees("final.md")
        await seat.walk_to("final.md")
        await seat.press("d")
        await seat.sees("Delete final.md for everyone?")
        await seat.press("enter")  # the safe answer has the focus
        assert await stored(site, "archive/final.md") == b"text"
        await seat.press("d")
        await seat.asked("Confirm")
        await seat.press("y")
        await seat.hears("final.md is in the trash until")
        await seat.until(lambda: len(seat.files.remote.rows) == 1, "gone from the list")
        assert (await ask(site, m.ShowFile, path="archive/final.md")).code == "NOT_FOUND"
        await seat.press("T")
        await seat.sees("trash of acme")
        await seat.walk_to("archive/final.md")
        await seat.press("u")
        await seat.hears("final.md is back: version 1, signature unchanged.")
        assert await stored(site, "archive/final.md") == b"text"
        await seat.press("T")
        await seat.walk_to("final.md")
        await seat.press("v")
        await seat.hears("final.md: verified: signed by max, version 1")
        await seat.press("backspace")
        await seat.walk_to("archive")
        await seat.press("d")
        await seat.asked("Confirm")
        await seat.press("y")
        await seat.hears("archive and all in it is in the trash")
    assert (await ask(site, m.ShowFile, path="archive/final.md")).code == "NOT_FOUND"


# -- a server that goes and comes back -------------------------------------------------------------------------------


async def test_the_queue_goes_on_by_itself_when_the_server_is_there_again(site: Site, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "later.bin").write_bytes(LARGE)
    async with seated(site, "max", here) as seat:
        port = await bridged(site.halt())
        await seat.until(lambda: seat.gateway.connection.status is Status.AWAY, "away")
        await seat.side(here=True)
        await seat.walk_to("later.bin")
        await seat.press("c")
        assert "does not answer" in seat.said()
        await bridged(site.start(port))
        await seat.press("R")
        await seat.hears("acme is back")
        await seat.press("c")
        await seat.landed()
    assert await stored(site, "later.bin") == LARGE

"""The UI and a server that breaks off, comes back, says nothing, or is another: said in plain words, and nothing is lost."""

from __future__ import annotations

import dataclasses

import pytest

from sft.client.connection_info import Status
from sft.client.profiles import Profiles
from sft.client.transfers.queue.job import JobState
from sft.crypto.keys import ServerKey
from sft.model.links import ServerLink
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.framing import HEADER_BYTES
from sft.wire.login import Claim
from tests.integration.relay import DOWN, UP, Relay, flip
from tests.integration.server_fixture import ServerFixture, bridged, content
from tests.integration.ui_driver import SOON, ask, files_in, nothing_of, opened_ui, plain, put, stored

pytestmark = pytest.mark.long

LARGE = content(3_000_000)
HALF = 1_500_000


# -- the line --------------------------------------------------------------------------------------------------


async def test_a_line_that_breaks_within_a_put_is_said_and_the_put_goes_on(
    server: ServerFixture, relay: Relay, tmp_path
):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with opened_ui(server, "max", here, port=relay.port) as ui:
        port = relay.port
        relay.arm(UP, None, HALF)
        await bridged(relay.stop())  # before the line breaks: it would be there again at once
        await put(ui, "video.mp4")
        await ui.until(lambda: ui.gateway.connection.status is Status.AWAY, "away")
        await ui.until(
            lambda: (
                ui.alarm().startswith("acme does not answer since")
                and "1 transfer waits; nothing partial is visible." in ui.alarm()
            ),
            f"the words, not {ui.alarm()}",
        )
        assert "(R now)" in ui.alarm() or "trying again" in ui.alarm()
        assert ui.jobs[0].state is JobState.WAITING
        await ui.press("2")
        await ui.sees("waits for the server")
        plain(ui)
        await nothing_of(server, "video.mp4")
        await bridged(relay.start(port))
        await ui.landed()
        await ui.hears("video.mp4: stored as version 1, receipt kept")
    assert await stored(server, "video.mp4") == LARGE


async def test_a_server_that_is_killed_within_a_put_gets_the_rest_after_its_start(server: ServerFixture, tmp_path):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE, "note.txt": b"n"})
    async with opened_ui(server, "max", here) as ui:
        await put(ui, "video.mp4")
        await ui.until(server.open_uploads, "the server has begun")
        port = await bridged(server.halt(crash=True))
        await ui.until(lambda: "1 transfer waits" in ui.alarm(), "it waits")
        await ui.walk_to("note.txt")
        await ui.press("c")
        assert ui.said().startswith("The server does not answer just now.")
        await bridged(server.start(port))
        await ui.until(lambda: ui.gateway.connection.online, "back")
        await ui.landed()
    assert await stored(server, "video.mp4") == LARGE
    await bridged(server.clean())


async def test_a_server_that_stops_in_order_within_a_put_is_no_failure_of_the_put(server: ServerFixture, tmp_path):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with opened_ui(server, "max", here) as ui:
        await put(ui, "video.mp4")
        await ui.until(server.open_uploads, "the server has begun")
        port = await bridged(server.halt(drain_seconds=0))
        await ui.until(lambda: "1 transfer waits" in ui.alarm(), "it waits")
        await bridged(server.start(port))
        await ui.landed()
    assert await stored(server, "video.mp4") == LARGE


async def test_a_server_that_accepts_and_says_nothing_is_said_and_every_key_still_works(
    server: ServerFixture, relay: Relay, tmp_path
):
    timing = dataclasses.replace(SOON, doubt_seconds=0.05, silent_seconds=0.2)
    here = files_in(tmp_path / "here", {"one.txt": b"1"})
    async with opened_ui(server, "max", here, port=relay.port, timing=timing) as ui:
        relay.freeze()
        await put(ui, "one.txt")
        await ui.until(lambda: "acme says nothing since" in ui.alarm(), "silence is said")
        assert "R connects anew" in ui.alarm()
        for key, place in (("2", "transfers"), ("3", "people"), ("6", "servers"), ("1", "files")):
            await ui.press(key)
            await ui.until(lambda place=place: ui.app.frame.screen_id == place, f"{key} opens {place}")
        await ui.press("n")
        await ui.asked("TextPrompt")
        await ui.press("escape", "question_mark")
        await ui.asked("Help")
        await ui.press("escape")
        plain(ui)
        relay.thaw()
        await ui.landed()
        await ui.until(lambda: ui.alarm() == "", "the words go away")
        # Once more, and a person has had enough of it: over a new line the transfer begins again.
        (here / "two.txt").write_bytes(b"2")
        await ui.press("R")
        await ui.calm()
        await ui.walk_to("two.txt")
        relay.freeze()
        await ui.press("c")
        await ui.until(lambda: "acme says nothing since" in ui.alarm(), "silence is said")
        relay.strand()
        assert ui.gateway.connection.online
        await ui.press("R")
        await ui.landed(JobState.DONE, JobState.DONE)
    assert await stored(server, "two.txt") == b"2"


async def test_a_server_that_is_silent_from_the_first_byte_holds_up_nobody(
    server: ServerFixture, relay: Relay, tmp_path
):
    relay.freeze()
    async with opened_ui(server, "max", tmp_path / "here", port=relay.port, online=False) as ui:
        await ui.until(lambda: relay.connections, "it is called")
        await ui.sees("Connecting…")
        await ui.press("6", "1", "c")
        await ui.until(lambda: ui.said().startswith("The server has not answered yet."), "c is answered in words")
        plain(ui)


# -- who the server is -----------------------------------------------------------------------------------------------


async def test_a_key_that_the_pinned_one_says_follows_it_is_followed_and_said_once(server: ServerFixture, tmp_path):
    old = server.server_key
    changed = await ask(server, m.RotateMasterKey, reencrypt=True)
    assert changed.report.faults == ()
    new = server.server_key
    assert new != old
    async with opened_ui(server, "max", tmp_path / "here") as ui:
        said = await ui.hears("acme has a new key; the one pinned until now says so.")
        assert new.words() in said
        assert Profiles(server.state_of("max")).choose().server_key == new.point
        ui.hush()
        ui.gateway.again()
        await ui.press("6", "1")
        await ui.calm()
        assert "new key" not in ui.said()
        plain(ui)
    async with opened_ui(server, "max", tmp_path / "here") as ui:
        await ui.calm()
        assert "new key" not in ui.said(), "once"


async def test_another_server_key_stops_everything_until_the_right_server_link(
    server: ServerFixture, relay: Relay, tmp_path
):
    # What this computer pinned is the key of a server that was there before.
    pinned = ServerKey.from_seed(bytes(32)).public
    state = server.state_of("max")
    profiles = Profiles(state)
    name = profiles.choose().name
    profiles.update(name, server_key=pinned.point)
    async with opened_ui(server, "max", tmp_path / "here", port=relay.port, online=False) as ui:
        await ui.asked("ServerKeyStop")
        await ui.sees(
            "STOP: acme shows another key than the one you pinned",
            "Nothing was sent: not your name, no file, no request.",
            pinned.words().split()[0],
            server.server_key.words().split()[0],
        )
        plain(ui)
        # The first message has left and no other: no name, no key, no signature.
        first = Connection.client(pinned, Claim.operator()).data_to_send()
        assert len(relay.seen[UP]) == len(first)
        assert relay.connections == 1
        await ui.press("escape")
        await ui.hears("You stay disconnected. Nothing was sent.")
        await ui.calm()
        await ui.press("6", "p")
        await ui.asked("PasteServerLink")
        await ui.paste(_link(server, relay.port, name="elsewhere"))
        await ui.sees("This link is of another server")
        await ui.press("ctrl+a", "ctrl+k")
        await ui.paste(_link(server, relay.port))
        await ui.sees("It is the key that the server shows now.")
        assert len(relay.seen[UP]) == len(first)
        await ui.press("enter", "enter")
        await ui.hears("Its new key is pinned. It proved that key just now.")
        assert ui.gateway.connection.online
    assert profiles.choose(name).server_key == server.server_key.point


def _link(server: ServerFixture, port: int, *, name: str = "acme") -> str:
    return ServerLink("127.0.0.1", port, server.server_key.point, name, server_id=server.server_key.server_id()).text()


async def test_a_server_of_another_version_is_said_as_such(server: ServerFixture, relay: Relay, tmp_path):
    relay.arm_each(DOWN, flip, HEADER_BYTES + 1)  # the version in the server's hello: 65 in place of 1
    async with opened_ui(server, "max", tmp_path / "here", port=relay.port, online=False) as ui:
        await ui.until(lambda: ui.gateway.connection.status is Status.REFUSED, "refused")
        await ui.hears("The server speaks another protocol (65) than this sft (1).", "pipx upgrade")
        plain(ui)
        relay.disarm()
        await ui.press("R")
        await ui.online()

"""The UI and a server that breaks off, comes back, says nothing, or is another: said in plain words, and nothing is lost."""

from __future__ import annotations

import dataclasses

from sft.client.connection_info import Status
from sft.client.profiles import Profiles
from sft.client.transfers.queue.job import JobState
from sft.crypto.keys import ServerKey
from sft.model.links import ServerLink
from sft.wire.connection import Connection
from sft.wire.framing import HEADER_BYTES
from sft.wire.login import Claim
from tests.integration.relay import DOWN, UP, Relay, flip
from tests.integration.seat import SOON, files_in, nothing_of, plain, put, seated, stored
from tests.integration.site import Site, bridged, content

LARGE = content(3_000_000)
HALF = 1_500_000


# -- the line --------------------------------------------------------------------------------------------------


async def test_a_line_that_breaks_within_a_put_is_said_and_the_put_goes_on(
    site: Site, relay: Relay, tmp_path
):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with seated(site, "max", here, port=relay.port) as seat:
        port = relay.port
        relay.arm(UP, None, HALF)
        await put(seat, "video.mp4")
        await bridged(relay.stop())
        await seat.until(lambda: seat.gateway.connection.status is Status.AWAY, "away")
        await seat.until(
            lambda: (
                seat.alarm().startswith("acme does not answer since")
                and "1 transfer waits; nothing partial is visible." in seat.alarm()
            ),
            f"the words, not {seat.alarm()}",
        )
        assert "(R now)" in seat.alarm() or "trying again" in seat.alarm()
        assert seat.jobs[0].state is JobState.WAITING
        await seat.press("2")
        await seat.sees("waits for the server")
        plain(seat)
        await nothing_of(site, "video.mp4")
        await bridged(relay.start(port))
        await seat.landed()
        await seat.hears("video.mp4: stored as version 1, receipt kept")
    assert await stored(site, "video.mp4") == LARGE


async def test_a_server_that_is_killed_within_a_put_gets_the_rest_after_its_start(
    site: Site, tmp_path
):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE, "note.txt": b"n"})
    async with seated(site, "max", here) as seat:
        storage = site.here.storage
        await put(seat, "video.mp4")
        await seat.until(lambda: storage.in_flight, "the server has begun")
        port = await bridged(site.halt(crash=True))
        await seat.until(lambda: "1 transfer waits" in seat.alarm(), "it waits")
        await seat.walk_to("note.txt")
        await seat.press("c")
        assert seat.said().startswith("The server does not answer just now.")
        await bridged(site.start(port))
        await seat.until(lambda: seat.gateway.connection.online, "back")
        await seat.landed()
    assert await stored(site, "video.mp4") == LARGE
    await bridged(site.clean())


async def test_a_server_that_stops_in_order_within_a_put_is_no_failure_of_the_put(
    site: Site, tmp_path
):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with seated(site, "max", here) as seat:
        storage = site.here.storage
        await put(seat, "video.mp4")
        await seat.until(lambda: storage.in_flight, "the server has begun")
        port = await bridged(site.halt(drain_seconds=0))
        await seat.until(lambda: "1 transfer waits" in seat.alarm(), "it waits")
        await bridged(site.start(port))
        await seat.landed()
    assert await stored(site, "video.mp4") == LARGE


async def test_a_server_that_accepts_and_says_nothing_is_said_and_every_key_still_works(
    site: Site, relay: Relay, tmp_path
):
    timing = dataclasses.replace(SOON, doubt_seconds=0.05, silent_seconds=0.2)
    here = files_in(tmp_path / "here", {"one.txt": b"1"})
    async with seated(site, "max", here, port=relay.port, timing=timing) as seat:
        relay.freeze()
        await put(seat, "one.txt")
        await seat.until(lambda: "acme says nothing since" in seat.alarm(), "silence is said")
        assert "R connects anew" in seat.alarm()
        for key, place in (("2", "transfers"), ("3", "people"), ("5", "servers"), ("1", "files")):
            await seat.press(key)
            assert seat.app.frame.screen_id == place
        await seat.press("n")
        await seat.asked("TextPrompt")
        await seat.press("escape", "question_mark")
        await seat.asked("Help")
        await seat.press("escape")
        plain(seat)
        relay.thaw()
        await seat.landed()
        await seat.until(lambda: seat.alarm() == "", "the words go away")
        # Once more, and a person has had enough of it: over a new line the transfer begins again.
        (here / "two.txt").write_bytes(b"2")
        await seat.press("R")
        await seat.calm()
        await seat.walk_to("two.txt")
        relay.freeze()
        await seat.press("c")
        await seat.until(lambda: "acme says nothing since" in seat.alarm(), "silence is said")
        relay.strand()
        assert seat.gateway.connection.online
        await seat.press("R")
        await seat.landed(JobState.DONE, JobState.DONE)
    assert await stored(site, "two.txt") == b"2"


async def test_a_server_that_is_silent_from_the_first_byte_holds_up_nobody(
    site: Site, relay: Relay, tmp_path
):
    relay.freeze()
    async with seated(site, "max", tmp_path / "here", port=relay.port, online=False) as seat:
        await seat.until(lambda: relay.connections, "it is called")
        await seat.sees("Connecting…")
        await seat.press("5", "1", "c")
        assert seat.said().startswith("The server has not answered yet.")
        plain(seat)


# -- who the server is -----------------------------------------------------------------------------------------------


async def test_another_server_key_stops_everything_until_the_right_server_link(
    site: Site, relay: Relay, tmp_path
):
    # What this computer pinned is the key of a server that was there before.
    pinned = ServerKey.from_seed(bytes(32)).public
    state = site.state_of("max")
    profiles = Profiles(state)
    name = profiles.choose().name
    profiles.update(name, server_key=pinned.point, server_id=pinned.server_id())
    async with seated(site, "max", tmp_path / "here", port=relay.port, online=False) as seat:
        await seat.asked("ServerKeyStop")
        await seat.sees(
            "STOP: acme shows another key than the one you pinned",
            "Nothing was sent: not your name, no file, no request.",
            pinned.words().split()[0],
            site.server_key.words().split()[0],
        )
        plain(seat)
        # The first message has left and no other: no name, no key, no signature.
        first = Connection.client(pinned, Claim.operator()).data_to_send()
        assert len(relay.seen[UP]) == len(first)
        assert relay.connections == 1
        await seat.press("escape")
        await seat.hears("You stay disconnected. Nothing was sent.")
        await seat.calm()
        await seat.press("5", "p")
        await seat.asked("PasteServerLink")
        await seat.paste(_link(site, relay.port, name="elsewhere"))
        await seat.sees("This link is of another server")
        await seat.press("ctrl+a", "ctrl+k")
        await seat.paste(_link(site, relay.port))
        await seat.sees("It is the key that the server shows now.")
        assert len(relay.seen[UP]) == len(first)
        await seat.press("enter", "enter")
        await seat.hears("Its new key is pinned. It proved that key just now.")
        assert seat.gateway.connection.online
    assert profiles.choose(name).server_key == site.server_key.point


def _link(site: Site, port: int, *, name: str = "acme") -> str:
    return ServerLink("127.0.0.1", port, site.server_key.point, name).text()


async def test_a_server_of_another_version_is_said_as_such(site: Site, relay: Relay, tmp_path):
    relay.arm_each(
        DOWN, flip, HEADER_BYTES + 1
    )  # the version in the server's hello: 65 in place of 1
    async with seated(site, "max", tmp_path / "here", port=relay.port, online=False) as seat:
        await seat.until(lambda: seat.gateway.connection.status is Status.REFUSED, "refused")
        await seat.hears(
            "The server speaks another protocol (65) than this sft (1).", "pipx upgrade"
        )
        plain(seat)
        relay.disarm()
        await seat.press("R")
        await seat.online()

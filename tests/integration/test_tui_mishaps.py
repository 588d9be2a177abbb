"""Rights that end, full disks, files that change: what the UI says of it over a real server, and what is kept."""

from __future__ import annotations

import errno
import json
import os

import pytest

from sft import durable
from sft.client.connection_info import Status
from sft.client.transfers.queue.job import JobState
from sft.limits import CHUNK_BYTES
from sft.model.access import Role
from sft.wire import messages as m
from tests.integration.relay import UP, Relay
from tests.integration.seat import Seat, files_in, nothing_of, plain, put, seated, stored
from tests.integration.site import Site, bridged, content

LARGE = content(3_000_000)
HALF = 1_500_000


# -- what one may no longer do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "why", "alarm"),
    [
        (
            (m.ChangeRole, {"role": Role.GUEST}),
            "ada made you a guest while this ran. Nothing of it was kept.",
            "",
        ),
        (
            (m.DisableUser, {}),
            "ada disabled your account while this ran. Nothing of it was kept.",
            "ada locked you out of acme. Your files stay there.",
        ),
        (
            (m.RemoveUser, {}),
            "ada removed your account while this ran. Nothing of it was kept.",
            "ada removed you from acme. What you got stays with you.",
        ),
    ],
)
async def test_rights_that_end_within_a_put_end_the_put(
    site: Site, relay: Relay, tmp_path, act, why, alarm
):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with seated(site, "max", here, port=relay.port) as seat:
        await _held_within(seat, site, relay, "video.mp4")

        async def change():
            ada = await site.raw("ada")
            kind, fields = act
            answer = await ada.ask(kind, name="max", **fields)
            assert isinstance(answer, m.UserShown), answer
            ada.abort()

        await bridged(change())
        relay.thaw()
        await seat.landed(JobState.FAILED)
        assert seat.jobs[0].troubles[0].code == "RIGHTS_CHANGED"
        await seat.press("2")
        await seat.sees(why[:30])
        await seat.press("enter")
        await seat.sees(why)
        await seat.press("escape")
        if alarm:
            await seat.until(lambda: alarm in seat.alarm(), f"{alarm}, not {seat.alarm()}")
            assert seat.gateway.connection.status is Status.REFUSED
        else:
            await seat.sees("max · guest")
            await seat.press("1")
            await seat.press("c")
            await seat.hears("Guests do not store files. An admin can change your role.")
        plain(seat)
        await nothing_of(site, "video.mp4")


async def _held_within(seat: Seat, site: Site, relay: Relay, name: str) -> None:
    """Begin a put and hold it early, when most of the file has not been read."""
    storage = site.here.storage
    relay.freeze(UP, after=100_000)
    await put(seat, name)
    await seat.until(lambda: storage.in_flight and relay.frozen, "it stands in its middle")


# -- disks and files ---------------------------------------------------------------------------------------------------


async def test_a_full_server_says_so_and_takes_it_when_there_is_room(site: Site, tmp_path):
    room = site.here.storage.vault._backend._room
    floor, room._floor_bytes = room._floor_bytes, 1 << 60
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with seated(site, "max", here) as seat:
        await put(seat, "video.mp4")
        await seat.hears(
            "video.mp4: The server has no room for 2.9 MiB. Getting and deleting still work.",
            "Tell the operator",
        )
        plain(seat)
        room._floor_bytes = floor
        await seat.press("2", "R")
        await seat.landed()
    assert await stored(site, "video.mp4") == LARGE


async def test_a_full_disk_here_keeps_nothing_partial(site: Site, tmp_path, monkeypatch):
    await bridged(site.put("mia", "video.mp4", LARGE))
    here = tmp_path / "here"
    limit = 20 * CHUNK_BYTES
    async with seated(site, "max", here) as seat:
        with monkeypatch.context() as full:
            full.setattr(durable, "write_all", _full_after(limit, durable.write_all))
            await seat.walk_to("video.mp4")
            await seat.press("c")
            await seat.hears("There is no room on this computer for", "video.mp4")
        assert list(here.iterdir()) == []
        plain(seat)
        await seat.press("2", "R")
        await seat.landed()
    assert (here / "video.mp4").read_bytes() == LARGE


def _full_after(limit: int, write_all):
    """Have a disk that takes so many bytes of chunks, and then has no room."""
    left = [limit]

    def write(fd: int, data: bytes) -> None:
        if len(data) == CHUNK_BYTES:
            left[0] -= len(data)
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_all(fd, data)

    return write


async def test_one_unreadable_file_among_twenty_stops_none_of_the_others(
    site: Site, tmp_path, monkeypatch
):
    folder = tmp_path / "here" / "album"
    folder.mkdir(parents=True)
    for number in range(20):
        (folder / f"{number:02}.jpg").write_bytes(b"%d" % number)
    bad, opened = str(folder / "07.jpg"), os.open

    def refuses(path, *args, **options):
        # Who runs the tests may read everything.
        if str(path) == bad:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), bad)
        return opened(path, *args, **options)

    async with seated(site, "max", tmp_path / "here") as seat:
        with monkeypatch.context() as closed:
            closed.setattr(os, "open", refuses)
            await put(seat, "album")
            await seat.landed(JobState.FAILED)
        await seat.hears("album/: 19 of 20 done.", "07.jpg may not be used by you.")
        await seat.press("2", "enter")
        await seat.asked("FailuresDialog")
        await seat.sees("album/: 19 of 20 done", "07.jpg")
        plain(seat)
        await seat.press("R")
        await seat.landed()
    assert await stored(site, "album/07.jpg") == b"7"
    assert await stored(site, "album/19.jpg") == b"19"


async def test_a_file_that_changes_while_it_is_read_is_not_stored(
    site: Site, relay: Relay, tmp_path
):
    here = files_in(tmp_path / "here", {"report.iso": LARGE})
    async with seated(site, "max", here, port=relay.port) as seat:
        await _held_within(seat, site, relay, "report.iso")
        with (here / "report.iso").open("r+b") as file:
            file.truncate(HALF)
        relay.thaw()
        await seat.hears("report.iso changed while it was read; nothing was stored.")
        plain(seat)
        await nothing_of(site, "report.iso")
        await seat.press("2", "R")
        await seat.landed()
    assert await stored(site, "report.iso") == LARGE[:HALF]


# -- a disk that does not keep the queue --------------------------------------------------------------------------------------


async def test_a_queue_that_cannot_be_kept_still_runs_and_that_is_said(site: Site, tmp_path):
    here = files_in(tmp_path / "here", {"one.txt": b"1"})
    async with seated(site, "max", here) as seat:
        queue = site.state_of("max").data / "queue.json"
        queue.unlink()
        queue.mkdir()
        await put(seat, "one.txt")
        await seat.landed()
        await seat.until(
            lambda: seat.alarm().startswith("Transfers are not kept on this computer:"),
            f"it is said, not {seat.alarm()}",
        )
        plain(seat)
        assert len(seat.faults) == 1
        seat.faults.clear()
        queue.rmdir()
        await put(seat, "one.txt")
        await seat.until(lambda: seat.alarm() == "", "kept again")
        assert json.loads(queue.read_bytes())
    assert await stored(site, "one.txt") == b"1"

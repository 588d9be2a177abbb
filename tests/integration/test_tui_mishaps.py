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
from tests.integration.server_fixture import ServerFixture, bridged, content
from tests.integration.ui_driver import UiDriver, files_in, nothing_of, opened_ui, plain, put, stored

pytestmark = pytest.mark.long

LARGE = content(3_000_000)
HALF = 1_500_000


# -- what one may no longer do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "why", "alarm"),
    [
        ((m.ChangeRole, {"role": Role.GUEST}), "ada made you a guest while this ran. Nothing of it was kept.", ""),
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
async def test_rights_that_end_within_a_put_end_the_put(server: ServerFixture, relay: Relay, tmp_path, act, why, alarm):
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with opened_ui(server, "max", here, port=relay.port) as ui:
        await _held_within(ui, server, relay, "video.mp4")

        async def change():
            ada = await server.raw("ada")
            kind, fields = act
            answer = await ada.ask(kind, name="max", **fields)
            assert isinstance(answer, m.UserShown), answer
            ada.abort()

        await bridged(change())
        relay.thaw()
        await ui.landed(JobState.FAILED)
        assert ui.jobs[0].failures[0].code == "RIGHTS_CHANGED"
        await ui.press("2")
        await ui.sees(why[:30])
        await ui.press("enter")
        await ui.sees(why)
        await ui.press("escape")
        if alarm:
            await ui.until(lambda: alarm in ui.alarm(), f"{alarm}, not {ui.alarm()}")
            assert ui.gateway.connection.status is Status.REFUSED
        else:
            await ui.sees("max · guest")
            await ui.press("1")
            await ui.press("c")
            await ui.hears("Guests do not store files. An admin can change your role: ")
        plain(ui)
        await nothing_of(server, "video.mp4")


async def _held_within(ui: UiDriver, server: ServerFixture, relay: Relay, name: str) -> None:
    """Begin a put and hold it early, when most of the file has not been read."""
    relay.freeze(UP, after=100_000)
    await put(ui, name)
    await ui.until(lambda: server.open_uploads() and relay.frozen, "it stands in its middle")


# -- disks and files ---------------------------------------------------------------------------------------------------


async def test_a_full_server_says_so_and_takes_it_when_there_is_room(server: ServerFixture, tmp_path):
    room = server.here.storage.vault._backend._room
    floor, room._floor_bytes = room._floor_bytes, 1 << 60
    here = files_in(tmp_path / "here", {"video.mp4": LARGE})
    async with opened_ui(server, "max", here) as ui:
        await put(ui, "video.mp4")
        await ui.hears(
            "video.mp4: The server has no room for 2.9 MiB. Getting and deleting still work.", "Tell the operator"
        )
        plain(ui)
        room._floor_bytes = floor
        await ui.press("2", "R")
        await ui.landed()
    assert await stored(server, "video.mp4") == LARGE


async def test_a_full_disk_here_keeps_nothing_partial(server: ServerFixture, tmp_path, monkeypatch):
    await bridged(server.put("mia", "video.mp4", LARGE))
    here = tmp_path / "here"
    limit = 20 * CHUNK_BYTES
    async with opened_ui(server, "max", here) as ui:
        with monkeypatch.context() as full:
            full.setattr(durable, "write_all", _full_after(limit, durable.write_all))
            await ui.walk_to("video.mp4")
            await ui.press("c")
            await ui.hears("There is no room on this computer for", "video.mp4")
        assert list(here.iterdir()) == []
        plain(ui)
        await ui.press("2", "R")
        await ui.landed()
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


async def test_one_unreadable_file_among_twenty_stops_none_of_the_others(server: ServerFixture, tmp_path, monkeypatch):
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

    async with opened_ui(server, "max", tmp_path / "here") as ui:
        with monkeypatch.context() as closed:
            closed.setattr(os, "open", refuses)
            await put(ui, "album")
            await ui.landed(JobState.FAILED)
        await ui.hears("album/: 19 of 20 done.", "07.jpg may not be used by you.")
        await ui.press("2", "enter")
        await ui.asked("FailuresDialog")
        await ui.sees("album/: 19 of 20 done", "07.jpg")
        plain(ui)
        await ui.press("R")
        await ui.landed()
    assert await stored(server, "album/07.jpg") == b"7"
    assert await stored(server, "album/19.jpg") == b"19"


async def test_a_file_that_changes_while_it_is_read_is_not_stored(server: ServerFixture, relay: Relay, tmp_path):
    here = files_in(tmp_path / "here", {"report.iso": LARGE})
    async with opened_ui(server, "max", here, port=relay.port) as ui:
        await _held_within(ui, server, relay, "report.iso")
        with (here / "report.iso").open("r+b") as file:
            file.truncate(HALF)
        relay.thaw()
        await ui.hears("report.iso changed while it was read; nothing was stored.")
        plain(ui)
        await nothing_of(server, "report.iso")
        await ui.press("2", "R")
        await ui.landed()
    assert await stored(server, "report.iso") == LARGE[:HALF]


# -- a disk that does not keep the queue --------------------------------------------------------------------------------------


async def test_a_queue_that_cannot_be_kept_still_runs_and_that_is_said(server: ServerFixture, tmp_path):
    here = files_in(tmp_path / "here", {"one.txt": b"1"})
    async with opened_ui(server, "max", here) as ui:
        queue, keeping = server.state_of("max").data / "queue.json", ui.app.queue
        await ui.until(lambda: keeping._ticking is not None and keeping._ticking.done(), "kept as it was at the start")
        queue.unlink()
        queue.mkdir()
        await put(ui, "one.txt")
        await ui.landed()
        await ui.until(
            lambda: ui.alarm().startswith("Transfers are not kept on this computer:"), f"it is said, not {ui.alarm()}"
        )
        plain(ui)
        assert len(ui.faults) == 1
        ui.faults.clear()
        queue.rmdir()
        await put(ui, "one.txt")
        await ui.until(lambda: ui.alarm() == "", "kept again")
        assert json.loads(queue.read_bytes())
    assert await stored(server, "one.txt") == b"1"

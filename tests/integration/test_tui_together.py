"""Several at once: two UIs of one person, a UI and a command, a UI that was killed, and what others do meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

import sft
from sft.client.transfers.queue.job import JobState
from sft.wire import messages as m
from tests.integration.relay import UP, Relay
from tests.integration.server_fixture import ServerFixture, bridged, content
from tests.integration.ui_driver import ask, files_in, opened_ui, put

pytestmark = pytest.mark.long

LARGE = content(3_000_000)
ROOT = Path(sft.__file__).parent.parent


async def _version(server: ServerFixture, path: str) -> int:
    return (await ask(server, m.ShowFile, by="gus", path=path)).file.version.number


def _kept(server: ServerFixture, name: str) -> list[tuple[str, str]]:
    """What lies on the disk of all queues of a person."""
    found = []
    for path in sorted(server.state_of(name).data.glob("queue*.json")):
        found += [(job["title"], job["state"]) for job in json.loads(path.read_bytes())["jobs"]]
    return sorted(found)


# -- one person, several windows ------------------------------------------------------------------------------


async def test_two_windows_of_one_person_keep_their_jobs_apart(server: ServerFixture, relay: Relay, tmp_path):
    here = files_in(tmp_path / "here", {"one.mp4": LARGE, "two.txt": b"2", "three.txt": b"3"})
    relay.freeze(UP, after=100_000)
    async with opened_ui(server, "max", here, port=relay.port) as first:
        await put(first, "one.mp4")
        await first.until(lambda: relay.frozen, "it stands in its middle")
        await first.press("2", "space")
        await first.landed(JobState.PAUSED)
        async with opened_ui(server, "max", here) as second:
            assert second.jobs == []
            await put(second, "two.txt")
            await second.landed()
            await first.until(
                lambda: _kept(server, "max") == [("one.mp4", "paused"), ("two.txt", "done")],
                f"both are kept, not {_kept(server, 'max')}",
            )
        assert [job.title for job in first.jobs] == ["one.mp4"]
        # The second window's list is taken over by the next one, the first one's is not.
        async with opened_ui(server, "max", here) as third:
            assert [(job.title, job.state) for job in third.jobs] == [("two.txt", JobState.DONE)]
            await put(third, "three.txt")
            await third.landed()
        relay.thaw()
        await first.press("space")
        await first.landed()
    kept = [("one.mp4", "done"), ("three.txt", "done"), ("two.txt", "done")]
    assert _kept(server, "max") == kept
    async with opened_ui(server, "max", here) as last:
        assert sorted((job.title, job.state.value) for job in last.jobs) == kept
        assert len({job.id for job in last.jobs}) == 3
    assert _kept(server, "max") == kept
    for name in ("one.mp4", "two.txt", "three.txt"):
        assert await _version(server, name) == 1


async def test_a_killed_window_leaves_its_queue_to_the_next_and_what_was_done_is_not_done_again(
    server: ServerFixture, relay: Relay, tmp_path
):
    here = files_in(tmp_path / "here", {"done.txt": b"1", "video.mp4": LARGE})
    async with opened_ui(server, "max", here, port=relay.port) as ui:
        await put(ui, "done.txt")
        await ui.landed()
        relay.freeze(UP, after=100_000)
        await put(ui, "video.mp4")
        await ui.until(lambda: relay.frozen, "it stands in its middle")
        await ui.until(
            lambda: _kept(server, "max") == [("done.txt", "done"), ("video.mp4", "running")],
            f"it is kept, not {_kept(server, 'max')}",
        )
        ui.kill()
    assert _kept(server, "max") == [("done.txt", "done"), ("video.mp4", "running")]
    relay.drop()
    assert not isinstance(await ask(server, m.Delete, by="ada", path="done.txt"), m.Refusal)
    async with opened_ui(server, "max", here) as again:
        await again.landed(JobState.DONE, JobState.DONE)
    assert (await ask(server, m.ShowFile, by="gus", path="done.txt")).code == "NOT_FOUND"
    assert await _version(server, "video.mp4") == 1
    await bridged(server.clean())


async def test_a_window_and_a_command_send_the_same_file_and_it_is_stored_once(server: ServerFixture, tmp_path):
    here = files_in(tmp_path / "here", {"plan.txt": b"the same bytes"})
    async with opened_ui(server, "max", here) as ui:
        environ = {**os.environ, "SFT_HOME": str(_home_of(server, "max")), "PYTHONPATH": str(ROOT)}
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from sft.cli.main import run; run()",
            "put", "plan.txt", "--json", cwd=here, env=environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await put(ui, "plan.txt")
        out, err = await command.communicate()
        assert command.returncode == 0, err
        (item,) = json.loads(out)["items"]
        await ui.landed()
        assert {item["result"], ui.jobs[0].said.split(" as ")[0]} in (
            {"stored", "there already"},
            {"unchanged", "stored"},
        )
    assert await _version(server, "plan.txt") == 1


def _home_of(server: ServerFixture, name: str) -> Path:
    """The state of a person as ``SFT_HOME`` names it: both halves in one folder."""
    return server.state_of(name).data


# -- what others do meanwhile -------------------------------------------------------------------------------------


async def test_what_others_did_to_a_file_in_sight_is_said_and_R_shows_it(server: ServerFixture, tmp_path):
    await bridged(server.put("max", "plan.txt", b"plan"))
    await bridged(server.put("max", "other.txt", b"other"))
    async with opened_ui(server, "max", tmp_path / "here") as ui:
        await ui.sees("plan.txt", "other.txt")
        assert not isinstance(await ask(server, m.Delete, by="ada", path="plan.txt"), m.Refusal)
        await bridged(server.put("ada", "new.txt", b"new"))
        await ui.walk_to("plan.txt")
        await ui.press("c")
        await ui.landed(JobState.FAILED)
        await ui.hears("plan.txt")
        ui.hush()
        for key, words in (("r", "newname"), ("d", "")):
            await ui.press(key)
            await ui.until(ui.dialog, "it asks")
            if words:
                await ui.type(words)
            await ui.press("y" if key == "d" else "enter")
            await ui.hears("There is no file plan.txt.", "R reads the list anew")
            ui.hush()
        await ui.press("R")
        await ui.until(lambda: ui.names() == ["new.txt", "other.txt"], f"the list, not {ui.names()}")


async def test_after_a_lost_line_the_folder_in_sight_is_read_anew(server: ServerFixture, relay: Relay, tmp_path):
    async with opened_ui(server, "max", tmp_path / "here", port=relay.port) as ui:
        await bridged(server.put("ada", "new.txt", b"new"))
        assert ui.names() == []
        relay.cut()
        await ui.until(lambda: ui.names() == ["new.txt"], "the list is read anew")
        await ui.hears("acme is back.")

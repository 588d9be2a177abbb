"""Whoever watches a server, over HTTP on its own computer and by ``sftd status``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sft.errors import ListenError
from sft.model.access import operator_caller
from sft.server import health_page
from sft.service.maintenance.damage import Damage, note_damage
from sft.service.storage import DamagedContent
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import ServerFixture, copy_server, on_reactor
from tests.loop import run


@pytest.fixture
def watched(template: Path, tmp_path: Path) -> ServerFixture:
    return copy_server(template, tmp_path / "watched")


def fetch(url: str, **headers: str) -> tuple[int, str]:
    """Ask for a page; blocks."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def asked(server: ServerFixture, path: str, **headers: str) -> tuple[int, str]:
    assert server.running is not None
    assert server.pool is not None
    (port,) = [each for each in server.running._ports if isinstance(each.factory, health_page.HealthFactory)]
    found: tuple[int, str] = await server.pool.run(fetch, f"http://127.0.0.1:{port.getHost().port}{path}", **headers)
    return found


async def metrics(server: ServerFixture) -> dict[str, float]:
    status, text = await asked(server, "/metrics")
    assert status == 200
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines()) if name[0] != "#"
    }


@on_reactor
@pytest.mark.every_run
async def test_who_watches_sees_what_moves_and_no_name(watched: ServerFixture):
    await watched.start(monitoring="127.0.0.1:0")
    before = await metrics(watched)
    raw = await watched.raw("max")
    await watched.put("max", "secret-name", bytes(300_000), raw)
    await watched.get(raw, "secret-name")
    after = await metrics(watched)
    moved = {name: after[name] - before.get(name, 0) for name in after}
    assert moved["sft_sessions"] == moved["sft_logins_total"] == moved["sft_files"] == 1
    assert moved["sft_stored_bytes"] == 300_000
    assert moved["sft_received_bytes_total"] > 300_000
    assert moved["sft_sent_bytes_total"] > 300_000
    assert moved['sft_events_total{event="file-committed"}'] == 1
    _, text = await asked(watched, "/metrics")
    assert "secret-name" not in text
    assert "max" not in text.replace("max_fds", "")
    await watched.stop()


@on_reactor
async def test_the_health_page_says_what_is_wrong_and_answers_its_own_computer_alone(watched: ServerFixture):
    await watched.start(monitoring="127.0.0.1:0")
    status, text = await asked(watched, "/health")
    assert (status, json.loads(text)["status"], json.loads(text)["problems"]) == (200, "ok", [])
    for host in ("evil.example", "127.0.0.1.evil.example", "\xff\xfe", "[::1"):
        assert await asked(watched, "/health", Host=host) == (403, "this page is for its own computer\n")
    assert (await asked(watched, "/other"))[0] == 404
    await watched.put("max", "big", bytes(100_000))
    await watched.here.act(note_damage, Damage(damaged(watched), operator_caller()))
    document = json.loads((await asked(watched, "/health"))[1])
    assert (document["problems"], document["damages"]) == (["damage"], 1)
    watched.here.stopping = True
    assert await asked(watched, "/health") == (503, '{"status": "stopping"}\n')
    watched.here.stopping = False
    await watched.stop()


def damaged(server: ServerFixture) -> DamagedContent:
    object_id = bytes.fromhex(server.objects()[0].name)
    return DamagedContent(object_id=object_id, file_id=bytes(16), number=1, path="big", problem="changed")


@on_reactor
async def test_a_port_of_monitoring_in_use_is_told_as_that(template: Path, watched: ServerFixture):
    await watched.start(monitoring="127.0.0.1:0")
    (port,) = [each for each in watched.running._ports if isinstance(each.factory, health_page.HealthFactory)]  # type: ignore[union-attr]
    other = copy_server(template, watched.folder.parent / "other")
    with pytest.raises(ListenError) as refused:
        await other.start(monitoring=f"127.0.0.1:{port.getHost().port}")
    assert "monitoring" in str(refused.value.values["remedy"])
    other.running = None
    await other.stop()
    await watched.stop()


def test_the_operator_sees_how_the_server_is(cli: LiveCli):
    said = cli.operator("status").out
    assert said.startswith("acme: sft ")
    assert "listens at 127.0.0.1:" in said
    document: dict[str, Any] = cli.operator_json("status")
    assert (document["damages"], document["checked_at"], document["waiting"]) == (0, None, [])
    assert document["log_size"] > 0
    cli.server.here.waiting_options = ("listen",)
    assert "wait for a restart: listen" in cli.operator("status").out

    async def meet_damage() -> None:
        await cli.server.put("max", "big", bytes(100_000))
        await cli.server.here.act(note_damage, Damage(damaged(cli.server), operator_caller()))

    run(meet_damage())
    found = cli.operator("status")
    assert (found.status, "1 content known" in found.out) == (7, True)


def test_an_admin_afar_sees_how_the_server_is_and_what_it_does_and_nobody_else_does(cli: LiveCli):
    assert cli.sft("max", "mv", "none", "other").status == 3
    cli.server.here.throughput.look()
    cli.sft("max", "whoami")
    cli.server.here.throughput.look()
    ran = cli.sft("ada", "status")
    assert (ran.status, ran.out.startswith("acme: sft ")) == (0, True)
    assert "listens at 127.0.0.1:" in ran.out
    assert "max  move none [NOT_FOUND]" in ran.out
    live = cli.sft("ada", "status", "--json").document["live"]
    assert [each["user"] for each in live["busiest"]] == ["ada"]
    assert live["received_rate"] > 0
    refusals = [(each["who"], each["request"], each["code"], each["times"]) for each in live["refusals"]]
    assert ("max", "Move", "NOT_FOUND", 1) in refusals
    for name in ("max", "gus"):
        refused = cli.sft(name, "status")
        assert (refused.status, refused.out, "ROLE_FORBIDS" in refused.err) == (4, "", True)


def test_where_no_server_runs_the_status_says_so(template: Path, tmp_path: Path):
    found = LiveCli(copy_server(template, tmp_path / "stopped")).operator("status")
    assert (found.status, "no server runs" in found.out) == (3, True)

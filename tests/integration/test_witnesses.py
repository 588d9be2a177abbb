"""Servers and witnesses: two that witness each other over loopback, and witnesses that are of no use and in nobody's way."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import SignedNote
from sft.errors import HomeError
from sft.ledger.add_checkpoint import AddCheckpoint
from sft.ledger.checkpoints import Checkpoint, verify_cosignatures
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.witness import FOLDER, WitnessService, open_keys, policy_lines
from sft.service import settings
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import ServerFixture, copy_server
from tests.loop import reactor, run

PATIENCE = 30  # of a machine that has much else to do


class Site:
    """An organisation: a server of its own, and a witness in the same home."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.server = ServerFixture(folder)
        self.name = f"{name}.example/witness"
        self.witness: WitnessService | None = None
        run(self.server.start())
        self.cli = LiveCli(self.server)
        self.log = self.cli.operator_json("log", "key")
        run(self.server.stop())

    def watch(self, other: Site) -> None:
        """Start the witness, for the log of another."""
        self.witness = WitnessService(
            reactor,
            self.server.home.path / FOLDER,
            NEXT_STEPS,
            listen="tcp:0:interface=127.0.0.1",
            logs=[other.log["key"]],
            name=self.name,
        )
        run(self.witness._start())  # what twistd calls

    def rely_on(self, *others: Site) -> None:
        """Write the policy, and start the server with it."""
        lines = []
        for other in others:
            assert other.witness is not None
            url = f"http://127.0.0.1:{other.witness.address.port}"
            lines += [*policy_lines(open_keys(other.server.home.path / FOLDER, ""), url), f"quorum {other.name}"]
        (self.server.home.path / "policy").write_text("".join(f"{line}\n" for line in lines))
        run(self.server.start())

    @property
    def witnessing(self) -> Any:
        found = self.server.here.witnessing
        assert found is not None
        return found

    def cosigned(self) -> tuple[int, set[str]]:
        """Give what clients are given: how many leaves, and whose keys cosigned."""
        note = self.witnessing.cosigned
        held = verify_cosignatures(note.encode(), [key for each in self.witnessing.witnesses for key in each.keys])
        return Checkpoint.parse(note.text).size, {key.name for key in held}

    def act(self) -> None:
        """Have a leaf in the log."""
        run(_act(self.server))

    def stop(self) -> None:
        if self.server.running is not None:
            run(self.server.stop())
        if self.witness is not None:
            run(self.witness._stop())


async def _act(server: ServerFixture) -> None:
    context = server.here
    name = f"acme-{context.ledger.head.size}"
    await context.act(settings.change_settings, settings.SettingsChange(name=name))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    sites = Site(tmp_path / "a", "a"), Site(tmp_path / "b", "b")
    for site, other in (sites, sites[::-1]):
        site.watch(other)
    for site, other in (sites, sites[::-1]):
        site.rely_on(other)
    yield sites
    for site in sites:
        site.stop()
        assert site.server.fatal == []


def test_two_organisations_witness_each_other(pair: tuple[Site, Site]):
    for site, other in (pair, pair[::-1]):
        for _ in range(3):
            site.act()
            run(site.witnessing.look())
            size = site.server.here.ledger.head.size
            assert site.cosigned() == (size, {other.name})
        shown = site.cli.operator_json("log", "witnesses")
        assert (shown["witnessed_size"], shown["quorum"], shown["satisfied"]) == (size, other.name, True)
        assert [bool(each["cosigned_at"]) for each in shown["witnesses"]] == [True, True]
        assert site.server.log.warnings == []
        # What a witness shows is the log's own newest head.
        assert other.witness is not None
    a, b = pair
    size, _ = a.cosigned()
    run(b.witness._stop())  # type: ignore[union-attr]
    a.act()
    run(a.witnessing.look())
    assert a.cosigned() == (size, {b.name})
    (line,) = a.server.log.warnings
    assert line.startswith("witness-failed ")
    assert a.cli.operator_json("log", "witnesses")["satisfied"] is True
    said = a.cli.operator("log", "witnesses").out
    assert f"{size + 1} leaves, witnessed up to leaf {size}" in said


@pytest.mark.every_run
def test_a_start_goes_on_with_what_was_witnessed(pair: tuple[Site, Site]):
    a, b = pair
    run(a.witnessing.look())
    before = a.cosigned()
    run(a.server.stop())
    run(a.server.start())
    assert a.cosigned() == before == (before[0], {b.name})
    a.act()
    run(a.witnessing.look())
    assert a.cosigned()[0] > before[0]
    assert a.server.log.warnings == []


class Useless:
    """An address at which nothing useful is: it takes connections and says nothing, for ever."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        self._listening.close()


def test_a_server_that_was_put_back_offers_an_older_head_and_its_witness_says_what_it_has_seen(
    pair: tuple[Site, Site], tmp_path: Path
):
    a, b = pair
    assert a.witness is not None
    run(a.witness._stop())  # its folder lies in the home that is put back
    a.witness = None
    run(a.witnessing.look())
    run(a.server.stop())
    home, copy = a.server.home.path, tmp_path / "copy"
    shutil.copytree(home, copy)
    run(a.server.start())
    for _ in range(3):
        a.act()
    run(a.witnessing.look())
    seen, _ = a.cosigned()
    run(a.server.stop())
    shutil.rmtree(home)
    shutil.copytree(copy, home)
    run(a.server.start())
    size = a.server.here.ledger.head.size
    assert size < seen
    run(a.witnessing.look())
    (line,) = [each for each in a.server.log.warnings if each.startswith("witness-failed ")]
    assert f"has cosigned {seen} leaves of this log, which has {size}" in line
    shown = a.cli.operator_json("log", "witnesses")
    assert shown["witnessed_size"] < size
    # It is what the witness itself answers: 409, and the size that it knows.
    assert b.witness is not None
    note = SignedNote.parse(a.server.here.ledger.head.note)
    port, body = b.witness.address.port, AddCheckpoint(0, (), note).encode()

    async def offered() -> tuple[int, str | None, bytes]:
        return await a.server.here.pool.run(_add_checkpoint, port, body)

    assert run(offered()) == (409, "text/x.tlog.size", b"%d\n" % seen)


def _add_checkpoint(port: int, body: bytes) -> tuple[int, str | None, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request("POST", "/add-checkpoint", body)
        answer = line.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        line.close()


def some_key(number: int) -> NoteKey:
    return CosignerKey(f"w{number}", SignatureType.ED25519_COSIGNATURE, bytes([number]) * 32).public


def test_a_witness_that_says_nothing_is_in_no_acts_way_and_a_stop_does_not_wait_for_it(template: Path, tmp_path: Path):
    server = copy_server(template, tmp_path / "s")
    silent = Useless()
    lines = [f"witness w{n} {some_key(n).vkey()} {silent.url}/{n}\n" for n in range(1, 9)]
    (server.home.path / "policy").write_text("".join(lines) + "group all all w1 w2 w3 w4 w5 w6 w7 w8\nquorum all\n")
    run(server.start())
    try:
        witnessing = server.here.witnessing
        assert witnessing is not None
        asking = Deferred.fromCoroutine(witnessing.look())
        raw = run(server.raw("max"))
        for number in range(10):
            run(server.put("max", f"file {number}", b"content", raw))
            assert not asking.called  # every act is answered while the witnesses are waited for
        assert run(server.get(raw, "file 9")) == b"content"
        assert witnessing.cosigned is None
    finally:
        began = time.monotonic()
        run(server.stop())
        stopped = time.monotonic() - began
        silent.close()
    assert stopped < 8  # where a request may take ten seconds, and four are under way
    assert [line for line in server.log.warnings if "witness" in line] == []
    assert server.fatal == []


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("quorum all\n", "line 1 of its policy: it names what no line above defines"),
        (f"witness w1 {some_key(1).vkey()} ftp://w1\nquorum w1\n", "its policy names a URL of w1 that is none"),
    ],
)
@pytest.mark.every_run
def test_a_policy_that_is_none_is_refused_before_anything_is_opened(
    template: Path, tmp_path: Path, policy: str, said: str
):
    server = copy_server(template, tmp_path / "s")
    (server.home.path / "policy").write_text(policy)
    with pytest.raises(HomeError) as caught:
        run(server.start())
    assert caught.value.values["problem"] == said
    with suppress(Exception):
        run(server.stop())


def test_the_operator_is_told_of_a_log_that_nobody_witnesses(template: Path, tmp_path: Path):
    server = copy_server(template, tmp_path / "s")
    cli = LiveCli(server)
    size = cli.operator_json("log", "witnesses")["size"]
    assert cli.operator("log", "witnesses").out == f"{size} leaves, not yet witnessed; quorum none\n"
    key = cli.operator_json("log", "key")
    assert NoteKey.parse_vkey(key["key"]).name == key["log"]
    assert cli.operator("log", "key").out == key["key"] + "\n"


def test_a_person_sees_how_far_the_log_is_witnessed(pair: tuple[Site, Site], tmp_path: Path):
    a, b = pair
    a.cli.join("ada", "admin")
    assert b.witness is not None
    lines = policy_lines(open_keys(b.server.home.path / FOLDER, ""), "")
    log = a.log["key"]
    (tmp_path / "policy").write_text("".join(f"{each}\n" for each in (f"log {log}", *lines, f"quorum {b.name}")))

    def whoami() -> dict[str, Any]:
        done = a.cli.sft("ada", "whoami", "--json")
        assert done.status == 0, done.err
        return dict(json.loads(done.out)["log"])

    (profile,) = json.loads(a.cli.sft("ada", "servers", "--json").out)
    assert whoami()["quorum"] is False
    done = a.cli.sft("ada", "servers", "policy", profile["profile"], str(tmp_path / "policy"))
    assert done.status == 0, done.err
    run(a.witnessing.look())
    said = whoami()
    assert (said["quorum"], said["lacking"], said["overdue"]) == (True, [], False)
    assert said["witnessed_size"] == said["size"]
    # A witness that died stops nothing: what is newer is shown as not witnessed.
    run(b.witness._stop())
    assert a.cli.sft("ada", "mkdir", "folder").status == 0
    run(a.witnessing.look())
    later = whoami()
    assert later["size"] > later["witnessed_size"] == said["witnessed_size"]
    shown = a.cli.sft("ada", "whoami").out
    assert f"witnessed up to {later['witnessed_size']} on " in shown
    assert f", {later['size'] - later['witnessed_size']} not yet" in shown

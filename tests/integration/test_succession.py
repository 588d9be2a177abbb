"""After a leak: ``rotate-key --reencrypt`` makes another server key, clients follow it, and never back."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sft.client.profiles import Profiles
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import verify_receipts
from sft.crypto.succession import SUCCESSIONS_MOST
from sft.errors import SignatureInvalidError
from sft.model.links import InvitationLink, ServerLink, parse_link
from sft.wire import messages as m
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import ServerFixture, content, on_reactor
from tests.loop import run


def pinned(server: ServerFixture, name: str) -> ServerPublic:
    return ServerPublic(Profiles(server.state_of(name)).choose().server_key)


def reencrypt(cli: LiveCli) -> None:
    done = cli.operator_json("vault", "rotate-key", "--reencrypt")
    assert done["faults"] == []


def test_who_has_the_old_key_gets_in_after_a_leak_and_pins_the_new_one(cli: LiveCli) -> None:
    server, old = cli.server, cli.server.server_key
    paths = [cli.file("a.bin", content(70_000)), cli.file("b.txt", b"small")]
    assert cli.sft("max", "put", *paths).status == 0
    before = cli.invitation("--role", "guest")
    reencrypt(cli)
    new = server.server_key
    assert new != old
    assert server.home.server_key() == new.point
    for text, kind in (
        (cli.operator_json("link")["link"], ServerLink),
        (cli.invitation("--role", "guest"), InvitationLink),
    ):
        link = parse_link(text)
        assert isinstance(link, kind)
        assert (link.server_key, link.server_id) == (new.point, old.server_id())
    assert pinned(server, "gus") == old
    got = cli.sft("gus", "get", "--to", "got", "a.bin", "b.txt")
    assert got.status == 0, got.err
    assert new.words() in got.err, "it is said"
    assert (cli.folder / "got" / "a.bin").read_bytes() == content(70_000)
    assert pinned(server, "gus") == new
    assert new.words() not in cli.sft("gus", "ls").err, "once"
    joined = cli.sft("eva", "join", "--user", "eva", "--no-passphrase", stdin=before)
    assert joined.status == 0, joined.err
    assert pinned(server, "eva") == new
    # Once more, and a start: who has slept over both follows both.
    reencrypt(cli)
    newest = server.server_key
    port = run(server.halt())
    run(server.start(port))
    assert server.server_key == newest != new
    for name in ("gus", "max"):
        assert cli.sft(name, "ls").status == 0
        assert pinned(server, name) == newest
    assert cli.sft("max", "put", "--replace", cli.file("b.txt", b"other")).status == 0
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []


@on_reactor
@pytest.mark.every_run
async def test_who_is_there_goes_on_under_the_key_that_was_shown(server: ServerFixture) -> None:
    old, raw = server.server_key, await server.raw("max")
    first = await server.put("max", "first", b"x", raw)
    operator = await server.operator()
    done = await operator.ask(m.RotateMasterKey, reencrypt=True)
    assert isinstance(done, m.VaultChecked), done
    second = await server.put("max", "second", b"y", raw)
    large = await server.put("max", "large", content(70_000), raw)
    later = await server.put("max", "third", b"z")
    for answer, key in ((first, old), (second, old), (large, old), (later, server.server_key)):
        verify_receipts(key, answer.stored.receipt)
    with pytest.raises(SignatureInvalidError):
        verify_receipts(old, later.stored.receipt)
    await server.clean()


def test_a_change_that_was_cut_shows_the_new_key_from_the_next_start(cli: LiveCli) -> None:
    server, here = cli.server, cli.server.here
    old, storage = server.server_key, here.storage
    here.master_keys.renew(storage.vault.adopt, now=here.clock())
    assert cli.sft("gus", "ls").status == 0
    assert pinned(server, "gus") == old
    port = run(server.halt())
    run(server.start(port))
    new = server.server_key
    assert new != old
    assert server.home.server_key() == new.point
    assert parse_link(cli.operator_json("link")["link"]).server_key == new.point
    assert cli.sft("gus", "ls").status == 0
    assert pinned(server, "gus") == new


def test_a_keyring_that_was_put_back_stops_who_has_followed(cli: LiveCli, tmp_path: Path) -> None:
    server, old = cli.server, cli.server.server_key
    run(server.halt())
    shutil.copytree(server.home.path, tmp_path / "before")
    run(server.start())
    reencrypt(cli)
    cli.server.point_at_server("gus", server.port)
    assert cli.sft("gus", "ls").status == 0
    new = pinned(server, "gus")
    run(server.halt())
    shutil.rmtree(server.home.path)
    shutil.copytree(tmp_path / "before", server.home.path)
    run(server.start())
    assert server.server_key == old
    server.point_at_server("gus", server.port)
    stopped = cli.sft("gus", "ls")
    assert (stopped.status, old.words() in stopped.err) == (7, True), stopped.err
    assert pinned(server, "gus") == new
    assert cli.sft("max", "ls").status == 0, "who has not followed knows no other"


def test_what_clients_could_not_follow_is_refused_before_anything_is_changed(cli: LiveCli) -> None:
    home, vault = cli.server.home, cli.server.here.storage.vault
    vault.adopt(replace(vault.keyring, successions=("note",) * SUCCESSIONS_MOST))
    before = home.keyring.read_bytes(), home.master_key.read_bytes()
    refused = cli.operator("vault", "rotate-key", "--reencrypt")
    assert (refused.status, "SERVER_KEY_FIXED" in refused.err) == (5, True), refused.err
    assert (home.keyring.read_bytes(), home.master_key.read_bytes()) == before
    assert cli.operator("vault", "rotate-key").status == 0


def test_a_log_goes_on_over_a_change_of_the_servers_key_and_is_checked_as_one(cli: LiveCli, tmp_path: Path) -> None:
    """Heads that were kept under the old key, a folder that it signed, and the whole log under the new one."""
    assert cli.sft("max", "put", cli.file("before", b"before")).status == 0
    assert cli.sft("gus", "get", "--to", "got", "before").status == 0
    old_folder, folder = tmp_path / "old", tmp_path / "log"
    first = cli.operator_json("log", "export", str(old_folder))
    assert cli.operator_json("log", "export", str(folder))["vkey"] == first["vkey"]
    reencrypt(cli)
    assert cli.sft("max", "put", cli.file("after", b"after")).status == 0
    for who in ("gus", "max"):
        done = cli.sft(who, "log", "verify", "--server", "--json")
        assert (done.status, done.document["findings"], done.document["more_findings"]) == (0, [], 0), done.err
    assert cli.operator("log", "verify").status == 0
    # From the next start the new key alone signs; a folder is added to, for it is one log.
    port = run(cli.server.halt())
    run(cli.server.start(port))
    assert cli.sft("max", "put", cli.file("later", b"later")).status == 0
    second = cli.operator_json("log", "export", str(folder))
    assert second["size"] > first["size"]
    assert second["vkey"] != first["vkey"]
    for words in ((), ("--key", second["vkey"])):
        done = cli.sft("gus", "log", "verify", str(folder), *words, "--json")
        assert (done.status, done.document["size"]) == (0, second["size"]), done.err
    assert cli.operator("log", "verify", "--folder", str(folder)).status == 0
    assert cli.sft("gus", "log", "verify", str(folder), "--key", first["vkey"]).status == 7
    # What the old key signed is the old key's still.
    assert cli.sft("nobody", "log", "verify", str(old_folder), "--key", first["vkey"]).status == 0
    assert cli.sft("nobody", "log", "verify", str(old_folder), "--key", second["vkey"]).status == 7

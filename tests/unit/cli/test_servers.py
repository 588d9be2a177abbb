from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from sft.client.profiles import Profiles
from sft.client.stopped import require_not_stopped, stop
from sft.crypto.keys import ServerPublic
from sft.errors import LogWentBackError, ServerKeyChangedError, UnreachableError
from sft.ledger.slots import SlotKey
from sft.model.links import ServerLink, parse_server_link
from tests.unit.cli.cli_fixture import KEY, OTHER_KEY, SERVER


def link(key: bytes = SERVER.point, name: str = "acme-files", server_id: bytes = SERVER.server_id()) -> str:
    return ServerLink("new.acme.org", 9000, key, name, server_id=server_id).text()


def test_the_list(cli):
    cli.join()
    ran = cli.run("servers", terminal=True)
    assert ran.lines[0].split() == ["name", "address", "you", "role", "server", "key"]
    assert [line.split()[:4] for line in ran.lines[1:]] == [
        ["●", "acme-files", "files.acme.org:7361", "ada"],
        ["acme-files-2", "files.acme.org:7361", "ada", "admin"],
    ]
    assert all(line.endswith(SERVER.words()) for line in ran.lines[1:])
    assert [line.split("\t") for line in cli.run("servers").lines] == [
        ["default", "acme-files", "files.acme.org:7361", "ada", "admin", SERVER.words()],
        ["", "acme-files-2", "files.acme.org:7361", "ada", "admin", SERVER.words()],
    ]
    document = json.loads(cli.run("servers", "--json").out)
    assert [one["default"] for one in document] == [True, False]


def test_none_yet(stranger):
    ran = stranger.run("servers")
    assert (ran.status, ran.out) == (0, "")
    assert "sft join" in ran.err
    assert json.loads(stranger.run("servers", "--json").out) == []


def test_an_address_is_taken_when_the_pinned_key_answers_there(cli):
    ran = cli.run("servers", "address", "acme-files", "files2.acme.org:9000")
    assert ran.lines == ["Same server: its key is the pinned one."]
    assert cli.sessions[0].profile.address == "files2.acme.org:9000"
    assert json.loads(cli.run("servers", "--json").out)[0]["address"] == "files2.acme.org:9000"


def test_an_address_where_another_key_answers_is_not_taken(cli):
    cli.refuses = [ServerKeyChangedError(server="acme-files")]
    ran = cli.run("servers", "address", "acme-files", "evil.example.org:9000")
    assert ran.status == 7
    assert json.loads(cli.run("servers", "--json").out)[0]["address"] == "files.acme.org:7361"


@pytest.mark.parametrize("address", ["nowhere", "host:0", "host:70000", ":1"])
def test_what_is_no_address(cli, address):
    assert cli.run("servers", "address", "acme-files", address).status == 2
    assert not cli.sessions


def test_a_server_link_replaces_the_pinned_key(cli):
    new = OTHER_KEY.public.point
    refused = cli.run("servers", "link", "acme-files", piped=link(new))
    assert (refused.status, "--yes" in refused.err) == (2, True)
    assert json.loads(cli.run("servers", "--json").out)[0]["server_key_words"] == SERVER.words()
    ran = cli.run("servers", "link", "acme-files", "--yes", piped=link(new))
    assert ran.status == 0
    assert "acme-files is at new.acme.org:9000; pinned now: " in ran.out
    document = json.loads(cli.run("servers", "--json").out)[0]
    assert document["server_key_words"] != SERVER.words()
    assert document["key_words"] == KEY.public.words()


def test_a_server_link_with_the_pinned_key_says_so(cli, tmp_path):
    (tmp_path / "link").write_text(link())
    ran = cli.run("servers", "link", "acme-files", "--link-file", str(tmp_path / "link"))
    assert ran.lines == ["acme-files is at new.acme.org:9000; the key is the pinned one"]


@pytest.mark.parametrize("answer,taken", [("y", True), ("n", False), ("", False)])
def test_a_new_key_is_asked_about_with_the_words_of_both(cli, tmp_path, answer, taken):
    (tmp_path / "link").write_text(link(OTHER_KEY.public.point))
    ran = cli.run(
        "servers", "link", "acme-files", "--link-file", str(tmp_path / "link"), terminal=True, typed=f"{answer}\n"
    )
    new = ServerPublic(OTHER_KEY.public.point).words()
    assert ran.err.index(SERVER.words()) < ran.err.index(new) < ran.err.index("[y/N]")
    kept = json.loads(cli.run("servers", "--json").out)[0]["server_key_words"]
    assert kept == (new if taken else SERVER.words())


@pytest.mark.parametrize("other", [{"name": "other"}, {"server_id": bytes(32)}])
def test_a_link_of_another_server_is_refused(cli, other):
    ran = cli.run("servers", "link", "acme-files", "--yes", piped=link(OTHER_KEY.public.point, **other))
    assert ran.status == 2
    assert json.loads(cli.run("servers", "--json").out)[0]["server_key_words"] == SERVER.words()


def test_the_default(cli):
    cli.join()
    assert cli.run("servers", "default", "acme-files-2").status == 0
    document = json.loads(cli.run("servers", "--json").out)
    assert [one["default"] for one in document] == [False, True]
    assert cli.run("servers", "default", "nobody").status == 8


def test_forgetting_is_asked_about_and_destroys_no_key(cli):
    refused = cli.run("servers", "forget", "acme-files")
    assert (refused.status, "--yes" in refused.err) == (2, True)
    kept = cli.run("servers", "forget", "acme-files", terminal=True, typed="\n")
    assert "[y/N]" in kept.err
    assert cli.run("servers", "--json").document
    ran = cli.run("servers", "forget", "acme-files", terminal=True, typed="y\n")
    assert ran.status == 0
    assert cli.run("whoami").status == 8


def test_the_way_back_that_is_printed_is_a_whole_command(cli):
    ran = cli.run("servers", "forget", "acme-files", "--yes")
    command = shlex.split(ran.lines[-1])
    assert command[:2] == ["sft", "join"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options["--user"] == "ada"
    assert Path(options["--key"]).read_text().startswith("untrusted comment: ")
    again = parse_server_link(Path(options["--link-file"]).read_text())
    assert (again.server_key, again.server_id, again.address) == (
        SERVER.point, SERVER.server_id(), "files.acme.org:7361",
    )  # fmt: skip
    assert cli.run(*command[1:]).status == 0
    assert cli.joins[-1]["link"] == again


def test_the_way_back_is_there_for_each_of_two_that_share_a_key(cli):
    cli.join()
    first = cli.run("servers", "forget", "acme-files", "--yes", "--json").document
    second = cli.run("servers", "forget", "acme-files-2", "--yes", "--json").document
    assert first["way_back"] != second["way_back"]
    assert not Path(first["key_file"]).exists()  # it was shared, and went with the last
    assert Path(second["key_file"]).exists()


def test_a_key_that_was_followed_is_said(cli):
    cli.followed = ServerPublic(OTHER_KEY.public.point)
    ran = cli.run("servers", "address", "acme-files", "files2.acme.org:9000")
    assert ran.err.splitlines() == [
        f"acme-files has a new key; the one pinned until now says so. Pinned: {SERVER.words()}"
    ]


def test_a_key_that_another_one_of_ours_added_is_said_with_the_way_to_end_it(cli):
    added = KEY.public
    cli.added_keys = (SlotKey(added.encode(), 41),)
    ran = cli.run("servers", "address", "acme-files", "files2.acme.org:9000")
    said, _, way_out = ran.err.strip().partition("Not by you? ")
    assert said == f"A key was added for you on acme-files: {added.words()}. "
    assert way_out == f"sft key device revoke {added.text()} --stolen-since 41"


def stopped(cli):
    """Have the server contradicted itself, to this computer's knowledge."""
    profile = Profiles(cli.state).choose()
    error = LogWentBackError(server=profile.name, seen=18240, profile=profile.name)
    return stop(cli.state, profile, error, [], now=0)


def test_a_server_that_contradicted_itself_is_trusted_again_by_a_person_alone(cli):
    told = stopped(cli)
    profile = Profiles(cli.state).choose()
    cli.refuses = [
        UnreachableError(profile="acme-files", address="files.acme.example:7361", reason="x") for _ in range(3)
    ]
    for wrong in ({}, {"terminal": True, "typed": "yes\n"}, {"terminal": True, "typed": "\n"}):
        refused = cli.run("servers", "trust", "acme-files", **wrong)
        assert refused.status != 0
        with pytest.raises(LogWentBackError):
            require_not_stopped(cli.state, profile)
    ran = cli.run("servers", "trust", "acme-files", terminal=True, typed=f"{profile.server_name}\n")
    assert ran.status == 0
    assert "acme-files shows a history without what this computer saw at 18,240." in ran.err
    require_not_stopped(cli.state, profile)
    assert Path(told.values["evidence"]).exists()

from __future__ import annotations

import json

import pytest

from sft.errors import ServerKeyChangedError
from sft.model.links import ServerLink
from tests.unit.cli.cli_fixture import KEY, OTHER_KEY, SERVER


def link(key: bytes = SERVER.point, name: str = "acme-files") -> str:
    return ServerLink("new.acme.org", 9000, key, name).text()


def test_the_list(cli):
    cli.join()
    ran = cli.run("servers", terminal=True)
    assert [line.split()[:4] for line in ran.lines] == [
        ["●", "acme-files", "files.acme.org:7361", "ada"],
        ["acme-files-2", "files.acme.org:7361", "ada", "admin"],
    ]
    assert all(line.endswith(SERVER.words()) for line in ran.lines)
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
    ran = cli.run("servers", "link", "acme-files", piped=link(new))
    assert ran.status == 0
    assert "acme-files is at new.acme.org:9000; pinned now: " in ran.out
    document = json.loads(cli.run("servers", "--json").out)[0]
    assert document["server_key_words"] != SERVER.words()
    assert document["key_words"] == KEY.public.words()


def test_a_server_link_with_the_pinned_key_says_so(cli, tmp_path):
    (tmp_path / "link").write_text(link())
    ran = cli.run("servers", "link", "acme-files", "--link-file", str(tmp_path / "link"))
    assert ran.lines == ["acme-files is at new.acme.org:9000; the key is the pinned one"]


def test_a_link_of_another_server_is_refused(cli):
    ran = cli.run("servers", "link", "acme-files", piped=link(name="other"))
    assert ran.status == 2
    assert json.loads(cli.run("servers", "--json").out)[0]["server_key_words"] == SERVER.words()


def test_the_default(cli):
    cli.join()
    assert cli.run("servers", "default", "acme-files-2").status == 0
    document = json.loads(cli.run("servers", "--json").out)
    assert [one["default"] for one in document] == [False, True]
    assert cli.run("servers", "default", "nobody").status == 8


def test_forgetting_destroys_no_key(cli):
    ran = cli.run("servers", "forget", "acme-files")
    assert ran.status == 0
    assert "is forgotten here. Its key lies in " in ran.out
    assert list((cli.home / "keys/forgotten").iterdir())
    assert cli.run("whoami").status == 8

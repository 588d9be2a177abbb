"""Roles and people, as those who have them meet them."""

from __future__ import annotations

import pytest

from tests.integration.live_cli import LiveCli


def stored(cli: LiveCli) -> None:
    assert cli.sft("max", "put", cli.file("b.txt", b"hello"), "--to", "docs").status == 0


@pytest.mark.every_run
def test_a_guest_reads_and_changes_nothing(cli: LiveCli):
    stored(cli)
    assert cli.sft("gus", "get", "docs/b.txt", "--to", "out").status == 0
    put = cli.sft("gus", "put", cli.file("c.txt", b"x"))
    assert put.status == 4
    assert put.err.splitlines()[0] == "sft: Guests do not store files [ROLE_FORBIDS]"
    assert "sft role gus maintainer" in put.err
    for arguments in (("rm", "docs/b.txt"), ("mkdir", "x"), ("mv", "docs/b.txt", "y"), ("invite",)):
        assert cli.sft("gus", *arguments).status == 4, arguments


@pytest.mark.every_run
def test_a_maintainer_manages_own_files_alone(cli: LiveCli):
    stored(cli)
    removed = cli.sft("mia", "rm", "docs/b.txt")
    assert removed.status == 4
    assert "b.txt belongs to max: only they or an admin may delete it [NOT_YOURS]" in removed.err
    cli.file("b.txt", b"changed")
    replaced = cli.sft("mia", "put", "b.txt", "--to", "docs", "--replace")
    assert replaced.status == 4
    for arguments in (("role", "gus", "admin"), ("invite",), ("disable", "gus"), ("remove", "gus", "--yes")):
        assert cli.sft("mia", *arguments).status == 4, arguments


def test_everybody_sees_who_is_there_with_their_keys(cli: LiveCli):
    listed = {user["user"]: user for user in cli.sft("gus", "users", "--json").document}
    roles = [listed[name]["role"] for name in ("ada", "max", "gus")]
    assert roles == ["admin", "maintainer", "guest"]
    words = cli.sft("max", "key", "--json").document["key_words"]
    assert listed["max"]["devices"][0]["key_words"] == words


def test_a_new_role_holds_at_once(cli: LiveCli):
    cli.join("tim", "guest")
    assert cli.sft("ada", "role", "tim", "maintainer").lines == ["tim is a maintainer now (was guest)."]
    assert cli.sft("tim", "put", cli.file("tims.txt", b"x")).status == 0
    assert cli.sft("tim", "whoami", "--json").document["role"] == "maintainer"
    cli.sft("ada", "role", "tim", "guest")
    assert cli.sft("tim", "put", cli.file("tims2.txt", b"y")).status == 4


def test_the_last_admin_stays(cli: LiveCli):
    for arguments in (("role", "ada", "guest"), ("disable", "ada"), ("remove", "ada", "--yes")):
        refused = cli.sft("ada", *arguments)
        assert refused.status == 4
        assert "ada is the only admin; someone must be [LAST_ADMIN]" in refused.err


def test_a_disabled_person_is_out_until_enabled(cli: LiveCli):
    cli.join("una", "guest")
    assert cli.sft("ada", "disable", "una").status == 0
    refused = cli.sft("una", "ls")
    assert refused.status == 4
    assert "[LOGIN_REFUSED]" in refused.err
    assert cli.sft("ada", "enable", "una").status == 0
    assert cli.sft("una", "ls").status == 0


def test_a_removed_person_is_out_and_the_files_stay(cli: LiveCli):
    cli.join("leo", "maintainer")
    cli.sft("leo", "put", cli.file("leos.txt", b"leo"))
    assert cli.sft("ada", "remove", "leo").status == 2
    removed = cli.sft("ada", "remove", "leo", "--files-to", "max", "--yes")
    assert removed.status == 0
    assert "signed by leo, and belong to max." in removed.out.replace("belongs", "belong")
    assert cli.sft("leo", "ls").status == 4
    assert cli.sft("gus", "get", "leos.txt", "--to", "leo-out").status == 0
    assert cli.sft("gus", "ls", "leos.txt", "--json").document[0]["owner"] == "max"


def test_an_invitation_works_once_for_whom_it_is_for(cli: LiveCli):
    made = cli.sft("ada", "invite", "--user", "ivo", "--role", "maintainer", "--expires", "12h")
    assert made.status == 0
    assert made.out.startswith("sft://127.0.0.1:")
    assert made.out.count("\n") == 1
    assert "For ivo, maintainer, once, until " in made.err
    assert "The link works on this machine only" in made.err
    other = cli.sft("eve", "join", "--user", "eve", "--no-passphrase", stdin=made.out)
    assert other.status == 5
    assert "[NAME_RESERVED]" in other.err
    joined = cli.sft("ivo", "join", "--no-passphrase", stdin=made.out)
    assert joined.status == 0
    assert "as ivo, maintainer, device" in joined.out
    again = cli.sft("ivo", "join", "--no-passphrase", stdin=made.out)
    assert again.status == 0, "the same invitation with the same key goes on"
    late = cli.sft("zoe", "join", "--user", "ivo", "--no-passphrase", stdin=made.out)
    assert late.status == 5
    assert "[INVITE_USED]" in late.err


def test_a_taken_name_spends_nothing(cli: LiveCli):
    link = cli.sft("ada", "invite").out
    taken = cli.sft("new", "join", "--user", "MAX", "--no-passphrase", stdin=link)
    assert taken.status == 5
    assert "[NAME_TAKEN]" in taken.err
    assert cli.sft("new", "join", "--user", "nina", "--no-passphrase", stdin=link).status == 0


def test_a_withdrawn_invitation_lets_nobody_in(cli: LiveCli):
    made = cli.sft("ada", "invite", "--json").document
    assert cli.sft("ada", "invite", "withdraw", str(made["id"])).status == 0
    states = {one["id"]: one["state"] for one in cli.sft("ada", "invite", "list", "--json").document}
    assert states[made["id"]] == "withdrawn"
    late = cli.sft("wim", "join", "--user", "wim", "--no-passphrase", stdin=made["link"])
    assert late.status == 5
    assert "[INVITE_WITHDRAWN]" in late.err


def test_absent_people_and_files(cli: LiveCli):
    for arguments in (("role", "nobody", "guest"), ("get", "nothing"), ("info", "nothing"), ("rm", "nothing")):
        assert cli.sft("ada", *arguments).status == 3, arguments

"""Roles and people, as those who have them meet them."""

from __future__ import annotations

import pytest

from tests.e2e.cli_world import CliWorld, running


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cli-roles")) as world:
        world.join("ada", "admin")
        world.join("max", "maintainer")
        world.join("mia", "maintainer")
        world.join("gus", "guest")
        world.sft("max", "put", world.file("b.txt", b"hello"), "--to", "docs")
        yield world


def test_a_guest_reads_and_changes_nothing(world: CliWorld):
    assert world.sft("gus", "get", "docs/b.txt", "--to", "out").status == 0
    put = world.sft("gus", "put", world.file("c.txt", b"x"))
    assert put.status == 4
    assert put.err.splitlines()[0] == "sft: Guests do not store files [ROLE_FORBIDS]"
    assert "sft role gus maintainer" in put.err
    for arguments in (("rm", "docs/b.txt"), ("mkdir", "x"), ("mv", "docs/b.txt", "y"), ("invite",)):
        assert world.sft("gus", *arguments).status == 4, arguments


def test_a_maintainer_manages_own_files_alone(world: CliWorld):
    removed = world.sft("mia", "rm", "docs/b.txt")
    assert removed.status == 4
    assert "b.txt belongs to max: only they or an admin may delete it [NOT_YOURS]" in removed.err
    world.file("b.txt", b"changed")
    replaced = world.sft("mia", "put", "b.txt", "--to", "docs", "--replace")
    assert replaced.status == 4
    for arguments in (
        ("role", "gus", "admin"),
        ("invite",),
        ("disable", "gus"),
        ("remove", "gus", "--yes"),
    ):
        assert world.sft("mia", *arguments).status == 4, arguments


def test_everybody_sees_who_is_there_with_their_keys(world: CliWorld):
    listed = {user["user"]: user for user in world.sft("gus", "users", "--json").document}
    roles = [listed[name]["role"] for name in ("ada", "max", "gus")]
    assert roles == ["admin", "maintainer", "guest"]
    words = world.sft("max", "key", "--json").document["key_words"]
    assert listed["max"]["devices"][0]["key_words"] == words


def test_a_new_role_holds_at_once(world: CliWorld):
    world.join("tim", "guest")
    assert world.sft("ada", "role", "tim", "maintainer").lines == [
        "tim is a maintainer now (was guest)."
    ]
    assert world.sft("tim", "put", world.file("tims.txt", b"x")).status == 0
    assert world.sft("tim", "whoami", "--json").document["role"] == "maintainer"
    world.sft("ada", "role", "tim", "guest")
    assert world.sft("tim", "put", world.file("tims2.txt", b"y")).status == 4


def test_the_last_admin_stays(world: CliWorld):
    for arguments in (("role", "ada", "guest"), ("disable", "ada"), ("remove", "ada", "--yes")):
        refused = world.sft("ada", *arguments)
        assert refused.status == 4
        assert "ada is the only admin; someone must be [LAST_ADMIN]" in refused.err


def test_a_disabled_person_is_out_until_enabled(world: CliWorld):
    world.join("una", "guest")
    assert world.sft("ada", "disable", "una").status == 0
    refused = world.sft("una", "ls")
    assert refused.status == 4
    assert "[LOGIN_REFUSED]" in refused.err
    assert world.sft("ada", "enable", "una").status == 0
    assert world.sft("una", "ls").status == 0


def test_a_removed_person_is_out_and_the_files_stay(world: CliWorld):
    world.join("leo", "maintainer")
    world.sft("leo", "put", world.file("leos.txt", b"leo"))
    assert world.sft("ada", "remove", "leo").status == 2
    removed = world.sft("ada", "remove", "leo", "--files-to", "max", "--yes")
    assert removed.status == 0
    assert "signed by leo; they belong to max now." in removed.out.replace("The one file stays", "")
    assert world.sft("leo", "ls").status == 4
    assert world.sft("gus", "get", "leos.txt", "--to", "leo-out").status == 0
    assert world.sft("gus", "ls", "leos.txt", "--json").document[0]["owner"] == "max"


def test_an_invitation_works_once_for_whom_it_is_for(world: CliWorld):
    made = world.sft("ada", "invite", "--user", "ivo", "--role", "maintainer", "--expires", "12h")
    assert made.status == 0
    assert made.out.startswith("sft://127.0.0.1:")
    assert made.out.count("\n") == 1
    assert "For ivo, maintainer, once, until " in made.err
    assert "The link works on this machine only" in made.err
    other = world.sft("eve", "join", "--user", "eve", "--no-passphrase", stdin=made.out)
    assert other.status == 5
    assert "[NAME_RESERVED]" in other.err
    joined = world.sft("ivo", "join", "--no-passphrase", stdin=made.out)
    assert joined.status == 0
    assert "as ivo, maintainer, device" in joined.out
    again = world.sft("ivo", "join", "--no-passphrase", stdin=made.out)
    assert again.status == 0, "the same invitation with the same key goes on"
    late = world.sft("zoe", "join", "--user", "ivo", "--no-passphrase", stdin=made.out)
    assert late.status == 5
    assert "[INVITE_USED]" in late.err


def test_a_taken_name_spends_nothing(world: CliWorld):
    link = world.sft("ada", "invite").out
    taken = world.sft("new", "join", "--user", "MAX", "--no-passphrase", stdin=link)
    assert taken.status == 5
    assert "[NAME_TAKEN]" in taken.err
    assert world.sft("new", "join", "--user", "nina", "--no-passphrase", stdin=link).status == 0


def test_a_withdrawn_invitation_lets_nobody_in(world: CliWorld):
    made = world.sft("ada", "invite", "--json").document
    assert world.sft("ada", "invite", "withdraw", str(made["id"])).status == 0
    states = {
        one["id"]: one["state"] for one in world.sft("ada", "invite", "list", "--json").document
    }
    assert states[made["id"]] == "withdrawn"
    late = world.sft("wim", "join", "--user", "wim", "--no-passphrase", stdin=made["link"])
    assert late.status == 5
    assert "[INVITE_WITHDRAWN]" in late.err


def test_absent_people_and_files(world: CliWorld):
    for arguments in (
        ("role", "nobody", "guest"),
        ("get", "nothing"),
        ("info", "nothing"),
        ("rm", "nothing"),
    ):
        assert world.sft("ada", *arguments).status == 3, arguments

"""whoami, users, role, disable, enable and remove."""

from __future__ import annotations

import json

import msgspec
import pytest

from sft.errors import LastAdminError
from sft.model.access import Role
from sft.model.records import ServerInfo, UserPage, UserState
from sft.wire.messages import (
    ChangeRole,
    DisableUser,
    EnableUser,
    ListUsers,
    RemoveUser,
    SelfShown,
    ShowSelf,
    ShowUser,
    UserList,
    UserShown,
)
from tests.unit.cli.cli_fixture import KEY, OTHER_KEY, SERVER, refusing, user


def test_whoami_asks_for_the_role(cli):
    info = ServerInfo("acme-files", "files.acme.org:7361", SERVER.point, SERVER.server_id(), "invite")
    cli.answers[ShowSelf] = lambda request: SelfShown(request.id, user("ada", Role.MAINTAINER), info)
    ran = cli.run("whoami", "--json")
    assert json.loads(ran.out) == {
        "profile": "acme-files",
        "server": "acme-files",
        "address": "files.acme.org:7361",
        "user": "ada",
        "role": "maintainer",
        "device": "ada-laptop",
        "default": True,
        "key_words": KEY.public.words(),
        "minisign_key": KEY.public.text(),
        "server_key_words": SERVER.words(),
        "log": None,
        "owned": {"files": 17, "bytes": 671_088_640, "quota_files": None, "quota_bytes": None},
    }
    text = cli.run("whoami").out
    for expected in ("files.acme.org:7361", KEY.public.words(), KEY.public.text(), SERVER.words()):
        assert expected in text
    assert "maintainer: reads every file, stores files and manages their own" in text
    assert all(session.closed for session in cli.sessions)


def test_users_on_a_terminal_in_a_pipe_and_in_json(cli):
    people = (user("ada", Role.ADMIN, id=1), user("ivo", state=UserState.DISABLED))
    cli.answers[ListUsers] = lambda request: UserList(request.id, UserPage(people))
    words = OTHER_KEY.public.words()
    lines = cli.run("users", terminal=True).lines
    assert lines[0].split() == ["name", "role", "state", "files", "size", "quota", "key"]
    assert lines[1].startswith("●  ada   admin")
    assert lines[2].startswith("⊘  ivo   guest  disabled     17  640 MiB  ")
    assert lines[2].endswith(words)
    assert cli.run("users").lines[1] == f"ivo\tguest\tdisabled\t17\t671088640\t\t\t{words}"
    document = json.loads(cli.run("users", "--json").out)[1]
    assert document["user"] == "ivo"
    assert document["devices"][0]["key_words"] == words


@pytest.mark.parametrize(
    "name, role, before, said",
    [
        ("gus", "maintainer", "guest", "gus is a maintainer now (was guest)."),
        ("eva", "admin", "guest", "eva is an admin now (was guest)."),
        ("gus", "guest", "guest", "gus is a guest already."),
    ],
)
def test_a_role_is_changed(cli, name, role, before, said):
    cli.answers[ChangeRole] = lambda request: UserShown(request.id, user(request.name, request.role), before)
    assert cli.run("role", name, role).lines == [said]
    document = json.loads(cli.run("role", name, role, "--json").out)
    assert (document["user"], document["role"], document["before"]) == (name, role, before)


def test_the_last_admin_stays(cli):
    cli.answers[ChangeRole] = refusing(LastAdminError(name="ada"))
    ran = cli.run("role", "ada", "guest")
    assert ran.status == 4
    assert "ada is the only admin; someone must be [LAST_ADMIN]" in ran.err


def test_disabling_and_enabling_say_how_to_go_back(cli):
    cli.answers[DisableUser] = lambda request: UserShown(request.id, user(request.name, state=UserState.DISABLED))
    cli.answers[EnableUser] = lambda request: UserShown(request.id, user(request.name))
    assert "Back: sft enable ivo" in cli.run("disable", "ivo").out
    assert cli.run("enable", "ivo").lines == ["ivo can sign in again, as guest."]
    assert json.loads(cli.run("disable", "ivo", "--json").out)["state"] == "disabled"


@pytest.fixture
def removing(cli):
    cli.answers[ShowUser] = lambda request: UserShown(request.id, user(request.name))
    cli.answers[RemoveUser] = lambda request: UserShown(
        request.id, user(request.name, state=UserState.REMOVED, files=0)
    )
    return cli


def removals(cli) -> list[RemoveUser]:
    return [r for s in cli.sessions for r in s.asked if isinstance(r, RemoveUser)]


def test_a_removal_without_a_terminal_needs_yes(removing):
    ran = removing.run("remove", "ivo", "--files-to", "eva")
    assert ran.status == 2
    assert "sft remove ivo --files-to eva --yes" in ran.err
    assert not removing.sessions


def test_a_removal_names_what_happens_to_the_files(removing):
    ran = removing.run("remove", "ivo", "--yes")
    assert ran.lines == ["ivo is removed. The 17 files stay, signed by ivo, and belong to ada."]
    document = json.loads(removing.run("remove", "ivo", "--files-to", "eva", "--yes", "--json").out)
    assert (document["files"], document["files_to"], document["state"]) == (17, "eva", "removed")
    assert [request.files_to for request in removals(removing)] == ["", "eva"]


def test_on_a_terminal_the_name_is_typed(removing):
    ran = removing.run("remove", "ivo", typed="ivo\n")
    assert ran.status == 0
    assert ran.err == (
        "Remove ivo? Signed out now, for good. The 17 files stay, signed by ivo, and will belong to ada. Type ivo: "
    )
    ran = removing.run("remove", "ivo", typed="yes\n")
    assert (ran.status, len(removals(removing))) == (130, 1)
    assert ran.err.endswith("Nobody was removed.\n")


def test_what_is_no_key_does_not_keep_the_others_from_being_shown(cli):
    odd = user("eva", id=6)
    odd = msgspec.structs.replace(odd, keys=(msgspec.structs.replace(odd.keys[0], public_key=bytes(42)),))
    cli.answers[ListUsers] = lambda request: UserList(request.id, UserPage((odd, user("ivo")), 0))
    ran = cli.run("users")
    assert ran.status == 0
    assert [line.split("\t")[-1] for line in ran.lines] == ["no valid key", OTHER_KEY.public.words()]
    first, second = json.loads(cli.run("users", "--json").out)
    assert (first["devices"][0]["key_words"], first["devices"][0]["minisign_key"]) == (None, None)
    assert second["devices"][0]["key_words"] == OTHER_KEY.public.words()

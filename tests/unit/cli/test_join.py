from __future__ import annotations

import dataclasses
import json

import pytest

from sft.errors import NameTakenError
from sft.model.access import Role
from sft.model.links import InvitationLink, ServerLink
from sft.model.records import UserPage
from sft.wire.messages import ListUsers, UserList
from tests.unit.cli.cli_fixture import SERVER, user

LINK = InvitationLink(
    "files.acme.org",
    7361,
    SERVER.point,
    "acme-files",
    bytes(range(32)),
    Role.GUEST,
    1_777_989_600,
    server_id=SERVER.server_id(),
)


@pytest.mark.parametrize("arguments", [(LINK.text(),), (LINK.text(), "--user", "ivo"), ("acme", LINK.text())])
def test_a_link_as_an_argument_is_refused_and_not_repeated(stranger, arguments):
    ran = stranger.run("join", *arguments)
    assert ran.status == 2
    assert "everybody on this computer can read it" in ran.err
    assert "--link-file FILE" in ran.err
    assert LINK.text().partition("#")[2] not in ran.err + ran.out


def test_any_other_argument_is_told_how_it_goes(stranger):
    ran = stranger.run("join", "files.acme.org")
    assert ran.status == 2
    assert "--user NAME" in ran.err


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_pasted(stranger, text):
    ran = stranger.run("join", piped=text)
    assert ran.status == 2
    assert "No link was given" in ran.err


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_cut_link_is_told_from_one_that_is_no_longer_good(stranger, cut):
    ran = stranger.run("join", piped=LINK.text()[:-cut])
    assert ran.status == 2
    assert "[LINK_INCOMPLETE]" in ran.err
    assert not stranger.home.exists()


def test_off_a_terminal_a_name_is_not_guessed(stranger):
    ran = stranger.run("join", "--no-passphrase", piped=LINK.text())
    assert ran.status == 2
    assert "--user NAME" in ran.err


def test_off_a_terminal_a_key_is_not_left_unprotected_silently(stranger):
    ran = stranger.run("join", "--user", "ivo", piped=LINK.text())
    assert ran.status == 2
    assert "--no-passphrase, or set SFT_PASSPHRASE_FILE" in ran.err


def test_names_are_checked_before_anything_is_stored(stranger):
    for option in ("--user", "--device"):
        arguments = {"--user": "ivo", "--device": "laptop", option: "a  b"}
        ran = stranger.run(
            "join", "--no-passphrase", *(x for pair in arguments.items() for x in pair),
            piped=LINK.text(),
        )  # fmt: skip
        assert "[USER_NAME_NOT_ALLOWED]" in ran.err
    assert not stranger.home.exists()


def test_a_link_file_that_cannot_be_read(stranger, tmp_path):
    ran = stranger.run("join", "--link-file", str(tmp_path / "none"))
    assert ran.status == 2
    assert "cannot be read" in ran.err


def test_on_a_terminal_everything_is_asked_for(stranger):
    stranger.secrets = ["secret", "secret"]
    stranger.environ["LOGNAME"] = "ivo"
    ran = stranger.run("join", typed=f"{LINK.text()}\n\nMax's  desk\nMax's desk\n")
    assert ran.status == 0
    assert ran.err.splitlines()[0] == (
        "Paste the invitation, then Enter: acme-files at files.acme.org:7361. You will be guest. "
        "The server is the one that made this invitation: nothing to compare."
    )
    assert "Your name there [ivo]: Name of this computer [" in ran.err
    # One that is no name is asked for again, and nothing before it.
    assert ran.err.count("Name of this computer [") == 2
    assert ran.err.count("[USER_NAME_NOT_ALLOWED]") == 1
    assert stranger.prompts == ["New passphrase, to protect your key on this computer (Enter for none): ", "Again: "]
    given = stranger.joins[0]
    assert (given["user_name"], given["device"], given["passphrase"]) == ("ivo", "Max's desk", "secret")
    assert ran.lines[0].startswith("Joined acme-files as ivo. You are a guest: you read every file, and store none. ")
    assert "Everyone who joins can read every file stored there." in ran.lines[0]


def test_a_machine_joins_with_options_alone(stranger, tmp_path):
    (tmp_path / "link").write_text(LINK.text() + "\n")
    ran = stranger.run(
        "join", "--link-file", str(tmp_path / "link"), "--user", "max", "--no-passphrase",
        "--device", "build7",
    )  # fmt: skip
    assert ran.lines == ["joined    acme-files (files.acme.org:7361) as max, guest, device ada-laptop"]
    assert "Your key has no passphrase: whoever can read your files on this computer can act as max. " in ran.err
    assert (stranger.joins[0]["passphrase"], stranger.joins[0]["device"]) == (None, "build7")


def test_a_passphrase_can_come_from_a_file(stranger, tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "secret").chmod(0o600)
    stranger.environ["SFT_PASSPHRASE_FILE"] = str(tmp_path / "secret")
    ran = stranger.run("join", "--user", "ivo", piped=LINK.text())
    assert ran.status == 0
    assert stranger.joins[0]["passphrase"] == "from a file"
    assert "no passphrase" not in ran.err


def test_a_key_of_ones_own_is_not_given_a_passphrase(stranger):
    ran = stranger.run("join", "--user", "ivo", "--key", "mine.key", piped=LINK.text())
    assert ran.status == 0
    assert str(stranger.joins[0]["key_file"]) == "mine.key"
    assert "Sign nothing else with this key by minisign -l" in ran.err
    assert "no passphrase" not in ran.err


def test_json_has_the_shape_of_whoami(stranger):
    ran = stranger.run("join", "--user", "ivo", "--no-passphrase", "--json", piped=LINK.text())
    assert {"server", "address", "user", "role", "device", "key_words", "minisign_key", "server_key_words"} <= set(
        json.loads(ran.out)
    )


def test_a_server_link_shows_the_key_to_compare(stranger):
    open_link = ServerLink("files.acme.org", 7361, SERVER.point, "acme-files", server_id=SERVER.server_id()).text()
    stranger.secrets = [""]
    ran = stranger.run("join", typed=f"{open_link}\nivo\n\n")
    assert f"to compare with what its operator says: {SERVER.words()}" in ran.err


def test_an_admin_who_is_alone_is_told(stranger):
    alone = UserPage((user("ada", Role.ADMIN), user("gus", id=8)))
    stranger.answers[ListUsers] = lambda request: UserList(request.id, alone)
    admin = dataclasses.replace(LINK, role=Role.ADMIN, user_name="ada")
    ran = stranger.run("join", "--no-passphrase", typed=f"{admin.text()}\n\n")
    assert ran.lines[-1].startswith("You are the only admin. Invite a second one soon.")
    alone = UserPage((user("ada", Role.ADMIN), user("eva", Role.ADMIN, id=8)))
    ran = stranger.run("join", "--no-passphrase", typed=f"{admin.text()}\n\n")
    assert "only admin" not in ran.out


def test_a_refusal_is_told_and_the_invitation_is_still_good(stranger):
    stranger.refuses = [NameTakenError(name="ivo", server="acme-files")]
    ran = stranger.run("join", "--user", "ivo", "--no-passphrase", piped=LINK.text())
    assert ran.status == 5
    assert "ivo exists on acme-files already [NAME_TAKEN]" in ran.err
    assert "no invitation was spent" in ran.err

from __future__ import annotations

import json

import pytest

from sft.model.access import Role
from sft.model.links import parse_invitation
from sft.model.records import Invitation, InvitationState, ServerInfo
from sft.wire.messages import Done, InvitationList, InvitationShown, ListInvitations, MakeInvitation, WithdrawInvitation
from tests.unit.cli.cli_fixture import SERVER

UNTIL = 1_777_989_600  # Tue 5 May 14:00


def made(request: MakeInvitation) -> Invitation:
    return Invitation(
        id=4,
        public_key=request.public_key,
        role=request.role,
        name=request.name,
        maker="ada",
        created_at=UNTIL - request.seconds,
        expires_at=UNTIL,
        state=InvitationState.OPEN,
    )


@pytest.fixture
def inviting(cli):
    def answer(request: MakeInvitation, address: str = "files.acme.org:7361") -> InvitationShown:
        info = ServerInfo("acme-files", address, SERVER.point, SERVER.server_id(), "invite")
        return InvitationShown(request.id, made(request), info)

    cli.answers[MakeInvitation] = answer
    return cli


def test_the_link_is_alone_on_standard_output(inviting):
    ran = inviting.run("invite", "--user", "ivo")
    link = parse_invitation(ran.out)
    assert ran.lines == [link.text()]
    assert (link.user_name, link.role, link.server_key) == ("ivo", Role.GUEST, SERVER.point)
    assert ran.err == (
        "For ivo, guest, once, until Tue 5 May 14:00. Whoever has this line can join with it: send it to ivo alone.\n"
    )


def test_quiet_still_prints_the_link(inviting):
    ran = inviting.run("invite", "-q")
    assert ran.out.startswith("sft://")
    assert not ran.err


@pytest.mark.parametrize(
    "text, seconds", [("2d", 172_800), ("12h", 43_200), ("90m", 5400), ("1w", 604_800), ("30d", 2_592_000)]
)
def test_how_long_it_is_good(inviting, text, seconds):
    inviting.run("invite", "--role", "maintainer", "--expires", text)
    request = inviting.sessions[-1].asked[-1]
    assert (request.seconds, request.role, request.name) == (seconds, Role.MAINTAINER, None)


@pytest.mark.parametrize("text", ["2", "d", "0h", "31d", "-1h", "1y", "2d 3h"])
def test_no_other_time_is_taken(inviting, text):
    assert inviting.run("invite", f"--expires={text}").status == 2
    assert not inviting.sessions


@pytest.mark.parametrize("address", ["127.0.0.1:7361", "[::1]:7361", "localhost:7361"])
def test_a_link_to_this_machine_alone_is_told(inviting, address):
    answer = inviting.answers[MakeInvitation]
    inviting.answers[MakeInvitation] = lambda request: answer(request, address)
    ran = inviting.run("invite")
    assert "The link works on this machine only" in ran.err
    assert ran.out.count("\n") == 1


def test_a_link_can_go_to_a_file_that_only_its_owner_reads(inviting, tmp_path):
    path = tmp_path / "link"
    ran = inviting.run("invite", "--write", str(path))
    assert not ran.out
    assert path.stat().st_mode & 0o777 == 0o600
    parse_invitation(path.read_text())
    ran = inviting.run("invite", "--write", str(path), "--json")
    assert ran.status == 5
    assert len(inviting.sessions) == 1


def test_a_file_goes_if_there_is_no_link(inviting, tmp_path):
    inviting.refuses = [ZeroDivisionError()]
    assert inviting.run("invite", "--write", str(tmp_path / "link")).status == 11
    assert not (tmp_path / "link").exists()


def test_json(inviting, tmp_path):
    document = json.loads(inviting.run("invite", "--user", "ivo", "--json").out)
    assert (document["user"], document["file"], document["state"]) == ("ivo", None, "open")
    assert document["expires_at"] == "2026-05-05T14:00:00Z"
    parse_invitation(document["link"])
    written = json.loads(inviting.run("invite", "--write", str(tmp_path / "l"), "--json").out)
    assert written["link"] is None


def test_a_name_is_checked_before_anything_is_asked(inviting):
    ran = inviting.run("invite", "--user", "a b")
    assert "[USER_NAME_NOT_ALLOWED]" in ran.err
    assert not inviting.sessions


def test_the_list(inviting):
    used = Invitation(
        id=3, public_key=bytes(32), role=Role.GUEST, name="gus", maker="ada", created_at=0,
        expires_at=UNTIL, state=InvitationState.USED, used_by="gus", used_at=1,
    )  # fmt: skip
    still = Invitation(
        id=12, public_key=bytes(32), role=Role.ADMIN, name=None, maker="eva", created_at=0,
        expires_at=UNTIL, state=InvitationState.OPEN,
    )  # fmt: skip
    inviting.answers[ListInvitations] = lambda request: InvitationList(request.id, (used, still))
    assert inviting.run("invite", "list", terminal=True).lines == [
        "id  for      role   state        until            by",
        " 3  gus      guest  used by gus  Tue 5 May 14:00  ada",
        "12  anybody  admin  open         Tue 5 May 14:00  eva",
    ]
    assert [line.split("\t") for line in inviting.run("invite", "list").lines] == [
        ["3", "gus", "guest", "used", "gus", "2026-05-05T14:00:00Z", "ada"],
        ["12", "", "admin", "open", "", "2026-05-05T14:00:00Z", "eva"],
    ]
    document = json.loads(inviting.run("invite", "list", "--json").out)
    assert [one["id"] for one in document] == [3, 12]
    assert "public_key" not in document[0]


def test_withdrawing(inviting):
    inviting.answers[WithdrawInvitation] = lambda request: Done(request.id)
    ran = inviting.run("invite", "withdraw", "12")
    assert ran.lines == ["Invitation 12 is withdrawn: nobody joins with it."]
    assert inviting.sessions[0].asked[0].invitation_id == 12
    assert not any(isinstance(r, MakeInvitation) for r in inviting.sessions[0].asked)


def test_who_withdraws_by_name_is_shown_where_the_numbers_are(inviting):
    ran = inviting.run("invite", "withdraw", "zoe")
    assert "zoe is no number of an invitation" in ran.err
    assert "See theirs: sft invite list" in ran.err
    assert not inviting.sessions

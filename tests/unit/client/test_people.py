from __future__ import annotations

import pytest

from sft.client.api import people
from sft.crypto.keys import InvitationKey
from sft.errors import NotFoundError, RemoteProtocolError
from sft.model.access import Role
from sft.model.links import parse_invitation
from sft.model.records import Invitation, InvitationState, ServerInfo, SessionInfo, UserPage
from sft.wire.messages import Done, InvitationShown, KickSession, SessionList, UserList
from tests.unit.client.log_in_memory import USERS
from tests.unit.client.memory_server import ADA_KEY, MAX_KEY, SERVER, SERVER_KEY, user


@pytest.mark.parametrize(("told", "address"), [("files.acme.example:7361", "files.acme.example:7361"), ("", "x:1")])
def test_an_invitations_secret_is_in_the_link_and_never_sent(server, told, address):
    def made(m):
        invitation = Invitation(5, m.public_key, m.role, m.name, "ada", 1, 900, InvitationState.OPEN)
        info = ServerInfo(SERVER.name, told, SERVER.public_key, SERVER.server_id, "invite")
        server.send(InvitationShown(id=m.id, invitation=invitation, server=info))

    server._make_invitation = made
    link, invitation = server.run(people.invite(server.connection, role=Role.GUEST, name="gus", seconds=60))
    assert parse_invitation(link.text()) == link
    assert InvitationKey.from_seed(link.seed).point == server.received[-1].public_key
    assert link.seed not in repr(server.received).encode()
    assert (link.address, link.user_name, link.role) == (address, "gus", Role.GUEST)
    assert (link.server_key, link.expires_at) == (SERVER_KEY.public.point, 900)
    assert invitation.id == 5


def list_page(server, request, users, following):
    evidence = server.log.evidence([(USERS, each.id - 1) for each in users])
    server.send(UserList(id=request.id, page=UserPage(users, following), evidence=evidence))


def test_every_page_of_the_registry_is_listed_and_admins_are_named(server):
    import msgspec

    admin = msgspec.structs.replace(user(9, "eva", ADA_KEY), role=Role.ADMIN)
    server.users[8] = user(8, "gus", MAX_KEY)
    server.users[9] = admin
    pages = {0: ((server.users[7], server.users[8]), 8), 8: ((admin,), 0)}
    server._list_users = lambda m: list_page(server, m, *pages[m.after])
    assert [u.name for u in server.run(people.list_users(server.connection))] == ["ada", "gus", "eva"]
    assert server.run(people.admins(server.connection)) == ["eva"]


def test_a_registry_that_begins_again_ends(server):
    server._list_users = lambda m: list_page(server, m, (server.users[7],), 7)
    with pytest.raises(RemoteProtocolError):
        server.run(people.list_users(server.connection))


def test_who_is_connected_is_listed(server):
    live = SessionInfo(3, "max", "maintainer", "127.0.0.1:5", 3000, "storing a")
    server._list_sessions = lambda m: server.send(SessionList(id=m.id, sessions=(live,)))
    assert server.run(people.list_sessions(server.connection)) == [live]


@pytest.mark.parametrize("lives", [True, False])
def test_a_session_is_ended_by_its_number_and_one_that_is_gone_is_said(server, lives):
    server._kick_session = lambda m: server.send(Done(id=m.id, changed=lives))
    if lives:
        server.run(people.kick(server.connection, 3))
    else:
        with pytest.raises(NotFoundError) as refused:
            server.run(people.kick(server.connection, 3))
        assert refused.value.values["name"] == "3"
    (asked,) = server.received
    assert (type(asked), asked.session_id) == (KickSession, 3)

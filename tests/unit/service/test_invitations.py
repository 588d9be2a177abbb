"""Making, listing and withdrawing invitations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.crypto.keys import SigningKey
from sft.errors import (
    BadRequestError,
    InviteUsedError,
    InviteWithdrawnError,
    LoginRefusedError,
    NameTakenError,
    NotFoundError,
    RoleForbidsError,
    TooLargeError,
    UserNameNotAllowedError,
)
from sft.limits import INVITATION_MOST_SECONDS, INVITATION_SECONDS, LIST_BYTES
from sft.model import access
from sft.model.access import Permission, Role
from sft.model.records import InvitationState
from sft.service import accounts, invitations, login
from sft.service.accounts import AddUserInput
from sft.service.invitations import (
    SHOWN_SECONDS,
    FirstAdmin,
    MadeInvitation,
    MakeInvitationInput,
    WithdrawInvitationInput,
)
from sft.service.login import JoinInput
from sft.store.row_types import InvitationRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, OPERATOR, SERVER_KEY, ServiceFixture

KEY = b"i" * 32


def office_key(number: int) -> bytes:
    return SigningKey.from_seed(bytes([90 + number]) * 32, bytes(8)).public.encode()


def make(services: ServiceFixture, **fields: Any) -> MadeInvitation:
    given = {"caller": ADA.caller, "public_key": KEY}
    return services.act(invitations.make, MakeInvitationInput(**(given | fields)))


def rows(services: ServiceFixture) -> list[InvitationRow]:
    with services.reading() as reading:
        return reading.rows.all(rows_of(InvitationRow))


def states(services: ServiceFixture) -> dict[int, InvitationState]:
    return {i.id: i.state for i in services.ask(invitations.list_all, ADA)}


def test_an_invitation_is_for_a_guest_and_two_days_unless_told(services: ServiceFixture) -> None:
    made = make(services).invitation
    assert (made.id, made.public_key, made.role, made.name) == (1, KEY, Role.GUEST, None)
    assert (made.created_at, made.expires_at) == (NOW, NOW + INVITATION_SECONDS)
    assert (made.maker, made.state) == ("ada", InvitationState.OPEN)
    server = make(services).server
    assert (server.name, server.address) == ("acme-files", "localhost:7361")
    assert server.public_key == SERVER_KEY.public.point


def test_the_operator_invites_too(services: ServiceFixture) -> None:
    made = make(services, caller=OPERATOR, role=Role.ADMIN, name="eva", seconds=60).invitation
    assert (made.maker, made.role, made.name) == ("operator", Role.ADMIN, "eva")
    assert made.expires_at == NOW + 60
    assert rows(services)[0].maker_id is None


def test_the_same_again_is_the_same_invitation(services: ServiceFixture) -> None:
    first = make(services, name="eva")
    services.now += 9
    assert make(services, name="eva") == first
    assert len(rows(services)) == 1
    for other in ({"role": Role.ADMIN}, {"name": "ivo"}, {"name": None}, {"caller": OPERATOR}):
        with pytest.raises(BadRequestError):
            make(services, **({"name": "eva"} | other))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"seconds": INVITATION_MOST_SECONDS + 1}, TooLargeError),
        ({"name": "MAX"}, NameTakenError),
        ({"name": "operator"}, NameTakenError),
        ({"name": "a/b"}, UserNameNotAllowedError),
        ({"name": "e\u0301va"}, BadRequestError),
        ({"caller": MAX.caller}, RoleForbidsError),
        ({"caller": replace(GUS.caller, role=Role.ADMIN)}, RoleForbidsError),
    ],
)
def test_what_is_no_invitation(services: ServiceFixture, fields: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        make(services, **fields)
    assert rows(services) == []


def test_thirty_days_are_the_most(services: ServiceFixture) -> None:
    assert make(services, seconds=INVITATION_MOST_SECONDS).invitation.expires_at == NOW + 2_592_000


@pytest.mark.parametrize(
    ("change", "kind"), [({"role": "maintainer"}, RoleForbidsError), ({"state": "disabled"}, LoginRefusedError)]
)
def test_what_an_admin_lost_before_the_commit_counts(
    services: ServiceFixture, change: dict[str, str], kind: type[Exception]
) -> None:
    make(services, caller=OPERATOR, public_key=b"k" * 32)
    items = [
        (invitations.make, MakeInvitationInput(ADA.caller, KEY)),
        (invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1)),
    ]
    services.change_user(ADA, **change)
    for act, item in items:
        with pytest.raises(kind):
            services.act(act, item)
    with pytest.raises(kind):
        services.ask(invitations.list_all, ADA)
    assert [row.withdrawn_at for row in rows(services)] == [None]


def test_the_list_says_what_became_of_each(services: ServiceFixture) -> None:
    services.change_user(MIA, role="admin")
    mia = replace(MIA.caller, role=Role.ADMIN)
    for number, fields in enumerate(
        [{}, {}, {"seconds": 100}, {}, {"caller": mia}, {"caller": mia}, {"caller": OPERATOR}], 1
    ):
        make(services, public_key=bytes([number]) * 32, **fields)
    services.act(login.join, JoinInput("ivo", office_key(1), "d", b"\1" * 32))
    services.act(login.join, JoinInput("eva", office_key(2), "d", b"\5" * 32))
    services.act(invitations.withdraw, WithdrawInvitationInput(OPERATOR, 2))
    services.change_user(MIA, role="maintainer")
    services.now += 100
    assert states(services) == {
        1: InvitationState.USED,
        2: InvitationState.WITHDRAWN,
        3: InvitationState.EXPIRED,
        4: InvitationState.OPEN,
        5: InvitationState.USED,
        6: InvitationState.WITHDRAWN,
        7: InvitationState.OPEN,
    }
    listed = services.ask(invitations.list_all, OPERATOR)
    assert [i.id for i in listed] == [7, 6, 5, 4, 3, 2, 1]
    assert [(i.used_by, i.used_at) for i in listed if i.state == "used"] == [("eva", NOW), ("ivo", NOW)]
    with pytest.raises(RoleForbidsError):
        services.ask(invitations.list_all, MAX)


def test_old_ones_are_not_listed(services: ServiceFixture) -> None:
    make(services, seconds=60)
    services.now += SHOWN_SECONDS + 60
    assert len(states(services)) == 1
    services.now += 1
    assert states(services) == {}


def test_a_list_fits_one_answer(services: ServiceFixture) -> None:
    with services.transaction() as transaction:
        transaction.rows.insert(
            [InvitationRow(n, n.to_bytes(32), "guest", "n" * 64, 1, NOW, NOW, NOW, 2, None) for n in range(1, 491)]
        )
    listed = services.ask(invitations.list_all, ADA)
    assert 200 < len(listed) < 490
    assert listed[0].id == 490
    assert len(msgspec.msgpack.encode(listed)) < LIST_BYTES + 16


def test_withdrawing_is_done_once(services: ServiceFixture) -> None:
    make(services)
    assert services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1)) is True
    services.now += 1
    assert services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1)) is False
    assert rows(services)[0].withdrawn_at == NOW
    with pytest.raises(NotFoundError) as refusal:
        services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 2))
    assert refusal.value.values["what"] == "invitation"


def test_a_used_invitation_is_not_withdrawn(services: ServiceFixture) -> None:
    make(services)
    services.act(login.join, JoinInput("ivo", office_key(1), "d", KEY))
    with pytest.raises(InviteUsedError):
        services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1))


def test_an_invitation_that_was_withdrawn_before_the_commit_admits_nobody(services: ServiceFixture) -> None:
    make(services)
    item = JoinInput("ivo", office_key(1), "d", KEY)
    services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1))
    assert isinstance(services.act_each(login.join, item)[0], InviteWithdrawnError)


def test_the_first_admins_invitation_is_made_while_nobody_can_invite(services: ServiceFixture) -> None:
    def asked() -> tuple[bool, Any]:
        with services.reading() as reading:
            needed = invitations.missing_admin(reading) == (True, False)
        with services.transaction() as transaction:
            return needed, invitations.first_admin(transaction, [FirstAdmin(KEY)])[0]

    assert asked() == (False, None)
    services.change_user(ADA, state="disabled")
    needed, invitation = asked()
    assert needed
    assert (invitation.role, invitation.maker) == (Role.ADMIN, "operator")
    assert invitation.expires_at == NOW + 24 * 3600
    assert asked() == (False, None)  # one is out
    services.act(invitations.withdraw, WithdrawInvitationInput(OPERATOR, 1))
    with services.reading() as reading:
        assert invitations.missing_admin(reading) == (True, False)


def test_an_invitation_that_ended_is_followed_by_another(services: ServiceFixture) -> None:
    services.change_user(ADA, role="guest")
    make(services, caller=OPERATOR, role=Role.ADMIN, seconds=50)
    with services.reading() as reading:
        assert invitations.missing_admin(reading) == (True, True)
    services.now += 50
    with services.reading() as reading:
        assert invitations.missing_admin(reading) == (True, False)


def test_two_starts_at_once_make_one_invitation(services: ServiceFixture) -> None:
    services.change_user(ADA, role="guest")
    with services.transaction() as transaction:
        made = invitations.first_admin(transaction, [FirstAdmin(KEY), FirstAdmin(b"j" * 32)])
    assert [invitation is None for invitation in made] == [False, True]


def test_whoever_may_invite_but_change_no_role_invites_and_adds_guests_alone(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No role is like that today; a table that has one must not hand out more than it says.
    hosts = {Permission.INVITATION_MANAGE, Permission.USER_MANAGE}
    table = {**access.ROLE_PERMISSIONS, Role.MAINTAINER: frozenset(hosts)}
    monkeypatch.setattr(access, "ROLE_PERMISSIONS", table)
    assert make(services, caller=MAX.caller).invitation.role is Role.GUEST
    services.act(accounts.add_user, AddUserInput(MAX.caller, "ivo", Role.GUEST, office_key(1)))
    with pytest.raises(RoleForbidsError):
        make(services, caller=MAX.caller, role=Role.ADMIN, public_key=b"j" * 32)
    with pytest.raises(RoleForbidsError):
        services.act(accounts.add_user, AddUserInput(MAX.caller, "eva", Role.ADMIN, office_key(2)))


@pytest.mark.parametrize("how", ["role", "disable", "remove"])
def test_who_is_no_longer_an_admin_has_no_open_invitation_then_or_ever_again(
    services: ServiceFixture, how: str
) -> None:
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.ADMIN))
    made = make(services, caller=MAX.caller).invitation.id
    others = make(services, public_key=b"j" * 32).invitation.id
    if how == "role":
        services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.GUEST))
        services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.ADMIN))
    elif how == "disable":
        services.act(accounts.disable, accounts.DisableInput(ADA.caller, "max"))
        services.act(accounts.enable, accounts.EnableInput(ADA.caller, "max"))
    else:
        services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))
    assert states(services) == {made: InvitationState.WITHDRAWN, others: InvitationState.OPEN}
    (row,) = [row for row in rows(services) if row.id == made]
    assert row.withdrawn_at == NOW
    with pytest.raises(InviteWithdrawnError):
        services.act(login.join, JoinInput("eva", office_key(7), "laptop", KEY))


def test_whose_role_stays_an_admins_keeps_what_was_made(services: ServiceFixture) -> None:
    made = make(services).invitation.id
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.ADMIN))
    services.act(accounts.change_role, accounts.ChangeRoleInput(MAX.caller, "ada", Role.ADMIN))
    assert states(services) == {made: InvitationState.OPEN}

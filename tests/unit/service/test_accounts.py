"""Getting in, and what is done about people; everything that decides is read inside the transaction."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.crypto.keys import SigningKey
from sft.errors import (
    BadRequestError,
    InviteExpiredError,
    InviteUnknownError,
    InviteUsedError,
    InviteWithdrawnError,
    KeyTakenError,
    LastAdminError,
    LoginRefusedError,
    NameReservedError,
    NameTakenError,
    NotFoundError,
    RegistrationClosedError,
    RequestError,
    RoleForbidsError,
    RowForgedError,
    TooLargeError,
    UserNameNotAllowedError,
)
from sft.limits import FIRST_ADMIN_SECONDS, INVITATION_SECONDS, LIST_BYTES, ROLES_MOST
from sft.model.access import Caller, Role
from sft.model.records import User, UserState
from sft.service import accounts, invitations
from sft.service import login as getting_in
from sft.service.accounts import AddUserInput, ChangeRoleInput, DisableInput, EnableInput, RemoveUserInput
from sft.service.folders import MoveInput, move
from sft.service.invitations import FirstAdmin, MakeInvitationInput, WithdrawInvitationInput
from sft.service.login import JoinInput, LoginInput
from sft.service.maintenance.check import check
from sft.service.record_builder import RecordBuilder
from sft.service.settings import Registration, SettingsChange, change_settings
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.invitations import invitation_by_public
from sft.store.row_types import DeviceKeyRow, FileRow, UserRoleRow, UserRow
from sft.store.statements import rows_of
from sft.store.users import roles_of, user_by_name, write_users
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, SALT, SERVER_KEY, Person, ServiceFixture

INVITATION = b"i" * 32


def new_key(number: int) -> bytes:
    return SigningKey.from_seed(bytes([100 + number]) * 32, bytes([number]) * 8).public.encode()


IVOS_KEY = new_key(1)
EVAS_KEY = new_key(2)


def invite(services: ServiceFixture, **fields: Any) -> None:
    item = MakeInvitationInput(**({"caller": ADA.caller, "public_key": INVITATION} | fields))
    services.act(invitations.make, item)


def ask_to_join(name: str = "ivo", **fields: Any) -> JoinInput:
    given = {"public_key": IVOS_KEY, "device": "laptop", "invitation": INVITATION}
    return JoinInput(name, **(given | fields))


def join(services: ServiceFixture, name: str = "ivo", **fields: Any) -> Caller:
    return services.act(getting_in.join, ask_to_join(name, **fields))


def refused(services: ServiceFixture, kind: type[RequestError], name: str = "ivo", **fields: Any) -> Any:
    """Join, expecting a refusal that leaves no trace."""
    before = everything(services)
    with pytest.raises(kind) as refusal:
        join(services, name, **fields)
    assert everything(services) == before
    return refusal.value.values


def everything(services: ServiceFixture) -> tuple[Any, ...]:
    with services.reading() as reading:
        rows = reading.rows
        invitation = invitation_by_public(reading, INVITATION)
        return rows.all(rows_of(UserRow)), rows.all(rows_of(DeviceKeyRow)), invitation


def policy(services: ServiceFixture, registration: Registration) -> None:
    with services.transaction() as transaction:
        change_settings(transaction, [SettingsChange(registration=registration)])


def user(services: ServiceFixture, name: str) -> UserRow:
    with services.reading() as reading:
        found = user_by_name(reading, name)
    assert found is not None
    return found


def login(services: ServiceFixture, name: str, key: bytes) -> Caller:
    with services.reading() as reading:
        return getting_in.login(reading, LoginInput(name, key, 5))


# -- login ------------------------------------------------------------------------------------------


def test_a_known_key_logs_in_by_its_users_name(services: ServiceFixture) -> None:
    assert login(services, "max", MAX.public_key) == replace(MAX.caller, session_id=5)
    assert login(services, "MAX", MAX.public_key).name == "max"


@pytest.mark.parametrize("name", ["ada", "nobody", "", "max2", "/"])
def test_a_key_is_good_for_its_own_name(services: ServiceFixture, name: str) -> None:
    # The same words whether that name exists or not: names cannot be probed.
    with pytest.raises(LoginRefusedError) as refusal:
        login(services, name, MAX.public_key)
    assert refusal.value.values == {"server": "acme-files"}


def test_a_key_is_known_by_all_of_its_bytes(services: ServiceFixture) -> None:
    same_id = MAX.public_key[:10] + IVOS_KEY[10:]
    for key in (IVOS_KEY, same_id, MAX.public_key[:-1]):
        with pytest.raises(LoginRefusedError) as refusal:
            login(services, "max", key)
        assert refusal.value.detail == "unknown here"


def test_whoever_is_locked_out_does_not_log_in(services: ServiceFixture) -> None:
    for state in ("disabled", "removed"):
        services.change_user(MAX, state=state)
        with pytest.raises(LoginRefusedError):
            login(services, "max", MAX.public_key)
    services.end_key(MIA)
    with pytest.raises(LoginRefusedError):
        login(services, "mia", MIA.public_key)


def test_any_device_of_a_user_logs_in(services: ServiceFixture) -> None:
    phone = services.add_key(MAX, SigningKey.from_seed(b"p" * 32, b"p" * 8))
    assert login(services, "max", phone.public_key).key_id == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET role = 'admin' WHERE id = 4",
        "UPDATE users SET name = 'ada' WHERE id = 4",
        "UPDATE device_keys SET user_id = 1 WHERE id = 4",
        "UPDATE device_keys SET public_key = X'4564' || substr(public_key, 3) || X'00' WHERE id = 4",
    ],
)
def test_a_forged_row_lets_nobody_in(services: ServiceFixture, statement: str) -> None:
    services.tamper(statement)
    with pytest.raises((RowForgedError, LoginRefusedError)) as refusal:
        login(services, "gus", GUS.public_key)
    assert isinstance(refusal.value, RowForgedError) or "public_key" in statement


# -- join by invitation -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_an_invitation_makes_a_user_of_its_role(services: ServiceFixture, role: Role) -> None:
    invite(services, role=role)
    services.now += 5
    assert join(services, session_id=8) == Caller(5, 5, "ivo", role, 8)
    assert user(services, "ivo") == UserRow(5, "ivo", "ivo", role, "active", services.now, SALT)
    with services.reading() as reading:
        (key,) = reading.rows.all(rows_of(DeviceKeyRow))[4:]
        row = invitation_by_public(reading, INVITATION)
        roles = roles_of(reading, [5])
    assert key == DeviceKeyRow(5, 5, IVOS_KEY, "laptop", services.now, None, 6)
    assert roles == {5: [UserRoleRow(5, 1, role, 6)]}
    assert row is not None
    assert (row.used_at, row.used_by_id) == (services.now, 5)
    assert login(services, "ivo", IVOS_KEY).role is role


def test_an_unknown_invitation_lets_nobody_in(services: ServiceFixture) -> None:
    assert refused(services, InviteUnknownError) == {"server": "acme-files"}


def test_an_invitation_works_once(services: ServiceFixture) -> None:
    invite(services)
    join(services)
    services.now += 3
    for other in ({"public_key": EVAS_KEY}, {"name": "eva"}, {"name": "eva", "public_key": EVAS_KEY}):
        assert refused(services, InviteUsedError, **other) == {"used_at": services.now - 3}


def test_the_same_join_again_succeeds_again(services: ServiceFixture) -> None:
    invite(services)
    first = join(services)
    services.now += 40 * 24 * 3600  # long after it ended
    services.change_user(ADA, role="guest")
    before = everything(services)
    assert join(services) == first
    assert join(services, "IVO") == first
    assert everything(services) == before


def test_joining_again_lets_no_locked_out_user_in(services: ServiceFixture) -> None:
    invite(services)
    join(services)
    with services.transaction() as transaction:
        transaction.rows.update([replace(user(services, "ivo"), state="disabled")])
    refused(services, LoginRefusedError)


def test_an_invitation_ends(services: ServiceFixture) -> None:
    invite(services)
    services.now += INVITATION_SECONDS - 1
    join(services)
    invite(services, public_key=b"j" * 32)
    services.now += INVITATION_SECONDS
    values = refused(services, InviteExpiredError, "eva", invitation=b"j" * 32, public_key=EVAS_KEY)
    assert values == {"expired_at": services.now, "maker": "ada"}


def test_a_withdrawn_invitation_is_void(services: ServiceFixture) -> None:
    invite(services)
    services.act(invitations.withdraw, WithdrawInvitationInput(ADA.caller, 1))
    assert refused(services, InviteWithdrawnError) == {}


@pytest.mark.parametrize("change", [{"role": "maintainer"}, {"state": "disabled"}, {"state": "removed"}])
def test_an_invitation_is_void_when_its_maker_is_no_admin_any_more(
    services: ServiceFixture, change: dict[str, str]
) -> None:
    invite(services)
    services.change_user(ADA, **change)
    refused(services, InviteWithdrawnError)
    services.change_user(ADA, role="admin", state="active")
    assert join(services).name == "ivo"


def test_an_operators_invitation_needs_no_admin(services: ServiceFixture) -> None:
    invite(services, caller=OPERATOR, role=Role.ADMIN)
    services.change_user(ADA, role="guest")
    assert join(services).role is Role.ADMIN


def test_an_invitation_may_be_for_one_name(services: ServiceFixture) -> None:
    invite(services, name="Eva")
    assert refused(services, NameReservedError) == {"name": "Eva"}
    assert join(services, "eva").name == "eva"


@pytest.mark.parametrize("name", ["ada", "ADA", "Operator"])
def test_a_name_is_given_once_under_case_folding(services: ServiceFixture, name: str) -> None:
    invite(services)
    assert refused(services, NameTakenError, name) == {"name": name, "server": "acme-files"}
    assert join(services).name == "ivo"  # the refusal spent nothing


def test_the_name_of_a_removed_user_stays_taken_and_the_keys_too(services: ServiceFixture) -> None:
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "gus"))
    invite(services)
    refused(services, NameTakenError, "Gus")
    refused(services, KeyTakenError, public_key=GUS.public_key)
    refused(services, NameTakenError, "gus", public_key=GUS.public_key)


def test_a_key_belongs_to_one_user_for_ever(services: ServiceFixture) -> None:
    invite(services)
    refused(services, KeyTakenError, public_key=MAX.public_key)
    assert join(services).name == "ivo"


def test_a_point_belongs_to_one_user_under_whatever_key_id(services: ServiceFixture) -> None:
    invite(services)
    other_id = MAX.public_key[:2] + bytes(8) + MAX.public_key[10:]
    assert other_id != MAX.public_key
    refused(services, KeyTakenError, public_key=other_id)
    with pytest.raises(KeyTakenError):
        services.act(accounts.add_user, AddUserInput(ADA.caller, "eva", Role.GUEST, other_id))


def test_the_servers_own_key_is_nobodys_under_any_key_id(services: ServiceFixture) -> None:
    invite(services)
    for key_id in (b"12345678", bytes(8)):
        refused(services, KeyTakenError, public_key=b"Ed" + key_id + SERVER_KEY.public.point)


@pytest.mark.parametrize("fields", [{"name": "a/b"}, {"name": ""}, {"name": "-x"}, {"device": ""}, {"device": "x\n"}])
def test_names_of_people_and_devices_are_plain(services: ServiceFixture, fields: dict[str, str]) -> None:
    invite(services)
    refused(services, UserNameNotAllowedError, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "e\u0301va"},
        {"device": "e\u0301va"},
        {"public_key": b"Ed" + bytes(39)},
        {"public_key": b"ED" + bytes(40)},
        {"public_key": b"Ed" + bytes(8) + b"\2" + bytes(31)},
    ],
)
def test_what_no_honest_client_sends_is_refused(services: ServiceFixture, fields: dict[str, Any]) -> None:
    invite(services)
    refused(services, BadRequestError, **fields)


def test_of_two_who_want_one_name_the_first_gets_it(services: ServiceFixture) -> None:
    invite(services)
    invite(services, public_key=b"j" * 32)
    outcomes = services.act_each(
        getting_in.join,
        ask_to_join("ivo"),
        ask_to_join("Ivo", public_key=EVAS_KEY, invitation=b"j" * 32),
        ask_to_join("eva", public_key=EVAS_KEY),
        ask_to_join("ivo"),
        ask_to_join("eva", public_key=IVOS_KEY, invitation=b"j" * 32),
        ask_to_join("eva", public_key=EVAS_KEY, invitation=b"j" * 32),
    )
    assert [type(outcome) for outcome in outcomes] == [
        Caller,
        NameTakenError,
        InviteUsedError,
        Caller,
        KeyTakenError,
        Caller,
    ]
    assert [row.name for row in everything(services)[0]] == ["ada", "max", "mia", "gus", "ivo", "eva"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invitations SET role = 'admin'",
        "UPDATE invitations SET expires_at = expires_at + 1000000",
        "UPDATE invitations SET maker_id = NULL",
        "UPDATE invitations SET user_name = NULL",
        "UPDATE settings SET value = X'6f70656e' WHERE name = 'registration'",
        "DELETE FROM settings WHERE name = 'registration'",
        "UPDATE users SET role = 'admin' WHERE id = 2",
    ],
)
def test_a_forged_row_makes_nobody_a_user(services: ServiceFixture, statement: str) -> None:
    services.change_user(MAX, role="admin")
    invite(services, caller=MAX.caller, name="ivo")
    services.change_user(MAX, role="maintainer")
    services.tamper(statement)
    by = None if "settings" in statement else INVITATION
    with pytest.raises(RowForgedError):
        join(services, invitation=by)
    with services.reading() as reading:
        assert user_by_name(reading, "ivo") is None


# -- registration policies ----------------------------------------------------------------------------


def test_by_invitation_nobody_else_joins(services: ServiceFixture) -> None:
    assert refused(services, RegistrationClosedError, invitation=None) == {"server": "acme-files"}
    # A stranger learns nothing of names.
    assert refused(services, RegistrationClosedError, "ada", invitation=None)


def test_an_open_server_makes_guests_of_all(services: ServiceFixture) -> None:
    policy(services, Registration.OPEN)
    first = join(services, invitation=None)
    assert first.role is Role.GUEST
    assert join(services, invitation=None) == first
    refused(services, NameTakenError, "ADA", invitation=None, public_key=EVAS_KEY)
    refused(services, KeyTakenError, "eva", invitation=None)
    refused(services, NameTakenError, "ivo", invitation=None, public_key=EVAS_KEY)
    invite(services, role=Role.MAINTAINER)
    assert join(services, "eva", public_key=EVAS_KEY).role is Role.MAINTAINER


def test_a_closed_server_lets_nobody_join(services: ServiceFixture) -> None:
    invite(services)
    policy(services, Registration.CLOSED)
    refused(services, RegistrationClosedError)
    refused(services, RegistrationClosedError, invitation=None)
    with pytest.raises(RegistrationClosedError):
        invite(services, public_key=b"j" * 32)
    added = services.act(accounts.add_user, AddUserInput(ADA.caller, "ivo", Role.GUEST, IVOS_KEY))
    assert added.user.name == "ivo"


def test_a_closed_servers_first_admin_comes_by_the_operators_invitation(services: ServiceFixture) -> None:
    policy(services, Registration.CLOSED)
    services.change_user(ADA, role="guest")
    with services.transaction() as transaction:
        invitations.first_admin(transaction, [FirstAdmin(INVITATION)])
    assert join(services).role is Role.ADMIN
    invite_again = MakeInvitationInput(OPERATOR, b"j" * 32, Role.ADMIN)
    with pytest.raises(RegistrationClosedError):
        services.act(invitations.make, invite_again)


def test_the_first_admins_invitation_ends_after_a_day(services: ServiceFixture) -> None:
    services.change_user(ADA, role="guest")
    with services.transaction() as transaction:
        invitations.first_admin(transaction, [FirstAdmin(INVITATION)])
    services.now += FIRST_ADMIN_SECONDS
    assert refused(services, InviteExpiredError)["maker"] == "operator"


def test_the_policy_is_the_one_at_the_commit(services: ServiceFixture) -> None:
    policy(services, Registration.OPEN)
    item = ask_to_join(invitation=None)
    policy(services, Registration.INVITE)
    assert isinstance(services.act_each(getting_in.join, item)[0], RegistrationClosedError)


# -- adding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [ADA.caller, OPERATOR])
def test_a_person_is_added_by_public_key(services: ServiceFixture, by: Caller) -> None:
    item = AddUserInput(by, "ivo", Role.MAINTAINER, IVOS_KEY, "desk")
    added = services.act(accounts.add_user, item)
    assert (added.user.id, added.user.role) == (5, Role.MAINTAINER)
    assert [(key.public_key, key.device) for key in added.user.keys] == [(IVOS_KEY, "desk")]
    assert login(services, "ivo", IVOS_KEY).role is Role.MAINTAINER
    again = services.act(accounts.add_user, item)
    assert again.user == added.user


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"name": "Max"}, NameTakenError),
        ({"name": "operator"}, NameTakenError),
        ({"public_key": MAX.public_key}, KeyTakenError),
        ({"name": "max", "public_key": MAX.public_key, "role": Role.ADMIN}, NameTakenError),
        ({"public_key": b"Ed" + bytes(8) + SERVER_KEY.public.point}, KeyTakenError),
        ({"public_key": b"Ed" + bytes(8) + b"\2" + bytes(31)}, BadRequestError),
        ({"name": "a b"}, UserNameNotAllowedError),
        ({"caller": MAX.caller}, RoleForbidsError),
        ({"caller": GUS.caller}, RoleForbidsError),
    ],
)
def test_who_cannot_be_added(services: ServiceFixture, fields: dict[str, Any], kind: type[Exception]) -> None:
    given = {"caller": ADA.caller, "name": "ivo", "role": Role.GUEST, "public_key": IVOS_KEY}
    before = everything(services)
    with pytest.raises(kind):
        services.act(accounts.add_user, AddUserInput(**(given | fields)))
    assert everything(services) == before


# -- roles, disabling, removal ------------------------------------------------------------------------


@pytest.mark.parametrize("by", [ADA.caller, OPERATOR])
def test_a_role_is_changed(services: ServiceFixture, by: Caller) -> None:
    changed = services.act(accounts.change_role, ChangeRoleInput(by, "GUS", Role.MAINTAINER))
    assert (changed.user.name, changed.user.role) == ("gus", Role.MAINTAINER)
    assert changed.before == "guest"
    again = services.act(accounts.change_role, ChangeRoleInput(by, "gus", Role.MAINTAINER))
    assert again.before == "maintainer"
    assert user(services, "gus").role == "maintainer"
    services.act(accounts.disable, DisableInput(by, "gus"))
    services.act(accounts.change_role, ChangeRoleInput(by, "gus", Role.GUEST))
    with services.reading() as reading:
        roles = roles_of(reading, [GUS.id])[GUS.id]
    assert [(row.number, row.role, row.leaf) for row in roles] == [
        (1, "guest", 4),
        (2, "maintainer", 5),
        (3, "guest", 7),
    ]


def test_a_user_is_disabled_and_enabled(services: ServiceFixture) -> None:
    changed = services.act(accounts.disable, DisableInput(ADA.caller, "gus"))
    assert changed.user.state is UserState.DISABLED
    assert services.act(accounts.disable, DisableInput(ADA.caller, "gus")) == changed
    with pytest.raises(LoginRefusedError):
        login(services, "gus", GUS.public_key)
    changed = services.act(accounts.enable, EnableInput(OPERATOR, "gus"))
    assert changed.user.state is UserState.ACTIVE
    assert services.act(accounts.enable, EnableInput(ADA.caller, "gus")) == changed
    assert login(services, "gus", GUS.public_key).name == "gus"


ACTS: list[Any] = [
    (accounts.change_role, lambda by, name: ChangeRoleInput(by, name, Role.GUEST)),
    (accounts.disable, DisableInput),
    (accounts.remove, RemoveUserInput),
]


@pytest.mark.long
def test_so_many_roles_and_no_more_so_that_what_ends_a_key_still_fits(services: ServiceFixture) -> None:
    for number in range(1, ROLES_MOST):
        role = (Role.GUEST, Role.MAINTAINER)[number % 2]
        services.act(accounts.change_role, ChangeRoleInput(ADA.caller, "gus", role))
    with pytest.raises(TooLargeError):
        services.act(accounts.change_role, ChangeRoleInput(ADA.caller, "gus", Role.GUEST))
    services.act(accounts.change_role, ChangeRoleInput(ADA.caller, "gus", Role.MAINTAINER))  # what is so already
    services.act(accounts.disable, DisableInput(ADA.caller, "gus"))


@pytest.mark.parametrize(("act", "item"), [*ACTS, (accounts.enable, EnableInput)])
def test_nobody_by_that_name(services: ServiceFixture, act: Any, item: Any) -> None:
    with pytest.raises(NotFoundError) as refusal:
        services.act(act, item(ADA.caller, "ivo"))
    assert refusal.value.values == {"what": "user", "name": "ivo"}


@pytest.mark.parametrize(("act", "item"), [*ACTS[:2], (accounts.enable, EnableInput)])
def test_nothing_is_done_about_a_removed_user(services: ServiceFixture, act: Any, item: Any) -> None:
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "gus"))
    with pytest.raises(NotFoundError):
        services.act(act, item(ADA.caller, "gus"))
    assert user(services, "gus").state == "removed"


@pytest.mark.parametrize(("act", "item"), ACTS)
@pytest.mark.parametrize("by", [ADA.caller, OPERATOR])
def test_the_last_admin_stays(services: ServiceFixture, act: Any, item: Any, by: Caller) -> None:
    before = everything(services)
    with pytest.raises(LastAdminError) as refusal:
        services.act(act, item(by, "ada"))
    assert refusal.value.values == {"name": "ada"}
    assert everything(services) == before
    # An admin who cannot act is none, and the operator is not one.
    services.change_user(MIA, role="admin", state="disabled")
    with pytest.raises(LastAdminError):
        services.act(act, item(by, "ada"))
    services.change_user(MIA, state="active")
    services.act(act, item(by, "ada"))
    assert services.events


@pytest.mark.parametrize(("act", "item"), ACTS)
def test_an_admin_who_cannot_act_may_go(services: ServiceFixture, act: Any, item: Any) -> None:
    services.change_user(MIA, role="admin", state="disabled")
    services.act(act, item(ADA.caller, "mia"))


@pytest.mark.parametrize(("act", "item"), ACTS)
def test_two_admins_who_end_each_other_leave_one(services: ServiceFixture, act: Any, item: Any) -> None:
    services.change_user(MIA, role="admin")
    mia = replace(MIA.caller, role=Role.ADMIN)
    first, second = services.act_each(act, item(ADA.caller, "mia"), item(mia, "ada"))
    assert isinstance(first, accounts.UserChanged)
    assert isinstance(second, RoleForbidsError | LoginRefusedError)
    # The operator's two are counted one after the other as well.
    services.change_user(MIA, role="admin", state="active")
    first, second = services.act_each(act, item(OPERATOR, "mia"), item(OPERATOR, "ada"))
    assert isinstance(second, LastAdminError)


@pytest.mark.parametrize(("act", "item"), [*ACTS, (accounts.enable, EnableInput)])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"role": "maintainer"}, RoleForbidsError),
        ({"role": "guest"}, RoleForbidsError),
        ({"state": "disabled"}, LoginRefusedError),
        ({"state": "removed"}, LoginRefusedError),
        ("key", LoginRefusedError),
    ],
)
def test_what_an_admin_lost_before_the_commit_counts(
    services: ServiceFixture, act: Any, item: Any, change: Any, kind: type[Exception]
) -> None:
    services.change_user(MIA, role="admin")
    wanted = item(replace(MIA.caller, role=Role.ADMIN), "gus")
    if change == "key":
        services.end_key(MIA)
    else:
        services.change_user(MIA, **change)
    before = everything(services)
    with pytest.raises(kind):
        services.act(act, wanted)
    assert everything(services) == before


@pytest.mark.parametrize(("act", "item"), [*ACTS, (accounts.enable, EnableInput)])
@pytest.mark.parametrize("by", [MAX, GUS])
def test_admins_alone_manage_people(services: ServiceFixture, act: Any, item: Any, by: Person) -> None:
    forged = replace(by.caller, role=Role.ADMIN)  # what a session believes is not asked
    with pytest.raises(RoleForbidsError) as refusal:
        services.act(act, item(forged, "mia"))
    assert refusal.value.values["role"] == by.caller.role
    assert refusal.value.values["admins"] == "ada"


def owners(services: ServiceFixture) -> dict[str, int]:
    with services.reading() as reading:
        records = RecordBuilder(reading)
        return {row.name: records.owner_of(row) for row in reading.rows.all(rows_of(FileRow))}


def test_a_removed_users_files_go_to_whoever_removed(services: ServiceFixture) -> None:
    for name in ("one", "two"):
        services.put(MAX, name)
    services.put(MIA, "three")
    changed = services.act(accounts.remove, RemoveUserInput(ADA.caller, "max"))
    assert changed.before == "maintainer"
    assert (changed.user.state, changed.user.files) == (UserState.REMOVED, 0)
    assert owners(services) == {"one": ADA.id, "two": ADA.id, "three": MIA.id}
    assert [key.public_key for key in changed.user.keys] == [MAX.public_key]
    # What max signed stays verifiable, and stays his.
    assert services.get(GUS, "one") == b"content"
    again = services.act(accounts.remove, RemoveUserInput(ADA.caller, "max"))
    assert again.user == changed.user


def test_files_go_to_whom_is_named(services: ServiceFixture) -> None:
    services.put(MAX, "one")
    services.act(accounts.remove, RemoveUserInput(OPERATOR, "max", files_to="MIA"))
    assert owners(services) == {"one": MIA.id}


def test_folders_go_with_the_files(services: ServiceFixture) -> None:
    for path in ("d/e/one", "gone/f/two"):
        services.put(MAX, path)
    services.act(delete, Deletion(MAX.caller, "gone", recursive=True))
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    services.act(restore, Restoration(MIA.caller, "gone", services.seen_in_trash(MIA.caller, "gone")))
    services.act(move, MoveInput(MIA.caller, "gone", "back"))
    services.act(delete, Deletion(MIA.caller, "d", recursive=True))
    assert owners(services) == {"one": MIA.id, "two": MIA.id}
    assert services.ask(check, OPERATOR, context=services.job_context)().faults == ()


def test_an_operator_gives_files_to_the_first_admin_there_is(services: ServiceFixture) -> None:
    services.put(MAX, "one")
    services.change_user(GUS, role="admin")
    services.act(accounts.remove, RemoveUserInput(OPERATOR, "ada"))
    services.act(accounts.remove, RemoveUserInput(OPERATOR, "max"))
    assert owners(services) == {"one": GUS.id}


def test_an_admin_who_goes_leaves_files_to_another_admin(services: ServiceFixture) -> None:
    services.put(ADA, "one")
    services.change_user(MIA, role="admin")
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "ada"))
    assert owners(services) == {"one": MIA.id}


def test_without_an_admin_files_stay_where_they_are(services: ServiceFixture) -> None:
    services.put(MAX, "one")
    services.change_user(ADA, role="guest")
    services.act(accounts.remove, RemoveUserInput(OPERATOR, "max"))
    assert owners(services) == {"one": MAX.id}


@pytest.mark.parametrize(
    ("heir", "change", "kind"),
    [
        ("ivo", {}, NotFoundError),
        ("mia", {"state": "disabled"}, NotFoundError),
        ("mia", {"state": "removed"}, NotFoundError),
        ("mia", {"role": "guest"}, RoleForbidsError),
        ("max", {}, BadRequestError),
    ],
)
def test_files_go_to_nobody_who_cannot_own_them(
    services: ServiceFixture, heir: str, change: dict[str, str], kind: type[Exception]
) -> None:
    services.put(MAX, "one")
    services.change_user(MIA, **change)
    with pytest.raises(kind):
        services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to=heir))
    assert (owners(services), user(services, "max").state) == ({"one": MAX.id}, "active")


def test_a_guest_is_told_how_to_become_an_owner(services: ServiceFixture) -> None:
    with pytest.raises(RoleForbidsError) as refusal:
        services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="gus"))
    assert refusal.value.values == {
        "role": "guest",
        "act": "own files",
        "name": "gus",
        "needed": "maintainer",
        "admins": "ada",
    }


# -- who there is -----------------------------------------------------------------------------------


def test_everyone_sees_everyone_with_keys(services: ServiceFixture) -> None:
    services.put(MAX, "one", b"12345")
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "mia"))
    for who in (ADA, MAX, GUS):
        page = services.ask(accounts.list_users, who)
        assert [u.name for u in page.users] == ["ada", "max", "mia", "gus"]
        assert page.next == 0
    users = {u.name: u for u in page.users}
    assert (users["max"].files, users["max"].bytes_stored) == (1, 5)
    assert users["mia"].state is UserState.REMOVED
    assert [key.public_key for key in users["mia"].keys] == [MIA.public_key]
    assert services.ask(accounts.list_users, GUS, after=2).users == page.users[2:]


def test_the_registry_pages_by_number_and_size(services: ServiceFixture) -> None:
    wide = "x" * 64
    with services.transaction() as transaction:
        write_users(
            transaction, [UserRow(n, wide, f"{wide}{n}", "guest", "active", n, SALT) for n in range(5, 1205)], new=True
        )
    seen: list[User] = []
    pages, after = 0, 0
    while pages == 0 or after:
        page = services.ask(accounts.list_users, GUS, after=after)
        assert len(page.users) <= 500
        assert len(msgspec.msgpack.encode(page)) < LIST_BYTES + 64
        seen += page.users
        pages, after = pages + 1, page.next
    assert [u.id for u in seen] == list(range(1, 1205))
    assert pages > 2


def test_a_page_of_large_users_is_cut_by_bytes(services: ServiceFixture) -> None:
    wide = "w" * 255
    with services.transaction() as transaction:
        write_users(
            transaction, [UserRow(n, f"u{n}", f"u{n}", "guest", "active", n, SALT) for n in range(5, 105)], new=True
        )
        transaction.rows.insert(
            [DeviceKeyRow(n, 5 + n % 100, b"Ed" + n.to_bytes(40), wide, 1, None, 1) for n in range(5, 505)]
        )
    page = services.ask(accounts.list_users, GUS)
    assert 0 < len(page.users) < 60
    assert len(msgspec.msgpack.encode(page)) < LIST_BYTES + 64
    assert page.next == page.users[-1].id


def test_one_user_is_shown_by_id_or_name(services: ServiceFixture) -> None:
    by_name = services.ask(accounts.show_user, GUS, name="MAX")
    assert by_name == services.ask(accounts.show_user, GUS, user_id=2)
    assert (by_name.name, [key.public_key for key in by_name.keys]) == ("max", [MAX.public_key])
    for missing, name in (({"user_id": 99}, "99"), ({"name": "ivo"}, "ivo")):
        with pytest.raises(NotFoundError) as refusal:
            services.ask(accounts.show_user, GUS, **missing)
        assert refusal.value.values["name"] == name


def test_people_see_themselves_and_the_server(services: ServiceFixture) -> None:
    shown = services.ask(accounts.show_self, replace(MAX.caller, role=Role.ADMIN))
    assert (shown.user.name, shown.user.role) == ("max", Role.MAINTAINER)
    assert (shown.server.name, shown.server.registration) == ("acme-files", "invite")
    shown = services.ask(accounts.show_self, OPERATOR)
    assert (shown.user.id, shown.user.name, shown.user.keys) == (0, "operator", ())

"""Who asks is read again, every time."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import LoginRefusedError, OperatorOnlyError, RoleForbidsError, RowForgedError
from sft.model.access import Caller, Permission, Role, operator_caller
from sft.service.caller import reload_caller, reload_callers
from sft.service.rights import require_permission
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, ServiceFixture


def test_a_caller_has_the_role_and_name_that_rule_now(services: ServiceFixture) -> None:
    stale = replace(MAX.caller, name="formerly", role=Role.ADMIN, session_id=9)
    with services.reading() as reading:
        assert reload_caller(reading, stale) == Caller(2, 2, "max", Role.MAINTAINER, 9)
    services.change_user(MAX, role="guest")
    with services.reading() as reading:
        assert reload_caller(reading, stale).role is Role.GUEST


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"state": "disabled"}, "the user is disabled"), ({"state": "removed"}, "the user is removed")],
)
def test_whoever_is_locked_out_is_nobody(services: ServiceFixture, changes: dict[str, Any], problem: str) -> None:
    services.change_user(MAX, **changes)
    with services.reading() as reading, pytest.raises(LoginRefusedError) as refused:
        reload_caller(reading, MAX.caller)
    assert refused.value.values == {"server": "acme-files"}
    assert refused.value.detail == problem


@pytest.mark.parametrize(
    ("caller", "problem"),
    [
        (replace(MAX.caller, user_id=99), "unknown here"),
        (replace(MAX.caller, key_id=99), "unknown here"),
        (replace(MAX.caller, user_id=None), "unknown here"),
        (replace(MAX.caller, key_id=None), "unknown here"),
        (replace(MAX.caller, key_id=1), "the key of another user"),
    ],
)
def test_user_and_key_belong_together(services: ServiceFixture, caller: Caller, problem: str) -> None:
    with services.reading() as reading, pytest.raises(LoginRefusedError) as refused:
        reload_caller(reading, caller)
    assert refused.value.detail == problem


@pytest.mark.parametrize("later", [0, -1, -1_000_000])
def test_a_key_that_ended_is_over_whatever_the_clock_says_since(services: ServiceFixture, later: int) -> None:
    services.now += 10
    services.end_key(MAX)
    services.now += later
    with services.reading() as reading, pytest.raises(LoginRefusedError) as refused:
        reload_caller(reading, MAX.caller)
    assert refused.value.detail == "the key has ended"


def test_the_operator_has_no_row(services: ServiceFixture) -> None:
    with services.reading() as reading:
        assert reload_caller(reading, operator_caller(3)) == operator_caller(3)
    assert operator_caller().operator
    assert not ADA.caller.operator


def test_many_callers_are_read_together(services: ServiceFixture) -> None:
    services.change_user(MIA, state="disabled")
    services.change_user(MAX, role="guest")
    with services.reading() as reading:
        one, two, three, four, five = reload_callers(
            reading, [ADA.caller, MIA.caller, OPERATOR, MAX.caller, ADA.caller]
        )
    assert (one, three, five) == (ADA.caller, OPERATOR, ADA.caller)
    assert isinstance(two, LoginRefusedError)
    assert four == replace(MAX.caller, role=Role.GUEST)


@pytest.mark.parametrize("statement", [
    "UPDATE users SET role = 'admin' WHERE id = 4",
    "UPDATE users SET state = 'active', mac = zeroblob(32) WHERE id = 4",
    "UPDATE device_keys SET user_id = 4 WHERE id = 1",
    "UPDATE device_keys SET ended_at = NULL, added_at = 0 WHERE id = 4",
])  # fmt: skip
def test_a_forged_user_or_key_is_refused_by_name(services: ServiceFixture, statement: str) -> None:
    services.tamper(statement)
    caller = replace(GUS.caller, key_id=1) if "SET user_id" in statement else GUS.caller
    with services.reading() as reading, pytest.raises(RowForgedError) as refused:
        reload_caller(reading, caller)
    assert refused.value.table in statement
    assert refused.value.row == statement[-1]


def test_a_role_without_the_permission_is_told_all_about_it(services: ServiceFixture) -> None:
    services.change_user(MIA, role="admin")
    services.change_user(MAX, role="admin", state="disabled")
    with services.reading() as reading, pytest.raises(RoleForbidsError) as refused:
        require_permission(reading, GUS.caller, Permission.FILE_WRITE)
    assert refused.value.values == {
        "role": "guest",
        "act": "store files",
        "name": "gus",
        "needed": "maintainer",
        "admins": "ada, mia",
    }


def test_what_no_role_may_do_is_the_operators(services: ServiceFixture) -> None:
    with services.reading() as reading:
        require_permission(reading, OPERATOR, Permission.VAULT_MANAGE)
        with pytest.raises(OperatorOnlyError):
            require_permission(reading, ADA.caller, Permission.VAULT_MANAGE)

"""The role table, spelled out a second time, and the rules of owning."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sft.model.access import (
    ACTS,
    OPERATOR,
    OPERATOR_PERMISSIONS,
    ROLE_PERMISSIONS,
    Caller,
    Permission,
    Reach,
    Resource,
    Role,
    Scope,
    allows,
    least_role,
    may,
    operator_caller,
    scope_of,
)

EVERYONE = {"self:read", "self:manage", "file:list", "file:read", "user:list", "log:read", "download:read"}
MAINTAINERS = EVERYONE | {"file:write", "file:delete", "folder:make"}
ADMINS = MAINTAINERS | {*("user:manage", "role:change", "invitation:manage", "session:manage", "log:audit")}


@pytest.mark.parametrize(
    ("role", "expected"), [(Role.GUEST, EVERYONE), (Role.MAINTAINER, MAINTAINERS), (Role.ADMIN, ADMINS)]
)
@pytest.mark.parametrize("permission", Permission)
def test_roles_hold_what_was_decided_and_nothing_else(role: Role, expected: set[str], permission: Permission) -> None:
    assert allows(role, permission) is (permission.value in expected)


@pytest.mark.parametrize("permission", Permission)
def test_the_operator_manages_and_reads_no_content(permission: Permission) -> None:
    denied = {"self:manage", "file:read", "file:write", "folder:make"}
    assert allows(OPERATOR, permission) is (permission.value not in denied)


def test_nobody_holds_anything_by_a_text_that_spells_a_role() -> None:
    for spelled in ("admin", "Operator", "", "root"):
        assert not any(allows(spelled, permission) for permission in Permission)  # type: ignore[arg-type]


OWN, FOREIGN, NOBODYS = Resource(1), Resource(2), Resource(None)
ON_OWN = {
    Role.GUEST: {"self:manage", "download:read"},
    Role.MAINTAINER: {"self:manage", "file:write", "file:delete", "download:read"},
    Role.ADMIN: {"self:manage"},
}


def caller(role: Role) -> Caller:
    return Caller(1, 1, "x", role)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_all_but_admins_write_delete_and_see_downloads_of_their_own_alone(role: Role, permission: Permission) -> None:
    held = allows(role, permission)
    others = held and permission.value not in ON_OWN[role]
    rights = [may(caller(role), permission, each) for each in (OWN, FOREIGN, NOBODYS)]
    assert rights == [held, others, others]


@pytest.mark.parametrize("permission", Permission)
def test_a_scope_filters_as_the_question_judges(permission: Permission) -> None:
    callers = [*map(caller, Role), operator_caller(), Caller(None, None, "x", Role.MAINTAINER)]
    for asking in callers:
        scope = scope_of(asking, permission)
        for resource in (OWN, FOREIGN, NOBODYS):
            assert may(asking, permission, resource) is (resource in scope)


def test_a_scope_names_its_owner_everything_or_nothing() -> None:
    assert scope_of(caller(Role.ADMIN), Permission.FILE_DELETE) == Scope(everything=True)
    assert scope_of(caller(Role.MAINTAINER), Permission.FILE_DELETE) == Scope(owner_ids=(1,))
    assert scope_of(caller(Role.GUEST), Permission.FILE_DELETE) == Scope()
    assert not any(each in Scope() for each in (OWN, FOREIGN, NOBODYS))


def test_who_is_nobody_owns_nothing_that_nobody_made() -> None:
    assert not may(Caller(None, None, "x", Role.MAINTAINER), Permission.FILE_WRITE, NOBODYS)


def test_the_operator_deletes_but_never_writes() -> None:
    for resource in (OWN, NOBODYS):
        assert may(operator_caller(), Permission.FILE_DELETE, resource)
        assert not may(operator_caller(), Permission.FILE_WRITE, resource)


def test_the_least_role_is_the_lowest_that_holds_a_permission() -> None:
    assert least_role(Permission.FILE_READ) is Role.GUEST
    assert least_role(Permission.FILE_WRITE) is Role.MAINTAINER
    assert least_role(Permission.ROLE_CHANGE) is Role.ADMIN
    assert least_role(Permission.VAULT_MANAGE) is None


def test_higher_roles_hold_all_that_lower_ones_do() -> None:
    for lower, higher in pairwise((Role.GUEST, Role.MAINTAINER, Role.ADMIN)):
        held, more = ROLE_PERMISSIONS[lower], ROLE_PERMISSIONS[higher]
        assert held.keys() < more.keys()
        assert all(more[each] in {held[each], Reach.ALL} for each in held)


def test_every_permission_is_held_by_somebody_and_has_words() -> None:
    held = set(OPERATOR_PERMISSIONS).union(*ROLE_PERMISSIONS.values())
    assert held == set(Permission)
    assert set(ACTS) == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_the_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ROLE_PERMISSIONS[Role.GUEST] = ROLE_PERMISSIONS[Role.ADMIN]  # type: ignore[index]

"""The role table, spelled out a second time, and the rules of owning."""

from __future__ import annotations

import pytest

from sft.model.access import (
    ACTS,
    OPERATOR,
    OPERATOR_PERMISSIONS,
    ROLE_PERMISSIONS,
    Holder,
    Permission,
    Role,
    allows,
    least_role,
    may_change,
    may_delete,
    rank,
)

EVERYONE = {"self:read", "file:list", "file:read", "user:list"}
MAINTAINERS = EVERYONE | {"file:write", "file:delete", "folder:make"}
ADMINS = MAINTAINERS | {
    *("file:write-any", "file:delete-any"),
    *("user:manage", "role:change", "invitation:manage", "session:manage"),
}


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.GUEST, EVERYONE), (Role.MAINTAINER, MAINTAINERS), (Role.ADMIN, ADMINS)],
)
@pytest.mark.parametrize("permission", Permission)
def test_roles_hold_what_was_decided_and_nothing_else(
    role: Role, expected: set[str], permission: Permission
) -> None:
    assert allows(role, permission) is (permission.value in expected)


@pytest.mark.parametrize("permission", Permission)
def test_the_operator_manages_and_reads_no_content(permission: Permission) -> None:
    denied = {"file:read", "file:write", "file:write-any", "file:delete", "folder:make"}
    assert allows(OPERATOR, permission) is (permission.value not in denied)


def test_nobody_holds_anything_by_a_text_that_spells_a_role() -> None:
    for spelled in ("admin", "Operator", "", "root"):
        assert not any(allows(spelled, permission) for permission in Permission)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("holder", "own", "others"),
    [(Role.ADMIN, True, True), (Role.MAINTAINER, True, False), (Role.GUEST, False, False)],
)
def test_changing_and_deleting_follow_ownership(holder: Holder, own: bool, others: bool) -> None:
    assert may_change(holder, is_owner=True) is own
    assert may_change(holder, is_owner=False) is others
    assert may_delete(holder, is_owner=True) is own
    assert may_delete(holder, is_owner=False) is others


def test_the_operator_deletes_but_never_writes() -> None:
    assert may_delete(OPERATOR, is_owner=False)
    assert not may_change(OPERATOR, is_owner=False)
    assert not may_change(OPERATOR, is_owner=True)


def test_the_least_role_is_the_lowest_that_holds_a_permission() -> None:
    assert least_role(Permission.FILE_READ) is Role.GUEST
    assert least_role(Permission.FILE_WRITE) is Role.MAINTAINER
    assert least_role(Permission.ROLE_CHANGE) is Role.ADMIN
    assert least_role(Permission.VAULT_MANAGE) is None


def test_higher_roles_hold_all_that_lower_ones_do() -> None:
    assert [rank(role) for role in (Role.GUEST, Role.MAINTAINER, Role.ADMIN)] == [0, 1, 2]
    assert ROLE_PERMISSIONS[Role.GUEST] < ROLE_PERMISSIONS[Role.MAINTAINER]
    assert ROLE_PERMISSIONS[Role.MAINTAINER] < ROLE_PERMISSIONS[Role.ADMIN]


def test_every_permission_is_held_by_somebody_and_has_words() -> None:
    held = OPERATOR_PERMISSIONS.union(*ROLE_PERMISSIONS.values())
    assert held == set(Permission)
    assert set(ACTS) == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_the_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ROLE_PERMISSIONS[Role.GUEST] = ROLE_PERMISSIONS[Role.ADMIN]  # type: ignore[index]

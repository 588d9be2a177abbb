"""Who may do what: the one table that grants anything.

Nothing is allowed that this table does not name. Services check a caller against it and read the caller's role again
inside the transaction that changes something; user interfaces ask the same table only to grey out. A permission is named
``resource:action``; one that ends in ``-any`` is for what belongs to others. The operator, who speaks over the server's
control socket, is no person: no role, no files, and no reading of contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal


class Role(StrEnum):
    """What a person is on a server. A new person is a guest."""

    ADMIN = "admin"
    MAINTAINER = "maintainer"
    GUEST = "guest"


OPERATOR: Final = "operator"
Holder = Role | Literal["operator"]


class Permission(StrEnum):
    """What a request can need."""

    SELF_READ = "self:read"
    FILE_LIST = "file:list"
    FILE_READ = "file:read"
    FILE_WRITE = "file:write"  # store new files; replace and rename one's own
    FILE_WRITE_ANY = "file:write-any"
    FILE_DELETE = "file:delete"  # one's own; and bring them back
    FILE_DELETE_ANY = "file:delete-any"
    FOLDER_MAKE = "folder:make"
    USER_LIST = "user:list"  # names, roles and public keys: everyone checks everyone's signatures
    USER_MANAGE = "user:manage"  # add, disable, enable, remove
    ROLE_CHANGE = "role:change"
    INVITATION_MANAGE = "invitation:manage"
    SERVER_LINK = "server:link"
    SESSION_MANAGE = "session:manage"
    VAULT_MANAGE = "vault:manage"


ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(
            {
                Permission.SELF_READ,
                Permission.FILE_LIST,
                Permission.FILE_READ,
                Permission.FILE_WRITE,
                Permission.FILE_WRITE_ANY,
                Permission.FILE_DELETE,
                Permission.FILE_DELETE_ANY,
                Permission.FOLDER_MAKE,
                Permission.USER_LIST,
                Permission.USER_MANAGE,
                Permission.ROLE_CHANGE,
                Permission.INVITATION_MANAGE,
                Permission.SESSION_MANAGE,
            }
        ),
        Role.MAINTAINER: frozenset(
            {
                Permission.SELF_READ,
                Permission.FILE_LIST,
                Permission.FILE_READ,
                Permission.FILE_WRITE,
                Permission.FILE_DELETE,
                Permission.FOLDER_MAKE,
                Permission.USER_LIST,
            }
        ),
        Role.GUEST: frozenset(
            {
                Permission.SELF_READ,
                Permission.FILE_LIST,
                Permission.FILE_READ,
                Permission.USER_LIST,
            }
        ),
    }
)

OPERATOR_PERMISSIONS: Final = frozenset(
    {
        Permission.SELF_READ,
        Permission.FILE_LIST,
        Permission.FILE_DELETE_ANY,
        Permission.USER_LIST,
        Permission.USER_MANAGE,
        Permission.ROLE_CHANGE,
        Permission.INVITATION_MANAGE,
        Permission.SERVER_LINK,
        Permission.SESSION_MANAGE,
        Permission.VAULT_MANAGE,
    }
)

# How a refusal says it: "Guests do not {act}."
ACTS: Final[Mapping[Permission, str]] = MappingProxyType(
    {
        Permission.SELF_READ: "ask who they are",
        Permission.FILE_LIST: "list files",
        Permission.FILE_READ: "get files",
        Permission.FILE_WRITE: "store files",
        Permission.FILE_WRITE_ANY: "replace or rename files of others",
        Permission.FILE_DELETE: "delete files",
        Permission.FILE_DELETE_ANY: "delete files of others",
        Permission.FOLDER_MAKE: "make folders",
        Permission.USER_LIST: "list people",
        Permission.USER_MANAGE: "manage people",
        Permission.ROLE_CHANGE: "change roles",
        Permission.INVITATION_MANAGE: "invite people",
        Permission.SERVER_LINK: "make server links",
        Permission.SESSION_MANAGE: "manage sessions",
        Permission.VAULT_MANAGE: "manage the vault",
    }
)

_RISING: Final = (Role.GUEST, Role.MAINTAINER, Role.ADMIN)


def allows(holder: Holder, permission: Permission) -> bool:
    """Tell whether a role, or the operator, holds a permission."""
    held = ROLE_PERMISSIONS[holder] if isinstance(holder, Role) else _operator(holder)
    return permission in held


def may_change(holder: Holder, *, is_owner: bool) -> bool:
    """Tell whether a holder may replace or rename a file that is, or is not, their own."""
    own = is_owner and allows(holder, Permission.FILE_WRITE)
    return own or allows(holder, Permission.FILE_WRITE_ANY)


def may_delete(holder: Holder, *, is_owner: bool) -> bool:
    """Tell whether a holder may delete a file that is, or is not, their own, or bring it back."""
    own = is_owner and allows(holder, Permission.FILE_DELETE)
    return own or allows(holder, Permission.FILE_DELETE_ANY)


def least_role(permission: Permission) -> Role | None:
    """Find the lowest role that holds a permission; None is the operator's alone."""
    return next((role for role in _RISING if allows(role, permission)), None)


def rank(role: Role) -> int:
    """Number the roles by what they may do: guest 0, maintainer 1, admin 2."""
    return _RISING.index(role)


def _operator(holder: str) -> frozenset[Permission]:
    # A plain text that happens to spell a role is no role: only a parsed Role holds anything.
    return OPERATOR_PERMISSIONS if holder == OPERATOR else frozenset()

"""Who may do what: the one table that grants anything, and the one question asked of it.

Nothing is allowed that this table does not name. Services ask for a caller whom they have read again inside the transaction
that changes something; user interfaces ask the same functions only to grey out. A permission is named ``resource:action`` and
reaches what belongs to the caller, or everything. The operator, who speaks over the server's control socket, is no person: no
role, no files, and no reading of contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct


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
    SELF_MANAGE = "self:manage"  # one's own keys
    FILE_LIST = "file:list"
    FILE_READ = "file:read"
    FILE_WRITE = "file:write"  # store new files; replace and rename
    FILE_DELETE = "file:delete"  # and bring back
    FOLDER_MAKE = "folder:make"
    USER_LIST = "user:list"  # names, roles and public keys: everyone checks everyone's signatures
    USER_MANAGE = "user:manage"  # add, disable, enable, remove
    ROLE_CHANGE = "role:change"
    INVITATION_MANAGE = "invitation:manage"
    SERVER_LINK = "server:link"
    SERVER_MANAGE = "server:manage"  # its settings, its first admin
    LOG_READ = "log:read"  # the leaves, and what happened to people, keys, files and folders
    LOG_AUDIT = "log:audit"  # all that records say
    DOWNLOAD_READ = "download:read"  # who downloaded a file
    SESSION_MANAGE = "session:manage"
    VAULT_MANAGE = "vault:manage"


class Reach(Enum):
    """How far a permission goes."""

    OWN = "own"  # what belongs to the caller
    ALL = "all"


ROLE_PERMISSIONS: Final[Mapping[Role, Mapping[Permission, Reach]]] = MappingProxyType(
    {
        Role.ADMIN: MappingProxyType(
            {
                Permission.SELF_READ: Reach.ALL,
                Permission.SELF_MANAGE: Reach.OWN,
                Permission.FILE_LIST: Reach.ALL,
                Permission.FILE_READ: Reach.ALL,
                Permission.FILE_WRITE: Reach.ALL,
                Permission.FILE_DELETE: Reach.ALL,
                Permission.FOLDER_MAKE: Reach.ALL,
                Permission.USER_LIST: Reach.ALL,
                Permission.USER_MANAGE: Reach.ALL,
                Permission.ROLE_CHANGE: Reach.ALL,
                Permission.INVITATION_MANAGE: Reach.ALL,
                Permission.LOG_READ: Reach.ALL,
                Permission.LOG_AUDIT: Reach.ALL,
                Permission.DOWNLOAD_READ: Reach.ALL,
                Permission.SESSION_MANAGE: Reach.ALL,
            }
        ),
        Role.MAINTAINER: MappingProxyType(
            {
                Permission.SELF_READ: Reach.ALL,
                Permission.SELF_MANAGE: Reach.OWN,
                Permission.FILE_LIST: Reach.ALL,
                Permission.FILE_READ: Reach.ALL,
                Permission.FILE_WRITE: Reach.OWN,
                Permission.FILE_DELETE: Reach.OWN,
                Permission.FOLDER_MAKE: Reach.ALL,
                Permission.USER_LIST: Reach.ALL,
                Permission.LOG_READ: Reach.ALL,
                Permission.DOWNLOAD_READ: Reach.OWN,
            }
        ),
        Role.GUEST: MappingProxyType(
            {
                Permission.SELF_READ: Reach.ALL,
                Permission.SELF_MANAGE: Reach.OWN,
                Permission.FILE_LIST: Reach.ALL,
                Permission.FILE_READ: Reach.ALL,
                Permission.USER_LIST: Reach.ALL,
                Permission.LOG_READ: Reach.ALL,
                Permission.DOWNLOAD_READ: Reach.OWN,  # who stored files once and is a guest now owns them still
            }
        ),
    }
)

OPERATOR_PERMISSIONS: Final[Mapping[Permission, Reach]] = MappingProxyType(
    {
        Permission.SELF_READ: Reach.ALL,
        Permission.FILE_LIST: Reach.ALL,
        Permission.FILE_DELETE: Reach.ALL,
        Permission.USER_LIST: Reach.ALL,
        Permission.USER_MANAGE: Reach.ALL,
        Permission.ROLE_CHANGE: Reach.ALL,
        Permission.INVITATION_MANAGE: Reach.ALL,
        Permission.LOG_READ: Reach.ALL,
        Permission.LOG_AUDIT: Reach.ALL,
        Permission.DOWNLOAD_READ: Reach.ALL,
        Permission.SERVER_LINK: Reach.ALL,
        Permission.SERVER_MANAGE: Reach.ALL,
        Permission.SESSION_MANAGE: Reach.ALL,
        Permission.VAULT_MANAGE: Reach.ALL,
    }
)

# How a refusal says it: "Guests do not {act}."
ACTS: Final[Mapping[Permission, str]] = MappingProxyType(
    {
        Permission.SELF_READ: "ask who they are",
        Permission.SELF_MANAGE: "have keys",
        Permission.FILE_LIST: "list files",
        Permission.FILE_READ: "get files",
        Permission.FILE_WRITE: "store files",
        Permission.FILE_DELETE: "delete files",
        Permission.FOLDER_MAKE: "make folders",
        Permission.USER_LIST: "list people",
        Permission.USER_MANAGE: "manage people",
        Permission.ROLE_CHANGE: "change roles",
        Permission.INVITATION_MANAGE: "invite people",
        Permission.SERVER_LINK: "make server links",
        Permission.SERVER_MANAGE: "change the server's settings",
        Permission.LOG_READ: "read the log",
        Permission.LOG_AUDIT: "read all of the log",
        Permission.DOWNLOAD_READ: "see who downloaded",
        Permission.SESSION_MANAGE: "manage sessions",
        Permission.VAULT_MANAGE: "manage the vault",
    }
)

_RISING: Final = (Role.GUEST, Role.MAINTAINER, Role.ADMIN)


class Caller(Struct, frozen=True):
    """Who asks: a session's user with the key that logged in, or the operator (no user, no key)."""

    user_id: int | None
    key_id: int | None
    name: str
    role: Holder
    session_id: int = 0

    @property
    def operator(self) -> bool:
        """Whether this is the operator, at the server's own control socket."""
        return self.role == OPERATOR


class Resource(Struct, frozen=True):
    """What a permission is about, as far as a right to it depends on that; None owns what the operator made."""

    owner_id: int | None


class Scope(Struct, frozen=True):
    """Which resources a caller may do something to: one value that judges a resource and filters a listing.

    Attributes:
        everything: whosever it is.
        owner_ids: else what belongs to one of these users.
    """

    everything: bool = False
    owner_ids: tuple[int, ...] = ()

    def __contains__(self, resource: Resource) -> bool:
        return self.everything or resource.owner_id in self.owner_ids


def operator_caller(session_id: int = 0) -> Caller:
    """Make the caller of a control socket, or of the server itself."""
    return Caller(None, None, OPERATOR, OPERATOR, session_id)


def scope_of(caller: Caller, permission: Permission) -> Scope:
    """Return which resources a caller may do something to."""
    match _held(caller.role).get(permission):
        case Reach.ALL:
            return Scope(everything=True)
        case Reach.OWN:
            return Scope(owner_ids=() if caller.user_id is None else (caller.user_id,))
        case None:
            return Scope()


def may(caller: Caller, permission: Permission, resource: Resource) -> bool:
    return resource in scope_of(caller, permission)


def allows(holder: Holder, permission: Permission) -> bool:
    """Return whether a role, or the operator, may do something to any resource at all."""
    return permission in _held(holder)


def least_role(permission: Permission) -> Role | None:
    """Find the lowest role that holds a permission; None is the operator's alone."""
    return next((role for role in _RISING if allows(role, permission)), None)


def _held(holder: Holder) -> Mapping[Permission, Reach]:
    # A plain text that happens to spell a role is no role: only a parsed Role holds anything.
    if isinstance(holder, Role):
        return ROLE_PERMISSIONS[holder]
    return OPERATOR_PERMISSIONS if str(holder) == OPERATOR else {}

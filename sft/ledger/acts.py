"""What leaves are called together: words of acts, as they are typed after ``--act`` and stand in a hook's ``events``.

Rules. Each kind of leaf is of one act. A word is never one of a kind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from sft.ledger.leaves import LeafKind

ACTS: Final[Mapping[str, tuple[LeafKind, ...]]] = MappingProxyType(
    {
        "store": (LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED),
        "move": (LeafKind.FILE_MOVED, LeafKind.FOLDER_MOVED),
        "delete": (LeafKind.FILE_DELETED, LeafKind.FOLDER_DELETED),
        "expire": (LeafKind.EXPIRY_CHANGED, LeafKind.FILE_EXPIRED),
        "restore": (LeafKind.FILE_RESTORED, LeafKind.FOLDER_RESTORED),
        "purge": (
            LeafKind.FILES_PURGED,
            LeafKind.FILE_PURGE_BEGUN,
            LeafKind.FOLDER_PURGE_BEGUN,
            LeafKind.FOLDERS_PURGED,
            LeafKind.VERSIONS_DESTROYED,
        ),
        "mkdir": (LeafKind.FOLDER_MADE,),
        "download": (LeafKind.DOWNLOAD_BEGUN, LeafKind.DOWNLOAD_RECEIVED),
        "join": (LeafKind.USER_JOINED,),
        "key": (
            LeafKind.KEY_ADDED,
            LeafKind.KEY_ROTATED,
            LeafKind.KEY_ENDED,
            LeafKind.KEY_RESET,
            LeafKind.SERVER_KEY_CHANGED,
        ),
        "role": (LeafKind.ROLE_CHANGED,),
        "disable": (LeafKind.USER_DISABLED,),
        "enable": (LeafKind.USER_ENABLED,),
        "remove": (LeafKind.USER_REMOVED,),
        "owner": (LeafKind.OWNER_CHANGED, LeafKind.FOLDER_OWNER_CHANGED),
        "quota": (LeafKind.QUOTA_CHANGED,),
        "hand-over": (LeafKind.HANDED_OVER,),
        "invite": (LeafKind.INVITATION_MADE, LeafKind.INVITATION_WITHDRAWN),
        "login": (LeafKind.LOGIN_FAILURES,),
        "damage": (LeafKind.DAMAGE_FOUND,),
        "server": (
            LeafKind.MASTER_KEY_ROTATED,
            LeafKind.ROW_KEY_CHANGED,
            LeafKind.SETTINGS_CHANGED,
            LeafKind.BACKUP_TAKEN,
            LeafKind.LOG_STARTED,
            LeafKind.LOG_RESTARTED,
        ),
    }
)

EVERY: Final = "all"


def kind_word(kind: LeafKind) -> str:
    """Return what one kind is called: ``file_committed``."""
    return kind.name.lower()


EVENTS: Final[Mapping[str, tuple[LeafKind, ...]]] = MappingProxyType(
    {EVERY: tuple(LeafKind), **ACTS, **{kind_word(kind): (kind,) for kind in LeafKind}}
)
"""What can be asked for: all, an act, or one kind of leaf."""


def kinds_of(events: Collection[str]) -> tuple[LeafKind, ...]:
    """Return the kinds of leaf that words of ``EVENTS`` mean, each once; none where that is all of them."""
    found = sorted({kind for event in events for kind in EVENTS[event]})
    return () if len(found) == len(LeafKind) else tuple(found)

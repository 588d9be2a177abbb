"""What can be asked of rights: the acts, by the words of ``sft``; and why somebody may do one.

Rules. Nothing is decided here. Whether somebody may is found by what decides the act itself (``sft.service.asked_rights``), and
why not is the act's own refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct


class Ground(StrEnum):
    """Why somebody may do something."""

    ROLE = "role"  # whoever has their role may, whosever it is
    OWNER = "owner"  # it is theirs
    HEIR = "heir"  # it is being handed over to them
    NEW = "new"  # it will be theirs


class About(Enum):
    """What an act is about."""

    PATH = "path"
    PERSON = "person"
    NOTHING = "nothing"


class AskedRight(Struct, frozen=True):
    """An act that can be asked about.

    Attributes:
        words: what somebody may do, or not; ``{}`` is what it is about.
    """

    about: About
    words: str


HANDS_OVER: Final = "owner"  # of the acts, the one by which somebody gets something

ASKED_RIGHTS: Final[Mapping[str, AskedRight]] = MappingProxyType(
    {
        "ls": AskedRight(About.PATH, "list {}"),
        "get": AskedRight(About.PATH, "get {}"),
        "put": AskedRight(About.PATH, "store {}"),
        "mkdir": AskedRight(About.PATH, "make the folder {}"),
        "mv": AskedRight(About.PATH, "rename or move {}"),
        "rm": AskedRight(About.PATH, "delete {}"),
        "restore": AskedRight(About.PATH, "bring {} back"),
        "destroy": AskedRight(About.PATH, "destroy {} in the trash"),
        "expire": AskedRight(About.PATH, "say when {} expires"),
        HANDS_OVER: AskedRight(About.PATH, "hand over {}"),
        "readers": AskedRight(About.PATH, "see who downloaded {}"),
        "invite": AskedRight(About.NOTHING, "invite people"),
        "add": AskedRight(About.NOTHING, "add people"),
        "role": AskedRight(About.PERSON, "change the role of {}"),
        "disable": AskedRight(About.PERSON, "disable {}"),
        "enable": AskedRight(About.PERSON, "enable {}"),
        "remove": AskedRight(About.PERSON, "remove {}"),
        "quota": AskedRight(About.PERSON, "change the quota of {}"),
        "reset-key": AskedRight(About.PERSON, "reset the keys of {}"),
    }
)

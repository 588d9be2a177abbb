"""What looking after contents says happened: damage that was met, how far a walk through all of them is, how they grow."""

from __future__ import annotations

from typing import ClassVar

from sft.model.events import DomainEvent


class DamageFound(DomainEvent, frozen=True, kw_only=True):
    """The content of a version does not hold any more: it was read, by whomever, and is not what was stored."""

    warning: ClassVar[bool] = True

    file_id: bytes
    path: str
    version: int
    object: str  # its id, in hexadecimal
    problem: str


class DamageMended(DomainEvent, frozen=True, kw_only=True):
    """Contents that were damaged hold again, or are none any more."""

    leaf: ClassVar[bool] = False

    objects: int


class SidecarWritten(DomainEvent, frozen=True, kw_only=True):
    """What lies beside a content was missing or did not hold, and was written anew out of the rows."""

    warning: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    path: str
    version: int
    object: str  # its id, in hexadecimal
    problem: str


class CheckAdvanced(DomainEvent, frozen=True, kw_only=True):
    """So many contents were read since a walk through all of them began."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    walk: str
    versions: int
    size: int


class CheckEnded(DomainEvent, frozen=True, kw_only=True):
    """All contents were read."""

    leaf: ClassVar[bool] = False

    walk: str
    versions: int
    size: int
    faults: int


class SearchBlocksMade(DomainEvent, frozen=True, kw_only=True):
    """What searches ask of versions up to a leaf of the log stands in a row of its own."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    upto: int


class GrowthNoted(DomainEvent, frozen=True, kw_only=True):
    """What is stored, and what is free, stands there for a day."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    size: int
    free: int

"""Events of what keeps a server in order: objects and open uploads, keys of the vault, backups.

Rules. Those of ``sft.model.events``, which has these names too. Most are no leaves: they change nothing that a person did.
"""

from __future__ import annotations

from typing import ClassVar

from sft.model.event import DomainEvent


class TrashCollected(DomainEvent, frozen=True, kw_only=True):
    """What was in the trash for its time is gone."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False


class ClockSeen(DomainEvent, frozen=True, kw_only=True):
    """The server ran until now, by its clock."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False


class ClockDoubted(DomainEvent, frozen=True, kw_only=True):
    """The clock moved otherwise than time can have passed: what destroys by age waits (``sft.model.clock``).

    Attributes:
        seconds: by which it is beyond ``sound_at``, which it would say at least if it had gone right; below 0 it is behind.
    """

    warning: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    seconds: int
    sound_at: int


class ClockBelieved(DomainEvent, frozen=True, kw_only=True):
    """The clock is doubted no more."""

    leaf: ClassVar[bool] = False

    why: str


class RetentionTaken(DomainEvent, frozen=True, kw_only=True):
    """So many days, or versions, are kept from now on."""

    leaf: ClassVar[bool] = False

    option: str  # by its name in the configuration
    to: int


class RetentionLowered(DomainEvent, frozen=True, kw_only=True):
    """Fewer days, or versions, are to be kept: of so many files something is older, and is destroyed from a moment on.

    Attributes:
        option: by its name in the configuration.
        size_bytes: of what is older.
        destroyed_from: in Unix seconds.
    """

    warning: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    option: str
    to: int
    before: int
    files: int
    size_bytes: int
    destroyed_from: int


class SpaceGivenBack(DomainEvent, frozen=True, kw_only=True):
    """Pages of the database that held nothing went back to the file system."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    pages: int


class ObjectsDestroyed(DomainEvent, frozen=True, kw_only=True):
    """The objects of purged or resealed contents are gone from the vault."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    object_ids: tuple[bytes, ...]


class UploadOpened(DomainEvent, frozen=True, kw_only=True):
    """An object is going to be written."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str


class UploadEnded(DomainEvent, frozen=True, kw_only=True):
    """An object that no version names is gone again."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str


class UploadAdvanced(DomainEvent, frozen=True, kw_only=True):
    """So many segments of an upload are durable: it can go on behind them."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str
    segments: int


class UploadGrown(DomainEvent, frozen=True, kw_only=True):
    """So much of a quota is reserved now for an upload whose size nobody said."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str
    size_bytes: int


class UploadResumed(DomainEvent, frozen=True, kw_only=True):
    """An upload goes on behind the segments that were finished."""

    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str
    segments: int


class UploadGivenUp(DomainEvent, frozen=True, kw_only=True):
    """Nobody goes on with an upload any more, and what was kept of it is removed."""

    leaf: ClassVar[bool] = False

    object_id: bytes
    path: str
    segments: int


class UploadKeysResealed(DomainEvent, frozen=True, kw_only=True):
    """The data keys of these open uploads are sealed by the master key in use."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    uploads: int
    epoch: int


class DataKeysResealed(DomainEvent, frozen=True, kw_only=True):
    """The data keys of these versions are sealed by the master key in use."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    versions: int
    epoch: int


class RowMacsRenewed(DomainEvent, frozen=True, kw_only=True):
    """Rows carry MACs under the row key in use."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    rows: int


class RowKeyChanged(DomainEvent, frozen=True, kw_only=True):
    """Every row that holds carries a MAC under a new row key; the old one is given up."""


class ContentResealed(DomainEvent, frozen=True, kw_only=True):
    """A version's content lies in a new object, under a new data key."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    old: bytes
    new: bytes


class BackupTaken(DomainEvent, frozen=True, kw_only=True):
    """A copy of the server begins, of the state as this leaf ends it: who has the copy and the master key can read it all."""

    epoch: int  # of the master key


class BackupEnded(DomainEvent, frozen=True, kw_only=True):
    """A backup is whole."""

    leaf: ClassVar[bool] = False

    objects: int  # that it has
    copied: int  # of these anew
    size: int  # bytes that were written

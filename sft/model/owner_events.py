"""What acts say happened to whose files and folders are; as ``sft.model.events``.

Rules. Those of a removal stand there: it is an act about a person.
"""

from __future__ import annotations

from typing import ClassVar

from sft.model.events import DomainEvent, StatedEvent


class FileOwnerChanged(StatedEvent, frozen=True, kw_only=True):
    """A file is another's: somebody who may change it handed it over."""

    file_id: bytes
    path: str
    owner_before: int  # user ids
    owner_id: int
    name: str  # of the new owner


class FolderOwnerChanged(StatedEvent, frozen=True, kw_only=True):
    """A folder is another's, with so many files and folders in it, itself among them; the rows of what is in it follow."""

    folder_id: int
    path: str
    owner_before: int | None  # None was the operator's
    owner_id: int
    name: str
    files: int
    folders: int


class FolderHandedOver(DomainEvent, frozen=True, kw_only=True):
    """The rows of these files and folders below a folder that was handed over name the new owner."""

    routine: ClassVar[bool] = True

    folder_id: int
    files_to: int
    files: tuple[bytes, ...]  # ids
    folder_ids: tuple[int, ...]


class FolderHandOverEnded(DomainEvent, frozen=True, kw_only=True):
    """All that was below a folder when it was handed over names the new owner."""

    leaf: ClassVar[bool] = False

    folder_id: int
    files_to: int

"""What acts say happened to files and versions that end before the whole file does, or before its time in the trash."""

from __future__ import annotations

from sft.model.events import DomainEvent, StatedEvent, only_file_of


class VersionsDestroyed(StatedEvent, frozen=True, kw_only=True):
    """The contents of versions are gone: one that somebody named, or older ones than are kept. What is known of them stays.

    Attributes:
        versions: file ids and numbers, each pair once.
        path: of the file, of what somebody named; None of what the server did.
    """

    versions: tuple[tuple[bytes, int], ...]
    path: str | None = None
    size: int

    @property
    def only_file(self) -> bytes | None:
        """The file that it is about, where it is one."""
        return only_file_of(self.versions)


class FilePurgeBegun(StatedEvent, frozen=True, kw_only=True):
    """A file that was in the trash comes back no more: somebody had it destroyed before its time."""

    file_id: bytes
    path: str
    version: int
    trashed_at: int


class ExpiryChanged(StatedEvent, frozen=True, kw_only=True):
    """A file goes to the trash by itself at another moment than before, or never."""

    file_id: bytes
    path: str
    expires_at: int | None  # Unix seconds; None is never


class FileExpired(DomainEvent, frozen=True, kw_only=True):
    """A file is in the trash because its time was over."""

    file_id: bytes
    path: str

"""What is not tried any more, because something no larger had no room: else a full server is asked for each file."""

from __future__ import annotations

from sft.errors import LocalDiskFullError, ServerFullError, SftError


class NoRoom:
    """What a run of many files has met of full disks, at the server or here."""

    def __init__(self) -> None:
        self._error: SftError | None = None
        self._size_bytes = 0

    def note(self, error: SftError | None, size_bytes: int | None) -> None:
        """Take what became of a file."""
        size = size_bytes or 0
        full = isinstance(error, ServerFullError | LocalDiskFullError)
        if full and (self._error is None or size < self._size_bytes):
            self._error, self._size_bytes = error, size

    def refusal(self, size_bytes: int | None) -> SftError | None:
        """Return why a file of this size is not tried; None where it may have room."""
        return self._error if size_bytes is not None and size_bytes >= self._size_bytes else None

"""What a signed statement says of what its person saw and decides about: in one place for who signs it and who checks it."""

from __future__ import annotations

from typing import Any

from sft.model.records import FileSeen, TrashSeen


def seen_fields(seen: FileSeen | None) -> dict[str, Any]:
    """Return what it says of a file: no file and version 0 for None."""
    return {"file": b"", "version": 0} if seen is None else {"file": seen.file_id, "version": seen.version}


def trash_fields(seen: TrashSeen) -> dict[str, Any]:
    """Return what it says of something in the trash: of a folder no file, of a file no folder."""
    return {
        **seen_fields(seen.file),
        "folder": seen.folder_id,
        "files": seen.files,
        "folders": seen.folders,
        "trashed_at": seen.trashed_at,
    }

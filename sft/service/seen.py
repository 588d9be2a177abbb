"""A file as whoever changes it has seen it: which one, and its newest version."""

from __future__ import annotations

from sft.errors import ChangedSinceError
from sft.model.records import FileSeen
from sft.service.record_builder import RecordBuilder
from sft.store.files import newest_versions
from sft.store.row_types import FileRow


def require_seen(records: RecordBuilder, path: str, file: FileRow, seen: FileSeen | None) -> None:
    """Refuse to change what is not what was seen; None is whatever is there.

    Raises:
        ChangedSinceError: another file, or a newer version.
    """
    if seen is None or seen == FileSeen(file.file_id, file.newest):
        return
    newest = newest_versions(records.reading, [file])[file.id]
    author = records.name_of(newest.author_id)
    raise ChangedSinceError(
        path=path, author=author, version=newest.number, stored_at=newest.stored_at, seen=seen.version
    )

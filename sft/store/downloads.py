"""Queries on downloads: what somebody began to download and said to have received, and who did of a file.

Rules. A row is of one version and one reader, made with the first of them and changed once, when it is received; the log has
every one. The newest version of each reader comes by unverified columns, and then as a row.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select

from sft.store.criteria import GROUP_PAIRS, any_of_pairs, groups, halves
from sft.store.row_types import DownloadRow
from sft.store.rows import ReadTransaction
from sft.store.schema import DownloadModel
from sft.store.statements import any_of, columns_of, rows_of, value

FileVersionKey = tuple[bytes, int]
"""A file's own id and the number of a version of it."""

_AT: Final = rows_of(
    DownloadRow, DownloadModel.user_id == value("user_id"), *any_of_pairs(DownloadModel.file_id, DownloadModel.number)
)
_NEWEST: Final = columns_of(
    select(DownloadModel.user_id, func.max(DownloadModel.number))
    .where(
        DownloadModel.file_id == value("file_id"),
        DownloadModel.user_id > value("after"),
        DownloadModel.user_id <= value("upto"),
    )
    .group_by(DownloadModel.user_id)
)
_OF_READERS: Final = rows_of(
    DownloadRow,
    DownloadModel.file_id == value("file_id"),
    DownloadModel.user_id.in_(any_of("firsts")),
    DownloadModel.number.in_(any_of("seconds")),
)


def downloads_of(
    reading: ReadTransaction, user_id: int, keys: Collection[FileVersionKey]
) -> dict[FileVersionKey, DownloadRow]:
    """Find which of these versions somebody has begun to download."""
    found: dict[FileVersionKey, DownloadRow] = {}
    for group in groups(keys, GROUP_PAIRS):
        wanted = set(group)
        rows = reading.rows.all(_AT, user_id=user_id, **halves(group))
        found.update((key, row) for row in rows if (key := (row.file_id, row.number)) in wanted)
    return found


def newest_by_reader(reading: ReadTransaction, file_id: bytes, after: int, upto: int) -> dict[int, DownloadRow]:
    """Load, of users with these ids (after < id <= upto), the newest version of a file that each began to download."""
    newest = reading.rows.columns(_NEWEST, file_id=file_id, after=after, upto=upto)
    found: dict[int, DownloadRow] = {}
    for group in groups(newest, GROUP_PAIRS):
        wanted = set(group)
        rows = reading.rows.all(_OF_READERS, file_id=file_id, **halves(group))
        found.update((row.user_id, row) for row in rows if (row.user_id, row.number) in wanted)
    return found

"""What is stored, added up by what it is: current contents, older versions, the trash; and how that was on earlier days.

Rules. Sums are of unverified columns and decide nothing. They are asked for by ranges of files, so that no transaction is open
long; a range costs some milliseconds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import and_, case, func, or_, select

from sft.store.criteria import LIVE
from sft.store.operation_schema import GrowthModel
from sft.store.row_types import GrowthRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FileModel, FolderModel, VersionModel
from sft.store.statements import ColumnsOf, columns_of, rows_of, value

RANGE: Final = 20_000  # files

_CURRENT: Final = 0
_OLDER: Final = 1
_TRASH: Final = 2


class Sums(NamedTuple):
    """Bytes of contents that were not destroyed."""

    current_bytes: int = 0
    older_bytes: int = 0
    trash_bytes: int = 0


def _sums() -> ColumnsOf[int, int]:
    gone = select(FolderModel.id).where(FolderModel.state != LIVE).cte("gone", recursive=True)
    gone = gone.union_all(select(FolderModel.id).where(FolderModel.parent_id == gone.c.id))
    in_trash = or_(FileModel.state != LIVE, FileModel.folder_id.in_(select(gone.c.id)))
    what = case((in_trash, _TRASH), (VersionModel.number == FileModel.newest, _CURRENT), else_=_OLDER)
    return columns_of(
        select(what, func.sum(VersionModel.size))
        .join(FileModel, FileModel.id == VersionModel.file)
        .where(
            and_(
                VersionModel.file > value("after"),
                VersionModel.file <= value("upto"),
                VersionModel.destroyed_at.is_(None),
            )
        )
        .group_by(what)
    )


_SUMS: Final = _sums()
_LAST: Final = columns_of(select(func.coalesce(func.max(FileModel.id), 0)))
_DAY: Final = rows_of(GrowthRow, GrowthModel.day == value("day"))
_SINCE: Final = rows_of(GrowthRow, GrowthModel.day >= value("day"), order_by=(GrowthModel.day,))
_BEFORE: Final = rows_of(GrowthRow, GrowthModel.day < value("day"))


def last_file(reading: ReadTransaction) -> int:
    """Return the highest row id of a file."""
    return reading.rows.columns(_LAST)[0][0]


def sums_in(reading: ReadTransaction, after: int) -> Sums:
    """Add up the contents of a range of files that follow a row id."""
    found = dict(reading.rows.columns(_SUMS, after=after, upto=after + RANGE))
    return Sums(*(found.get(what, 0) for what in (_CURRENT, _OLDER, _TRASH)))


def growth_since(reading: ReadTransaction, day: int) -> list[GrowthRow]:
    """Load what was noted from a day on (Unix days), oldest first."""
    return reading.rows.all(_SINCE, day=day)


def keep_growth(transaction: Transaction, row: GrowthRow, oldest: int) -> None:
    """Write what a day's sums are, and forget days before another."""
    forgotten = transaction.rows.all(_BEFORE, day=oldest)
    transaction.rows.delete(forgotten)
    if transaction.rows.one(_DAY, day=row.day) is None:
        transaction.rows.insert([row])
    else:
        transaction.rows.update([row])

"""Queries on newest versions by names, who signed them, their size and when they were stored: the last stored first.

Rules. Versions are read in the order of the log, from its end, by an index; of one author by theirs. A stretch has so many
versions, older ones of a file too, whatever is asked for. What is read is unverified: whoever shows a row loads it whole, and
asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import func, select, tuple_

from sft.model.access import Scope
from sft.store.criteria import LIVE, groups, owners_in, within
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, VersionModel
from sft.store.statements import ColumnsOf, any_of, columns_of, value

ANY_SIZE: Final = 2**62
ANY_TIME: Final = 2**62

LeafKey = tuple[int, int]
"""Of a version: its leaf in the log, and the row of its file."""


class VersionsWanted(Struct, frozen=True):
    """What versions are to be like.

    Attributes:
        author_id: None for anybody.
        smallest, largest: bytes.
        since, until: Unix seconds, the end not among them.
    """

    author_id: int | None = None
    smallest: int = 0
    largest: int = ANY_SIZE
    since: int = -ANY_TIME
    until: int = ANY_TIME

    def bounds(self) -> dict[str, int]:
        """Return what size and time are to be, by name."""
        return {"smallest": self.smallest, "largest": self.largest, "since": self.since, "until": self.until}


def versions_end(reading: ReadTransaction, before: LeafKey, count: int) -> tuple[LeafKey, int] | None:
    """Return the key of the version that so many others before a place end with, and when it was stored; None at the end."""
    found = reading.rows.columns(_END, leaf=before[0], file=before[1], skipped=count - 1)
    return next((((leaf, file), stored_at) for leaf, file, stored_at in found), None)


def versions_by(reading: ReadTransaction, author_id: int, most: int) -> int:
    """Count the versions that somebody signed, older ones too; as far as so many."""
    return reading.rows.columns(_COUNT, author_id=author_id, limit=most)[0][0]


def newest_like(
    reading: ReadTransaction, before: LeafKey, down_to: LeafKey, words: Sequence[str], wanted: VersionsWanted
) -> list[tuple[int, int, int]]:
    """Find the newest versions of live files before one place and down to another that are wanted, and whose names hold words.

    Returns:
        Of each its leaf, the file's row and the folder's, whether that was deleted or not; the last stored first.
    """
    asked = _newest(words=len(words), of_author=wanted.author_id is not None)
    places = {"leaf": before[0], "file": before[1], "end_leaf": down_to[0], "end_file": down_to[1]}
    whose = {} if wanted.author_id is None else {"author_id": wanted.author_id}
    named = {f"word_{number}": word for number, word in enumerate(words)}
    return reading.rows.columns(asked, **places, **whose, **wanted.bounds(), **named)


def still_newest(reading: ReadTransaction, keys: Collection[LeafKey], scope: Scope) -> set[LeafKey]:
    """Return which of these are newest versions of live files of a scope."""
    asked = _still_newest(everything=scope.everything)
    found: set[LeafKey] = set()
    for group in groups({file for _, file in keys}):
        found.update(reading.rows.columns(asked, keys=group, **owners_in(scope)))
    return found & set(keys)


_KEY: Final = (VersionModel.leaf, VersionModel.file)
_LAST_FIRST: Final = (VersionModel.leaf.desc(), VersionModel.file.desc())
_BEFORE: Final = tuple_(*_KEY) < tuple_(value("leaf"), value("file"))
_IS_NEWEST: Final = (FileModel.id == VersionModel.file) & (FileModel.newest == VersionModel.number)
_END: Final = columns_of(
    select(*_KEY, VersionModel.stored_at).where(_BEFORE).order_by(*_LAST_FIRST).limit(1).offset(value("skipped"))
)
_SIGNED: Final = select(VersionModel.leaf).where(VersionModel.author_id == value("author_id")).limit(value("limit"))
_COUNT: Final = columns_of(select(func.count()).select_from(_SIGNED.subquery()))


@cache
def _newest(*, words: int, of_author: bool) -> ColumnsOf[Any, Any, Any]:
    stretch = tuple_(*_KEY) >= tuple_(value("end_leaf"), value("end_file"))
    like = [
        *([VersionModel.author_id == value("author_id")] if of_author else []),
        VersionModel.size.between(value("smallest"), value("largest")),
        VersionModel.stored_at >= value("since"),
        VersionModel.stored_at < value("until"),
    ]
    # Not LIKE: it compares letter by letter, and of a name of one letter and a word of the same with another at its end
    # each pair. What is looked for here is compared as a whole.
    holding = [func.instr(FileModel.folded, value(f"word_{number}")) > 0 for number in range(words)]
    asked = select(*_KEY, FileModel.folder_id).join(FileModel, _IS_NEWEST).where(_BEFORE, stretch, *like)
    asked = asked.where(FileModel.state == LIVE, FileModel.folder_id.is_not(None), *holding)
    return columns_of(asked.order_by(*_LAST_FIRST))


@cache
def _still_newest(*, everything: bool) -> ColumnsOf[int, int]:
    whose = within(FileModel.owner_id, everything=everything)
    asked = select(*_KEY).join(VersionModel, _IS_NEWEST).select_from(FileModel)
    return columns_of(asked.where(FileModel.id.in_(any_of("keys")), FileModel.state == LIVE, *whose))

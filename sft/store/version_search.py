"""Queries on newest versions by who signed them, their size and when they were stored: the last stored first.

Rules. Versions are read in the order of the log, from its end, by an index; of one author by theirs. A stretch has so many
versions, older ones of a file too, whatever is asked for. What is read is unverified: whoever shows a row loads it whole, and
asks again.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, select, tuple_

from sft.model.access import Scope
from sft.store.criteria import LIVE, owners_in, within
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, VersionModel
from sft.store.statements import ColumnsOf, columns_of, value

_ANY_SIZE: Final = 2**62
_ANY_TIME: Final = 2**62

LeafKey = tuple[int, int]
"""Of a version: its leaf in the log, and the row of its file."""


class VersionsWanted(Struct, frozen=True):
    """What versions are to be like.

    Attributes:
        author_id: None for anybody.
        smallest, largest: bytes; None for any.
        since, until: Unix seconds, the end not among them; None for any.
    """

    author_id: int | None
    smallest: int
    largest: int | None
    since: int | None
    until: int | None

    def values(self) -> dict[str, int]:
        """Return what ``like`` names."""
        return {
            **({} if self.author_id is None else {"author_id": self.author_id}),
            "smallest": self.smallest,
            "largest": _ANY_SIZE if self.largest is None else self.largest,
            "since": -_ANY_TIME if self.since is None else self.since,
            "until": _ANY_TIME if self.until is None else self.until,
        }


def like(*, of_author: bool) -> list[ColumnElement[bool]]:
    """Ask for versions that are wanted."""
    return [
        *([VersionModel.author_id == value("author_id")] if of_author else []),
        VersionModel.size.between(value("smallest"), value("largest")),
        VersionModel.stored_at >= value("since"),
        VersionModel.stored_at < value("until"),
    ]


def versions_end(
    reading: ReadTransaction, before: LeafKey, count: int, author_id: int | None
) -> tuple[LeafKey, int] | None:
    """Return the key of the version that so many others before a place end with, and when it was stored; None at the end."""
    whose = {} if author_id is None else {"author_id": author_id}
    asked = _end(of_author=author_id is not None)
    found = reading.rows.columns(asked, leaf=before[0], file=before[1], skipped=count - 1, **whose)
    return next((((leaf, file), stored_at) for leaf, file, stored_at in found), None)


def newest_like(
    reading: ReadTransaction, before: LeafKey, down_to: LeafKey, wanted: VersionsWanted, limit: int, scope: Scope
) -> list[LeafKey]:
    """Find the live files of a scope whose newest versions are wanted and stand before one place and down to another."""
    asked = _newest(everything=scope.everything, of_author=wanted.author_id is not None)
    places = {"leaf": before[0], "file": before[1], "end_leaf": down_to[0], "end_file": down_to[1]}
    found = reading.rows.columns(asked, limit=limit, **places, **wanted.values(), **owners_in(scope))
    return [(leaf, file) for leaf, file in found]


_KEY: Final = (VersionModel.leaf, VersionModel.file)
_LAST_FIRST: Final = (VersionModel.leaf.desc(), VersionModel.file.desc())
_BEFORE: Final = tuple_(*_KEY) < tuple_(value("leaf"), value("file"))


@cache
def _end(*, of_author: bool) -> ColumnsOf[Any, Any, Any]:
    whose = [VersionModel.author_id == value("author_id")] if of_author else []
    asked = select(*_KEY, VersionModel.stored_at).where(_BEFORE, *whose).order_by(*_LAST_FIRST)
    return columns_of(asked.limit(1).offset(value("skipped")))


@cache
def _newest(*, everything: bool, of_author: bool) -> ColumnsOf[Any, Any]:
    stretch = tuple_(*_KEY) >= tuple_(value("end_leaf"), value("end_file"))
    is_newest = (FileModel.id == VersionModel.file) & (FileModel.newest == VersionModel.number)
    whose = within(FileModel.owner_id, everything=everything)
    asked = select(*_KEY).join(FileModel, is_newest).where(_BEFORE, stretch, *like(of_author=of_author))
    asked = asked.where(FileModel.state == LIVE, *whose)
    return columns_of(asked.order_by(*_LAST_FIRST).limit(value("limit")))

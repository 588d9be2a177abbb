"""Queries on names wherever they lie: which hold some words, a stretch of all names at a time.

Rules. Names are read in the order of the index that keeps them unique, (folder, folded name), and from that index alone: no row
is touched until its name holds the words. What was deleted by itself lies in no folder, so it is not there. A stretch has an
end, whatever is asked for, and costs the same at the first name and at the last. Places come unverified: whoever shows a row
loads it whole, and asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from sft.model.access import Scope
from sft.store.criteria import owners_in, within
from sft.store.folders import PlaceKey
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, FolderModel, VersionModel
from sft.store.statements import ColumnsOf, columns_of, value
from sft.store.version_search import VersionsWanted, like

NamePlace = tuple[int | None, str, int]
"""Of a name: the folder that it lies in, the name folded, and the row that has it."""

_AFTER: Final = tuple_(value("after_folder"), value("after_name"))
_UNTIL: Final = tuple_(value("until_folder"), value("until_name"))


def file_names_end(reading: ReadTransaction, after: PlaceKey, count: int) -> PlaceKey | None:
    """Return the place of the file that so many others behind a place end with; None where fewer follow."""
    return _end(reading, _FILES_END, after, count)


def folder_names_end(reading: ReadTransaction, after: PlaceKey, count: int) -> PlaceKey | None:
    """Do as ``file_names_end`` for folders."""
    return _end(reading, _FOLDERS_END, after, count)


def files_with_words(
    reading: ReadTransaction,
    after: PlaceKey,
    until: PlaceKey,
    words: Sequence[str],
    limit: int,
    scope: Scope,
    wanted: VersionsWanted | None = None,
) -> list[NamePlace]:
    """Find the files of a scope behind one place and up to another whose folded names hold every word, so many at most.

    Args:
        wanted: what their newest versions are to be like.
    """
    whose = {} if wanted is None else wanted.values()
    asked = _files_with(
        words=len(words),
        everything=scope.everything,
        of_author=None if wanted is None else wanted.author_id is not None,
    )
    return reading.rows.columns(asked, limit=limit, **_stretch(after, until, words), **whose, **owners_in(scope))


def folders_with_words(
    reading: ReadTransaction, after: PlaceKey, until: PlaceKey, words: Sequence[str], limit: int, scope: Scope
) -> list[NamePlace]:
    """Do as ``files_with_words`` for folders."""
    asked = _folders_with(words=len(words), everything=scope.everything)
    return reading.rows.columns(asked, limit=limit, **_stretch(after, until, words), **owners_in(scope))


def _end(reading: ReadTransaction, asked: ColumnsOf[Any, str], after: PlaceKey, count: int) -> PlaceKey | None:
    found = reading.rows.columns(asked, after_folder=after[0], after_name=after[1], skipped=count - 1)
    return next(((folder_id, folded) for folder_id, folded in found), None)


def _stretch(after: PlaceKey, until: PlaceKey, words: Sequence[str]) -> dict[str, Any]:
    places = {"after_folder": after[0], "after_name": after[1], "until_folder": until[0], "until_name": until[1]}
    return {**places, **{f"word_{number}": word for number, word in enumerate(words)}}


def _end_of(folder: InstrumentedAttribute[Any], folded: InstrumentedAttribute[str]) -> ColumnsOf[Any, str]:
    following = select(folder, folded).where(tuple_(folder, folded) > _AFTER).order_by(folder, folded)
    return columns_of(following.limit(1).offset(value("skipped")))


_FILES_END: Final = _end_of(FileModel.folder_id, FileModel.folded)
_FOLDERS_END: Final = _end_of(FolderModel.parent_id, FolderModel.folded)


@cache
def _files_with(*, words: int, everything: bool, of_author: bool | None) -> ColumnsOf[Any]:
    whose: list[Any] = within(FileModel.owner_id, everything=everything)
    if of_author is not None:
        newest = (VersionModel.file == FileModel.id, VersionModel.number == FileModel.newest)
        whose.append(exists().where(*newest, *like(of_author=of_author)))
    return _named(FileModel.folder_id, FileModel.folded, FileModel.id, words, *whose)


@cache
def _folders_with(*, words: int, everything: bool) -> ColumnsOf[Any]:
    whose = within(FolderModel.maker_id, everything=everything)
    return _named(FolderModel.parent_id, FolderModel.folded, FolderModel.id, words, *whose)


def _named(
    folder: InstrumentedAttribute[Any],
    folded: InstrumentedAttribute[str],
    row_id: InstrumentedAttribute[int],
    words: int,
    *where: Any,
) -> ColumnsOf[Any]:
    # Not LIKE: it compares letter by letter, and of a name of one letter and a word of the same with another at its end
    # each pair. What is replaced is compared as a whole, in every engine.
    holding = [func.replace(folded, value(f"word_{number}"), "") != folded for number in range(words)]
    places = tuple_(folder, folded)
    found = select(folder, folded, row_id).where(places > _AFTER, places <= _UNTIL, *holding, *where)
    return columns_of(found.order_by(folder, folded).limit(value("limit")))

"""Queries on names of folders wherever they lie: which hold some words, a stretch of all names at a time.

Rules. Names are read in the order of the index that keeps them unique, (folder, folded name), and from that index alone: no row
is touched until its name holds the words. What was deleted by itself lies in no folder, so it is not there. A stretch has an
end, whatever is asked for, and costs the same at the first name and at the last. Places come unverified: whoever shows a row
loads it whole, and asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import func, select, tuple_

from sft.model.access import Scope
from sft.store.criteria import owners_in, within
from sft.store.folders import PlaceKey
from sft.store.rows import ReadTransaction
from sft.store.schema import FolderModel
from sft.store.statements import ColumnsOf, columns_of, value

NamePlace = tuple[int, str, int]
"""Of a folder: the one that it lies in, its name folded, its row."""

_PLACE: Final = (FolderModel.parent_id, FolderModel.folded)
_AFTER: Final = tuple_(*_PLACE) > tuple_(value("after_folder"), value("after_name"))
_UNTIL: Final = tuple_(*_PLACE) <= tuple_(value("until_folder"), value("until_name"))
_END: Final = columns_of(select(*_PLACE).where(_AFTER).order_by(*_PLACE).limit(1).offset(value("skipped")))


def folder_names_end(reading: ReadTransaction, after: PlaceKey, count: int) -> PlaceKey | None:
    """Return the place of the folder that so many others behind a place end with; None where fewer follow."""
    found = reading.rows.columns(_END, after_folder=after[0], after_name=after[1], skipped=count - 1)
    return next(((folder_id or 0, folded) for folder_id, folded in found), None)


def folders_with_words(
    reading: ReadTransaction, after: PlaceKey, until: PlaceKey, words: Sequence[str], limit: int, scope: Scope
) -> list[NamePlace]:
    """Find the folders of a scope behind one place and up to another whose folded names hold every word, so many at most."""
    asked = _folders_with(words=len(words), everything=scope.everything)
    places = {"after_folder": after[0], "after_name": after[1], "until_folder": until[0], "until_name": until[1]}
    named = {f"word_{number}": word for number, word in enumerate(words)}
    return reading.rows.columns(asked, limit=limit, **places, **named, **owners_in(scope))


@cache
def _folders_with(*, words: int, everything: bool) -> ColumnsOf[Any, Any, Any]:
    # Not LIKE: it compares letter by letter, and of a name of one letter and a word of the same with another at its end
    # each pair. What is replaced is compared as a whole, in every engine.
    holding = [
        func.replace(FolderModel.folded, value(f"word_{number}"), "") != FolderModel.folded for number in range(words)
    ]
    whose = within(FolderModel.maker_id, everything=everything)
    found = select(*_PLACE, FolderModel.id).where(_AFTER, _UNTIL, *holding, *whose)
    return columns_of(found.order_by(*_PLACE).limit(value("limit")))

"""Finding files by what their newest versions are like: who signed them, how large they are, when they were stored.

Rules. What was stored last comes first. One question looks through so many versions at most, from the end of the log: a page
may be empty and not the last. A stretch that was stored before what is asked for is the last one, as the log's times do not go
back. What lies below a deleted folder is not found.
"""

from __future__ import annotations

from typing import Final

from sft.errors import BadRequestError
from sft.limits import LIST_ENTRIES, VERSIONS_SCANNED
from sft.model.access import Scope
from sft.model.file_criteria import FileCriteria
from sft.model.records import File, Page
from sft.service.files import PAGE_FILES, PAGE_SIGNED_FILES
from sft.service.record_builder import PageRoom, RecordBuilder
from sft.store.files import files_by_row_id, newest_versions
from sft.store.rows import ReadTransaction
from sft.store.users import user_by_name
from sft.store.version_search import LeafKey, VersionsWanted, newest_like, versions_end

_VERSIONS: Final = "v"
_BEHIND_ALL: Final[LeafKey] = (2**62, 0)
_BEFORE_ALL: Final[LeafKey] = (-1, 0)
_DIGITS: Final = 18  # of either number


def versions_wanted(reading: ReadTransaction, criteria: FileCriteria) -> VersionsWanted | None:
    """Return what the rows are asked for; None where nobody has the name of the author."""
    author_id = None
    if criteria.author:
        author = user_by_name(reading, criteria.author)
        if author is None:
            return None
        author_id = author.id
    return VersionsWanted(author_id, criteria.smallest, criteria.largest, criteria.since, criteria.until)


def newest_versions_like(
    reading: ReadTransaction, scope: Scope, criteria: FileCriteria, cursor: str, *, signatures: bool
) -> Page:
    """Return a page of the files of a scope that fit criteria.

    Raises:
        BadRequestError: a cursor that no page had.
    """
    before = _read_cursor(cursor)
    wanted = versions_wanted(reading, criteria)
    if wanted is None:
        return Page((), (), "")
    end = versions_end(reading, before, VERSIONS_SCANNED, wanted.author_id)
    following: LeafKey | None = None
    if end is not None and (criteria.since is None or end[1] >= criteria.since):
        following = end[0]
    most = PAGE_SIGNED_FILES if signatures else PAGE_FILES
    keys = newest_like(reading, before, _BEFORE_ALL if end is None else end[0], wanted, most + 1, scope)
    if len(keys) > most:
        following, keys = keys[most - 1], keys[:most]
    rows = {row.id: row for row in files_by_row_id(reading, [file for _, file in keys])}
    versions = newest_versions(reading, rows.values())
    builder = RecordBuilder(reading)
    pairs = builder.living([(rows[file], versions[file]) for _, file in keys if file in rows])
    room, taken = PageRoom(LIST_ENTRIES), list[File]()
    for number, record in enumerate(builder.files(pairs, signatures=signatures)):
        if not criteria.fits(record.version):
            continue
        if not room.takes(record):
            return Page(
                (), tuple(taken), _cursor((pairs[number - 1][1].leaf, pairs[number - 1][0].id) if number else before)
            )
        taken.append(record)
    return Page((), tuple(taken), "" if following is None else _cursor(following))


def _cursor(place: LeafKey) -> str:
    return f"{_VERSIONS}{place[0]}.{place[1]}"


def _read_cursor(cursor: str) -> LeafKey:
    if not cursor:
        return _BEHIND_ALL
    leaf, point, file = cursor.removeprefix(_VERSIONS).partition(".")
    if not cursor.startswith(_VERSIONS) or not point or not all(map(_is_number, (leaf, file))):
        raise BadRequestError(problem="a cursor that no page had")
    return int(leaf), int(file)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS

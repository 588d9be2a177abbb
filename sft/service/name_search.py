"""Finding files and folders by words of their names, wherever they lie, and files by what their newest versions are like.

Rules. A name is found if it holds every word, both folded. Folders come first, then files, each folder by folder, and in it in
the order of folded names. One question looks through so many names at most, fewer for several words, as names can be made that
hold all but the last: a page may be empty and not the last. What lies below a deleted folder is not found, and its name is in
no cursor. Rights are those of a listing. With criteria there are no folders; without words ``version_search`` answers, whose
cursors begin otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from sft.errors import BadRequestError
from sft.limits import LIST_ENTRIES, NAMES_SCANNED, VERSIONS_SCANNED
from sft.model.access import Caller, Permission, Scope, scope_of
from sft.model.file_criteria import FileCriteria
from sft.model.names import fold
from sft.model.records import File, Folder, Page
from sft.service.files import PAGE_FILES, PAGE_SIGNED_FILES
from sft.service.record_builder import PageRoom, RecordBuilder
from sft.service.use_case import query
from sft.service.version_search import newest_versions_like, versions_wanted
from sft.store.files import files_by_row_id, newest_versions
from sft.store.folders import FolderPath, PlaceKey, folders_by_id, paths_of
from sft.store.name_search import NamePlace, file_names_end, files_with_words, folder_names_end, folders_with_words
from sft.store.rows import ReadTransaction
from sft.store.version_search import VersionsWanted

_FOLDERS: Final = "d"
_FILES: Final = "f"
_BEFORE_ALL: Final[PlaceKey] = (0, "")
_BEHIND_ALL: Final[PlaceKey] = (2**62, "")
_DIGITS: Final = 18  # of a folder's number


class _Stretch(NamedTuple):
    """The rows of a stretch whose names hold the words, those below deleted folders left out; ``next`` is None at the end."""

    row_ids: list[int]
    places: list[PlaceKey]
    next: PlaceKey | None


@query(Permission.FILE_LIST)
def search_names(
    reading: ReadTransaction,
    caller: Caller,
    *,
    words: Sequence[str],
    criteria: FileCriteria | None = None,
    cursor: str = "",
    signatures: bool = False,
) -> Page:
    """Show a page of the folders and files whose names hold every word, or of the files that are like that besides.

    Args:
        cursor: ``next`` of the page before; empty from the start.
        signatures: whether files carry them; pages are shorter then.

    Raises:
        BadRequestError: a word that holds nothing, nothing asked for, or a cursor that no page had.
    """
    wanted = [*dict.fromkeys(fold(word) for word in words)]
    if not all(wanted):
        raise BadRequestError(problem="a word that holds nothing")
    scope = scope_of(caller, Permission.FILE_LIST)
    if not wanted:
        if criteria is None:
            raise BadRequestError(problem="a search for nothing")
        return newest_versions_like(reading, scope, criteria, cursor, signatures=signatures)
    kind, after = _read_cursor(cursor)
    if criteria is not None:
        kind, after = (_FILES, _BEFORE_ALL) if kind == _FOLDERS else (kind, after)
        versions = versions_wanted(reading, criteria)
        if versions is None:
            return Page((), (), "")
        search = _Search(reading, wanted, scope, criteria, versions)
    else:
        search = _Search(reading, wanted, scope)
    folders: list[Folder] = []
    if kind == _FOLDERS:
        folders, following = search.folders(after)
        if following is not None:
            return Page(tuple(folders), (), _cursor(_FOLDERS, following))
        after = _BEFORE_ALL
    files, following = search.files(after, signatures=signatures)
    return Page(tuple(folders), tuple(files), "" if following is None else _cursor(_FILES, following))


class _Search:
    """One question: its words, what the caller sees, and the room of its page."""

    def __init__(
        self,
        reading: ReadTransaction,
        words: list[str],
        scope: Scope,
        criteria: FileCriteria | None = None,
        versions: VersionsWanted | None = None,
    ) -> None:
        self._criteria = criteria
        self._files_named = partial(files_with_words, wanted=versions)
        self._reading = reading
        self._words = words
        self._scope = scope
        self._room = PageRoom(LIST_ENTRIES)
        self._paths: dict[int, FolderPath] = {}

    def folders(self, after: PlaceKey) -> tuple[list[Folder], PlaceKey | None]:
        """Return folders behind a place, and where the next page begins; None where files follow."""
        found = self._look(folder_names_end, folders_with_words, after, PAGE_FILES)
        rows = folders_by_id(self._reading, found.row_ids)
        taken: list[Folder] = []
        for row_id, (parent, _) in zip(found.row_ids, found.places, strict=True):
            (record,) = RecordBuilder.folders([rows[row_id]], self._paths[parent].text)
            if not self._room.takes(record):
                break
            taken.append(record)
        return taken, self._next(found, len(taken), after)

    def files(self, after: PlaceKey, *, signatures: bool) -> tuple[list[File], PlaceKey | None]:
        """Return files behind a place, and where the next page begins; None at the end."""
        most = min(self._room.entries, PAGE_SIGNED_FILES if signatures else PAGE_FILES)
        found = self._look(file_names_end, self._files_named, after, max(most, 1))
        rows = {row.id: row for row in files_by_row_id(self._reading, found.row_ids)}
        versions = newest_versions(self._reading, rows.values())
        pairs = [(rows[row_id], versions[row_id]) for row_id in found.row_ids]
        paths = [self._paths[row.folder_id or 0].text for row, _ in pairs]
        spelled = [f"{path}/{row.name}" if path else row.name for path, (row, _) in zip(paths, pairs, strict=True)]
        taken: list[File] = []
        for seen, record in enumerate(RecordBuilder(self._reading).files(pairs, signatures=signatures, paths=spelled)):
            if self._criteria is not None and not self._criteria.fits(record.version):
                continue
            if not self._room.takes(record):
                return taken, self._next(found, seen, after)
            taken.append(record)
        return taken, found.next

    def _look(
        self,
        end_of: Callable[[ReadTransaction, PlaceKey, int], PlaceKey | None],
        named: Callable[..., list[NamePlace]],
        after: PlaceKey,
        most: int,
    ) -> _Stretch:
        most = NAMES_SCANNED if self._criteria is None else min(NAMES_SCANNED, VERSIONS_SCANNED)
        end = end_of(self._reading, after, max(most // len(self._words), 1))
        rows = named(self._reading, after, end or _BEHIND_ALL, self._words, most + 1, self._scope)
        places = [(folder_id or 0, folded) for folder_id, folded, _ in rows]
        if len(rows) > most:
            end = places[most - 1]
        shown_in = {folder_id for folder_id, _ in places[:most]}
        paths_of(self._reading, shown_in if end is None else {*shown_in, end[0]}, self._paths)
        if end is not None and not self._paths[end[0]].live:
            # Behind all that is in that folder: nothing of it is found, and no name of it is told.
            end = (end[0] + 1, "")
        alive = [number for number, (folder_id, _) in enumerate(places[:most]) if self._paths[folder_id].live]
        return _Stretch([rows[number][2] for number in alive], [places[number] for number in alive], end)

    @staticmethod
    def _next(found: _Stretch, taken: int, after: PlaceKey) -> PlaceKey | None:
        if taken == len(found.places):
            return found.next
        return found.places[taken - 1] if taken else after


def _cursor(kind: str, place: PlaceKey) -> str:
    return f"{kind}{place[0]}.{place[1]}"


def _read_cursor(cursor: str) -> tuple[str, PlaceKey]:
    if not cursor:
        return _FOLDERS, _BEFORE_ALL
    kind, (number, point, folded) = cursor[0], cursor[1:].partition(".")
    if (
        kind not in (_FOLDERS, _FILES)
        or not point
        or not (number.isascii() and number.isdigit() and len(number) <= _DIGITS)
    ):
        raise BadRequestError(problem="a cursor that no page had")
    return kind, (int(number), folded)

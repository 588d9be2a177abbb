"""Finding folders and files by words of their names, wherever they lie, and files by what their newest versions are like.

Rules. A name is found if it holds every word, both folded. Folders come first, each folder by folder, and in it in the order of
folded names; then files, the last stored first (``version_search``). One question looks through so many names at most, fewer
for several words, as names can be made that hold all but the last: a page may be empty and not the last. What lies below a
deleted folder is not found, and its name is in no cursor. Rights are those of a listing. With criteria, and without words,
there are no folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.errors import BadRequestError
from sft.limits import LIST_ENTRIES, NAMES_SCANNED
from sft.model.access import Caller, Permission, Scope, scope_of
from sft.model.file_criteria import FileCriteria
from sft.model.names import fold
from sft.model.records import Folder, Page
from sft.service.files import PAGE_FILES
from sft.service.live_folders import LiveFolders
from sft.service.record_builder import PageRoom, RecordBuilder
from sft.service.use_case import query
from sft.service.version_search import BEHIND_ALL, cursor_of, file_question, newest_files, read_place
from sft.store.folders import FolderPath, PlaceKey, folders_by_id, paths_of
from sft.store.name_search import folder_names_end, folders_with_words
from sft.store.rows import ReadTransaction

_FOLDERS: Final = "d"
_FILES: Final = "f"
_BEFORE_ALL: Final[PlaceKey] = (0, "")
_BEHIND_ALL: Final[PlaceKey] = (2**62, "")
_DIGITS: Final = 18  # of a folder's number
_FOUND: Final = 2_000  # names that hold the words, deleted ones too, of one question


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
    wanted = tuple(dict.fromkeys(fold(word) for word in words))
    if not all(wanted):
        raise BadRequestError(problem="a word that holds nothing")
    if not wanted and criteria is None:
        raise BadRequestError(problem="a search for nothing")
    kind, rest = cursor[:1] or _FOLDERS, cursor[1:]
    if kind not in (_FOLDERS, _FILES):
        raise BadRequestError(problem="a cursor that no page had")
    scope, room = scope_of(caller, Permission.FILE_LIST), PageRoom(LIST_ENTRIES)
    folders: list[Folder] = []
    if kind == _FOLDERS:
        after = _read_folder_place(rest) if cursor else _BEFORE_ALL
        if criteria is None:
            folders, following = _folders(reading, scope, wanted, after, room)
            if following is not None:
                return Page(tuple(folders), (), f"{_FOLDERS}{following[0]}.{following[1]}")
    before = BEHIND_ALL if kind == _FOLDERS else read_place(rest)
    question = file_question(reading, wanted, criteria)
    if question is None:
        return Page((), (), "")
    files, place = newest_files(reading, scope, question, before, room, signatures=signatures)
    return Page(tuple(folders), tuple(files), "" if place is None else f"{_FILES}{cursor_of(place)}")


def _folders(
    reading: ReadTransaction, scope: Scope, words: Sequence[str], after: PlaceKey, room: PageRoom
) -> tuple[list[Folder], PlaceKey | None]:
    """Return folders behind a place, and where the next page begins; None where files follow."""
    end = folder_names_end(reading, after, max(NAMES_SCANNED // len(words), 1))
    found = folders_with_words(reading, after, end or _BEHIND_ALL, words, _FOUND + 1, scope)
    if len(found) > _FOUND:
        end = found[_FOUND - 1][:2]
        del found[_FOUND:]
    live = LiveFolders(reading)
    live.learn({parent for parent, _, _ in found} | (set() if end is None else {end[0]}))
    if end is not None and end[0] not in live:
        # Behind all that is in that folder: nothing of it is found, and no name of it is told.
        end = (end[0] + 1, "")
    there = [each for each in found if each[0] in live]
    shown = there[:PAGE_FILES]
    rows = folders_by_id(reading, [row_id for _, _, row_id in shown])
    paths: dict[int, FolderPath] = paths_of(reading, {parent for parent, _, _ in shown})
    taken: list[Folder] = []
    place = after
    for parent, folded, row_id in shown:
        # Its rows and those above it have been verified now, and are those that said that it hangs on the root.
        (record,) = RecordBuilder.folders([rows[row_id]], paths[parent].text)
        if not room.takes(record):
            return taken, place
        taken.append(record)
        place = parent, folded
    return taken, end if len(shown) == len(there) else place


def _read_folder_place(text: str) -> PlaceKey:
    number, point, folded = text.partition(".")
    if not point or not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        raise BadRequestError(problem="a cursor that no page had")
    return int(number), folded

"""Looking at files: a page of a folder, of the trash, of everything; one file with its signature.

Rules. A page continues after the last name that was seen, so names that come and go between two pages shift nothing. Folders
come first, then files, each in the order of folded names; the trash has the last deleted first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from sft.errors import BadRequestError, NoVersionError, RequestError, RowForgedError
from sft.limits import LIST_ENTRIES
from sft.model.access import Caller, Permission, scope_of
from sft.model.names import fold
from sft.model.records import File, Folder, Page, Record, TrashedFolder, TrashPage
from sft.service.log.evidence import EvidenceBuilder
from sft.service.path_lookup import PathLookup, nothing_at, require_path
from sft.service.record_builder import PageRoom, RecordBuilder, blame_path
from sft.service.rights import is_allowed, scope_in
from sft.service.use_case import query
from sft.store.files import Pair, files_after, files_in, versions_at
from sft.store.folders import folders_in
from sft.store.row_types import FileRow, FolderRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.trash import TrashKey, folder_trash_page, trash_page

R = TypeVar("R", bound=Record)

# Of files so many are loaded for a page at most: with paths of usual length some 280 fit one frame, with signatures some 70.
PAGE_FILES: Final = 300
PAGE_SIGNED_FILES: Final = 80
_FOLDERS: Final = "d"
_FILES: Final = "f"
_DIGITS: Final = 18  # of a number that a column holds
_AFTER_ALL: Final = 10**_DIGITS


class FoundFiles(Struct, frozen=True):
    """A page of all files, perhaps an empty one; ``next`` is 0 at the end."""

    files: tuple[File, ...]
    next: int


@query(Permission.FILE_LIST)
def list_folder(
    reading: ReadTransaction,
    caller: Caller,
    *,
    path: str,
    cursor: str = "",
    limit: int = LIST_ENTRIES,
    signatures: bool = False,
) -> Page:
    """Show a page of a folder.

    Args:
        cursor: ``next`` of the page before; empty from the start.
        limit: of entries, at most 500.
        signatures: whether to carry them; pages are shorter then.

    Raises:
        NotFoundError: no folder is there.
        BadRequestError: a cursor that no page had.
    """
    require_path(path, may_be_root=True)
    kind, name = cursor[:1] or _FOLDERS, cursor[1:]
    if kind not in (_FOLDERS, _FILES) or bool(cursor) != bool(name):
        raise BadRequestError(problem="a cursor that no page had")
    after = fold(name) if name else None
    room = PageRoom(limit)
    seen = scope_of(caller, Permission.FILE_LIST)
    record_builder = RecordBuilder(reading)
    folder = PathLookup(reading).folder(path)

    folders: list[Folder] = []
    if kind == _FOLDERS:
        rows = folders_in(reading, folder.id, after, room.entries + 1, seen)
        folders = _fill(room, record_builder.folders(rows, path))
        if len(folders) < len(rows):
            return Page(tuple(folders), (), _FOLDERS + rows[len(folders) - 1].name)
        after = None
        name = rows[-1].name if rows else name
    most = min(room.entries, PAGE_SIGNED_FILES if signatures else PAGE_FILES)
    pairs = files_in(reading, folder.id, after, most + 1, seen)
    files = _fill(room, record_builder.files(pairs[:most], signatures=signatures, folder_path=path))
    following = ""
    if len(files) < len(pairs):
        # No file may have fitted below the folders: then the next page begins after the last folder.
        following = _FILES + pairs[len(files) - 1][0].name if files else _FOLDERS + name
    return Page(tuple(folders), tuple(files), following)


@query(Permission.FILE_DELETE)
def list_trash(reading: ReadTransaction, caller: Caller, *, cursor: str = "", limit: int = LIST_ENTRIES) -> TrashPage:
    """Show a page of the trash, the last deleted first: files that the caller may bring back, and folders that they could list.

    Raises:
        BadRequestError: a cursor that no page had.
    """
    before_folders, before_files = _trash_cursor(cursor)
    room = PageRoom(min(limit, PAGE_FILES))
    seen, mine = scope_of(caller, Permission.FILE_LIST), scope_in(reading, caller, Permission.FILE_DELETE)
    deleted: list[FolderRow | Pair] = [
        *folder_trash_page(reading, seen, before_folders, room.entries + 1),
        *trash_page(reading, mine, before_files, room.entries + 1),
    ]
    # Of one second the folders come first, as the order of a stable sort: a cursor names one place among both.
    deleted.sort(key=_deleted_at, reverse=True)
    shown = _fill(room, _trashed(RecordBuilder(reading), deleted[: room.entries + 1]))
    folders = tuple(each for each in shown if isinstance(each, TrashedFolder))
    files = tuple(each for each in shown if isinstance(each, File))
    return TrashPage(folders, files, _trash_place(deleted[len(shown) - 1]) if len(shown) < len(deleted) else "")


def _trashed(records: RecordBuilder, deleted: Sequence[FolderRow | Pair]) -> Iterator[TrashedFolder | File]:
    # What they refer to is loaded for all at once.
    folders = records.trashed_folders([each for each in deleted if isinstance(each, FolderRow)])
    files = records.files([each for each in deleted if not isinstance(each, FolderRow)], signatures=False)
    for each in deleted:
        yield next(folders) if isinstance(each, FolderRow) else next(files)


def _deleted_at(deleted: FolderRow | Pair) -> int:
    row = deleted if isinstance(deleted, FolderRow) else deleted[0]
    return row.trashed_at or 0


def _trash_place(deleted: FolderRow | Pair) -> str:
    is_folder = isinstance(deleted, FolderRow)
    row = deleted if isinstance(deleted, FolderRow) else deleted[0]
    return f"{_FOLDERS if is_folder else _FILES}{row.trashed_at}.{row.id}"


def _trash_cursor(cursor: str) -> tuple[TrashKey | None, TrashKey | None]:
    """Tell where folders and files go on."""
    if not cursor:
        return None, None
    kind, (moment, _, number) = cursor[0], cursor[1:].partition(".")
    if kind not in (_FOLDERS, _FILES) or not all(
        part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in (moment, number)
    ):
        raise BadRequestError(problem="a cursor that no page had")
    at, row_id = int(moment), int(number)
    # Of the same second, files follow folders.
    return ((at, row_id), (at, _AFTER_ALL)) if kind == _FOLDERS else ((at, 0), (at, row_id))


@query(Permission.FILE_LIST)
def show_file(
    reading: ReadTransaction, caller: Caller, *, path: str, version: int = 0, builder: EvidenceBuilder | None = None
) -> File:
    """Show a file with its signature.

    Args:
        version: which one; 0 is the newest.
        builder: takes what proves it.

    Raises:
        NotFoundError: no file is there, or it has no such version.
        RecordForgedError: its row was changed outside the server.
    """
    with blame_path(path):
        (found,) = find_versions(reading, caller, Permission.FILE_LIST, [(path, version)])
        if isinstance(found, RequestError):
            raise found
        if builder is not None:
            builder.add_files(reading, [found])
        return RecordBuilder(reading).file(*found)


@query(Permission.FILE_LIST)
def show_files(
    reading: ReadTransaction, caller: Caller, *, paths: Sequence[str], builder: EvidenceBuilder | None
) -> list[File | RequestError]:
    """Show the newest versions of several files with their signatures, or say of each why not.

    Args:
        builder: takes what proves them.

    Raises:
        TooLargeError: they lie in more folders than one answer can prove.
        RecordForgedError: a row of one was changed outside the server.
    """
    found = find_versions(reading, caller, Permission.FILE_LIST, [(path, 0) for path in paths])
    pairs = [each for each in found if not isinstance(each, RequestError)]
    if builder is not None:
        builder.add_files(reading, pairs)
    shown = iter(list(RecordBuilder(reading).files(pairs, signatures=True)))
    return [each if isinstance(each, RequestError) else next(shown) for each in found]


def require_seen_file(reading: ReadTransaction, caller: Caller, permission: Permission, path: str) -> FileRow:
    """Require that there is a file at a path that the caller may list, or get; NotFoundError otherwise."""
    (found,) = find_versions(reading, caller, permission, [(path, 0)])
    if isinstance(found, RequestError):
        raise found
    return found[0]


def no_version(path: str, number: int, file: FileRow) -> NoVersionError:
    """Say of a file that is there which versions it has: those before the newest may be lost, but for that."""
    known = f"1 to {file.newest}" if file.newest > 1 else "version 1 alone"
    return NoVersionError(
        path=path, version=number, versions=f"others, up to {file.newest}" if number < file.newest else known
    )


def find_versions(
    reading: ReadTransaction, caller: Caller, permission: Permission, wanted: Sequence[tuple[str, int]]
) -> list[Pair | RequestError]:
    """Find live files that the caller may see and a version of each, 0 being the newest, with a few queries for all of them.

    Returns:
        Of each what was found, or a NotFoundError; RowForgedError names a row of any.
    """
    refused: dict[str, RequestError] = {}
    for path, _ in wanted:
        try:
            require_path(path)
        except RequestError as refusal:
            refused[path] = refusal
    places, records = PathLookup(reading), RecordBuilder(reading)
    places.load(path for path, _ in wanted if path not in refused)
    files: dict[str, FileRow] = {}
    for path, _ in wanted:
        if path not in refused:
            file = places.at(path).file
            if file is None or not is_allowed(records, caller, permission, file):
                refused[path] = nothing_at(path)
            else:
                files[path] = file
    keys = {(files[path].id, number or files[path].newest) for path, number in wanted if path in files}
    versions = {(row.file, row.number): row for row in versions_at(reading, keys)}

    def outcome(path: str, number: int) -> Pair | RequestError:
        if path in refused:
            return refused[path]
        file = files[path]
        version = versions.get((file.id, number or file.newest))
        if version is not None:
            return file, version
        if number in {0, file.newest}:
            raise RowForgedError(table_of(VersionRow), f"{file.id}, {file.newest}")
        return no_version(path, number, file)

    return [outcome(path, number) for path, number in wanted]


@query(Permission.FILE_LIST)
def find_files(reading: ReadTransaction, caller: Caller, *, after: int = 0) -> FoundFiles:
    """Show a page of all files, in order of creation; ``after`` is ``next`` of the page before, or 0."""
    room = PageRoom(PAGE_FILES)
    seen = scope_of(caller, Permission.FILE_LIST)
    most = room.entries + 1
    pairs: Sequence[Pair] = files_after(reading, after, most, seen)
    records = RecordBuilder(reading)
    living = records.living(pairs)
    files = _fill(room, records.files(living, signatures=False))
    if len(files) < len(living):
        return FoundFiles(tuple(files), living[len(files) - 1][0].id)
    return FoundFiles(tuple(files), pairs[-1][0].id if len(pairs) == most else 0)


def _fill(room: PageRoom, records: Iterable[R]) -> list[R]:
    """Take records as long as they fit."""
    taken: list[R] = []
    for record in records:
        if not room.takes(record):
            break
        taken.append(record)
    return taken

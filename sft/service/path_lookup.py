"""What lies at a path: folders above, and the file or folder that has the name, as one transaction sees them.

Rules. A name is taken by whatever has the same folded name in its folder; a file or folder is *at* a path only if every name
on the way is spelled exactly so. Many paths are loaded together, one query a level; what an act makes or moves is put here,
so that the next input of its group is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from sft.errors import BadRequestError, FolderInTheWayError, NameClashError, NotFoundError
from sft.model.names import fold, parse_path, split_path
from sft.store.files import files_named
from sft.store.folders import PlaceKey, folders_named, root
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import ReadTransaction, Transaction

T = TypeVar("T")

KEPT_FOLDS: Final = 8192

# A group of uploads asks for the same few folders, and for each name several times.
folded_name = lru_cache(maxsize=KEPT_FOLDS)(fold)


def require_path(path: str, *, may_be_root: bool = False) -> None:
    """Refuse a path that cannot be stored, or is not in its one spelling.

    Raises:
        NameNotAllowedError: naming the character.
        BadRequestError: a client sends paths as ``parse_path`` returns them.
    """
    if parse_path(path, root=may_be_root) != path:
        raise BadRequestError(problem="a path that is not in its one spelling")


def folded_path(path: str) -> str:
    return "/".join(map(folded_name, path.split("/")))


def nothing_at(path: str, what: str = "file") -> NotFoundError:
    """Make the refusal for a path at which there is nothing."""
    return NotFoundError(what=what, name=path)


@dataclass(frozen=True, slots=True)
class ResolvedPath:
    """A path, and what is there.

    Attributes:
        path: as asked for.
        folder: the deepest folder on the way that is there.
        missing: names of the folders on the way that are not.
        taken_by_file: what has the folded name of the path's last component or, where folders are missing, of the first
            of them; perhaps spelled otherwise.
        taken_by_folder: likewise.
    """

    path: str
    folder: FolderRow
    missing: tuple[str, ...]
    taken_by_file: FileRow | None
    taken_by_folder: FolderRow | None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folded(self) -> str:
        """The last component, folded: what is unique in a folder."""
        return folded_name(self.name)

    @property
    def file(self) -> FileRow | None:
        row = self.taken_by_file
        return row if row is not None and not self.missing and row.name == self.name else None

    @property
    def subfolder(self) -> FolderRow | None:
        row = self.taken_by_folder
        return row if row is not None and not self.missing and row.name == self.name else None

    def require_way(self) -> None:
        """Refuse a path that leads through a file, or past a folder spelled otherwise.

        Raises:
            FolderInTheWayError: a file has the name of a folder on the way.
            NameClashError: the names differ in case alone.
        """
        if self.missing:
            self._require_untaken(self._way())

    def require_free(self) -> None:
        """Refuse a path whose name is taken, by whatever spelling.

        Raises:
            FolderInTheWayError: by a file or folder of this very name.
            NameClashError: by one that differs in case alone.
        """
        self.require_way()
        if not self.missing:
            self._require_untaken(self.path)

    def _require_untaken(self, path: str) -> None:
        name = split_path(path)[1]
        taken = self.taken_by_file or self.taken_by_folder
        if taken is None:
            return
        if taken.name != name:
            raise NameClashError(name=path, existing=taken.name)
        what = "file" if self.taken_by_file is not None else "folder"
        raise FolderInTheWayError(path=path, what=what)

    def _way(self) -> str:
        """Spell the path up to the first missing folder."""
        depth = self.path.count("/") - len(self.missing) + 1
        return "/".join(self.path.split("/")[:depth])


class PathLookup:
    """Folders and files by place, loaded as they are asked for.

    Args:
        top: where paths begin: the root, or a folder in the trash.
    """

    def __init__(self, reading: ReadTransaction, top: FolderRow | None = None) -> None:
        self._reading = reading
        self._root = root(reading) if top is None else top
        self._folders: dict[PlaceKey, FolderRow | None] = {}
        self._files: dict[PlaceKey, FileRow | None] = {}
        self._made: set[int] = set()
        self._next_folder_id = 0

    def load(self, paths: Iterable[str]) -> None:
        """Load what lies at these paths and on the way to them."""
        ends: set[PlaceKey] = set()
        walks = [(path.split("/"), 0, self._root) for path in set(paths)]
        while walks:
            keyed = [(walk, (walk[2].id, folded_name(walk[0][walk[1]]))) for walk in walks]
            asked = {key for _, key in keyed} - self._folders.keys()
            _note(self._folders, asked, folders_named(self._reading, asked))
            walks = []
            for (names, depth, _), key in keyed:
                below = self._folders[key]
                if below is None or below.name != names[depth] or depth == len(names) - 1:
                    ends.add(key)
                else:
                    walks.append((names, depth + 1, below))
        asked = ends - self._files.keys()
        _note(self._files, asked, files_named(self._reading, asked))

    def at(self, path: str) -> ResolvedPath:
        """Return what is at a path that was loaded."""
        *above, name = path.split("/")
        folder = self._root
        for depth, step in enumerate(above):
            key = (folder.id, folded_name(step))
            below = self._known(self._folders, key)
            if below is None or below.name != step:
                file = self._known(self._files, key)
                return ResolvedPath(path, folder, tuple(above[depth:]), file, below)
            folder = below
        key = (folder.id, folded_name(name))
        return ResolvedPath(path, folder, (), self._known(self._files, key), self._known(self._folders, key))

    def _known(self, known: dict[PlaceKey, T | None], key: PlaceKey) -> T | None:
        # A folder that this transaction made holds nothing but what was noted; any other was asked for.
        return known.get(key) if key[0] in self._made else known[key]

    def one(self, path: str) -> ResolvedPath:
        """Load a path and return what is there."""
        self.load([path])
        return self.at(path)

    def folder(self, path: str) -> FolderRow:
        """Find the folder at a path, ``""`` being the root; NotFoundError if there is none of this very spelling."""
        if not path:
            return self._root
        found = self.one(path).subfolder
        if found is None:
            raise nothing_at(path, "folder")
        return found

    def folders(self) -> list[FolderRow]:
        """Return every folder that was met, the root too."""
        return [self._root, *(row for row in self._folders.values() if row is not None)]

    def files(self) -> list[FileRow]:
        return [row for row in self._files.values() if row is not None]

    def put_file(self, row: FileRow) -> None:
        """Note a file that this transaction makes or changes."""
        self._files[(row.folder_id or 0, row.folded)] = row

    def make_way(self, transaction: Transaction, place: ResolvedPath, maker_id: int | None) -> list[FolderRow]:
        """Make rows for the missing folders of a place, parents first, and note them; ``FigureChanges`` inserts them."""
        made: list[FolderRow] = []
        parent = place.folder
        for name in place.missing:
            parent = self.make_folder(transaction, parent, name, maker_id)
            made.append(parent)
        return made

    def make_folder(self, transaction: Transaction, parent: FolderRow, name: str, maker_id: int | None) -> FolderRow:
        """Make the row of one folder and note it; likewise."""
        number = self._next_folder_id or transaction.rows.next_id(FolderRow)
        self._next_folder_id = number + 1
        row = FolderRow(
            id=number,
            parent_id=parent.id,
            name=name,
            folded=folded_name(name),
            maker_id=maker_id,
            created_at=transaction.now,
            slot=transaction.take_slot(),
            salt=transaction.new_salt(),
        )
        self._folders[(parent.id, row.folded)] = row
        self._made.add(number)
        return row


def _note(known: dict[PlaceKey, T | None], asked: Iterable[PlaceKey], found: Mapping[PlaceKey, T]) -> None:
    known.update((key, found.get(key)) for key in asked)

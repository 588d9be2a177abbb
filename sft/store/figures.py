"""Figures that are kept: how much lies in each folder, whose it is and how deep it goes; how much each person owns, and all.

Rules. Whatever puts a file or folder somewhere, takes it away or gives it to another notes it in one ``FigureChanges`` of its
act, which writes the row of each folder that changed once, those above included. So no act counts what lies in a folder.

Everything below a folder is one person's, X's, if and only if its n owners' ids x have Σx = nX and Σx² = nX², for then
Σ(x - X)² = 0. These are 64-bit integers: with 10,000 people up to 9 · 10^10 files, with a million up to 9 million.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.limits import PATH_BYTES
from sft.model.quotas import Usage
from sft.store.criteria import LIVE, by_key, rows_with
from sft.store.folders import folders_by_id
from sft.store.row_types import FileRow, FolderRow, UserFiguresRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FileModel, FolderModel, UserFiguresModel
from sft.store.statements import rows_of, value
from sft.store.table_specs import table_of
from sft.store.totals import add_to_total

_COUNT: Final = FolderModel.files_below + FolderModel.folders_below
_FIGURES: Final = by_key(UserFiguresRow, UserFiguresModel.user_id)
_OTHERS_FOLDER: Final = rows_of(
    FolderRow,
    FolderModel.parent_id == value("folder_id"),
    FolderModel.maker_id.is_distinct_from(value("user_id"))
    | (FolderModel.owner_sum != _COUNT * value("user_id"))
    | (FolderModel.owner_squares != _COUNT * (value("user_id") * value("user_id"))),
    order_by=(FolderModel.folded,),
    limit=1,
)
_OTHERS_FILE: Final = rows_of(
    FileRow,
    FileModel.folder_id == value("folder_id"),
    FileModel.state == LIVE,
    FileModel.owner_id != value("user_id"),
    order_by=(FileModel.folded,),
    limit=1,
)


@dataclass(slots=True)
class _Change:
    """What is added to the figures of one folder; ``reach`` is the longest path of what came."""

    files: int = 0
    folders: int = 0
    files_below: int = 0
    folders_below: int = 0
    owner_sum: int = 0
    owner_squares: int = 0
    reach: int = 0

    def add_below(self, other: _Change, reach: int) -> None:
        self.files_below += other.files_below
        self.folders_below += other.folders_below
        self.owner_sum += other.owner_sum
        self.owner_squares += other.owner_squares
        self.reach = max(self.reach, reach)

    def apply(self, row: FolderRow) -> FolderRow:
        files_below, folders_below = row.files_below + self.files_below, row.folders_below + self.folders_below
        return replace(
            row,
            files=row.files + self.files,
            folders=row.folders + self.folders,
            files_below=files_below,
            folders_below=folders_below,
            owner_sum=row.owner_sum + self.owner_sum,
            owner_squares=row.owner_squares + self.owner_squares,
            reach=max(row.reach, self.reach) if files_below or folders_below else 0,
        )


class FigureChanges:
    """What an act changes in figures, collected and then written.

    Args:
        known: folders that were loaded in this transaction; others are, as they are needed.
    """

    def __init__(self, transaction: Transaction, known: Iterable[FolderRow] = ()) -> None:
        self._transaction = transaction
        self._folders = {row.id: row for row in known}
        self._made: list[int] = []
        self._changes: dict[int, _Change] = {}
        self._owned: dict[int, Usage] = {}
        self._owners: dict[int, UserFiguresRow] = {}  # as they were before what is noted

    def make_folders(self, rows: Iterable[FolderRow]) -> None:
        """Note new folders, parents first, which lie empty in theirs; they are inserted with their figures."""
        for row in rows:
            self._folders[row.id] = row
            self._made.append(row.id)
            self._change(row.id)
            self.put_folder(row)

    def put_folder(self, row: FolderRow) -> None:
        """Note a folder that comes to where its row says, with all below it."""
        self._folder(row, 1)

    def take_folder(self, row: FolderRow) -> None:
        """Note a folder that leaves where its row says, with all below it; a deleted one lies nowhere."""
        self._folder(row, -1)

    def put_file(self, row: FileRow) -> None:
        """Note a file that comes to where its row says."""
        self._file(row, 1)

    def take_file(self, row: FileRow) -> None:
        """Note a file that leaves where its row says; a deleted one lies nowhere."""
        self._file(row, -1)

    def own(self, user_id: int, *, files: int = 0, size_bytes: int = 0) -> None:
        """Note what a person owns more than before."""
        self._owned[user_id] = self._owned.get(user_id, Usage()) + Usage(files, size_bytes)

    def know_owners(self, user_ids: Collection[int]) -> None:
        """Load what these people own, all with one query; RowForgedError where a row is gone."""
        if unknown := set(user_ids) - self._owners.keys():
            self._owners |= user_figures(self._transaction, unknown)

    def owned_by(self, user_id: int) -> UserFiguresRow:
        """Return what a person owns, with what is noted; RowForgedError where the row is gone."""
        self.know_owners([user_id])
        return _more(self._owners[user_id], self._owned.get(user_id, Usage()))

    @property
    def more_owned(self) -> Usage:
        """What all own more than before, as far as it is not written."""
        return sum(self._owned.values(), Usage())

    def write(self) -> None:
        """Write what was noted: six statements at most, and one for each further level of folders that nobody loaded.

        Folders that are made stand there before whatever lies in them is written.

        Raises:
            RowForgedError: a folder or somebody's figures are gone.
        """
        rows = self._transaction.rows
        changed = [change.apply(self._folders[number]) for number, change in self._with_those_above().items()]
        made = dict.fromkeys(self._made)
        made.update((row.id, row) for row in changed if row.id in made)
        rows.insert([row for row in made.values() if row is not None])
        rows.update([row for row in changed if row.id not in made and row != self._folders[row.id]])
        if self._owned:
            self._give_to_heirs()
            owners = self._owners
            rows.update([_more(owners[user_id], more) for user_id, more in self._owned.items() if more != Usage()])
            add_to_total(self._transaction, self.more_owned)
        self._made, self._changes, self._owned, self._owners = [], {}, {}, {}

    def _give_to_heirs(self) -> None:
        """Note for the heirs what those own more or less whose files are being handed over."""
        self.know_owners(self._owned)
        for user_id in list(self._owned):
            heir_id = self._owners[user_id].heir_id
            if heir_id is not None:
                more = self._owned.pop(user_id)
                self.own(heir_id, files=more.files, size_bytes=more.size_bytes)
        self.know_owners(self._owned)

    def _folder(self, row: FolderRow, times: int) -> None:
        if row.parent_id is None:
            return
        maker, reach = row.maker_id or 0, _length(row.name) + (1 + row.reach if row.reach else 0)
        change = self._change(row.parent_id)
        change.folders += times
        change.files_below += times * row.files_below
        change.folders_below += times * (row.folders_below + 1)
        change.owner_sum += times * (row.owner_sum + maker)
        change.owner_squares += times * (row.owner_squares + maker * maker)
        change.reach = max(change.reach, reach if times > 0 else 0)

    def _file(self, row: FileRow, times: int) -> None:
        if row.folder_id is None:
            return
        change = self._change(row.folder_id)
        change.files += times
        change.files_below += times
        change.owner_sum += times * row.owner_id
        change.owner_squares += times * row.owner_id * row.owner_id
        change.reach = max(change.reach, _length(row.name) if times > 0 else 0)

    def _change(self, folder_id: int) -> _Change:
        change = self._changes.get(folder_id)
        if change is None:
            change = self._changes[folder_id] = _Change()
        return change

    def _with_those_above(self) -> dict[int, _Change]:
        """Add to the folders that changed what changes in those above them."""
        self._load()
        totals: dict[int, _Change] = {}
        for folder_id, change in self._changes.items():
            own = totals.setdefault(folder_id, _Change())
            own.files += change.files
            own.folders += change.folders
            own.add_below(change, change.reach)
            row, reach = self._folders[folder_id], change.reach
            for _ in range(PATH_BYTES):
                if row.parent_id is None:
                    break
                reach += 1 + _length(row.name) if reach else 0
                totals.setdefault(row.parent_id, _Change()).add_below(change, reach)
                row = self._folders[row.parent_id]
            else:
                raise RowForgedError(table_of(FolderRow), str(folder_id))  # they go round in a circle
        return totals

    def _load(self) -> None:
        """Load the folders that changed and those above them, as far as they are not known."""
        seen: set[int] = set()
        wanted = set(self._changes)
        while wanted:
            seen |= wanted
            unknown = wanted - self._folders.keys()
            self._folders.update(folders_by_id(self._transaction, unknown))
            for folder_id in unknown - self._folders.keys():
                raise RowForgedError(table_of(FolderRow), str(folder_id))
            above = {self._folders[folder_id].parent_id for folder_id in wanted}
            wanted = {parent for parent in above if parent is not None} - seen


def _more(row: UserFiguresRow, more: Usage) -> UserFiguresRow:
    return replace(row, files=row.files + more.files, size_bytes=row.size_bytes + more.size_bytes)


def _length(name: str) -> int:
    return len(name.encode())


def user_figures(reading: ReadTransaction, user_ids: Collection[int]) -> dict[int, UserFiguresRow]:
    """Load what these people own; RowForgedError where one has no such row."""
    wanted = set(user_ids)
    found = {row.user_id: row for row in rows_with(reading, _FIGURES, wanted)}
    for user_id in wanted - found.keys():
        raise RowForgedError(table_of(UserFiguresRow), str(user_id))
    return found


def all_below_is_of(folder: FolderRow, user_id: int) -> bool:
    """Return whether everything below a folder belongs to one person."""
    count = folder.files_below + folder.folders_below
    return (folder.owner_sum, folder.owner_squares) == (count * user_id, count * user_id * user_id)


def another_folder_in(reading: ReadTransaction, folder_id: int, user_id: int) -> FolderRow | None:
    """Find a folder directly in a folder that is not somebody's, or that has below it what is not."""
    return reading.rows.first(_OTHERS_FOLDER, folder_id=folder_id, user_id=user_id)


def another_file_in(reading: ReadTransaction, folder_id: int, user_id: int) -> FileRow | None:
    """Find a live file directly in a folder that is not somebody's: reads the names in it up to the first."""
    return reading.rows.first(_OTHERS_FILE, folder_id=folder_id, user_id=user_id)

"""Which slots a transaction changed, and which of its leaves says so.

Rules. A slot changed where the hash of its record is another than the tree has: a row may change without it, as a folder's
figures do. The leaf of a change is the last one that names what has the slot; a new slot begins with the leaf of the act that
took it, whatever it was made for, and stands once more with a later one that names it. A slot that changed and that no leaf
names is a mistake of ours: the transaction is given up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sft.errors import StoreError
from sft.ledger.leaves import ChangedSlot, StateTreeKind, slot_hash
from sft.ledger.state import StateTree
from sft.model.events import DomainEvent
from sft.service.log.events import subjects_of
from sft.service.log.slots import SlotRecords, purged_file, purged_folder
from sft.store.row_types import DeviceKeyRow, FileRow, FolderRow, UserRoleRow, UserRow, VersionRow
from sft.store.rows import Transaction
from sft.store.users import users_by_id

Subject = tuple[str, int | bytes]
"""What has a slot: a word for its kind, and its id."""

_USER = "user"
_FILE = "file"
_FOLDER = "folder"


class SlotChange(Struct, frozen=True, gc=False):
    """A slot whose record is another than before, or new."""

    slot: ChangedSlot
    subject: Subject
    is_new: bool


def changed_slots(transaction: Transaction, users: StateTree, files: StateTree) -> list[SlotChange]:
    """Find which slots have another record than these trees know, by tree and number."""
    found = [*_of_users(transaction), *_of_files(transaction)]
    trees = {StateTreeKind.USERS: users, StateTreeKind.FILES: files}
    changes = []
    for tree_kind, number, record, subject in found:
        tree, record_hash = trees[tree_kind], slot_hash(record)
        is_new = number >= tree.size
        if is_new or tree.leaf(number) != record_hash:
            changes.append(SlotChange(ChangedSlot(tree_kind, number, record_hash), subject, is_new))
    return sorted(changes, key=lambda change: (change.slot.tree, change.slot.number))


_Found = tuple[StateTreeKind, int, bytes, Subject]


def _of_users(transaction: Transaction) -> Iterable[_Found]:
    rows = transaction.rows
    ids = {row.id for row in rows.changed(UserRow).rows}
    ids |= {row.user_id for row in rows.changed(DeviceKeyRow).rows}
    ids |= {row.user_id for row in rows.changed(UserRoleRow).rows}
    if not ids:
        return
    users = list(users_by_id(transaction, ids).values())
    for user, record in zip(users, SlotRecords(transaction).users(users), strict=True):
        yield StateTreeKind.USERS, user.id - 1, record, (_USER, user.id)


def _of_files(transaction: Transaction) -> Iterable[_Found]:
    rows, kind = transaction.rows, StateTreeKind.FILES
    folders, files = rows.changed(FolderRow), rows.changed(FileRow)
    changed, gone = rows.changed(VersionRow) if files.rows or files.deleted else ((), ())
    newest = {(row.file, row.number): row for row in (*changed, *gone)}
    records = SlotRecords(transaction, folders.rows)
    for folder, record in zip(folders.rows, records.folders(folders.rows), strict=True):
        yield kind, folder.slot, record, (_FOLDER, folder.id)
    for file, record in zip(files.rows, records.files(files.rows, newest), strict=True):
        yield kind, file.slot, record, (_FILE, file.file_id)
    for folder in folders.deleted:
        yield kind, folder.slot, purged_folder(folder), (_FOLDER, folder.id)
    for file in files.deleted:
        yield kind, file.slot, purged_file(file, newest[file.id, file.newest]), (_FILE, file.file_id)


class _Named(Struct):
    first: int
    last: int


def by_leaf(
    changes: Sequence[SlotChange], leaves: Sequence[DomainEvent], slots_at_leaves: Sequence[int]
) -> list[list[ChangedSlot]]:
    """Say of each leaf which slots it changes, by tree and number.

    Args:
        changes: in this order.
        leaves: the events of the leaves, in order; one at least, where there are changes.
        slots_at_leaves: how many slots of files and folders were given out when each was logged.

    Raises:
        StoreError: no leaf names what changed.
    """
    named = _named(leaves)
    found: list[list[ChangedSlot]] = [[] for _ in leaves]
    for change in changes:
        slot, by_name = change.slot, named.get(change.subject)
        places = set() if by_name is None else {by_name.last}
        if change.is_new and slot.tree == StateTreeKind.FILES:
            places.add(bisect_right(slots_at_leaves, slot.number))
        elif change.is_new and by_name is not None:
            places.add(by_name.first)
        if not places or max(places) >= len(leaves):
            kind, key = change.subject
            name = key.hex() if isinstance(key, bytes) else key
            raise StoreError(problem=f"no leaf of the log names the {kind} {name}, which was changed")
        for place in places:
            found[place].append(slot)
    return found


def _named(leaves: Sequence[DomainEvent]) -> Mapping[Subject, _Named]:
    """Say in which leaves each subject is named."""
    named: dict[Subject, _Named] = {}
    for place, event in enumerate(leaves):
        subjects = subjects_of(event)
        for kind, ids in ((_USER, subjects.users), (_FILE, subjects.files), (_FOLDER, subjects.folders)):
            for each in ids:
                known = named.setdefault((kind, each), _Named(place, place))
                known.last = place
    return named

"""Contents of versions that go: out of the database, noted for the vault, and counted no more for whose the file is.

Rules. A version's row stays with all that proves it, and loses its data keys in the same transaction. Of a file's newest
``contents_kept`` the oldest always has its content, so whoever destroys the one moves the count past all that are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from sft.ledger.slots import after_lost
from sft.service.version_tree import lost_versions
from sft.store.files import versions_at
from sft.store.objects import small_ids
from sft.store.row_types import FileRow, PurgeRow, SmallObjectRow, VersionRow
from sft.store.rows import Transaction


def note_purges(transaction: Transaction, versions: Sequence[VersionRow]) -> list[bytes]:
    """Take the contents of versions out of the database, and return the objects of the vault that are to be destroyed."""
    rows = transaction.rows
    inline = small_ids(transaction, [row.object_id for row in versions if row.inline])
    purged = [row.object_id for row in versions if not row.inline]
    rows.insert([PurgeRow(object_id, transaction.now) for object_id in purged])
    rows.delete([SmallObjectRow(object_id, b"") for object_id in inline])
    return purged


def destroy_contents(transaction: Transaction, versions: Sequence[VersionRow], by_id: int | None) -> list[bytes]:
    """Destroy the contents of versions that are there, and keep their rows; return the objects as ``note_purges`` does.

    Args:
        by_id: who wants it; None is the server.
    """
    purged = note_purges(transaction, versions)
    gone = {"sealed_key": b"", "later_keys": b"", "destroyed_at": transaction.now, "destroyed_by_id": by_id}
    transaction.rows.update([replace(row, **gone) for row in versions])
    return purged


def count_kept(transaction: Transaction, files: Iterable[tuple[FileRow, int]]) -> None:
    """Write how many contents are kept of files, of each of which all up to a version's number were destroyed."""
    changed = [
        replace(file, contents_kept=file.newest - _first_there(transaction, file, upto) + 1) for file, upto in files
    ]
    transaction.rows.update(changed)


def _first_there(transaction: Transaction, file: FileRow, upto: int) -> int:
    """Find the first version after one that has its content: the newest at the latest."""
    lost = lost_versions(file)
    number = after_lost(upto + 1, lost)
    while number < file.newest and any(row.destroyed_at for row in versions_at(transaction, [(file.id, number)])):
        number = after_lost(number + 1, lost)
    return number

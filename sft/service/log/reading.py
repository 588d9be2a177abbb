"""Reading the log: a page of leaves with one proof, one part of a record, one leaf.

Rules. A leaf is everybody's, for it names nobody; a record is given by right, here alone, and that of a download of several
files to whoever owns them all. A question for a user or a file finds only leaves whose records are the caller's to see: else
it would say whose the others are. One question looks through ``LOG_SCANNED`` rows at most and says where to go on. What is read
was committed, and its head may follow in a moment: nothing beyond the newest head is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from sft.errors import NotFoundError
from sft.ledger.leaves import LeafKind
from sft.limits import HEAD_BYTES, LIST_BYTES, LOG_ENTRIES, LOG_SCANNED
from sft.model.access import Caller, Permission, Resource, allows, scope_of
from sft.model.evidence import LoggedLeaf, LoggedPage, ProvedLeaf
from sft.service.log.ledger import Ledger, ProvedLeaves, SignedHead
from sft.service.use_case import query
from sft.store.files import files_by_file_id
from sft.store.ledger import LeafFilter, first_leaf_since, leaf_at, leaves_about, ledger_row
from sft.store.row_types import LogLeafRow
from sft.store.rows import ReadTransaction

DOWNLOADS: Final = frozenset({LeafKind.DOWNLOAD_BEGUN, LeafKind.DOWNLOAD_RECEIVED})
FOR_AUDIT: Final = frozenset(
    {
        LeafKind.INVITATION_MADE,
        LeafKind.INVITATION_WITHDRAWN,
        LeafKind.LOGIN_FAILURES,
        LeafKind.MASTER_KEY_ROTATED,
        LeafKind.ROW_KEY_CHANGED,
        LeafKind.SETTINGS_CHANGED,
        LeafKind.BACKUP_TAKEN,
    }
)
FOR_ALL: Final = frozenset(LeafKind) - DOWNLOADS - FOR_AUDIT

_KINDS_BY_INDEX: Final = 4  # each is a statement, and LOG_SCANNED rows at most
_LEAF_FRAME_BYTES: Final = 48  # what encoding adds to a leaf and its record
_HASH_FRAME_BYTES: Final = 34


class WantedLeaves(Struct, frozen=True, kw_only=True):
    """Which leaves a page is to have: fields of ReadLog."""

    start: int = 0
    end: int | None = None
    newest_first: bool = False
    limit: int = LOG_ENTRIES
    user_id: int | None = None
    file_id: bytes | None = None
    kinds: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None


class _Versions(Struct, frozen=True):
    """What is looked at of the facts of a download."""

    versions: tuple[tuple[str, int], ...]


_versions: Final = msgspec.json.Decoder(_Versions)


class UnderHead(NamedTuple):
    """An answer, and the head that its proof is under: whoever gets the one has to have the other."""

    answer: LoggedPage | ProvedLeaf
    head: SignedHead


@query(Permission.LOG_READ)
def read_log(reading: ReadTransaction, caller: Caller, *, ledger: Ledger, wanted: WantedLeaves) -> UnderHead:
    """Show a page of the log; see ReadLog."""
    start, end = _range(reading, wanted, min(ledger.head.size, ledger_row(reading).size))
    rights = _Rights(reading, caller)
    last = start if wanted.newest_first else end
    rows, goes_on = _rows(reading, wanted, start, end, rights)
    leaves = _fitting(rows, rights)
    while True:
        proved = ledger.prove_leaves([leaf.number for leaf in leaves])
        if len(leaves) <= 1 or _size(leaves, proved) <= LIST_BYTES:
            break
        del leaves[max(1, len(leaves) * 3 // 4) :]
    if len(leaves) < len(rows):
        goes_on = _behind(leaves[-1].number, wanted)
    page = LoggedPage(tuple(leaves), proved.proof, proved.head.note, goes_on, goes_on != last)
    return UnderHead(page, proved.head)


@query(Permission.LOG_READ)
def read_record(reading: ReadTransaction, caller: Caller, *, number: int, personal: bool) -> bytes | None:
    """Show one part of a leaf's record, salt first; None where there is none, or not any more, or not for the caller.

    Raises:
        NotFoundError: the log has no such leaf.
    """
    row = _leaf(reading, number)
    if not _Rights(reading, caller).of([row]):
        return None
    return _part(row.personal_salt, row.personal) if personal else _part(row.facts_salt, row.facts)


@query(Permission.LOG_READ)
def prove_leaf(reading: ReadTransaction, caller: Caller, *, ledger: Ledger, number: int) -> UnderHead:  # noqa: ARG001
    """Show a leaf and prove it under the newest head; NotFoundError: the log has no such leaf."""
    row = _leaf(reading, number)
    ledger.wait_for(number + 1)
    proved = ledger.prove_leaf(number)
    return UnderHead(ProvedLeaf(row.entry, proved.proof, proved.head.note), proved.head)


# -- which ---------------------------------------------------------------------------------------------------


def _leaf(reading: ReadTransaction, number: int) -> LogLeafRow:
    if number >= ledger_row(reading).size:
        raise NotFoundError(what="leaf of the log", name=str(number))
    return leaf_at(reading, number)


def _range(reading: ReadTransaction, wanted: WantedLeaves, size: int) -> tuple[int, int]:
    start, end = wanted.start, size if wanted.end is None else min(wanted.end, size)
    if wanted.since is not None and start < end:
        start = max(start, first_leaf_since(reading, wanted.since, size))
    if wanted.until is not None and start < end:
        end = min(end, first_leaf_since(reading, wanted.until, size))
    return start, max(start, end)


def _rows(
    reading: ReadTransaction, wanted: WantedLeaves, start: int, end: int, rights: _Rights
) -> tuple[list[LogLeafRow], int]:
    """Load the rows of a page, and say where the next one begins."""
    last = start if wanted.newest_first else end
    if start == end:
        return [], last
    by_any = wanted.user_id is None and wanted.file_id is None
    by_index = 0 < len(wanted.kinds) <= _KINDS_BY_INDEX and (rights.all or by_any)
    asked = LeafFilter(wanted.user_id, wanted.file_id, wanted.kinds if by_index else ())
    is_filtered = not (by_any or rights.all) or (wanted.kinds and not by_index)
    most = LOG_SCANNED if is_filtered else wanted.limit
    found = leaves_about(reading, asked, start, end, most, newest_first=wanted.newest_first)
    theirs = {row.number for row in found} if by_any else rights.of(found)
    kept: list[LogLeafRow] = []
    for row in found:
        if len(kept) == wanted.limit:
            return kept, _behind(kept[-1].number, wanted)
        if row.number in theirs and (not wanted.kinds or row.kind in wanted.kinds):
            kept.append(row)
    return kept, _behind(found[-1].number, wanted) if len(found) == most else last


def _behind(number: int, wanted: WantedLeaves) -> int:
    return number if wanted.newest_first else number + 1


# -- by right ------------------------------------------------------------------------------------------------


class _Rights:
    """Whose records a caller may see."""

    def __init__(self, reading: ReadTransaction, caller: Caller) -> None:
        self._reading = reading
        self._caller = caller
        self.all = allows(caller.role, Permission.LOG_AUDIT)
        self._downloads = scope_of(caller, Permission.DOWNLOAD_READ)

    def of(self, rows: Collection[LogLeafRow]) -> set[int]:
        """Say of which leaves the record is theirs to see."""
        if self.all:
            return {row.number for row in rows}
        of_downloads = {row.number: _downloaded(row) for row in rows if row.kind in DOWNLOADS}
        owned = self._owned({each for files in of_downloads.values() for each in files})
        return {
            row.number
            for row in rows
            if row.kind in FOR_ALL
            or self._is_about(row)
            or ((files := of_downloads.get(row.number)) and files <= owned)
        }

    def _is_about(self, row: LogLeafRow) -> bool:
        user_id = self._caller.user_id
        return user_id is not None and user_id in (row.user_id, row.subject_user_id)

    def _owned(self, file_ids: Collection[bytes]) -> set[bytes]:
        if not file_ids:
            return set()
        files = files_by_file_id(self._reading, file_ids)
        return {file_id for file_id, row in files.items() if Resource(row.owner_id) in self._downloads}


def _downloaded(row: LogLeafRow) -> set[bytes]:
    """The files that a download was of; its record is the owner's of all of them."""
    if row.file_id is not None:
        return {row.file_id}
    return {bytes.fromhex(file_id) for file_id, _ in _versions.decode(row.facts).versions}


# -- as it is sent -------------------------------------------------------------------------------------------


def _fitting(rows: Iterable[LogLeafRow], rights: _Rights) -> list[LoggedLeaf]:
    rows = list(rows)
    theirs = rights.of(rows)
    leaves: list[LoggedLeaf] = []
    room = LIST_BYTES - HEAD_BYTES
    for row in rows:
        leaf = LoggedLeaf(row.number, row.entry)
        if row.number in theirs:
            parts = _part(row.facts_salt, row.facts), _part(row.personal_salt, row.personal)
            leaf = LoggedLeaf(row.number, row.entry, *parts)
        if leaves and _bytes(leaf) > room:
            break
        if _bytes(leaf) > room:
            leaf = LoggedLeaf(row.number, row.entry, apart=row.number in theirs)
        leaves.append(leaf)
        room -= _bytes(leaf)
    return leaves


def _part(salt: bytes | None, body: bytes | None) -> bytes | None:
    return None if salt is None or body is None else salt + body


def _bytes(leaf: LoggedLeaf) -> int:
    return len(leaf.leaf) + len(leaf.facts or b"") + len(leaf.personal or b"") + _LEAF_FRAME_BYTES


def _size(leaves: Collection[LoggedLeaf], proved: ProvedLeaves) -> int:
    return sum(map(_bytes, leaves)) + _HASH_FRAME_BYTES * len(proved.proof) + len(proved.head.note)

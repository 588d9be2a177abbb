"""What one answer rests on: the slots of its files, of the folders above them and of its people, read with it.

    query → EvidenceBuilder: records of slots, versions, heads that authors saw → prove (no transaction any more) → Evidence

Rules. It is read in the transaction of the answer, so that both say the same. The proof is made after that, for it may read
tiles: under the head of that time, or not at all where a slot has changed since. Nothing stands here twice, however many files
of an answer have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from sft.errors import RowForgedError, TooLargeError
from sft.ledger.facts import Facts
from sft.ledger.leaves import LeafKind, StateTreeKind
from sft.limits import EVIDENCE_SLOTS, SLOT_BYTES
from sft.model.evidence import ProvedHead, ProvedRestart, ProvedSlot, ProvedVersion
from sft.model.records import UserState
from sft.service.log.ledger import Ledger, ProvedSlots
from sft.service.log.seen import place_seen
from sft.service.log.slots import SlotRecords
from sft.service.version_tree import prove_versions
from sft.store.files import Pair
from sft.store.folders import folders_by_id
from sft.store.hand_overs import heirs_of
from sft.store.ledger import LeafFilter, leaves_about, ledger_row
from sft.store.row_types import FolderRow, LogLeafRow, UserRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.users import users_by_id

RESTARTS_READ: Final = 100  # a server that was put back more often does not say of later ones what they cut off
_SLOT_SHARE: Final = 48  # of the answer, beside a slot's record: where it stands, and a hash of the proof


class EvidenceBuilder:
    """What an answer rests on; one transaction fills it.

    Attributes:
        log_size: of the log, as that transaction has it.
    """

    def __init__(self) -> None:
        self.log_size = 0
        self._epoch = 0
        self._slots: dict[tuple[int, int], ProvedSlot] = {}
        self._versions: dict[tuple[int, int], ProvedVersion] = {}
        self._seen: set[int] = set()
        self._restarts: list[LogLeafRow] | None = None  # loaded where a head of an earlier epoch is met
        self._cutting: dict[int, LogLeafRow] = {}

    def add_files(self, reading: ReadTransaction, pairs: Sequence[Pair]) -> None:
        """Add files, each with the version that is answered: their slots, their folders', and those of owners and authors.

        Raises:
            RowForgedError: a row on the way is gone, or was changed.
            TooLargeError: there are more of them than one answer can prove.
        """
        if not pairs:
            return
        self._begin(reading)
        rows = [file for file, _ in pairs]
        folders = _folders_above(reading, {row.folder_id for row in rows if row.folder_id is not None})
        records = SlotRecords(reading, folders)
        newest = {(file.id, version.number): version for file, version in pairs if version.number == file.newest}
        slots = [row.slot for row in rows]
        self._add(StateTreeKind.FILES, zip(slots, records.files(rows, newest), strict=True))
        numbers = [row.slot for row in folders]
        self._add(StateTreeKind.FILES, zip(numbers, records.folders(folders), strict=True))
        self._add_users(reading, records, {each for f, v in pairs for each in (f.owner_id, v.author_id)})
        older: dict[int, set[int]] = {}
        for file, version in pairs:
            if version.number != file.newest:
                older.setdefault(file.id, set()).add(version.number)
            self._see(reading, version.signature)
        for file in {row.id: row for row in rows if row.id in older}.values():
            for number, inclusion in prove_versions(reading, file, older[file.id]).items():
                self._versions[file.slot, number] = ProvedVersion(file.slot, number, tuple(inclusion))

    def add_users(self, reading: ReadTransaction, rows: Sequence[UserRow], room_bytes: int = SLOT_BYTES) -> int:
        """Add the first so many people that the room holds, one at least; return how many."""
        self._begin(reading)
        added: list[tuple[int, bytes]] = []
        for row, record in zip(rows, SlotRecords(reading).users(rows), strict=True):
            room_bytes -= len(record) + _SLOT_SHARE
            if room_bytes < 0 and added:
                break
            added.append((row.id - 1, record))
        self._add(StateTreeKind.USERS, added)
        return len(added)

    def prove(self, ledger: Ledger) -> ProvedSlots | None:
        """Prove it all under the newest head, for any thread; waits for that of what was read.

        Returns:
            The head and the evidence; None where a slot has changed since: to be read again.

        Raises:
            StoreError: the head of what was read does not come.
        """
        ledger.wait_for(self.log_size)
        proved = ledger.prove_slots(list(self._slots.values()))
        if proved is None:
            return None
        seen = heads_proved(ledger, self._seen, proved.head.size)
        restarts = tuple(
            ProvedRestart(
                row.number, row.entry, ledger.inclusion(row.number, proved.head.size), row.facts_salt + row.facts
            )
            for row in self._cutting.values()
        )
        more = {"seen": seen, "versions": tuple(self._versions.values()), "restarts": restarts}
        return proved._replace(evidence=replace(proved.evidence, **more))

    def _begin(self, reading: ReadTransaction) -> None:
        if not self.log_size:
            row = ledger_row(reading)
            self.log_size, self._epoch = row.size, row.epoch

    def _add(self, tree: StateTreeKind, records: Iterable[tuple[int, bytes]]) -> None:
        self._slots.update(((tree.value, number), ProvedSlot(tree.value, number, record)) for number, record in records)
        if len(self._slots) > EVIDENCE_SLOTS:
            raise TooLargeError(what="The number of folders that an answer can prove", limit=EVIDENCE_SLOTS)

    def _add_users(self, reading: ReadTransaction, records: SlotRecords, ids: Collection[int]) -> None:
        """Add people by their ids; where one is gone and what was theirs is being handed over, the heir as well."""
        found = users_by_id(reading, ids)
        removed = {row.id for row in found.values() if row.state == UserState.REMOVED}
        if removed:
            found |= users_by_id(reading, set(heirs_of(reading, removed).values()) - found.keys())
        missing = set(ids) - found.keys()
        if missing:
            raise RowForgedError(table_of(UserRow), str(min(missing)))
        rows = list(found.values())
        self._add(StateTreeKind.USERS, zip([row.id - 1 for row in rows], records.users(rows), strict=True))

    def _see(self, reading: ReadTransaction, signature: bytes) -> None:
        """Note the head that an author signed to have seen; of one that was lost, the restart that says so."""
        epoch, size = place_seen(signature) or (0, 0)
        if epoch > self._epoch:
            return
        restart = self._restart_after(reading, epoch) if 0 < epoch < self._epoch else None
        if restart is not None and size > restart.number:
            self._cutting[restart.number] = restart
        else:
            self._seen.add(size)  # those of epochs before it are in the same tree

    def _restart_after(self, reading: ReadTransaction, epoch: int) -> LogLeafRow | None:
        """Return the leaf that ended an epoch: the first restart to a later one."""
        if self._restarts is None:
            kinds = LeafFilter(kinds=(LeafKind.LOG_RESTARTED.value,))
            self._restarts = leaves_about(reading, kinds, 0, self.log_size, RESTARTS_READ, newest_first=False)
        return next((row for row in self._restarts if (Facts.decode(row.facts).epoch or 0) > epoch), None)


def heads_proved(ledger: Ledger, sizes: Iterable[int], size: int) -> tuple[ProvedHead, ...]:
    """Prove that heads of these sizes are of this log, under the head of ``size``: each once, by size.

    None is for an empty log, for the head itself, or for one that is not there yet.
    """
    older = sorted(old for old in set(sizes) if 0 < old < size)
    return tuple(ProvedHead(old, ledger.consistency(old, size)) for old in older)


def _folders_above(reading: ReadTransaction, ids: set[int]) -> list[FolderRow]:
    """Load folders and all above them, one query a level."""
    found: dict[int, FolderRow] = {}
    level = ids
    while level:
        rows = folders_by_id(reading, level)
        if missing := level - rows.keys():
            raise RowForgedError(table_of(FolderRow), str(min(missing)))
        found |= rows
        level = {row.parent_id for row in rows.values() if row.parent_id is not None} - found.keys()
    return list(found.values())

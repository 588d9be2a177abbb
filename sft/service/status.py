"""What of a server's status stands in its database, and whether its next start would find the master key."""

from __future__ import annotations

from msgspec import Struct

from sft.ledger.leaves import LeafKind
from sft.model.access import Caller, Permission
from sft.model.quotas import Usage
from sft.service.maintenance.clock import clock_state
from sft.service.maintenance.growth import noted_growth
from sft.service.use_case import query
from sft.store.checks import CHECK, SCRUB, damage_count, walk_row
from sft.store.ledger import LeafFilter, leaf_at, leaves_about, ledger_row
from sft.store.rows import ReadTransaction
from sft.store.settings import BACKED_UP_AT, COLLECTED_AT, setting
from sft.store.totals import total_owned
from sft.vault.master_key_store import MasterKeyStore


class StoredStatus(Struct, frozen=True):
    """What is stored of it; see ``sft.model.status``."""

    owned: Usage
    damages: int
    checked_at: int | None
    check_faults: int
    collected_at: int
    backed_up_at: int | None
    key_since: int
    daily_growth_bytes: int | None
    clock_sound_at: int | None
    key_unreadable: bool


@query(Permission.SESSION_MANAGE)
def show_status(reading: ReadTransaction, caller: Caller, *, master_keys: MasterKeyStore) -> StoredStatus:
    """Show what is stored of the server's status."""
    del caller
    return stored_status(reading, master_keys=master_keys)


@query(Permission.SERVER_MANAGE)
def show_configuration(reading: ReadTransaction, caller: Caller) -> None:
    """Require that a caller may see what the server runs with, which its process knows: paths and hosts stand there."""
    del reading, caller


def stored_status(reading: ReadTransaction, *, master_keys: MasterKeyStore) -> StoredStatus:
    """Read it for the server's own metrics, which no caller asks for."""
    walks = [row for row in (walk_row(reading, CHECK), walk_row(reading, SCRUB)) if row.ended_at is not None]
    last = max(walks, key=lambda row: row.ended_at or 0, default=None)
    rotated = _newest(reading, LeafKind.MASTER_KEY_ROTATED)
    return StoredStatus(
        owned=total_owned(reading),
        damages=damage_count(reading),
        checked_at=None if last is None else last.ended_at,
        check_faults=0 if last is None else last.ended_faults,
        collected_at=int(setting(reading, COLLECTED_AT)),
        # The leaf says that one began; whether it came to its end, the setting.
        backed_up_at=int(setting(reading, BACKED_UP_AT)) or None,
        key_since=leaf_at(reading, 0).time if rotated is None else rotated,
        daily_growth_bytes=noted_growth(reading),
        clock_sound_at=clock_state(reading).sound_at,
        key_unreadable=bool(master_keys.problem()),
    )


def _newest(reading: ReadTransaction, kind: LeafKind) -> int | None:
    """Return when something of a kind was logged last."""
    size = ledger_row(reading).size
    found = leaves_about(reading, LeafFilter(kinds=(kind,)), 0, size, 1, newest_first=True)
    return found[0].time if found else None

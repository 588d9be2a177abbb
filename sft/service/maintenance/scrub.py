"""Reading everything that is stored again and again, a little at a time: what a disk loses is seen while a copy has it yet.

    round: all contents within 30 days ← slices, as much as is due since the last one ← read at a pace

Rules. How much is due follows from the amount of data and the time since the round began, so a server that was off for a week
catches up. A round that has ended is followed by the next, a day later at the earliest: what is little would be read, and
said to be, each minute. Slices are small enough that other maintenance waits for none long.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.errors import StoreError
from sft.limits import DAY_SECONDS, MIB, SCRUB_SECONDS
from sft.model.access import Caller, Permission
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.check_contents import StoredContents
from sft.service.maintenance.positions import Walk
from sft.service.maintenance.report import JobContext, Report
from sft.store.checks import SCRUB, stored_bytes, walk_row
from sft.store.rows import ReadTransaction

AIM_SECONDS: Final = SCRUB_SECONDS * 5 // 6  # five days are left for a server that is off, or busy
LEAST_BYTES: Final = 64 * MIB  # of a slice: less is not worth a transaction
LEAST_RATE: Final = 32 * MIB  # in a second, while nobody needs the disk: it is done soon
HASTE: Final = 4  # times the rate that is needed: so fast it catches up
SLICE_SECONDS: Final = 30
_SLICES_LEAST: Final = 30  # of a round, however little there is


class Due(Struct, frozen=True):
    """What is to be read now.

    Attributes:
        size_bytes: 0 for nothing yet.
        rate: bytes a second at most.
        needed_rate: bytes a second that all of it needs, on and on: so much even while others need the disk.
    """

    size_bytes: int
    rate: int
    needed_rate: int


def due_of(total_bytes: int, read_bytes: int, seconds: int) -> Due:
    """Say what is due of a round that began some seconds ago and has read so much of all."""
    needed = max(1, -(-total_bytes // AIM_SECONDS))
    rate = max(LEAST_RATE, HASTE * needed)
    behind = total_bytes * min(seconds, AIM_SECONDS) // AIM_SECONDS - read_bytes
    if seconds >= AIM_SECONDS:
        behind = max(behind, LEAST_BYTES)  # more was stored meanwhile: on to the end
    enough = behind >= min(LEAST_BYTES, total_bytes // _SLICES_LEAST + 1)
    return Due(min(behind, rate * SLICE_SECONDS) if enough else 0, rate, needed)


@use_case.query(Permission.VAULT_MANAGE)
def scrub_due(reading: ReadTransaction, caller: Caller) -> Due:
    """Say what is to be read now."""
    del caller
    row = walk_row(reading, SCRUB)
    if row.began_at is None and row.ended_at is not None and 0 <= reading.now - row.ended_at < DAY_SECONDS:
        return Due(0, LEAST_RATE, 1)
    began_at = reading.now if row.began_at is None else row.began_at
    due = due_of(stored_bytes(reading), row.size_bytes, max(0, reading.now - began_at))
    # The first slice of a round begins it, whatever is due; so does one where the round began by a clock that was ahead.
    return due if row.began_at is not None and began_at <= reading.now else Due(1, due.rate, due.needed_rate)


def scrub(context: JobContext, due: Due) -> VaultReport:
    """Read about so much as is due; blocks. The report has what does not hold of it."""
    report = Report()

    def damaged(fault: StoreError) -> None:
        report.fault("a page of versions", f"cannot be read ({fault.detail})")

    position = Walk(context, SCRUB)
    if StoredContents(context, report, damaged, reads_data=True).run(position, most_bytes=due.size_bytes):
        position.end()
    return report.finish()
